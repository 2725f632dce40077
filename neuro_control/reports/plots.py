# SPDX-License-Identifier: Apache-2.0
"""Plots for pages: matplotlib's SVG, whose ink follows the page's light or dark.

matplotlib draws with fixed colours. Ink, grid and paper are drawn in colours that nothing else has,
and these and the data's are exchanged in the SVG for the page's CSS variables. Text stays text,
and can be found and copied.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler

from neuro_control.reports.palette import DATA, THEME

Float = npt.NDArray[np.float64]

_INK, _LINE = "#010203", "#040506"
_PAPER = "#070809"
_VARIABLES = {_INK: "var(--ink)", _LINE: "var(--line)", _PAPER: "var(--paper)"} | {
    colour.lower(): f"var(--{role})" for role, (colour, _) in THEME.items() if colour in DATA
}
MOST_POINTS = 4000
"""More points than this in a line are not seen."""

BASIC_STYLE: Any = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=DATA),
    "legend.framealpha": 0.8,
}
_PAGE_STYLE: Any = BASIC_STYLE | {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.facecolor": _PAPER,
    "legend.edgecolor": "none",
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.titlecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "grid.color": _LINE,
    "svg.fonttype": "none",
    "svg.hashsalt": "neuro_control",
}


@contextmanager
def plot_style(page: bool = True) -> Iterator[None]:
    """Settings of matplotlib for a page's plots, or for a picture on white."""
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    with matplotlib.rc_context(_PAGE_STYLE if page else BASIC_STYLE | {"grid.alpha": 0.25}):
        yield


def page_figure(width_in: float = 5.6, height_in: float = 3.3) -> Figure:
    """An empty figure of a page; make and draw it within `plot_style`."""
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasSVG(figure)
    return figure


def svg_of(figure: Figure, name: str, label: str) -> str:
    """The figure as an ``<svg>`` element to stand in a page; call it within `plot_style`.

    name: unique in the page; begins the id of everything in the drawing.
    label: what it shows, for those who do not see it.
    """
    buffer = io.StringIO()
    figure.savefig(
        buffer, format="svg", dpi=150, metadata={"Date": None, "Creator": None, "Format": None}
    )
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(\sid=")', rf"\1{name}-", text)
    text = text.replace('href="#', f'href="#{name}-').replace("url(#", f"url(#{name}-")
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, variable)
    # The page gives the width; the box of the drawing keeps the proportions.
    head, rest = text.split(">", 1)
    head = re.sub(r'\s(width|height|version)="[^"]*"', "", head)
    return f'{head} role="img" aria-label="{_attribute(label)}">{rest}'.strip()


def envelope(x: Float, y: Float) -> tuple[Float, Float]:
    """A line of many points as one of at most `MOST_POINTS` that looks the same.

    x: float64[n] ascending; y: float64[n]. Of each stretch the least and the largest value stay,
    so that no peak is lost.
    """
    if len(x) <= MOST_POINTS:
        return x, y
    starts = np.linspace(0, len(x), MOST_POINTS // 2, endpoint=False).astype(np.int64)
    low, high = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
    return np.repeat(x[starts], 2), np.stack([low, high], axis=1).reshape(-1)


def thinned(count: int) -> slice:
    """Which of `count` points of a line to draw."""
    return slice(None, None, max(1, -(-count // MOST_POINTS)))


def _attribute(text: str) -> str:
    from html import escape

    return escape(text, quote=True)
