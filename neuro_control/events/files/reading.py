# SPDX-License-Identifier: Apache-2.0
"""Which kind of file it is, and its events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from neuro_control.events.address_events import Events, check_size
from neuro_control.events.files.aedat2_file import LAYOUTS, open_aedat2
from neuro_control.events.files.aedat3_file import MAGIC as AEDAT3
from neuro_control.events.files.aedat3_file import open_aedat3
from neuro_control.events.files.aedat4_file import MAGIC as AEDAT4
from neuro_control.events.files.aedat4_file import open_aedat4
from neuro_control.events.files.bag_file import BagFile
from neuro_control.events.files.dat_file import open_dat
from neuro_control.events.files.event_file import EventFile, FileError, Size, text_header
from neuro_control.events.files.hdf5_file import open_hdf5
from neuro_control.events.files.nmnist_file import open_nmnist
from neuro_control.events.files.npz_file import open_npz
from neuro_control.events.files.raw_file import RawFile
from neuro_control.events.files.st_mnist_file import open_st_mnist
from neuro_control.events.trigger import Triggers

KNOWN = (
    "Prophesee RAW and DAT, AEDAT 1, 2, 3.1 and 4, N-MNIST .bin, ST-MNIST .mat, HDF5, .npz and"
    " .npy, rosbag2 (.db3, .mcap or folder)"
)


def _prophesee(path: Path) -> EventFile:
    lines, _ = text_header(path, b"%")
    is_raw = any(line.startswith(("% evt ", "% format ")) for line in lines)
    return RawFile(path) if is_raw or path.suffix.lower() == ".raw" else open_dat(path)


_BY_START: Mapping[bytes, Callable[[Path], EventFile]] = {
    AEDAT4: open_aedat4,
    AEDAT3: open_aedat3,
    b"\x89HDF\r\n\x1a\n": open_hdf5,
    b"PK\x03\x04": open_npz,
    b"\x93NUMPY": open_npz,
    b"%": _prophesee,
}
"""Kinds by the bytes that they begin with."""

_BY_SUFFIX = {".bin": open_nmnist, ".mat": open_st_mnist}
"""Kinds that do not begin in a way of their own."""


def open_file(
    path: str | Path, *, topic: str | None = None, layout: str = "", size: Size | None = None
) -> EventFile:
    """A file of events, its kind found by what is in it and then by its suffix.

    Args:
        path: a file, or the folder of a rosbag2 recording.
        topic: of a recording that has several.
        layout: of the addresses in AEDAT 1 and 2, where the header does not name the chip.
        size: (channels, ears) of a NAS.

    Raises:
        FileNotFoundError: there is none.
        FileError: it is of no known kind, or damaged at its beginning.
        ValueError: another layout.
    """
    path = Path(path)
    if layout and layout not in LAYOUTS:
        raise ValueError(f"layout is {layout!r}; it must be one of: {', '.join(LAYOUTS)}")
    if path.is_dir():
        return BagFile(path, topic)
    if not path.exists():
        raise FileNotFoundError(f"no file {path}")
    if not path.is_file():
        raise FileError(f"{path} is neither a file nor a folder; it must be one of: {KNOWN}")
    with path.open("rb") as file:
        start = file.read(256)
    suffix = path.suffix.lower()
    if start.startswith(b"SQLite format 3\0") or start.startswith(b"\x89MCAP0\r\n"):
        return BagFile(path, topic)
    for beginning, open_kind in _BY_START.items():
        if start.startswith(beginning):
            return open_kind(path)
    if start.startswith(b"#") or suffix == ".aedat":
        return open_aedat2(path, layout, size)
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix](path)
    if not start:
        raise FileError(f"{path} is empty; it must be one of: {KNOWN}")
    raise FileError(f"{path} is of no known kind; it must be one of: {KNOWN}")


def read_chunks(
    path: str | Path,
    *,
    events_per_chunk: int = 1_000_000,
    width: int | None = None,
    height: int | None = None,
    topic: str | None = None,
    layout: str = "",
) -> Iterator[Events]:
    """A file's events, at most so many at once: memory does not grow with the file.

    Args:
        path: see `open_file`.
        events_per_chunk: at least 1; chunks may be smaller.
        width: columns of the sensor; without it what the file says, or else the fewest that hold
            all events (the file is then read twice).
        height: rows of the sensor, the same.
        topic: see `open_file`.
        layout: see `open_file`.

    Raises:
        FileNotFoundError, FileError: see `open_file`; later if the file is damaged further on.
        ValueError: a number that cannot be.
    """
    if events_per_chunk < 1:
        raise ValueError(f"events_per_chunk is {events_per_chunk}; it must be at least 1")
    if (width is None) != (height is None):
        raise ValueError(f"width is {width} and height {height}; give both or neither")
    size: Size | None = None
    if width is not None and height is not None:
        check_size(width, height)
        size = width, height
    file = open_file(path, topic=topic, layout=layout, size=size)
    return chunks(file, size or file.smallest_size(), events_per_chunk)


def chunks(file: EventFile, size: Size, events_per_chunk: int) -> Iterator[Events]:
    """An open file's events, at most so many at once."""
    for block in file.blocks(size):
        for begin in range(0, len(block), events_per_chunk):
            yield block[begin : begin + events_per_chunk]


def read(
    path: str | Path,
    *,
    width: int | None = None,
    height: int | None = None,
    topic: str | None = None,
    layout: str = "",
) -> Events:
    """All events of a file, in memory; see `read_chunks` for a file that is larger than that.

    Raises:
        FileNotFoundError, FileError, ValueError: see `read_chunks`.
    """
    parts = list(read_chunks(path, width=width, height=height, topic=topic, layout=layout))
    if parts:
        return Events.concatenate(parts)
    size = (width, height) if width and height else None
    file = open_file(path, topic=topic, layout=layout, size=size)
    return Events.empty(*(size or file.smallest_size()))


def read_triggers(path: str | Path, *, topic: str | None = None) -> Triggers:
    """All edges at the external trigger inputs in a file, in memory; its events are not kept.

    RAW files and recordings have them, other files none. `EventFile.parts` gives them with the
    events that they came among.

    Raises:
        FileNotFoundError, FileError: see `open_file`; or the file is damaged further on.
    """
    return triggers_of(open_file(path, topic=topic))


def triggers_of(file: EventFile) -> Triggers:
    """All edges at the external trigger inputs in an open file, read from its beginning."""
    if not file.can_have_triggers:
        return Triggers.empty()
    parts = file.parts(file.size or file.largest_size)
    return Triggers.concatenate([triggers for _, triggers in parts if len(triggers)])
