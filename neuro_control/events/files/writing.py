# SPDX-License-Identifier: Apache-2.0
"""Events to files, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from neuro_control.events.address_events import Events
from neuro_control.events.bag import write_packets
from neuro_control.events.encoders import encoder
from neuro_control.events.files.event_file import Size
from neuro_control.events.files.hdf5_file import write_hdf5
from neuro_control.events.files.npz_file import write_npz
from neuro_control.events.packet_maker import packets_of

WRITABLE = (".raw", ".npz", ".h5", ".hdf5", ".mcap", ".db3")
"""Suffixes that `write` understands."""


def write(
    path: str | Path, chunks: Iterable[Events], size: Size, *, encoding: str | None = None
) -> int:
    """Write events, a chunk at a time; the suffix says the kind.

    Args:
        path: .raw (Prophesee RAW), .npz, .h5 or .hdf5 (events/{x,y,t,p}), .mcap or .db3 (a folder
            of that name in rosbag2's form, mono packets of 4 ms).
        chunks: in ascending time.
        size: (width, height) of the sensor.
        encoding: of a RAW file: evt3 (by default) or evt2; of a recording: mono, evt3 or evt2.

    Returns:
        The number of events.

    Raises:
        ValueError: another suffix or encoding, or events that the encoding cannot hold.
        FileExistsError: a recording of that name is there already.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in WRITABLE:
        raise ValueError(f"{path}: the suffix is {suffix!r}; it must be one of {list(WRITABLE)}")
    if encoding is not None and suffix not in (".raw", ".mcap", ".db3"):
        raise ValueError(f"{path}: encoding {encoding!r} is for .raw, .mcap and .db3 only")
    given = iter(chunks)
    if suffix == ".npz":
        return write_npz(path, given, size)
    if suffix in (".h5", ".hdf5"):
        return write_hdf5(path, given, size)
    if suffix == ".raw":
        return _write_raw(path, given, size, encoding or "evt3")
    if path.exists():
        raise FileExistsError(f"{path} is there already; remove it or give another name")
    counted = _Counted(given)
    packets = packets_of(counted, size, encoding or "mono")
    write_packets(path, packets, storage="mcap" if suffix == ".mcap" else "sqlite3")
    return counted.n


class _Counted:
    def __init__(self, chunks: Iterator[Events]) -> None:
        self._chunks = chunks
        self.n = 0

    def __iter__(self) -> Iterator[Events]:
        for events in self._chunks:
            self.n += len(events)
            yield events


def _write_raw(path: Path, chunks: Iterator[Events], size: Size, encoding: str) -> int:
    names = {"evt2": ("EVT2", "2.0"), "evt3": ("EVT3", "3.0")}
    if encoding not in names:
        raise ValueError(f"{path}: encoding is {encoding!r}; a RAW file takes evt2 or evt3")
    made = encoder(encoding, *size)
    name, version = names[encoding]
    n = 0
    with path.open("wb") as file:
        header = (
            f"% evt {version}\n% format {name};height={size[1]};width={size[0]}\n"
            f"% geometry {size[0]}x{size[1]}\n% end\n"
        )
        file.write(header.encode("ascii"))
        for events in chunks:
            file.write(made.encode(events)[0].tobytes())
            n += len(events)
    return n
