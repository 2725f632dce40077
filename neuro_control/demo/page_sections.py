# SPDX-License-Identifier: Apache-2.0
"""The sections of a run's page that stand on counts: network, times, figures, energy, versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from neuro_control.demo.network_plots import draw_population_rates, draw_raster
from neuro_control.demo.plots import draw_delays
from neuro_control.demo.record import RunRecord
from neuro_control.demo.report import DEFINITIONS
from neuro_control.reports.page import Block, Plot, Section, Side, Table, Text, shown
from neuro_control.reports.plots import page_figure, plot_style, svg_of
from neuro_control.reports.raster import SpikeRaster


@dataclass(frozen=True)
class Missing:
    """A plot for which nothing was recorded. title: what it would have shown."""

    title: str


def page_plot(
    name: str,
    draw: Callable[[Axes], None],
    caption: str,
    size_in: tuple[float, float] = (5.6, 3.5),
) -> Plot | Missing:
    """A plot for the page, if anything was recorded for it; size in inches."""
    with plot_style():
        figure = page_figure(*size_in)
        axes = figure.add_subplot()
        draw(axes)
        if not axes.has_data():
            return Missing(axes.get_title())
        return Plot(svg_of(figure, name, caption), caption)


def side_by_side(blocks: Sequence[Block | Missing]) -> list[Block]:
    """Blocks beside each other; the plots that are missing among them in one sentence."""
    drawn = [block for block in blocks if not isinstance(block, Missing)]
    missing = [block.title for block in blocks if isinstance(block, Missing)]
    found: list[Block] = [Side(drawn)] if drawn else []
    if missing:
        found.append(Text(f"Nothing was recorded for: {'; '.join(missing)}."))
    return found


def network_sections(record: RunRecord, report: Mapping[str, Any]) -> list[Section]:
    """Who spiked, where that was listened to."""
    network = report["network"]
    if network is None or record.network is None or record.network.raster is None:
        return []
    raster = record.network.raster
    rows = [
        (p["name"], p["role"], p["neurons"], p["spikes"], p["rate_hz"])
        for p in network["populations"]
    ]
    blocks: list[Block] = [
        *side_by_side(
            [
                page_plot(
                    "raster",
                    lambda axes: draw_raster(axes, raster),
                    f"Spikes of the last {raster.recent_s:g} s: inputs blue, hidden populations "
                    "green, outputs orange. Heights grow with the logarithm of the number of "
                    "neurons.",
                    (5.6, 4.6),
                ),
                page_plot(
                    "rates",
                    lambda axes: draw_population_rates(axes, raster),
                    "Mean rate of each population's neurons"
                    f"{_heard_from(raster, report['seconds_asked'])}.",
                    (5.6, 4.6),
                ),
            ]
        ),
        Table(
            "Populations; a rate is spikes over neurons and the "
            f"{network['seconds']:.1f} s in which spikes were listened to. A synapse delivers in "
            "the step after the spike.",
            ("population", "role", "neurons", "spikes", "rate [Hz]"),
            rows,
            right=(2, 3, 4),
        ),
        Text(
            "While spikes are listened to, the controller steps the network tick by tick and "
            "sends them: the same spikes, for some microseconds a tick more."
        ),
    ]
    return [Section("Inside the network", blocks)]


def _heard_from(raster: SpikeRaster, seconds: float) -> str:
    """From when to when of a run of so many seconds spikes were heard, in words."""
    if raster.first_ns is None:
        return ""
    # A simulation goes on for a moment more, so that nobody misses the end.
    last_s = min(raster.last_ns * 1e-9, seconds)
    return f", from {raster.first_ns * 1e-9:.1f} to {last_s:.1f} s of the run"


def timing_section(record: RunRecord, report: Mapping[str, Any]) -> Section:
    """Delays, and what the guard did."""
    latency, tick = report["latency_ms"], report["tick_us"]
    rows: list[tuple[Any, ...]] = [
        ("sensor to command [ms]", latency["median"], latency["p99"], latency["max"]),
        ("step of the network [µs]", tick["median"], tick["p99"], None),
    ]
    blocks = side_by_side(
        [
            page_plot(
                "delays",
                lambda axes: draw_delays(axes, record, latency),
                "From the publication of an event packet to that of the first guarded command that "
                "takes it in, of the packets and commands that were heard here; the lines are the "
                "median and p99 of all, as in the table. Both axes are logarithmic.",
            ),
            Table("Times", ("what", "median", "p99", "largest"), rows, right=(1, 2, 3)),
        ]
    )
    reasons = report["guard_reasons"]
    if reasons:
        blocks.append(
            Table(
                "What the guard counted, by reason; while it is not active it lets nothing through",
                ("reason", "commands"),
                list(reasons.items()),
            )
        )
    elif report["guard_interventions"] is None:
        blocks.append(Text("Nothing was heard of the guard."))
    else:
        blocks.append(Text("The guard never stepped in."))
    return Section("Time and safety", blocks)


def figures_section(report: Mapping[str, Any]) -> Section:
    """Every figure with its definition."""
    rows: list[tuple[Any, ...]] = []
    for name, meaning in DEFINITIONS.items():
        value = report[name]
        if name == "energy_estimate":
            continue  # has a table of its own
        if isinstance(value, Mapping):
            text = ", ".join(f"{key} {shown(part)}" for key, part in value.items())
        else:
            text = shown(value)
        rows.append((name, text, meaning))
    return Section(
        "Figures and what they mean",
        [
            Table(
                "Names are those of the report in JSON",
                ("figure", "value", "definition"),
                rows,
                prose=True,
            )
        ],
    )


def energy_sections(report: Mapping[str, Any]) -> list[Section]:
    """The estimates of energy, where anything was counted."""
    found, meaning = report["energy_estimate"], DEFINITIONS["energy_estimate"]
    if not found:
        return []
    rows = [
        (
            entry["device"],
            entry["operations"],
            entry["joules_per_step"] * 1e6,
            entry["watts"] * 1e3,
            entry["evidence"],
            entry["source"],
        )
        for entry in found.values()
    ]
    return [
        Section(
            "Energy, estimated",
            [
                Text(f"{meaning[0].upper()}{meaning[1:]}."),
                Table(
                    "Estimates; good for orders of magnitude",
                    ("device", "operations", "µJ a step", "mW", "what the constants are", "source"),
                    rows,
                    prose=True,
                ),
            ],
        )
    ]


def versions_section(report: Mapping[str, Any]) -> Section:
    """What the figures depend on."""
    rows = list(report["versions"].items())
    return Section(
        "Versions and machine", [Table("What the figures depend on", ("what", "version"), rows)]
    )
