# SPDX-License-Identifier: Apache-2.0
"""Events in HDF5, in the layouts that data sets use.

events/{x, y, t, p}            microseconds; with t_offset (DSEC) added, and ours
CD/events                      Prophesee: records with x, y, p, t in microseconds
davis/left/events              MVSEC: rows x, y, seconds, polarity (-1 or 1)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neuro_control.events.address_events import Events
from neuro_control.events.files.event_file import ArrayFile, Block, FileError, Size

_ROWS = 1 << 17
_TABLES = ("davis/left/events", "davis/right/events")


def _package() -> Any:
    try:
        import h5py
    except ImportError as error:
        raise FileError("HDF5 files need the package h5py: pip install h5py") from error
    return h5py


def open_hdf5(path: Path) -> ArrayFile:
    """An HDF5 file. Raises FileError if it cannot be opened or has none of the layouts."""
    h5py = _package()
    try:
        with h5py.File(path, "r") as file:
            size = _size(file)
            layout = _layout(path, file)
    except (OSError, RuntimeError, KeyError) as error:
        raise FileError(f"{path} is not a readable HDF5 file: {error}") from error

    def parts() -> Iterator[Block]:
        try:
            with h5py.File(path, "r") as file:
                yield from _parts(file, layout)
        except (OSError, RuntimeError, KeyError) as error:
            raise FileError(f"{path} cannot be read on: {error}") from error

    return ArrayFile(path, f"HDF5, {layout}", size, parts)


def _layout(path: Path, file: Any) -> str:
    if "events" in file and all(name in file["events"] for name in ("x", "y", "t", "p")):
        lengths = {name: len(file["events"][name]) for name in ("x", "y", "t", "p")}
        if len(set(lengths.values())) > 1:
            raise FileError(f"{path}: events/x, y, t and p have different lengths: {lengths}")
        return "events"
    if "CD/events" in file and set("xytp") <= set(file["CD/events"].dtype.names or ()):
        return "CD/events"
    for name in _TABLES:
        if name in file and file[name].ndim == 2 and file[name].shape[1] == 4:
            return name
    raise FileError(
        f"{path}: no events/{{x,y,t,p}}, no CD/events with x, y, p, t and no {_TABLES[0]} (n, 4);"
        f" it has {sorted(file)}"
    )


def _size(file: Any) -> Size | None:
    for holder in (file, file.get("events"), file.get("CD/events")):
        attributes = {} if holder is None else holder.attrs
        if "width" in attributes and "height" in attributes:
            return int(attributes["width"]), int(attributes["height"])
    return None


def _parts(file: Any, layout: str) -> Iterator[Block]:
    if layout == "events":
        group = file["events"]
        offset_us = int(file["t_offset"][()]) if "t_offset" in file else 0
        for begin in range(0, len(group["t"]), _ROWS):
            part = slice(begin, begin + _ROWS)
            t_us = group["t"][part].astype(np.int64) + offset_us
            x, y, p = (group[name][part].astype(np.int64) for name in ("x", "y", "p"))
            yield t_us * 1000, x, y, p
        return
    table = file[layout]
    for begin in range(0, len(table), _ROWS):
        rows = table[begin : begin + _ROWS]
        if layout == "CD/events":
            x, y, p = (rows[name].astype(np.int64) for name in ("x", "y", "p"))
            yield rows["t"].astype(np.int64) * 1000, x, y, p
        else:
            if not np.isfinite(rows).all():
                raise FileError(f"{layout}: rows {begin} on hold values that are no numbers")
            t_ns = np.rint(rows[:, 2] * 1e9).astype(np.int64)
            yield t_ns, rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64), rows[:, 3]


def write_hdf5(path: Path, chunks: Iterator[Events], size: Size) -> int:
    """Write events/{x, y, t, p} in whole microseconds; returns how many."""
    h5py = _package()
    kinds: Sequence[tuple[str, str]] = (("t", "i8"), ("x", "u2"), ("y", "u2"), ("p", "u1"))
    n = 0
    with h5py.File(path, "w") as file:
        group = file.create_group("events")
        group.attrs["width"], group.attrs["height"] = size
        for name, kind in kinds:
            group.create_dataset(
                name, (0,), kind, maxshape=(None,), chunks=(1 << 16,), compression="gzip"
            )
        for events in chunks:
            columns = {"t": events.t_ns // 1000, "x": events.x, "y": events.y, "p": events.p}
            for name, values in columns.items():
                group[name].resize((n + len(events),))
                group[name][n:] = values
            n += len(events)
    return n
