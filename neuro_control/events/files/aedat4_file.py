# SPDX-License-Identifier: Apache-2.0
"""AEDAT 4: iniVation's files, flatbuffers in packets that may be compressed (LZ4, ZSTD).

`#!AER-DAT4.0`, a flatbuffer with compression, place of the table of contents and a description in
XML; then packets: int32 stream, int32 size, a flatbuffer with a vector of events of 16 bytes
(int64 microseconds, int16 x, int16 y, bool polarity). Definition: iniVation, "AEDAT 4.0".
"""

from __future__ import annotations

import importlib
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree import ElementTree

import numpy as np

from neuro_control.events.files.event_file import (
    ArrayFile,
    Block,
    CutShortError,
    FileError,
    Size,
    nanoseconds,
)

MAGIC = b"#!AER-DAT4.0\r\n"
_EVENT = np.dtype(
    {
        "names": ["t", "x", "y", "p"],
        "formats": ["<i8", "<i2", "<i2", "u1"],
        "offsets": [0, 8, 10, 12],
        "itemsize": 16,
    }
)
_LARGEST_PACKET = 1 << 30


def open_aedat4(path: Path, stream: int | None = None) -> ArrayFile:
    """An AEDAT 4 file.

    Args:
        path: the file.
        stream: which one, if several have events.

    Raises:
        FileError: it is damaged, has no or several streams of events, or a compression for which
            a package is missing.
    """
    with path.open("rb") as file:
        file.seek(len(MAGIC))
        header = _sized(path, file)
        begin = file.tell()
    try:
        table = _Table(header, 0)
        compression = table.number(0, "<i", 0)
        end = table.number(1, "<q", -1)
        streams = _event_streams(table.text(2))
    except (struct.error, ElementTree.ParseError, UnicodeDecodeError, ValueError) as error:
        raise FileError(f"{path}: the header is damaged: {error}") from error
    if 0 <= end < begin:
        raise FileError(f"{path}: the header ends the events at byte {end}, before they begin")
    if stream is None and len(streams) != 1:
        raise FileError(f"{path}: streams with events are {sorted(streams)}; say which one")
    chosen = next(iter(streams)) if stream is None else stream
    if chosen not in streams:
        raise FileError(f"{path}: no events in stream {chosen}; they are in {sorted(streams)}")
    unpack = _decompressor(path, compression)

    def parts() -> Iterator[Block]:
        for at, packed in _packets(path, chosen, begin, end):
            try:
                events = _Table(unpack(packed), 4).vector(0, _EVENT)
            except (struct.error, ValueError, RuntimeError, MemoryError) as error:
                raise FileError(f"{path}: the packet at byte {at}: {error}") from error
            t_ns = nanoseconds(path, events["t"], 1000)
            yield t_ns, events["x"], events["y"], events["p"]

    return ArrayFile(path, "AEDAT 4", streams[chosen], parts)


def _packets(path: Path, stream: int, begin: int, end: int) -> Iterator[tuple[int, bytes]]:
    """The packets of a stream, as they lie between two bytes (end -1: to the end of the file).

    Yields (the byte at which it begins, what is in it).

    Raises:
        FileError: a packet that no file has.
        CutShortError: the file ends within a packet, or before the byte at which they should end.
    """
    with path.open("rb") as file:
        file.seek(begin)
        while end < 0 or file.tell() < end:
            at = file.tell()
            head = file.read(8)
            if not head and end < 0:
                return
            if len(head) < 8:
                raise CutShortError(path, at, max(len(head), 1), "a packet")
            number, size = struct.unpack("<ii", head)
            if not 0 <= size <= _LARGEST_PACKET:
                raise FileError(f"{path}: a packet of {size} bytes at byte {at}; it is damaged")
            if number != stream:
                file.seek(size, 1)
                continue
            packed = file.read(size)
            if len(packed) < size:
                raise CutShortError(path, at, len(head) + len(packed), "a packet")
            yield at, packed


class _Table:
    """A flatbuffer's root table: fields are found through its vtable, absent ones have defaults."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data = data
        self._at = start + self._read("<I", start)
        self._vtable = self._at - self._read("<i", self._at)
        self._length = self._read("<H", self._vtable)

    def _read(self, kind: str, at: int) -> int:
        if at < 0:
            raise ValueError("an offset points before the beginning")
        return int(struct.unpack_from(kind, self._data, at)[0])

    def _field(self, number: int) -> int:
        """Where a field lies; 0 if it is absent."""
        entry = 4 + 2 * number
        offset = self._read("<H", self._vtable + entry) if entry + 2 <= self._length else 0
        return self._at + offset if offset else 0

    def number(self, number: int, kind: str, default: int) -> int:
        at = self._field(number)
        return self._read(kind, at) if at else default

    def text(self, number: int) -> str:
        return bytes(self.vector(number, np.dtype(np.uint8))).decode("utf-8")

    def vector(self, number: int, dtype: np.dtype[Any]) -> Any:
        at = self._field(number)
        if not at:
            return np.empty(0, dtype)
        begin = at + self._read("<I", at)
        length = self._read("<I", begin)
        if begin + 4 + length * dtype.itemsize > len(self._data):
            raise ValueError(f"a vector of {length} goes beyond the end")
        return np.frombuffer(self._data, dtype, length, begin + 4)


def _sized(path: Path, file: BinaryIO) -> bytes:
    head = file.read(4)
    size = struct.unpack("<I", head)[0] if len(head) == 4 else 0
    data = file.read(size) if size <= _LARGEST_PACKET else b""
    if not size or len(data) < size:
        raise FileError(f"{path}: ends within its header at byte {file.tell()}; it is cut short")
    return data


def _event_streams(description: str) -> dict[int, Size | None]:
    """Streams of events by number, with their size where the XML says it."""
    found: dict[int, Size | None] = {}
    root = ElementTree.fromstring(description)
    for node in root.iterfind("./node[@name='outInfo']/node"):
        values = {a.get("key"): a.text or "" for a in node.iterfind("./attr")}
        values |= {a.get("key"): a.text or "" for a in node.iterfind("./node[@name='info']/attr")}
        if values.get("typeIdentifier") == "EVTS":
            size = None
            if "sizeX" in values and "sizeY" in values:
                size = int(values["sizeX"]), int(values["sizeY"])
            found[int(node.get("name", "-1"))] = size
    return found


def _decompressor(path: Path, compression: int) -> Callable[[bytes], bytes]:
    """What undoes a compression; it raises ValueError or RuntimeError for damaged bytes."""
    if compression == 0:
        return lambda data: data
    if compression in (1, 2):
        lz4 = _package(path, "lz4.frame", "lz4")
        return lambda data: bytes(lz4.decompress(data))
    if compression not in (3, 4):
        raise FileError(f"{path}: compression {compression} is not known; 0 to 4 are")
    in_library = sys.version_info >= (3, 14)
    zstd = _package(path, "compression.zstd" if in_library else "backports.zstd", "backports.zstd")

    def decompress(data: bytes) -> bytes:
        try:
            return bytes(zstd.decompress(data))
        except zstd.ZstdError as error:
            raise ValueError(str(error)) from error

    return decompress


def _package(path: Path, module: str, distribution: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise FileError(f"{path} is compressed; pip install {distribution}") from error
