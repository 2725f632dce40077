# SPDX-License-Identifier: Apache-2.0
"""What every benchmark prints and writes: versions, a table, a JSON file."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import neuro_control

_DISTRIBUTIONS = ("numpy", "numba", "llvmlite", "mujoco", "rosbags", "nir", "ros-rclpy")

Row = Mapping[str, Any]


def versions(*more: str) -> dict[str, str]:
    """Versions of everything a figure depends on; `more` are further distributions by name."""
    found = {
        "neuro_control": neuro_control.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": _cpu(),
    }
    for name in (*_DISTRIBUTIONS, *more):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _cpu() -> str:
    model = platform.processor() or "unknown"
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        cores = os.cpu_count() or 1
    return f"{model}, {cores} cores"


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
    Path(path).write_text(json.dumps(content, indent=2, default=_plain) + "\n")


def _plain(value: object) -> object:
    """What json cannot write by itself: numpy's numbers and arrays."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def parser(name: str, description: str) -> argparse.ArgumentParser:
    """An argument parser with the option that every benchmark has: --json FILE."""
    made = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=description)
    made.add_argument("--json", metavar="FILE", type=Path, help="also write the figures here")
    return made
