# SPDX-License-Identifier: Apache-2.0
"""AEDAT 3.1: what cAER wrote, and data sets such as DVS Gesture come in.

`#!AER-DAT3.1`, lines of text up to `#!END-HEADER`, then packets, little-endian. A packet's header
has 28 bytes: int16 type (1: polarity), int16 source; int32 size of an event, place of the time in
it, upper 31 bits of the time, room, number of events, number of valid ones. A polarity event has
eight: uint32 with a valid mark (bit 0), polarity (bit 1), y (bits 2-16) and x (bits 17-31), from
the upper left; int32 microseconds. Definition: iniVation, "AEDAT 3.1".
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neuro_control.events.files.event_file import (
    BLOCK_BYTES,
    ArrayFile,
    Block,
    CutShortError,
    FileError,
    Size,
    nanoseconds,
    text_header,
)

MAGIC = b"#!AER-DAT3"
_END = "#!END-HEADER"
_HEADER = struct.Struct("<hhiiiiii")
_POLARITY = 1
_COMPRESSED = 1 << 15
_EVENT = np.dtype([("address", "<u4"), ("t", "<i4")])
_LARGEST_PACKET = 1 << 30
_SIZES: dict[str, Size] = {
    "DVS128": (128, 128),
    "DAVIS128": (128, 128),
    "DAVIS208": (208, 192),
    "DAVIS240": (240, 180),
    "DAVIS346": (346, 260),
    "DAVIS640": (640, 480),
}
"""Of the devices that a header names, by the beginning of their names."""


def open_aedat3(path: Path) -> ArrayFile:
    """An AEDAT 3.1 file; events that were marked as invalid by a filter are left out.

    Raises:
        FileError: another version or form, or no end of the header.
    """
    lines, offset = text_header(path, b"#")
    if not lines or not lines[0].startswith("#!AER-DAT3.1"):
        said = lines[0] if lines else "nothing"
        raise FileError(f"{path}: the header says {said}; of AEDAT 3 only #!AER-DAT3.1 is read")
    if lines[-1] != _END:
        raise FileError(f"{path}: the header ends at byte {offset} without {_END}; it is cut short")
    form = next((line for line in lines if line.startswith("#Format:")), "#Format: RAW")
    if form.split(":", 1)[1].strip() != "RAW":
        raise FileError(f"{path}: {form[1:]}; only RAW is read")

    def parts() -> Iterator[Block]:
        # Packets may be small; as many as make a block are put together.
        waiting: list[tuple[NDArray[np.int64], NDArray[np.uint32]]] = []
        n = 0
        try:
            for overflow, events in _packets(path, offset):
                kept = events[(events["address"] & 1 == 1) & (events["t"] >= 0)]
                waiting.append((kept["t"].astype(np.int64) + (overflow << 31), kept["address"]))
                n += len(events)
                if n >= BLOCK_BYTES // _EVENT.itemsize:
                    yield _block(path, waiting)
                    waiting, n = [], 0
        except FileError:
            if waiting:
                yield _block(path, waiting)
            raise
        if waiting:
            yield _block(path, waiting)

    return ArrayFile(path, "AEDAT 3.1", _size(lines), parts)


def _size(lines: list[str]) -> Size | None:
    """The size of the one device that the header names; None if it is not known."""
    found = set()
    for line in lines:
        # A minus stands before what the events came from before they were written anew.
        source = re.match(r"#-*Source \d+: *(\S+)", line)
        if source:
            found |= {size for name, size in _SIZES.items() if source[1].upper().startswith(name)}
    return found.pop() if len(found) == 1 else None


def _block(path: Path, waiting: list[tuple[NDArray[np.int64], NDArray[np.uint32]]]) -> Block:
    t_us = np.concatenate([t_us for t_us, _ in waiting])
    address = np.concatenate([address for _, address in waiting])
    return nanoseconds(path, t_us, 1000), address >> 17, address >> 2 & 0x7FFF, address >> 1 & 1


def _packets(path: Path, offset: int) -> Iterator[tuple[int, NDArray[np.void]]]:
    """The polarity events of every packet, a bounded number at once, and their upper time bits.

    Raises:
        FileError: a packet that no file has, events of a second source, or compressed ones.
        CutShortError: the file ends within a packet.
    """
    length = path.stat().st_size
    first_source = None
    with path.open("rb") as file:
        file.seek(offset)
        while head := file.read(_HEADER.size):
            at = file.tell() - len(head)
            if len(head) < _HEADER.size:
                raise CutShortError(path, at, len(head), "a packet's header")
            kind, source, size, place, overflow, _, number, _ = _HEADER.unpack(head)
            if kind & _COMPRESSED:
                raise FileError(f"{path}: the packet at byte {at} is compressed; only RAW is read")
            left = size * number
            if size < 0 or number < 0 or overflow < 0 or left > _LARGEST_PACKET:
                raise FileError(f"{path}: the header of the packet at byte {at} is damaged")
            if kind != _POLARITY:
                file.seek(left, 1)
                if file.tell() > length:
                    raise CutShortError(path, at, length - at, "a packet")
                continue
            if (size, place) != (_EVENT.itemsize, 4):
                raise FileError(
                    f"{path}: events of {size} bytes, their time at byte {place}, in the packet at"
                    f" byte {at}; a polarity event has {_EVENT.itemsize}, its time at byte 4"
                )
            first_source = source if first_source is None else first_source
            if source != first_source:
                raise FileError(
                    f"{path}: events of the sources {first_source} and {source}; one is read"
                )
            while left:
                data = file.read(min(left, BLOCK_BYTES))
                whole = len(data) // _EVENT.itemsize
                yield overflow, np.frombuffer(data, _EVENT, whole)
                if len(data) < min(left, BLOCK_BYTES):
                    tail = len(data) - whole * _EVENT.itemsize
                    raise CutShortError(path, length - tail, max(tail, 1), "a packet")
                left -= len(data)
