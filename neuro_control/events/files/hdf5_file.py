# SPDX-License-Identifier: Apache-2.0
"""Events in HDF5, in the layouts that data sets use.

events/{x, y, t, p}            microseconds; with t_offset (DSEC) added, and ours
CD/events                      Prophesee: records with x, y, p, t in microseconds
davis/left/events              MVSEC: rows x, y, seconds, polarity (-1 or 1)

Times that are no whole numbers are seconds.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neuro_control.events.address_events import Events
from neuro_control.events.files.event_file import (
    ArrayFile,
    Block,
    FileError,
    Size,
    nanoseconds,
)

_ROWS = 1 << 17
_TABLES = ("davis/left/events", "davis/right/events")


# What h5py lets through when it follows a damaged file: all of them mean the same.
_DAMAGE = (OSError, RuntimeError, KeyError, TypeError, ValueError, AttributeError, MemoryError)


def _package(path: Path) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise FileError(f"{path}: HDF5 files need the package h5py: pip install h5py") from error
    return h5py


def open_hdf5(path: Path) -> ArrayFile:
    """An HDF5 file.

    Raises:
        FileError: it cannot be opened, has none of the layouts, or is compressed with what this
            HDF5 does not know.
    """
    h5py = _package(path)
    try:
        with h5py.File(path, "r") as file:
            layout = _layout(path, file)
            for dataset in _datasets(file, layout):
                _check_filters(path, dataset)
            size = _size(path, file)
            offset_us = _offset_us(path, file)
    except FileError:
        raise
    except _DAMAGE as error:
        raise FileError(f"{path} is not a readable HDF5 file: {error}") from error

    def parts() -> Iterator[Block]:
        try:
            with h5py.File(path, "r") as file:
                yield from _parts(path, _datasets(file, layout), offset_us)
        except FileError:
            raise
        except _DAMAGE as error:
            raise FileError(f"{path} cannot be read on: {error}") from error

    return ArrayFile(path, f"HDF5, {layout}", size, parts)


def _layout(path: Path, file: Any) -> str:
    group = file.get("events")
    if hasattr(group, "keys") and set("xytp") <= set(group):
        for name in "xytp":
            column = group[name]
            if getattr(column, "ndim", None) != 1 or column.dtype.kind not in "iufb":
                raise FileError(f"{path}: events/{name} is {column}; it must be n numbers")
        lengths = {name: len(group[name]) for name in "xytp"}
        if len(set(lengths.values())) > 1:
            raise FileError(f"{path}: events/x, y, t and p have different lengths: {lengths}")
        return "events"
    table = file.get("CD/events")
    names = getattr(getattr(table, "dtype", None), "names", None) or ()
    if set("xytp") <= set(names) and table.ndim == 1:
        wrong = [name for name in "xytp" if table.dtype[name].kind not in "iufb"]
        if wrong:
            raise FileError(f"{path}: CD/events has {table.dtype}; {wrong[0]} must be a number")
        return "CD/events"
    for name in _TABLES:
        table = file.get(name)
        if getattr(table, "ndim", 0) == 2 and table.shape[1] == 4 and table.dtype.kind in "iuf":
            return name
    raise FileError(
        f"{path}: no events/{{x,y,t,p}}, no CD/events with x, y, p, t and no {_TABLES[0]} (n, 4);"
        f" it has {sorted(file)}"
    )


def _datasets(file: Any, layout: str) -> list[Any]:
    """The columns t, x, y, p, or the one table that has them all."""
    return [file["events"][name] for name in "txyp"] if layout == "events" else [file[layout]]


def _check_filters(path: Path, dataset: Any) -> None:
    """Raise FileError if the data are compressed with a filter that HDF5 does not have here.

    DSEC uses Blosc, which hdf5plugin brings; importing it is what registers it.
    """
    h5py = _package(path)
    pipeline = dataset.id.get_create_plist()
    for number in range(pipeline.get_nfilters()):
        code, _, _, name = pipeline.get_filter(number)
        if h5py.h5z.filter_avail(code):
            continue
        with contextlib.suppress(ImportError):
            importlib.import_module("hdf5plugin")
        if not h5py.h5z.filter_avail(code):
            raise FileError(
                f"{path}: {dataset.name} is compressed with the HDF5 filter {code}"
                f" ({name.decode('latin-1') or 'no name'}); pip install hdf5plugin, or set"
                " HDF5_PLUGIN_PATH to the folder of the filter's plugin"
            )


def _size(path: Path, file: Any) -> Size | None:
    for holder in (file, file.get("events"), file.get("CD/events")):
        attributes = {} if holder is None else holder.attrs
        if "width" in attributes and "height" in attributes:
            width, height = attributes["width"], attributes["height"]
            return _whole(path, "width", width), _whole(path, "height", height)
    return None


def _offset_us(path: Path, file: Any) -> int:
    return _whole(path, "t_offset", file["t_offset"][()]) if "t_offset" in file else 0


def _whole(path: Path, name: str, value: Any) -> int:
    number = np.asarray(value)
    if number.size != 1 or number.dtype.kind not in "iu":
        raise FileError(f"{path}: {name} is {value!r}; it must be one whole number")
    return int(number.reshape(()))


def _parts(path: Path, datasets: list[Any], offset_us: int) -> Iterator[Block]:
    for begin in range(0, len(datasets[0]), _ROWS):
        rows = [dataset[begin : begin + _ROWS] for dataset in datasets]
        if len(rows) == 4:
            t, x, y, p = rows
        elif rows[0].dtype.names:
            t, x, y, p = (rows[0][name] for name in "txyp")
        else:
            x, y, t, p = rows[0].T
        unit_ns = 1_000_000_000 if t.dtype.kind == "f" or rows[0].ndim == 2 else 1000
        yield nanoseconds(path, t, unit_ns, offset_us * 1000), x, y, p


def write_hdf5(path: Path, chunks: Iterable[Events], size: Size) -> int:
    """Write events/{x, y, t, p} in whole microseconds; returns how many."""
    h5py = _package(path)
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
