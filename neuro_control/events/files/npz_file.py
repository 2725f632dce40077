# SPDX-License-Identifier: Apache-2.0
"""Events in numpy's archives: arrays t, x, y, p, or one array of records with these fields.

`t_ns` are nanoseconds; `t` are microseconds where they are whole numbers, and seconds otherwise.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from neuro_control.events.address_events import Events
from neuro_control.events.files.event_file import ArrayFile, Block, FileError, Size

_DAMAGE = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)
_NAMES = {
    "t": ("t_ns", "t", "ts", "timestamp", "timestamps"),
    "x": ("x", "xs"),
    "y": ("y", "ys"),
    "p": ("p", "ps", "pol", "polarity"),
}


def open_npz(path: Path) -> ArrayFile:
    """An .npz or .npy file. Raises FileError if it has no events that are understood."""
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            values = {"": loaded} if isinstance(loaded, np.ndarray) else dict(loaded)
    except (
        OSError,
        ValueError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
    ) as error:
        raise FileError(f"{path} is not a readable numpy file: {error}") from error
    for array in list(values.values()):
        if array.dtype.names:
            values |= {name: array[name] for name in array.dtype.names}
    columns = {}
    for column, names in _NAMES.items():
        name = next((name for name in names if name in values), None)
        if name is None:
            raise FileError(f"{path}: no array {' or '.join(names)}; it has {sorted(values)}")
        columns[column] = (name, _numbers(path, name, values[name]))
    lengths = {name: len(array) for name, array in columns.values()}
    if len(set(lengths.values())) > 1:
        raise FileError(f"{path}: the arrays have different lengths: {lengths}")
    size: Size | None = None
    if "width" in values and "height" in values:
        size = int(values["width"]), int(values["height"])
    name, times = columns["t"]
    if times.dtype.kind == "f":
        t_ns = np.rint(times * 1e9).astype(np.int64)
    else:
        t_ns = times.astype(np.int64) * (1 if name == "t_ns" else 1000)

    def parts() -> Iterator[Block]:
        yield t_ns, columns["x"][1], columns["y"][1], columns["p"][1]

    return ArrayFile(path, "numpy", size, parts)


def _numbers(path: Path, name: str, array: Any) -> Any:
    if array.ndim != 1 or array.dtype.kind not in "iufb" or not np.isfinite(array).all():
        raise FileError(
            f"{path}: {name} is {array.dtype}{array.shape}; it must be one dimension of finite"
            " numbers"
        )
    return array


def write_npz(path: Path, chunks: Iterator[Events], size: Size) -> int:
    """Write t_ns, x, y, p, width and height; all events are in memory for it. Returns how many."""
    events = Events.concatenate([Events.empty(*size), *chunks])
    np.savez_compressed(
        path,
        t_ns=events.t_ns,
        x=events.x,
        y=events.y,
        p=events.p,
        width=np.int64(size[0]),
        height=np.int64(size[1]),
    )
    return len(events)
