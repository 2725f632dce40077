# SPDX-License-Identifier: Apache-2.0
"""The frames of a film: panels side by side, each with a title, axes with units, and a caption.

Everything that stays is drawn once, by matplotlib; a frame is that, with pixels put into the
panels and one line of text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from neuro_control.reports.plots import plot_style

Pixels = npt.NDArray[np.uint8]
DPI = 100
HEAD, FOOT, RIGHT, ABOVE = 60, 70, 18, 26
PAPER = (255, 255, 255)


@dataclass(frozen=True)
class Panel:
    """A place for pixels.

    title: above it. caption: below it. width, height: its pixels. left: room for names at its
    left. x_label: of the axis below; none: no axis. x_ticks, y_ticks: (place as part of the
    width or height, from the left or the top; text).
    """

    title: str
    caption: str
    width: int
    height: int
    left: int = 18
    x_label: str = ""
    y_label: str = ""
    x_ticks: Sequence[tuple[float, str]] = ()
    y_ticks: Sequence[tuple[float, str]] = ()


class FilmCanvas:
    """Draws frames of the same panels. size: width and height of a frame, both even."""

    def __init__(self, title: str, panels: Sequence[Panel]) -> None:
        self._panels = list(panels)
        width = sum(panel.left + panel.width + RIGHT for panel in panels)
        height = HEAD + ABOVE + max(panel.height for panel in panels) + FOOT
        self.size = (width + width % 2, height + height % 2)
        self._corners: list[tuple[int, int]] = []
        x = 0
        for panel in self._panels:
            x += panel.left
            self._corners.append((x, HEAD + ABOVE))
            x += panel.width + RIGHT
        self._template = self._draw_template(title)
        font = f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf"
        self._font = ImageFont.truetype(font, 16)

    def frame(self, pixels: Sequence[Pixels], line: str) -> Pixels:
        """A frame: uint8[h, w, 3] for each panel, of its size or a whole part of it.

        line: stands below the title.
        Raises ValueError if a picture does not fill its panel.
        """
        frame = self._template.copy()
        for panel, (x, y), image in zip(self._panels, self._corners, pixels, strict=True):
            times = panel.height // image.shape[0]
            big = image.repeat(times, axis=0).repeat(times, axis=1) if times > 1 else image
            if big.shape != (panel.height, panel.width, 3):
                raise ValueError(
                    f"panel {panel.title!r}: {image.shape} does not fill "
                    f"{panel.width} x {panel.height} pixels"
                )
            frame[y : y + panel.height, x : x + panel.width] = big
        canvas = Image.fromarray(frame)
        ImageDraw.Draw(canvas).text((18, 36), line, font=self._font, fill=(60, 66, 72))
        return np.asarray(canvas)

    def _draw_template(self, title: str) -> Pixels:
        width, height = self.size
        with plot_style(page=False):
            figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
            canvas = FigureCanvasAgg(figure)
            figure.text(18 / width, 1 - 22 / height, title, size=12.5, weight="bold", va="center")
            for panel, (x, y) in zip(self._panels, self._corners, strict=True):
                # A pixel more on every side, so that the frame of the axes stays visible.
                axes = figure.add_axes(
                    (
                        (x - 1) / width,
                        1 - (y + panel.height + 1) / height,
                        (panel.width + 2) / width,
                        (panel.height + 2) / height,
                    )
                )
                axes.grid(visible=False)
                axes.set(xlim=(0, 1), ylim=(1, 0), xlabel=panel.x_label, ylabel=panel.y_label)
                for spine in axes.spines.values():
                    spine.set(visible=True, linewidth=0.8, color="#9aa2aa")
                axes.set_xticks([p for p, _ in panel.x_ticks], [t for _, t in panel.x_ticks])
                axes.set_yticks([p for p, _ in panel.y_ticks], [t for _, t in panel.y_ticks])
                axes.tick_params(labelsize=8.5, length=3 if panel.x_ticks else 0)
                axes.xaxis.label.set_fontsize(9)
                axes.yaxis.label.set_fontsize(9)
                axes.yaxis.labelpad = 1
                axes.set_title(panel.title, loc="left", size=11, pad=6)
                figure.text(
                    x / width,
                    12 / height,
                    panel.caption,
                    size=8.5,
                    color="#57606a",
                    va="center",
                )
            canvas.draw()  # type: ignore[no-untyped-call]
            buffer: Any = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
            return np.array(buffer)[:, :, :3].copy()
