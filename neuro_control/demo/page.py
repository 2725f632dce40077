# SPDX-License-Identifier: Apache-2.0
"""The report of a run as a page: what was run, how it went, with which figures and versions."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from neuro_control.demo.figures import GOAL_MEDIAN_DEG, GOAL_P95_DEG
from neuro_control.demo.page_sections import (
    Missing,
    energy_sections,
    figures_section,
    network_sections,
    page_plot,
    side_by_side,
    timing_section,
    versions_section,
)
from neuro_control.demo.plots import (
    draw_error,
    draw_error_distribution,
    draw_events,
    draw_image_plane,
    draw_rates,
)
from neuro_control.demo.record import RunRecord
from neuro_control.demo.report import notices
from neuro_control.reports.files import write_text
from neuro_control.reports.film_file import MOST_FILM_BYTES
from neuro_control.reports.page import (
    Block,
    Card,
    Cards,
    Code,
    Film,
    Notices,
    Page,
    Picture,
    Section,
    Table,
    Text,
    shown,
)

_SIMULATED = (
    "The arm, its world and its event camera are simulated (MuJoCo, with a pixel model of the "
    "camera); nothing here was measured on a real robot. Nodes, topics, network, controller and "
    "guard are those that would run on one. Delays are wall-clock times of this run on this "
    "machine. {lockstep}Figures of energy are estimates from counted operations and published "
    "energies of one operation; no power was measured, and no chip ran the network unless the "
    "backend says so."
)
_LOCKSTEP = "In lockstep simulated time waits for the controller, so delays cost it nothing. "


def write_page(
    path: Path,
    record: RunRecord,
    report: Mapping[str, Any],
    *,
    field_of_view_deg: float,
    scene: np.ndarray | None = None,
    film: Path | None = None,
) -> None:
    """Write the page of a run.

    report: from `make_report`. scene: uint8[h, w, 3], the arm at the end, if there is a picture.
    film: of the run; it is in the page if it is not too long.
    """
    write_text(path, run_page(record, report, field_of_view_deg, scene, film).html())


def run_page(
    record: RunRecord,
    report: Mapping[str, Any],
    field_of_view_deg: float,
    scene: np.ndarray | None = None,
    film: Path | None = None,
) -> Page:
    """The page of a run; see `write_page`."""
    return Page(
        title=str(report["task"]),
        subtitle=f"Seed {report['seed']}, {report['seconds']:g} s simulated, backend "
        f"{report['backend'] or 'not heard of'}; written {report['written']}",
        top=(Notices(notices(report)), _cards(report)),
        sections=(
            _what_was_run(report),
            _seen(record, field_of_view_deg, scene, film),
            _tracking(record, field_of_view_deg),
            *network_sections(record, report),
            timing_section(record, report),
            figures_section(report),
            *energy_sections(report),
            Section(
                "What is simulated",
                [Text(_SIMULATED.format(lockstep=_LOCKSTEP if report["lockstep"] else ""))],
            ),
            versions_section(report),
        ),
        footer=f"neuro_control {report['version']}, {report['versions']['commit']}",
    )


def _cards(report: Mapping[str, Any]) -> Cards:
    error, latency = report["tracking_error_deg"], report["latency_ms"]
    return Cards(
        [
            Card(
                "Tracking error, median",
                _with_unit(error["median"], ".2f", "°"),
                f"goal {GOAL_MEDIAN_DEG:g}°",
            ),
            Card(
                "Tracking error, p95",
                _with_unit(error["p95"], ".2f", "°"),
                f"goal {GOAL_P95_DEG:g}°",
            ),
            Card("Target lost", _with_unit(report["lost_fraction"], ".1%", ""), "of the time"),
            Card(
                "Sensor to command, p99",
                _with_unit(latency["p99"], ".2f", " ms"),
                f"median {_with_unit(latency['median'], '.2f', ' ms')}",
            ),
            Card("Real-time factor", _with_unit(report["real_time_factor"], ".2f", " ×"), ""),
            Card(
                "Network",
                _with_unit(report["spikes_per_second"], ",.0f", ""),
                "spikes per simulated second",
            ),
        ]
    )


def _what_was_run(report: Mapping[str, Any]) -> Section:
    facts: list[tuple[str, Any]] = [
        ("task", report["task"]),
        ("seed", str(report["seed"])),
        ("simulated time", f"{report['seconds']:g} s of {report['seconds_asked']:g} s asked for"),
        ("time", "waits for the controller (lockstep)" if report["lockstep"] else "real time"),
        ("backend of the network", report["backend"]),
        ("camera's pictures made by", report["renderer"]),
    ]
    changed = report["parameters_changed"]
    blocks: list[Block] = []
    if report["command"]:
        blocks.append(Code(report["command"]))
    blocks.append(Table("The run", ("what", "value"), facts))
    if changed:
        rows = [(name, shown(both["file"]), shown(both["used"])) for name, both in changed.items()]
        blocks.append(
            Table(
                "Parameters that differ from the robot's parameter file",
                ("node.parameter", "in the file", "in this run"),
                rows,
            )
        )
    else:
        blocks.append(Text("Every parameter is that of the robot's parameter file."))
    return Section("What was run", blocks)


def _seen(
    record: RunRecord, field_of_view_deg: float, scene: np.ndarray | None, film: Path | None
) -> Section:
    blocks: list[Block] = []
    if film is not None and film.is_file() and film.stat().st_size <= MOST_FILM_BYTES:
        blocks.append(
            Film(
                film.read_bytes(),
                "The run as a film. Panels and playing speed are named in it.",
                "film of the run: scene, events and spikes side by side",
                gif=film.suffix.lower() == ".gif",
            )
        )
    side: list[Block | Missing] = []
    if scene is not None:
        side.append(
            Picture(
                _png(scene),
                "The arm and its target at the end of the run, drawn from the recorded joint "
                "angles.",
                "the simulated arm and its target",
            )
        )
    side.append(
        page_plot(
            "events",
            lambda axes: draw_events(axes, record, field_of_view_deg),
            "Events of the last moments: brighter orange, darker blue; the cross is the true "
            "target.",
            (5.6, 4.6),
        )
    )
    blocks.extend(side_by_side(side))
    return Section("What was seen", blocks)


def _tracking(record: RunRecord, field_of_view_deg: float) -> Section:
    return Section(
        "Tracking",
        side_by_side(
            [
                page_plot("error", lambda axes: draw_error(axes, record), _error_caption()),
                page_plot(
                    "sorted",
                    lambda axes: draw_error_distribution(axes, record),
                    "For what part of the time the error was below each value; the marks are "
                    "the goals.",
                ),
                page_plot(
                    "plane",
                    lambda axes: draw_image_plane(axes, record, field_of_view_deg),
                    "Where the target was in the image, and where the network saw it. The "
                    "rings are the goals for median and 95th percentile.",
                    (5.6, 4.6),
                ),
                page_plot(
                    "activity",
                    lambda axes: draw_rates(axes, record),
                    "Events and spikes a simulated second: the mean between one word of the "
                    "controller and the next.",
                ),
            ]
        ),
    )


def _error_caption() -> str:
    return (
        "Angle between the camera's axis and the true target over the run (of each moment the "
        "least and the largest), beside the goals."
    )


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _with_unit(value: float | None, form: str, unit: str) -> str:
    return "–" if value is None else format(value, form) + unit
