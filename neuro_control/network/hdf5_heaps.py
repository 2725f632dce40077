# SPDX-License-Identifier: Apache-2.0
"""A look at a file's heaps of text before HDF5 reads them.

A global heap collection (HDF5 File Format Specification 3.0, III.E) holds all text of varying
length. Where a damaged one says that its free space is of size 0, the library (up to 2.0.0 at
least) never comes to the end of it, and nothing can interrupt it.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

_SIGNATURE = b"GCOL\x01"
_HEAD = struct.Struct("<5s3xQ")
_OBJECT = struct.Struct("<HHxxxxQ")


def check_heaps(path: Path) -> None:
    """Raise ValueError where a heap of text in a file would be read without an end."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
            begin = held.find(_SIGNATURE)
            while begin >= 0:
                if _has_no_end(held, begin):
                    raise ValueError(f"its heap of text at byte {begin} is damaged")
                begin = held.find(_SIGNATURE, begin + 1)


def _has_no_end(held: mmap.mmap, begin: int) -> bool:
    if begin + _HEAD.size > len(held):
        return False
    _, size = _HEAD.unpack_from(held, begin)
    place, end = begin + _HEAD.size, min(begin + size, len(held))
    while place + _OBJECT.size <= end:
        number, _, length = _OBJECT.unpack_from(held, place)
        if number == 0 and length == 0:
            return True
        # The size of free space counts its own head; that of a text does not, and is filled up
        # to eight bytes.
        place += length if number == 0 else _OBJECT.size + -(-length // 8) * 8
    return False
