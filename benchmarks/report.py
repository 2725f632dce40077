# SPDX-License-Identifier: Apache-2.0
"""What every benchmark prints and writes: versions, a table, a JSON file, a page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuro_control.reports import provenance
from neuro_control.reports.files import check_output, write_text
from neuro_control.reports.json_text import json_text

if TYPE_CHECKING:
    from benchmarks.page import Drawing

Row = Mapping[str, Any]


def versions(*more: str) -> dict[str, str]:
    """Versions of everything a figure depends on; `more` are further distributions by name."""
    return provenance.versions(*more)


def summary(values: Sequence[float], digits: int = 3) -> dict[str, float]:
    """Median, 99th percentile, best and worst of the values.

    Raises ValueError for no values.
    """
    if len(values) == 0:
        raise ValueError("values is empty; measure at least once")
    array = np.asarray(values, float)
    figures = {
        "median": np.median(array),
        "p99": np.percentile(array, 99),
        "min": array.min(),
        "max": array.max(),
    }
    return {name: round(float(value), digits) for name, value in figures.items()}


def print_table(rows: Sequence[Row], title: str) -> None:
    """Print the rows with aligned columns, one for each key in order of appearance."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    texts = [[_text(row.get(column)) for column in columns] for row in rows]
    widths = [
        max(map(len, (column, *cells))) for column, *cells in zip(columns, *texts, strict=True)
    ]
    print(f"\n{title}")
    print(
        "  ".join(
            column.ljust(width) for column, width in zip(columns, widths, strict=True)
        ).rstrip()
    )
    print("  ".join("-" * width for width in widths))
    for row, cells in zip(rows, texts, strict=True):
        line = [
            cell.rjust(width) if isinstance(row.get(column), (int, float)) else cell.ljust(width)
            for column, cell, width in zip(columns, cells, widths, strict=True)
        ]
        print("  ".join(line).rstrip())


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def print_versions(found: Mapping[str, str]) -> None:
    """Print the versions, one a line, under the tables that they explain."""
    print()
    for name, version in found.items():
        print(f"{name:14} {version}")


def write_json(
    path: str | Path | None, name: str, rows: Sequence[Row], extra: Mapping[str, Any] | None = None
) -> None:
    """Write benchmark, versions, rows and whatever is in `extra`; nothing if path is None."""
    if path is None:
        return
    content = {"benchmark": name, "versions": versions(), "rows": list(rows), **(extra or {})}
    write_text(Path(path), json_text(content, indent=2) + "\n")


def write_page(
    options: argparse.Namespace,
    name: str,
    description: str | None,
    tables: Mapping[str, Sequence[Row]],
    found: Mapping[str, str],
    plots: Sequence[Drawing] = (),
    notes: Sequence[str] = (),
    film: Path | None = None,
) -> None:
    """Write what `parser`'s options ask for: the page and the picture (see `benchmarks.page`).

    description: the module's docstring. tables: rows by title. found: versions. film: of a run;
    it is in the page if it is not too long. A benchmark without plots draws its own picture.
    """
    if options.picture is not None and plots:
        from benchmarks.page import draw_plots

        draw_plots(options.picture, name, plots, found)
    if options.html is not None:
        from benchmarks.page import benchmark_page

        words = sys.argv[1:]
        page = benchmark_page(name, description or name, tables, found, plots, notes, words, film)
        write_text(options.html, page.html())


def parser(name: str, description: str) -> argparse.ArgumentParser:
    """An argument parser with the options that every benchmark has.

    --json FILE, --html FILE.html, --picture FILE.png (or .svg, .pdf).
    """
    made = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=description)
    made.add_argument("--json", metavar="FILE", type=_file(), help="also write the figures here")
    made.add_argument(
        "--html",
        metavar="FILE.html",
        type=_file(".html"),
        help="also write a page with tables, plots and versions",
    )
    made.add_argument(
        "--picture",
        metavar="FILE.png",
        type=_file(".png", ".svg", ".pdf"),
        help="also draw the plots (.png, .svg, .pdf)",
    )
    return made


def film_file(text: str) -> Path:
    """A type of argument: a film that can be written."""
    from neuro_control.reports.film_file import check_film

    try:
        check_film("FILE", Path(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return Path(text)


def _file(*suffixes: str) -> Callable[[str], Path]:
    """A type of argument: a path that can be written, so that no hours of work are lost."""

    def checked(text: str) -> Path:
        try:
            check_output("FILE", Path(text), suffixes)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return Path(text)

    return checked
