# SPDX-License-Identifier: Apache-2.0
"""One picture of a run: what the arm did, what the eye saw, how well and how fast it went."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from neuro_control.demo.plots import (
    draw_delays,
    draw_error,
    draw_error_distribution,
    draw_events,
    draw_image_plane,
    draw_rates,
    draw_scene,
)
from neuro_control.demo.record import RunRecord
from neuro_control.reports.files import whole_file
from neuro_control.reports.plots import plot_style

SUFFIXES = (".png", ".svg", ".pdf")


def draw_picture(
    path: Path,
    record: RunRecord,
    report: Mapping[str, Any],
    *,
    field_of_view_deg: float,
    scene: np.ndarray | None = None,
) -> None:
    """Write the picture of a run in the format that the suffix says, one of `SUFFIXES`.

    scene: uint8[h, w, 3], a picture of the arm in its world, if there is one.
    """
    with plot_style(page=False), whole_file(path) as temporary:
        figure = Figure(figsize=(15, 8.6), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(2, 3)
        figure.suptitle(_title(report), fontsize=13)
        if scene is not None:
            draw_scene(axes[0, 0], scene)
        else:
            draw_rates(axes[0, 0], record)
        draw_events(axes[0, 1], record, field_of_view_deg)
        draw_image_plane(axes[0, 2], record, field_of_view_deg)
        draw_error(axes[1, 0], record)
        if scene is not None:
            draw_rates(axes[1, 1], record)
        else:
            draw_error_distribution(axes[1, 1], record)
        draw_delays(axes[1, 2], record, report["latency_ms"])
        figure.savefig(temporary, dpi=110)


def _title(report: Mapping[str, Any]) -> str:
    error = report["tracking_error_deg"]
    parts = [str(report["task"]), f"seed {report['seed']}", f"{round(report['seconds'], 1):g} s"]
    if error["median"] is not None:
        parts.append(f"error {error['median']:.2f}° median, {error['p95']:.2f}° p95")
    if report["interrupted"]:
        parts.append("interrupted")
    return "  ·  ".join(parts)
