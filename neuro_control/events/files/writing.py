# SPDX-License-Identifier: Apache-2.0
"""Events to files, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from neuro_control.events.address_events import Events
from neuro_control.events.bag import write_packets
from neuro_control.events.encoders import Evt2Encoder, Evt3Encoder
from neuro_control.events.files.event_file import Size
from neuro_control.events.files.hdf5_file import write_hdf5
from neuro_control.events.files.npz_file import write_npz
from neuro_control.events.packet_maker import packets_of
from neuro_control.events.trigger import Triggers

WRITABLE = (".raw", ".npz", ".h5", ".hdf5", ".mcap", ".db3")
"""Suffixes that `write` understands."""


def write(
    path: str | Path,
    chunks: Iterable[Events],
    size: Size,
    *,
    encoding: str | None = None,
    triggers: Triggers | None = None,
) -> int:
    """Write events, a chunk at a time; the suffix says the kind.

    Args:
        path: .raw (Prophesee RAW), .npz, .h5 or .hdf5 (events/{x,y,t,p}), .mcap or .db3 (a folder
            of that name in rosbag2's form, mono packets of 4 ms).
        chunks: in ascending time.
        size: (width, height) of the sensor.
        encoding: of a RAW file: evt3 (by default) or evt2; of a recording: mono, evt3 or evt2.
        triggers: edges at the sensor's external trigger inputs, for a RAW file only.

    Returns:
        The number of events.

    Raises:
        ValueError: another suffix or encoding, events out of order or of a sensor of another
            size, or such as the encoding cannot hold. No file is left then, and one that was
            there before is as it was; of a recording the packets up to there are left.
        FileNotFoundError: the folder to write into is not there.
        FileExistsError: a recording of that name is there already.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in WRITABLE:
        raise ValueError(f"{path}: the suffix is {suffix!r}; it must be one of {list(WRITABLE)}")
    if encoding is not None and suffix not in (".raw", ".mcap", ".db3"):
        raise ValueError(f"{path}: encoding {encoding!r} is for .raw, .mcap and .db3 only")
    if triggers is not None and len(triggers) and suffix != ".raw":
        raise ValueError(f"{path}: external triggers can be written into .raw only")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: there is no folder {path.parent}; make it first")
    given = _Sound(chunks, size)
    if suffix in (".mcap", ".db3"):
        if path.exists():
            raise FileExistsError(f"{path} is there already; remove it or give another name")
        packets = packets_of(given, size, encoding or "mono")
        write_packets(path, packets, storage="mcap" if suffix == ".mcap" else "sqlite3")
        return given.n
    # Under another name until it is whole: what is written over may be what is read, and an
    # error on the way leaves neither half a file nor the loss of an older one.
    part = path.with_name(f"{path.name}.part")
    try:
        if suffix == ".npz":
            write_npz(part, given, size)
        elif suffix == ".raw":
            _write_raw(part, given, size, encoding or "evt3", triggers or Triggers.empty())
        else:
            write_hdf5(part, given, size)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return given.n


class _Sound:
    """Chunks one after the other, looked at and counted on the way.

    Raises ValueError for events that are not sound, of another sensor, or before those written.
    """

    def __init__(self, chunks: Iterable[Events], size: Size) -> None:
        self._chunks = chunks
        self._size = size
        self.n = 0

    def __iter__(self) -> Iterator[Events]:
        last_ns: int | None = None
        for events in self._chunks:
            if (events.width, events.height) != self._size:
                raise ValueError(
                    f"events are of a sensor of {events.width}x{events.height}, the file is for"
                    f" {self._size[0]}x{self._size[1]}"
                )
            events.check()
            if len(events):
                if last_ns is not None and events.t_ns[0] < last_ns:
                    raise ValueError(
                        f"chunk begins at {events.t_ns[0]} ns, before the {last_ns} ns already"
                        " written; give chunks in ascending time"
                    )
                last_ns = int(events.t_ns[-1])
            self.n += len(events)
            yield events


def _write_raw(
    path: Path, chunks: Iterable[Events], size: Size, encoding: str, triggers: Triggers
) -> None:
    kinds = {"evt2": ("EVT2", "2.0", Evt2Encoder), "evt3": ("EVT3", "3.0", Evt3Encoder)}
    if encoding not in kinds:
        raise ValueError(f"encoding is {encoding!r}; a RAW file takes evt2 or evt3")
    name, version, kind = kinds[encoding]
    made = kind(*size)
    with path.open("wb") as file:
        header = (
            f"% evt {version}\n% format {name};height={size[1]};width={size[0]}\n"
            f"% geometry {size[0]}x{size[1]}\n% end\n"
        )
        file.write(header.encode("ascii"))
        for events in chunks:
            if len(events):
                # What is later goes among the next chunk's, which may begin in this microsecond.
                n = int(triggers.t_ns.searchsorted(events.t_ns[-1], "right"))
                file.write(made.encode(events, triggers[:n])[0].tobytes())
                triggers = triggers[n:]
        file.write(made.encode(Events.empty(*size), triggers)[0].tobytes())
