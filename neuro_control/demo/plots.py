# SPDX-License-Identifier: Apache-2.0
"""The plots of a run, each on axes that are given: for the picture and for the page.

Every axis has its unit, and every plot says so where nothing was recorded.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from neuro_control.demo.figures import (
    GOAL_MEDIAN_DEG,
    GOAL_P95_DEG,
    FloatArray,
    angle_from_axis_deg,
    image_plane_deg,
    rate,
)
from neuro_control.demo.record import RunRecord
from neuro_control.events import MonoDecoder
from neuro_control.reports.event_image import Polarity, add_events, polarity_rgba
from neuro_control.reports.palette import BLUE, GREEN, GREY, PURPLE, VERMILION
from neuro_control.reports.plots import envelope, thinned


def _nothing(axes: Axes, why: str = "nothing recorded") -> None:
    axes.text(0.5, 0.5, why, ha="center", va="center", transform=axes.transAxes, color=GREY)


def draw_scene(axes: Axes, scene: np.ndarray) -> None:
    """The scene from outside, uint8[h, w, 3]."""
    axes.imshow(scene)
    axes.set_title("The arm and its target")
    axes.set_axis_off()


def draw_error(axes: Axes, record: RunRecord) -> None:
    """Angle to the target over time, beside the goals."""
    axes.set(title="Tracking error", xlabel="simulated time [s]", ylabel="angle to target [deg]")
    t_ns, position = record.target_arrays()
    if len(t_ns) == 0:
        return _nothing(axes)
    error_deg = angle_from_axis_deg(position)
    t_s, drawn_deg = envelope(t_ns.astype(np.float64) * 1e-9, error_deg)
    axes.plot(t_s, drawn_deg, color=BLUE, lw=0.9, label="error")
    axes.axhline(GOAL_MEDIAN_DEG, color=GREEN, ls="--", label=f"{GOAL_MEDIAN_DEG:g}° (median)")
    axes.axhline(GOAL_P95_DEG, color=PURPLE, ls=":", lw=2, label=f"{GOAL_P95_DEG:g}° (p95)")
    top = max(8.0, 1.1 * float(np.percentile(error_deg, 99.5)))
    axes.set_ylim(0, min(top, 180.0))
    axes.legend(loc="upper right", ncols=3, fontsize=9)
    return None


def draw_error_distribution(axes: Axes, record: RunRecord) -> None:
    """For what part of the time the angle was below each value."""
    axes.set(
        title="Tracking error, sorted", xlabel="angle to target [deg]", ylabel="part of the time"
    )
    _, position = record.target_arrays()
    if len(position) == 0:
        return _nothing(axes)
    error_deg = np.sort(angle_from_axis_deg(position))
    part = np.arange(1, len(error_deg) + 1) / len(error_deg)
    thin = thinned(len(part))
    axes.plot(error_deg[thin], part[thin], color=BLUE)
    axes.plot(GOAL_MEDIAN_DEG, 0.5, "s", color=GREEN, label="goal: median")
    axes.plot(GOAL_P95_DEG, 0.95, "D", color=PURPLE, label="goal: p95")
    axes.set_xlim(0, max(8.0, float(np.percentile(error_deg, 99.5))))
    axes.set_ylim(0, 1.02)
    axes.legend(loc="lower right", fontsize=9)
    return None


def latest_events(record: RunRecord) -> tuple[Polarity, int]:
    """The latest events that were kept, int8[height, width] of +1 and -1, and how many.

    Raises IndexError if there is no packet.
    """
    width, height = record.packets[-1][1:3]
    image = np.zeros((height, width), np.int8)
    total = 0
    for stamp_ns, w, h, payload in record.packets:
        events = MonoDecoder(w, h).decode(np.frombuffer(payload, np.uint8), stamp_ns)
        total += len(events)
        add_events(image, events)
    return image, total


def draw_events(axes: Axes, record: RunRecord, field_of_view_deg: float) -> None:
    """What the camera saw last."""
    axes.set(xlabel="column [pixel]", ylabel="row [pixel]")
    axes.set_title("What the camera saw last")
    axes.grid(visible=False)
    if not record.packets:
        return _nothing(axes)
    image, total = latest_events(record)
    width, height = image.shape[1], image.shape[0]
    axes.imshow(polarity_rgba(image), interpolation="nearest")
    span_ms = (record.packets[-1][0] - record.packets[0][0]) * 1e-6
    # The target's truth at the time of the last packet.
    t_ns, position = record.target_arrays(record.packets[-1][0])
    if len(t_ns) and position[-1, 2] > 0:
        scale = width / 2 / np.tan(np.radians(field_of_view_deg) / 2)
        x, y = position[-1, :2] / position[-1, 2] * scale + (width / 2, height / 2)
        axes.plot(x, y, "+", color=GREEN, ms=14, mew=2, label="true target")
        axes.legend(loc="upper right", fontsize=9)
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(height - 0.5, -0.5)
    axes.set_title(f"Events of {span_ms:.0f} ms ({total:,}): ON orange, OFF blue")
    return None


def draw_image_plane(axes: Axes, record: RunRecord, field_of_view_deg: float) -> None:
    """Where the target was in the image, in truth and as the network saw it."""
    axes.set(
        title="Target in the image plane (gaze at 0, 0)",
        xlabel="right of the camera's axis [deg]",
        ylabel="above the camera's axis [deg]",
    )
    t_ns, position = record.target_arrays()
    if len(t_ns) == 0:
        return _nothing(axes)
    truth = image_plane_deg(position)
    thin = thinned(len(truth))
    axes.plot(truth[thin, 0], -truth[thin, 1], color=BLUE, lw=0.7, label="true target")
    if len(record.estimate):
        estimate = np.degrees(np.arctan(record.estimate.values))
        some = slice(None, None, max(1, len(estimate) // 600))
        axes.plot(
            estimate[some, 0],
            -estimate[some, 1],
            ".",
            ms=3,
            color=VERMILION,
            label="as the network sees it",
        )
    turn = np.linspace(0, 2 * np.pi, 181)
    for radius, colour, style in (
        (GOAL_MEDIAN_DEG, GREEN, "--"),
        (GOAL_P95_DEG, PURPLE, ":"),
    ):
        axes.plot(radius * np.cos(turn), radius * np.sin(turn), color=colour, ls=style, lw=1.5)
    reach = float(np.percentile(np.abs(truth), 99.5)) * 1.15
    limit = min(max(8.0, reach), field_of_view_deg / 2)
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
    axes.legend(loc="upper right", fontsize=9)
    return None


def draw_rates(axes: Axes, record: RunRecord) -> None:
    """Events and spikes a second over time."""
    axes.set(title="Activity", xlabel="simulated time [s]", ylabel="thousand per second")
    drawn = 0
    for key, label, colour, style in (
        ("events", "camera events", BLUE, "-"),
        ("spikes", "network spikes", VERMILION, "--"),
    ):
        edges_s, per_second = _counter_rate(record, key)
        if len(per_second):
            axes.stairs(
                per_second * 1e-3, edges_s, baseline=None, color=colour, ls=style, lw=1.5,
                label=label,
            )  # fmt: skip
            drawn += 1
    if not drawn:
        return _nothing(axes)
    axes.set_ylim(bottom=0)
    axes.legend(loc="center right", fontsize=9)
    return None


def _counter_rate(record: RunRecord, key: str) -> tuple[FloatArray, FloatArray]:
    """Rate of one of the controller's counters over simulated time: edges, rates."""
    readings = record.counters[key]
    return rate(readings.t_ns, readings.values[:, 0])


def draw_delays(axes: Axes, record: RunRecord, figures: Mapping[str, float | None]) -> None:
    """From an event packet to the robot command that answers it, as a histogram.

    figures: median and p99 of all packets (ms), as the report has them; the histogram is of those
    that were heard here.
    """
    axes.set(title="Sensor to command", xlabel="delay [ms]", ylabel="packets")
    if not len(record.delays):
        return _nothing(axes)
    # A delay of nothing stands in the first bin of a logarithmic axis.
    delays_ms = np.maximum(record.delays.values[:, 0] * 1e-6, 1e-2)
    low, high = float(delays_ms.min()), float(delays_ms.max())
    edges = np.geomspace(low * 0.95, high * 1.05, 60)
    axes.hist(delays_ms, bins=list(edges), color=BLUE)
    for name, colour, style in (("median", GREEN, "--"), ("p99", VERMILION, ":")):
        value = figures.get(name)
        if value is not None and value > 0.0:
            axes.axvline(value, color=colour, ls=style, lw=2, label=f"{name} {value:.2f} ms")
    axes.set(xscale="log", yscale="log")
    steps = (1, 2, 5) if high < 1000 * low else (1,)
    ticks = [t for e in range(-2, 5) for t in (s * 10.0**e for s in steps) if low <= t <= high]
    if len(ticks) > 1:
        axes.set_xticks(ticks, labels=[f"{t:g}" for t in ticks])
    axes.minorticks_off()
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper right", fontsize=9)
    return None
