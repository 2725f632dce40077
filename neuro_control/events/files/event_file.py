# SPDX-License-Identifier: Apache-2.0
"""What every file of events can do, and how arrays out of a file are made sound."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_control.events.address_events import (
    LARGEST_HEIGHT,
    LARGEST_WIDTH,
    Events,
    check_size,
)
from neuro_control.events.counters import DecoderCounters
from neuro_control.events.trigger import Triggers

Size = tuple[int, int]
Block = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]
"""Times in ns, columns, rows and polarities (0 and 1) as they stand in a file, not looked at."""

_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_HEADER_ENDS = ("%end", "#endofasciiheader", "#!end-header")
"""Last lines of the headers of Prophesee, jAER and cAER, in small letters and without spaces."""

BLOCK_BYTES = 1 << 20
"""What is read from a file at once: a multiple of every word."""


class FileError(ValueError):
    """A file that cannot be read; the text names it and says what would be right."""


class CutShortError(FileError):
    """A file that ends within a record; what comes before has been given.

    n_bytes: of the record that is not whole.
    """

    def __init__(self, path: Path, at: int, n_bytes: int, what: str) -> None:
        super().__init__(f"{path}: ends within {what} at byte {at}; it is cut short")
        self.n_bytes = n_bytes


class EventFile(ABC):
    """An open-ended source of events: iterate `blocks` as often as wanted.

    path: the file. format: its kind, in a word. size: (width, height) if the file says it.
    can_have_triggers: whether its kind has words for edges at external trigger inputs.

    Raises:
        FileError: the file says a size that no sensor has.
    """

    can_have_triggers = False

    def __init__(self, path: Path, format_name: str, size: Size | None) -> None:
        if size is not None:
            try:
                check_size(*size)
            except ValueError as error:
                raise FileError(f"{path}: the file says that {error}") from error
        self.path = path
        self.format = format_name
        self.size = size

    @property
    @abstractmethod
    def counters(self) -> DecoderCounters:
        """What the last iteration found."""

    @abstractmethod
    def blocks(self, size: Size) -> Iterator[Events]:
        """All events for a sensor of this size, in order, a bounded number at once.

        Raises:
            FileError: the file is damaged where it is read.
        """

    def parts(self, size: Size) -> Iterator[tuple[Events, Triggers]]:
        """The same events, with the edges at the external trigger inputs among them.

        A part may have no events, but triggers.

        Raises:
            FileError: see `blocks`.
        """
        for events in self.blocks(size):
            yield events, Triggers.empty()

    def smallest_size(self) -> Size:
        """The size that the file says, or the smallest that holds all its events.

        Raises:
            FileError: the file is damaged, or has no events to go by.
        """
        if self.size is not None:
            return self.size
        width = height = 0
        for events in self.blocks(self.largest_size):
            if len(events):
                width = max(width, int(events.x.max()) + 1)
                height = max(height, int(events.y.max()) + 1)
        if not width:
            raise FileError(f"{self.path}: no events in it; say width and height")
        return width, height

    @property
    def largest_size(self) -> Size:
        """The largest sensor that the format can address."""
        return LARGEST_WIDTH, LARGEST_HEIGHT


class ArrayFile(EventFile):
    """A file whose events come out as arrays: they are made sound here.

    Events outside the sensor are dropped and counted; a time before its predecessor's is held at
    that, and counted; of a file that is cut short all that is whole is given, and the bytes of what
    is not are counted as malformed.
    """

    def __init__(
        self, path: Path, format_name: str, size: Size | None, parts: Callable[[], Iterator[Block]]
    ) -> None:
        super().__init__(path, format_name, size)
        self._parts = parts
        self._counters = DecoderCounters()

    @property
    def counters(self) -> DecoderCounters:
        """What the last iteration found."""
        return self._counters

    def blocks(self, size: Size) -> Iterator[Events]:
        """See `EventFile.blocks`."""
        width, height = size
        on = off = outside = reversals = malformed = 0
        last_ns: int | None = None
        self._counters = DecoderCounters()
        parts = self._parts()
        while True:
            try:
                block = next(parts, None)
            except CutShortError as cut:
                block, malformed = None, cut.n_bytes
            if block is None:
                break
            _, x, y, _ = block
            inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            outside += int(np.count_nonzero(~inside))
            t_ns, x, y, p = (array[inside] for array in block)
            if not len(t_ns):
                continue
            times = np.ascontiguousarray(t_ns, np.int64)
            before = times[0] if last_ns is None else last_ns
            held = np.maximum(np.maximum.accumulate(times), before)
            reversals += int(np.count_nonzero(held != times))
            last_ns = int(held[-1])
            polarity = (p > 0).astype(np.uint8)
            n_on = int(np.count_nonzero(polarity))
            on, off = on + n_on, off + len(held) - n_on
            self._counters = DecoderCounters(
                on, off, outside_sensor=outside, time_reversals=reversals
            )
            yield Events(held, x.astype(np.uint16), y.astype(np.uint16), polarity, width, height)
        self._counters = DecoderCounters(
            on, off, outside_sensor=outside, malformed=malformed, time_reversals=reversals
        )


def said_size(path: Path, width: str | None, height: str | None) -> Size | None:
    """The size that a header of text says; None if it says none.

    Raises:
        FileError: what it says is no number.
    """
    if width is None or height is None:
        return None
    if not all(said.isascii() and said.isdigit() and len(said) < 10 for said in (width, height)):
        raise FileError(
            f"{path}: the header says width {width!r} and height {height!r}; not numbers"
        )
    return int(width), int(height)


def nanoseconds(
    path: Path, times: NDArray[Any], unit_ns: int, offset_ns: int = 0
) -> NDArray[np.int64]:
    """Times of a file as int64 nanoseconds.

    Args:
        path: the file, for the message.
        times: n whole numbers or floats, in units of `unit_ns`.
        unit_ns: nanoseconds of the unit.
        offset_ns: is added to all.

    Raises:
        FileError: a time is no number, or lies beyond 2^62 ns (146 years).
    """
    if times.dtype.kind not in "iuf":
        raise FileError(f"{path}: times are {times.dtype}; they must be numbers")
    if not len(times):
        return np.empty(0, np.int64)
    low, high = float(times.min()), float(times.max())
    # Two such numbers have a sum below 2^63; comparisons with NaN are false.
    most = 2.0**62
    if not (-most < low * unit_ns and high * unit_ns < most and abs(offset_ns) < most):
        raise FileError(
            f"{path}: times from {low:g} to {high:g} in units of {unit_ns} ns, {offset_ns} ns"
            " added, do not fit int64; it is damaged"
        )
    if times.dtype.kind == "f":
        return np.rint(times.astype(np.float64) * unit_ns).astype(np.int64) + offset_ns
    return times.astype(np.int64) * unit_ns + offset_ns


def unwrapped(
    ticks: NDArray[np.int64], bits: int, turns: int, last: int
) -> tuple[NDArray[np.int64], int, int]:
    """Times of a counter of so many bits, without its roll-overs.

    Args:
        ticks: as counted, int64[n].
        bits: of the counter.
        turns: how often it has rolled over before.
        last: the count before the first of these, -1 at the start.

    Returns:
        (times int64[n], turns and last for the next call).
    """
    if not len(ticks):
        return ticks, turns, last
    steps = np.diff(ticks, prepend=ticks[0] if last < 0 else last)
    rolled = turns + np.cumsum(steps < -(1 << (bits - 1)))
    return ticks + (rolled << bits), int(rolled[-1]), int(ticks[-1])


def records(path: Path, offset: int, dtype: np.dtype[Any]) -> Iterator[NDArray[Any]]:
    """A file's records from a byte offset on, a bounded number at once.

    Raises:
        CutShortError: the file ends within a record; what comes before it has been given.
    """
    size = dtype.itemsize
    with path.open("rb") as file:
        file.seek(offset)
        while block := file.read(BLOCK_BYTES // size * size):
            whole = len(block) - len(block) % size
            if whole:
                yield np.frombuffer(block[:whole], dtype)
            if whole < len(block):
                at, tail = file.tell() - len(block) + whole, len(block) - whole
                raise CutShortError(path, at, tail, f"a record of {size} bytes")


def text_header(path: Path, mark: bytes, most_lines: int = 200) -> tuple[list[str], int]:
    """The lines at a file's beginning that start with a mark, and the offset behind them.

    Not every header says where it ends, and the first event may begin with the mark's byte: a
    line with control characters is not one of the header.

    Raises:
        FileError: there are more lines than any header has.
    """
    lines: list[str] = []
    with path.open("rb") as file:
        while len(lines) < most_lines:
            at = file.tell()
            line = file.readline(4096)
            if not line.startswith(mark) or not line.endswith(b"\n") or _CONTROL.search(line):
                return lines, at
            lines.append(line.decode("latin-1").strip())
            if lines[-1].replace(" ", "").lower() in _HEADER_ENDS:
                return lines, file.tell()
    raise FileError(f"{path}: the header has more than {most_lines} lines; is it a file of events?")
