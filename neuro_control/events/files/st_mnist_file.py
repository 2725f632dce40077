# SPDX-License-Identifier: Apache-2.0
"""ST-MNIST: digits drawn on an event-based skin of 10 x 10 taxels, a MATLAB file each.

`spiketrain` is float64[101, n]: in a column's first 100 rows, a taxel a row, 1 (pressed) or -1
(released) for each that spoke; in the last row its time in seconds. Taxel k is in column k % 10 and
row k // 10. Source: See et al., "ST-MNIST - the spiking tactile MNIST neuromorphic dataset", arXiv
2005.04319, 2020.

Of MATLAB's level 5 files (MathWorks, "MAT-File Format") that much is read here as it takes. Scipy
reads all of them, and ends the process with a bus error where a file is damaged.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from neuro_control.events.files.event_file import ArrayFile, Block, FileError, nanoseconds

ROWS = COLUMNS = 10
NAME = b"spiketrain"
LARGEST_BYTES = 1 << 24
"""Of a file and of what is packed in it: it is read as a whole. A digit has 2 MB."""
_COLUMNS_AT_ONCE = 2000
"""A block has up to a hundred times as many events, however few bytes they are packed in."""

_HEADER_BYTES = 128
_MATRIX, _COMPRESSED = 14, 15
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8"}
_NUMERIC_CLASSES = range(6, 14)  # double, single, and integers of up to 32 bits
_COMPLEX = 0x800


def open_st_mnist(path: Path) -> ArrayFile:
    """A file of ST-MNIST."""

    def parts() -> Iterator[Block]:
        if path.stat().st_size > LARGEST_BYTES:
            raise FileError(f"{path}: has over {LARGEST_BYTES:,} bytes; no file of ST-MNIST has")
        try:
            train = _spiketrain(path.read_bytes())
        except (ValueError, struct.error, zlib.error) as error:
            raise FileError(f"{path}: {error}; it must be a file of ST-MNIST") from error
        t_ns = nanoseconds(path, train[-1].astype(np.float64), 1_000_000_000)
        for begin in range(0, len(t_ns), _COLUMNS_AT_ONCE):
            signs = train[:-1, begin : begin + _COLUMNS_AT_ONCE]
            if not np.isin(signs, (-1, 0, 1)).all():
                raise FileError(f"{path}: spiketrain has signs that are none of -1, 0, 1")
            column, taxel = np.nonzero(signs.T)
            y, x = np.divmod(taxel, COLUMNS)
            yield t_ns[begin + column], x, y, signs[taxel, column]

    return ArrayFile(path, "ST-MNIST", (COLUMNS, ROWS), parts)


def _spiketrain(data: bytes) -> Any:
    mark = data[126:_HEADER_BYTES]
    if mark not in (b"IM", b"MI"):
        raise ValueError("is no MATLAB file of level 5")
    order = "<" if mark == b"IM" else ">"
    for kind, content in _unpacked(data[_HEADER_BYTES:], order):
        if kind == _MATRIX and (train := _matrix(content, order)) is not None:
            if train.ndim != 2 or len(train) != ROWS * COLUMNS + 1:
                raise ValueError(
                    f"spiketrain is {list(train.shape)}, not [{ROWS * COLUMNS + 1}, n]"
                )
            return train
    raise ValueError("has no variable spiketrain")


def _unpacked(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    for kind, content in _elements(data, order):
        if kind == _COMPRESSED:
            yield from _elements(zlib.decompressobj().decompress(content, LARGEST_BYTES), order)
        else:
            yield kind, content


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """The elements that lie one behind the other: the type's number, what is in it."""
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from(f"{order}II", data, at)
        begin, after = at + 8, 0
        if kind >> 16:  # a short one, with its type, its size and up to four bytes in eight
            kind, size, begin = kind & 0xFFFF, kind >> 16, at + 4
            after = at + 8
        if begin + size > (after or len(data)):
            raise ValueError(f"an element of {size} bytes goes beyond its end: it is damaged")
        yield kind, data[begin : begin + size]
        # All but what is compressed fill whole eights.
        at = after or begin + size + (0 if kind == _COMPRESSED else -size % 8)


def _matrix(content: bytes, order: str) -> Any:
    """The matrix, if it is the one that is looked for; else None."""
    elements = [*_elements(content, order)]
    if len(elements) < 4 or elements[2][1] != NAME:
        return None
    (_, flags), (_, sizes), _, (kind, values) = elements[:4]
    (said,) = struct.unpack_from(f"{order}I", flags)
    if said & 0xFF not in _NUMERIC_CLASSES or said & _COMPLEX or kind not in _NUMBERS:
        raise ValueError("spiketrain is no matrix of real numbers")
    shape = [int(n) for n in np.frombuffer(sizes, f"{order}i4")]
    if min(shape, default=-1) < 0:
        raise ValueError(f"spiketrain is {shape}: it is damaged")
    return np.frombuffer(values, f"{order}{_NUMBERS[kind]}").reshape(shape, order="F")
