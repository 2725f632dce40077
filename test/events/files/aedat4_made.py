# SPDX-License-Identifier: Apache-2.0
"""AEDAT 4 files, made from their definition: flatbuffers in packets."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from neuro_control.events import Events


def flatbuffer(fields: dict[int, tuple[str, bytes]], identifier: bytes) -> bytes:
    """A root table; a field is ("inline", its bytes) or ("vector", bytes behind its length)."""
    slots = max(fields) + 1
    body, place, tails = b"", {}, []
    for number, (kind, data) in fields.items():
        body += b"\0" * (-(4 + len(body)) % 8)
        place[number] = 4 + len(body)
        body += data if kind == "inline" else b"\0\0\0\0"
    vtable = struct.pack("<HH", 4 + 2 * slots, 4 + len(body))
    vtable += b"".join(struct.pack("<H", place.get(n, 0)) for n in range(slots))
    vtable += b"\0" * (-(8 + len(vtable)) % 8)
    table_at = 8 + len(vtable)
    made = bytearray(struct.pack("<I", table_at) + identifier + vtable)
    made += struct.pack("<i", len(vtable)) + body
    for number, (kind, data) in fields.items():
        if kind == "vector":
            made += b"\0" * (-len(made) % 8 + 4)
            at = table_at + place[number]
            made[at : at + 4] = struct.pack("<I", len(made) - at)
            tails.append(number)
            made += data
    return bytes(made)


def aedat4(
    path: Path,
    stretches: Iterable[Events],
    size: tuple[int, int],
    compression: int = 0,
    each: int = 300,
    end: int = -1,
) -> Path:
    """Write so many events a packet, one stretch after the other, behind a packet of an IMU.

    compression: 0, 1 (LZ4) or 3 (ZSTD); the test is skipped where its package is missing.
    end: byte at which the header says that the packets end, -1 for one that does not know.
    """
    pack = bytes
    if compression == 1:
        pack = pytest.importorskip("lz4.frame").compress
    elif compression == 3:
        pack = pytest.importorskip("backports.zstd").compress
    description = (
        '<dv version="2.0"><node name="outInfo"><node name="0"><attr key="typeIdentifier">EVTS'
        f'</attr><node name="info"><attr key="sizeX">{size[0]}</attr><attr key="sizeY">{size[1]}'
        '</attr></node></node><node name="1"><attr key="typeIdentifier">IMUS</attr></node></node>'
        "</dv>"
    ).encode("ascii")
    header = flatbuffer(
        {
            0: ("inline", struct.pack("<i", compression)),
            1: ("inline", struct.pack("<q", end)),
            2: ("vector", struct.pack("<I", len(description)) + description),
        },
        b"IOHE",
    )
    with path.open("wb") as file:
        file.write(b"#!AER-DAT4.0\r\n" + struct.pack("<I", len(header)) + header)
        file.write(struct.pack("<ii", 1, 3) + b"imu")
        for events in stretches:
            for begin in range(0, len(events), each):
                packed = pack(_packet(events[begin : begin + each]))
                file.write(struct.pack("<ii", 0, len(packed)) + packed)
    return path


def _packet(events: Events) -> bytes:
    records = np.zeros(len(events), np.dtype("<i8,<i2,<i2,u1,V3"))
    columns = (events.t_ns // 1000, events.x, events.y, events.p)
    for field, values in zip(("f0", "f1", "f2", "f3"), columns, strict=True):
        records[field] = values
    vector = struct.pack("<I", len(events)) + records.tobytes()
    made = flatbuffer({0: ("vector", vector)}, b"EVTS")
    return struct.pack("<I", len(made)) + made
