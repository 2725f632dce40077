# SPDX-License-Identifier: Apache-2.0
"""AEDAT 1 and 2: jAER's address events, and those of the neuromorphic auditory sensor (NAS).

After lines that begin with '#', big-endian records: address (16 bits in version 1, 32 in version
2) and time (32 bits). What an address means depends on the chip:

    dvs128: bit 0 polarity (0 is ON), bits 1-7 x, bits 8-14 y; microseconds
    davis240, davis346: bit 31 clear, bits 22-30 y, bits 12-21 x, bit 11 polarity; microseconds
    nas: 2 x channel + (0 ON, 1 OFF), the second ear's channels behind the first's; 0.2 us

jAER counts columns from the right and rows from below; they are turned here, so that a picture
stands as the scene does.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neuro_control.events.files.event_file import (
    ArrayFile,
    Block,
    FileError,
    Size,
    records,
    text_header,
    unwrapped,
)

_SIZES: dict[str, Size] = {"dvs128": (128, 128), "davis240": (240, 180), "davis346": (346, 260)}
LAYOUTS = (*_SIZES, "nas")
_NAS_TICK_NS = 200


def open_aedat2(path: Path, layout: str = "", size: Size | None = None) -> ArrayFile:
    """An AEDAT 1 or 2 file.

    Args:
        path: the file.
        layout: one of `LAYOUTS`; "" takes the chip that the header names, and NAS where there is
            no header.
        size: (channels, ears) of a NAS; without it all addresses are one ear's.

    Raises:
        FileError: no layout is said, or the version is another.
    """
    lines, offset = text_header(path, b"#")
    header = " ".join(lines)
    if "AER-DAT3" in header or "AER-DAT4" in header:
        raise FileError(f"{path}: {lines[0]}; only versions 1, 2, 3.1 and 4.0 are read")
    layout = layout or _named(header)
    if layout not in LAYOUTS:
        raise FileError(
            f"{path}: the header names no chip that is known; say layout: {', '.join(LAYOUTS)}"
        )
    wide = "AER-DAT2" in header
    record = np.dtype([("address", ">u4" if wide else ">u2"), ("t", ">u4")])
    tick_ns = _NAS_TICK_NS if layout == "nas" else 1000

    def parts() -> Iterator[Block]:
        turns, last = 0, -1
        for block in records(path, offset, record):
            ticks, turns, last = unwrapped(block["t"].astype(np.int64), 32, turns, last)
            kept, x, y, p = _addresses(layout, block["address"].astype(np.int64), size)
            yield (ticks * tick_ns)[kept], x[kept], y[kept], p[kept]

    version = "2" if wide else "1"
    known = _SIZES.get(layout, size)
    return ArrayFile(path, f"AEDAT {version}, {layout}", known, parts)


def _named(header: str) -> str:
    if not header:
        return "nas"
    lower = header.lower()
    return next((name for name in _SIZES if name in lower), "")


def _addresses(
    layout: str, address: NDArray[np.int64], size: Size | None
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Which addresses are events, and their x, y and polarity."""
    if layout == "nas":
        channels = address >> 1
        ear = channels // size[0] if size else np.zeros_like(channels)
        channel = channels - ear * size[0] if size else channels
        return np.ones(len(address), bool), channel, ear, 1 - (address & 1)
    width, height = _SIZES[layout]
    if layout == "dvs128":
        x, y, p = address >> 1 & 0x7F, address >> 8 & 0x7F, 1 - (address & 1)
        kept = address >> 15 & 1 == 0
    else:
        x, y, p = address >> 12 & 0x3FF, address >> 22 & 0x1FF, address >> 11 & 1
        kept = (address >> 31 & 1 == 0) & (address >> 10 & 1 == 0)
    return kept, width - 1 - x, height - 1 - y, p
