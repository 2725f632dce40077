# SPDX-License-Identifier: Apache-2.0
"""A benchmark's page: its tables, its plots with medians and p99, versions and machine."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from neuro_control.reports.film_file import MOST_FILM_BYTES
from neuro_control.reports.page import Block, Code, Film, Page, Plot, Section, Side, Table, Text
from neuro_control.reports.palette import BLUE, DATA, GREY, VERMILION

if TYPE_CHECKING:  # a benchmark starts without matplotlib, and need not have it in memory
    from matplotlib.axes import Axes

Row = Mapping[str, Any]
Float = npt.NDArray[np.float64]

_OTHERS = "Every figure was measured on the machine and with the versions below; times vary with "
_LOAD = "the machine's load, so compare what stands in one table, not pages of different runs."


class Drawing(Protocol):
    """A plot of a benchmark."""

    @property
    def caption(self) -> str:
        """What is to be seen."""

    @property
    def lines(self) -> int:
        """How many bars or boxes stand one below the other."""

    def draw(self, axes: Axes) -> None:
        """Draw it on empty axes."""


@dataclass(frozen=True)
class Bars:
    """Bars of one column of a table, with a mark for another.

    caption: what it shows. rows: of the table. label: the columns that name a bar.
    value: the column of its length; rows without it are left out. unit: of the axis.
    mark, mark_name: a column drawn as a mark, such as the 99th percentile, and what it is.
    reference: the name of the bar that all are compared with; its multiple stands behind each.
    log: points on a logarithmic axis instead, where values differ by orders of magnitude.
    """

    caption: str
    rows: Sequence[Row]
    label: Sequence[str]
    value: str
    unit: str
    mark: str | None = None
    mark_name: str = "p99"
    reference: str | None = None
    log: bool = False

    @property
    def shown(self) -> list[Row]:
        """The rows that have a value."""
        return [row for row in self.rows if row.get(self.value) is not None]

    @property
    def lines(self) -> int:
        """See Drawing."""
        return len(self.shown)

    def draw(self, axes: Axes) -> None:
        """See Drawing."""
        rows = self.shown
        names = [", ".join(str(row[key]) for key in self.label) for row in rows]
        values = np.array([float(row[self.value]) for row in rows])
        places = np.arange(len(rows))
        marks = [row.get(self.mark) if self.mark else None for row in rows]
        marked = [(place, float(mark)) for place, mark in enumerate(marks) if mark is not None]
        logarithmic = _spreads(self.log, values)
        colours = [
            BLUE if self.reference is None or name.startswith(self.reference) else GREY
            for name in names
        ]
        if logarithmic:
            # The length of a bar says nothing where there is no zero.
            axes.scatter(values, places, color=colours, s=45, zorder=3)
            axes.hlines(
                [place for place, _ in marked],
                [values[place] for place, _ in marked],
                [mark for _, mark in marked],
                color=GREY,
                lw=1,
            )
        else:
            axes.barh(places, values, color=colours, height=0.6)
        if marked:
            at, where = [mark for _, mark in marked], [place for place, _ in marked]
            axes.plot(
                at, where, "|", color=VERMILION, ms=13, mew=2.5, ls="none", label=self.mark_name
            )
            axes.legend(fontsize=9, loc="lower right", bbox_to_anchor=(1.0, 1.0), borderpad=0)
        base = next((float(values[i]) for i, name in enumerate(names) if name == self.reference), 0)
        ends = values.copy()
        for place, mark in marked:
            ends[place] = max(ends[place], mark)
        texts = [f"{value:.3g}" + (f" ({value / base:.3g} ×)" if base else "") for value in values]
        _write_at(axes, ends, texts)
        _name_lines(axes, names, self.unit, np.concatenate([values, ends]), logarithmic)


@dataclass(frozen=True)
class Boxes:
    """Box plots of samples: quartiles and median, whiskers from the 1st to the 99th percentile.

    caption: what it shows. samples: of each box by its name. unit: of the axis.
    """

    caption: str
    samples: Mapping[str, Sequence[float]]
    unit: str
    log: bool = False

    @property
    def lines(self) -> int:
        """See Drawing."""
        return len(self.samples)

    def draw(self, axes: Axes) -> None:
        """See Drawing."""
        boxes = []
        for name, values in self.samples.items():
            low, q1, median, q3, high = np.percentile(values, [1, 25, 50, 75, 99])
            boxes.append(
                {"label": name, "whislo": low, "q1": q1, "med": median, "q3": q3, "whishi": high}
            )
        lows, ends = (np.array([float(box[key]) for box in boxes]) for key in ("whislo", "whishi"))
        axes.bxp(
            boxes,
            positions=np.arange(len(boxes)),
            **_lying(),
            showfliers=False,
            patch_artist=True,
            boxprops={"facecolor": BLUE, "edgecolor": BLUE, "alpha": 0.55},
            medianprops={"color": VERMILION, "linewidth": 2},
            whiskerprops={"color": GREY},
            capprops={"color": GREY},
        )
        _write_at(axes, ends, [f"{box['med']:.3g}" for box in boxes])
        both = np.concatenate([lows, ends])
        _name_lines(axes, list(self.samples), self.unit, both, _spreads(self.log, both))


@dataclass(frozen=True)
class Curves:
    """Lines over two logarithmic axes.

    caption: what it shows. curves: x and y of each line by its name. x_label, y_label: with units.
    """

    caption: str
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]]
    x_label: str
    y_label: str

    @property
    def lines(self) -> int:
        """See Drawing."""
        return 8 if self.curves else 0

    def draw(self, axes: Axes) -> None:
        """See Drawing."""
        for number, (name, (x, y)) in enumerate(self.curves.items()):
            axes.plot(
                x,
                y,
                marker="osv^D*Pxh"[number % 9],
                ms=5,
                ls=("-", "--", ":")[number // len(DATA) % 3],
                color=DATA[number % len(DATA)],
                label=name,
            )
        axes.set(xscale="log", yscale="log", xlabel=self.x_label, ylabel=self.y_label)
        axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def benchmark_page(
    name: str,
    description: str,
    tables: Mapping[str, Sequence[Row]],
    versions: Mapping[str, str],
    plots: Sequence[Drawing] = (),
    notes: Sequence[str] = (),
    words: Sequence[str] = (),
    film: Path | None = None,
) -> Page:
    """The page of a benchmark.

    name: of its module. description: what is measured and how (the module's docstring).
    tables: rows by title. notes: what must be known to read them. words: of the command line.
    film: of a run; a longer one than a page can take stands beside it.
    """
    title, _, rest = description.partition("\n\n")
    title = title.partition(": `")[0].strip().rstrip(".")
    blocks: list[Block] = [
        Text(" ".join(part.split())) for part in rest.split("\n\n") if part.strip()
    ]
    command = shlex.join(["python", "-m", f"benchmarks.{name}", *words])
    drawn = [_plot(f"plot{i}", plot) for i, plot in enumerate(plots) if plot.lines]
    written = datetime.now(timezone.utc).isoformat(timespec="seconds")
    sections = [
        Section("What was measured", [*blocks, Code(command)]),
        *_film(film),
        *([Section("In pictures", [Side(drawn)])] if drawn else []),
        Section("In figures", [_table(*table) for table in tables.items()]),
        Section("To be known", [*map(Text, notes), Text(_OTHERS + _LOAD)]),
        Section(
            "Versions and machine",
            [Table("What the figures depend on", ("what", "version"), list(versions.items()))],
        ),
    ]
    return Page(
        title=title,
        subtitle=f"Benchmark {name} of neuro_control {versions.get('neuro_control', '')}; "
        f"written {written}",
        sections=sections,
        footer=f"neuro_control {versions.get('neuro_control', '')}, {versions.get('commit', '')}",
    )


def draw_plots(
    path: Path, name: str, plots: Sequence[Drawing], versions: Mapping[str, str]
) -> None:
    """The plots of a benchmark, one below the other, as a picture on white; the suffix says how."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from neuro_control.reports.files import whole_file
    from neuro_control.reports.plots import plot_style

    drawn = [plot for plot in plots if plot.lines]
    heights = [1.4 + 0.34 * plot.lines for plot in drawn]
    known = [versions[key] for key in ("neuro_control", "commit", "cpu") if key in versions]
    with plot_style(page=False), whole_file(path) as temporary:
        figure = Figure(figsize=(8.5, sum(heights) + 0.8), layout="constrained")
        FigureCanvasAgg(figure)
        figure.supxlabel(f"benchmark {name} of neuro_control {', '.join(known)}", fontsize=8)
        grid = figure.add_gridspec(max(len(drawn), 1), 1, height_ratios=heights or [1.0])
        for place, plot in enumerate(drawn):
            axes = figure.add_subplot(grid[place])
            plot.draw(axes)
            axes.set_title(plot.caption, fontsize=10, loc="left", wrap=True)
        figure.savefig(temporary, dpi=150)


def _film(path: Path | None) -> list[Section]:
    if path is None or path.stat().st_size > MOST_FILM_BYTES:
        return []
    film = Film(
        path.read_bytes(),
        "Scene, events and spikes of one run. Panels and playing speed are named in the film.",
        "film of a run: scene, events and spikes side by side",
        gif=path.suffix.lower() == ".gif",
    )
    return [Section("As a film", [film])]


def _table(title: str, rows: Sequence[Row]) -> Table:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[_plain(row.get(column)) for column in columns] for row in rows]
    return Table(title, [column.replace("_", " ") for column in columns], cells)


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value


def _plot(name: str, plot: Drawing) -> Plot:
    from neuro_control.reports.plots import page_figure, plot_style, svg_of

    with plot_style():
        figure = page_figure(6.2, 1.2 + 0.34 * plot.lines)
        plot.draw(figure.add_subplot())
        return Plot(svg_of(figure, name, plot.caption), plot.caption)


def _spreads(wanted: bool, values: Float) -> bool:
    """Whether a logarithmic axis is wanted and worth it."""
    return wanted and len(values) > 0 and values.max() > 8 * values.min() > 0


def _write_at(axes: Axes, ends: Float, texts: Sequence[str]) -> None:
    """Write a text behind the end of each line."""
    for place, (end, text) in enumerate(zip(ends, texts, strict=True)):
        axes.annotate(
            text, (end, place), (7, 0), textcoords="offset points", va="center", fontsize=8.5
        )


def _name_lines(
    axes: Axes, names: Sequence[str], unit: str, values: Float, logarithmic: bool
) -> None:
    axes.set_yticks(range(len(names)), labels=list(names), fontsize=9)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(unit)
    low, high = float(values.min()), float(values.max())
    if logarithmic:
        axes.set_xscale("log")
        axes.set_xlim(low / 1.5, high * (high / low) ** 0.3)
    else:
        axes.set_xlim(0, high * 1.3 or 1.0)


def _lying() -> dict[str, Any]:
    """That boxes lie; from matplotlib 3.10 on it is said otherwise."""
    import matplotlib

    major, minor = (int(part) for part in matplotlib.__version__.split(".")[:2])
    return {"orientation": "horizontal"} if (major, minor) >= (3, 10) else {"vert": False}
