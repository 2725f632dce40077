# SPDX-License-Identifier: Apache-2.0
"""Prophesee DAT, version 2: eight bytes an event, microseconds in 32 bits, addresses in 14."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from neuro_control.events.files.event_file import (
    ArrayFile,
    Block,
    FileError,
    records,
    said_size,
    text_header,
    unwrapped,
)

_EVENT = np.dtype([("t", "<u4"), ("address", "<u4")])
_KINDS = {0: "2D events", 12: "CD events"}


def open_dat(path: Path) -> ArrayFile:
    """A DAT file. Raises FileError for another version or another kind of event."""
    lines, offset = text_header(path, b"%")
    fields = {line.split()[1].lower(): line.split()[2] for line in lines if len(line.split()) > 2}
    version = fields.get("version", "1")
    if version != "2":
        raise FileError(f"{path}: DAT version {version}; only version 2 is read")
    with path.open("rb") as file:
        file.seek(offset)
        kind_and_size = file.read(2)
    if len(kind_and_size) < 2:
        raise FileError(f"{path}: ends at byte {offset}, before the type of its events")
    kind, size = kind_and_size
    if kind not in _KINDS or size != _EVENT.itemsize:
        raise FileError(
            f"{path}: events of type {kind} and {size} bytes; only types 0 and 12 of 8 are read"
        )
    said = said_size(path, fields.get("width"), fields.get("height"))

    def parts() -> Iterator[Block]:
        turns, last = 0, -1
        for record in records(path, offset + 2, _EVENT):
            t_us, turns, last = unwrapped(record["t"].astype(np.int64), 32, turns, last)
            address = record["address"]
            x, y, p = address & 0x3FFF, address >> 14 & 0x3FFF, address >> 28 & 1
            yield t_us * 1000, x, y, p

    return ArrayFile(path, "Prophesee DAT 2", said, parts)
