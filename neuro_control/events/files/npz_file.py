# SPDX-License-Identifier: Apache-2.0
"""Events in numpy's archives: arrays t, x, y, p, or one array of records with these fields.

`t_ns` are nanoseconds; `t` are microseconds where they are whole numbers, and seconds otherwise.
The arrays are read row by row, packed or not, and are never in memory as a whole. Definition of
the format: numpy, "numpy.lib.format".
"""

from __future__ import annotations

import shutil
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from neuro_control.events.address_events import Events
from neuro_control.events.files.event_file import (
    ArrayFile,
    Block,
    FileError,
    Size,
    nanoseconds,
)

# What numpy and zipfile let through when they follow a damaged file: all of them mean the same.
_DAMAGE = (
    OSError,
    ValueError,
    TypeError,
    EOFError,
    KeyError,
    SyntaxError,
    RuntimeError,
    MemoryError,
    NotImplementedError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
_ROWS = 1 << 17
_NAMES = {
    "t": ("t_ns", "t", "ts", "timestamp", "timestamps"),
    "x": ("x", "xs"),
    "y": ("y", "ys"),
    "p": ("p", "ps", "pol", "polarity"),
}


@dataclass(frozen=True)
class _Array:
    """One array of a file. member: its name in the archive, "" for a file that is one array."""

    member: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class _Column:
    """Where one of t, x, y and p comes from: an array, or a field of its records."""

    array: _Array
    name: str
    field: str | None


def open_npz(path: Path) -> ArrayFile:
    """An .npz or .npy file. Raises FileError if it has no events that are understood."""
    try:
        arrays = _arrays(path)
        width, height = (_scalar(path, arrays, name) for name in ("width", "height"))
    except FileError:
        raise
    except _DAMAGE as error:
        raise FileError(f"{path} is not a readable numpy file: {error}") from error
    columns = _columns(path, arrays)
    size = None if width is None or height is None else (width, height)

    def parts() -> Iterator[Block]:
        try:
            yield from _parts(path, columns)
        except FileError:
            raise
        except _DAMAGE as error:
            raise FileError(f"{path} cannot be read on: {error}") from error

    return ArrayFile(path, "numpy", size, parts)


def _arrays(path: Path) -> dict[str, _Array]:
    """All arrays of the file by name, from their headers alone."""
    with path.open("rb") as file:
        packed = file.read(2) == b"PK"
        file.seek(0)
        if not packed:
            return {"": _header("", file)}
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if member.endswith(".npy"):
                with archive.open(member) as stream:
                    arrays[member.removesuffix(".npy")] = _header(member, stream)
    return arrays


def _header(member: str, stream: IO[bytes]) -> _Array:
    """Read an array's header; the stream stands at its first row afterwards."""
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    version = np.lib.format.read_magic(stream)
    if version not in readers:
        raise ValueError(f"{member} is of version {version} of numpy's format; 1 and 2 are read")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what an old Python wrote; it is read all the same
        shape, _, dtype = readers[version](stream)
    if dtype.hasobject:
        raise ValueError(f"{member or 'the array'} holds Python objects, which are not loaded")
    return _Array(member, shape, dtype)


def _columns(path: Path, arrays: dict[str, _Array]) -> dict[str, _Column]:
    known = {name: _Column(array, name, None) for name, array in arrays.items()}
    for array in arrays.values():
        known |= {field: _Column(array, field, field) for field in array.dtype.names or ()}
    columns = {}
    for wanted, names in _NAMES.items():
        name = next((name for name in names if name in known), None)
        if name is None:
            raise FileError(f"{path}: no array {' or '.join(names)}; it has {sorted(known)}")
        array, dtype = known[name].array, known[name].array.dtype
        dtype = dtype if known[name].field is None else dtype[name]
        if len(array.shape) != 1 or array.shape[0] < 0 or dtype.kind not in "iufb":
            raise _not_numbers(path, name, dtype, array.shape)
        columns[wanted] = known[name]
    lengths = {column.name: column.array.shape[0] for column in columns.values()}
    if len(set(lengths.values())) > 1:
        raise FileError(f"{path}: the arrays have different lengths: {lengths}")
    return columns


def _parts(path: Path, columns: dict[str, _Column]) -> Iterator[Block]:
    (length,) = columns["t"].array.shape
    with ExitStack() as opened:
        archive = None
        if columns["t"].array.member:
            archive = opened.enter_context(zipfile.ZipFile(path))
        streams: dict[_Array, IO[bytes]] = {}
        for column in columns.values():
            if column.array not in streams:
                source = archive.open(column.array.member) if archive else path.open("rb")
                streams[column.array] = opened.enter_context(source)
                _header(column.array.member, source)
        for begin in range(0, length, _ROWS):
            n = min(_ROWS, length - begin)
            rows = {array: _rows(path, array, source, n) for array, source in streams.items()}
            t, x, y, p = (_values(path, column, rows[column.array]) for column in columns.values())
            if columns["t"].name == "t_ns":
                unit_ns = 1
            else:
                unit_ns = 1_000_000_000 if t.dtype.kind == "f" else 1000
            yield nanoseconds(path, t, unit_ns), x, y, p


def _rows(path: Path, array: _Array, stream: IO[bytes], n: int) -> NDArray[Any]:
    wanted = n * array.dtype.itemsize
    at = stream.tell()
    data = stream.read(wanted)
    if len(data) < wanted:
        where = array.member or "the array"
        raise FileError(f"{path}: {where} ends at byte {at + len(data)}; it is cut short")
    return np.frombuffer(data, array.dtype, n)


def _values(path: Path, column: _Column, rows: NDArray[Any]) -> NDArray[Any]:
    values = rows if column.field is None else rows[column.field]
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise _not_numbers(path, column.name, values.dtype, column.array.shape)
    return values


def _not_numbers(path: Path, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> FileError:
    said = f"{name} is {dtype}{shape}"
    return FileError(f"{path}: {said}; it must be one dimension of finite numbers")


def _scalar(path: Path, arrays: dict[str, _Array], name: str) -> int | None:
    """A whole number that the archive holds under a name; None if it has none."""
    array = arrays.get(name)
    if array is None:
        return None
    if array.shape not in ((), (1,)) or array.dtype.kind not in "iu":
        raise FileError(f"{path}: {name} is {array.dtype}{array.shape}; it must be a whole number")
    with zipfile.ZipFile(path) as archive, archive.open(array.member) as stream:
        _header(array.member, stream)
        return int(_rows(path, array, stream, 1)[0])


def write_npz(path: Path, chunks: Iterable[Events], size: Size) -> int:
    """Write t_ns, x, y, p, width and height; returns how many events.

    An array's header says its length, which is known at the end only: until then the columns lie
    in files of their own beside the path, and never all in memory.
    """
    columns = (("t_ns", "<i8"), ("x", "<u2"), ("y", "<u2"), ("p", "u1"))
    n = 0
    with ExitStack() as opened:
        spools = {
            name: opened.enter_context(TemporaryFile(dir=path.parent, prefix=f"{path.name}."))
            for name, _ in columns
        }
        for events in chunks:
            for name, kind in columns:
                values = np.ascontiguousarray(getattr(events, name), kind)
                spools[name].write(values.tobytes())
            n += len(events)
        archive = opened.enter_context(zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED))
        for name, kind in columns:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                header = {"descr": kind, "fortran_order": False, "shape": (n,)}
                np.lib.format.write_array_header_1_0(member, header)
                spools[name].seek(0)
                shutil.copyfileobj(spools[name], member, 1 << 20)
        for name, value in zip(("width", "height"), size, strict=True):
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, np.asarray(np.int64(value)))
    return n
