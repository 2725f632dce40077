# SPDX-License-Identifier: Apache-2.0
"""Event packets in rosbag2 recordings (sqlite3, mcap), read and written without ROS.

`rosbags` is imported when a recording is opened: a running robot does without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from neuro_control.events.packets import Packet

if TYPE_CHECKING:
    from rosbags.interfaces import Connection
    from rosbags.rosbag2 import Reader
    from rosbags.typesys.store import Typestore

EVENT_PACKET = "event_camera_msgs/msg/EventPacket"
EVENT_ARRAY = "event_array_msgs/msg/EventArray"
"""What EventPacket was called before 2023; the fields are the same."""

CAMERA_TOPIC = "/event_camera/events"
"""How the topic of a camera's events ends, of which a recording may have others."""

_EVENT_TYPES = (EVENT_PACKET, EVENT_ARRAY)
EVENT_FIELDS = """\
std_msgs/Header header
uint32 height
uint32 width
uint64 seq
uint64 time_base
string encoding
bool is_bigendian
uint8[] events
"""
_NS_PER_S = 1_000_000_000


class BagError(ValueError):
    """A recording that cannot be read; the text names it and says what would be right."""


@cache
def _typestore() -> Typestore:
    """The message types that recordings of events are made of."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.EMPTY)
    types = dict(
        get_types_from_msg(
            "builtin_interfaces/Time stamp\nstring frame_id\n", "std_msgs/msg/Header"
        )
    )
    for name in _EVENT_TYPES:
        types.update(get_types_from_msg(EVENT_FIELDS, name))
    store.register(types)
    return store


def event_topics(path: str | Path) -> tuple[str, ...]:
    """Names of the topics with event packets in a recording.

    path: a rosbag2 folder, or one of its .db3 or .mcap files (no metadata.yaml needed).
    Raises BagError if it cannot be read.
    """
    with open_recording(Path(path)) as reader:
        return _event_topics(reader)


def read_packets(path: str | Path, topic: str | None = None) -> Iterator[Packet]:
    """The event packets of one topic, in the order of recording, one at a time.

    path: a rosbag2 folder, or one of its .db3 or .mcap files (no metadata.yaml needed).
    topic: which topic; not needed when only one has event packets, or is a camera's.

    Raises BagError at once if the recording is missing, empty, truncated or corrupt, or if the
    topic is missing, of another type or not said; and while iterating, if the damage lies deeper.
    """
    path = Path(path)
    with open_recording(path) as reader:
        _choose(reader, path, topic)
    return _packets(path, topic)


def _packets(path: Path, topic: str | None) -> Iterator[Packet]:
    n = 0
    with open_recording(path) as reader:
        connections = _choose(reader, path, topic)
        promised = sum(connection.msgcount for connection in connections)
        messages = reader.messages(connections)
        while True:
            # The storage plugins let through what their parsers meet in damaged files: struct,
            # index, assertion, decompression and database errors; all of them mean the same.
            try:
                connection, _, data = next(messages)
                message: Any = _typestore().deserialize_cdr(data, connection.msgtype)
            except StopIteration:
                break
            except Exception as error:
                raise BagError(
                    f"{path}: corrupt or truncated after {n} packets ({first_line(error)});"
                    f" {remedy(path)}"
                ) from error
            n += 1
            yield _packet(connection.topic, message)
    if n < promised:
        raise BagError(
            f"{path}: corrupt or truncated, it holds {n} of the {promised} packets that its index"
            f" names; {remedy(path)}"
        )


def packet_of(topic: str, kind: str, data: bytes) -> Packet:
    """A packet from a message of this kind as it is on the wire (CDR)."""
    return _packet(topic, _typestore().deserialize_cdr(data, kind))


def is_event_type(kind: str) -> bool:
    """Whether messages of this kind are event packets."""
    return kind in _EVENT_TYPES


def _packet(topic: str, message: Any) -> Packet:
    stamp = message.header.stamp
    return Packet(
        topic=topic,
        seq=message.seq,
        time_base_ns=message.time_base,
        stamp_ns=stamp.sec * _NS_PER_S + stamp.nanosec,
        encoding=message.encoding,
        width=message.width,
        height=message.height,
        is_bigendian=bool(message.is_bigendian),
        payload=message.events,
    )


@contextmanager
def open_recording(path: Path) -> Iterator[Reader]:
    """A recording, opened; whatever keeps it from opening becomes a BagError."""
    if not path.exists():
        raise BagError(f"{path}: does not exist; give a rosbag2 folder, a .db3 or a .mcap file")
    if path.is_dir() and not (path / "metadata.yaml").is_file():
        raise BagError(
            f"{path}: no metadata.yaml in this folder, so it is no rosbag2 recording;"
            " give the .db3 or .mcap file in it, if there is one"
        )
    if path.is_file() and path.suffix not in (".db3", ".mcap"):
        raise BagError(f"{path}: no rosbag2 storage; give a rosbag2 folder, a .db3 or a .mcap file")
    if path.is_file() and path.stat().st_size == 0:
        raise BagError(f"{path}: the file is empty; the recording never began or was not closed")
    _check_whole(path)
    try:
        from rosbags.rosbag2 import Reader
    except ImportError as error:
        raise BagError(f"{path}: recordings need rosbags: pip install rosbags ({error})") from error
    try:
        reader = Reader(path)
        reader.open()
    except Exception as error:  # see _packets: a damaged file can fail in any way
        raise BagError(
            f"{path}: not a readable rosbag2 recording, corrupt or truncated"
            f" ({first_line(error)}); {remedy(path)}"
        ) from error
    try:
        yield reader
    finally:
        reader.close()


def _check_whole(path: Path) -> None:
    """Raise BagError for an sqlite file shorter than its header says.

    sqlite itself reads a missing end as zeros, which would pass for messages.
    Format: "Database File Format" of sqlite, section 1.3, the database header.
    """
    for file in path.glob("*.db3") if path.is_dir() else (path,):
        with file.open("rb") as stream:
            header = stream.read(100)
        if len(header) < 100 or not header.startswith(b"SQLite format 3\0"):
            continue
        if header[24:28] != header[92:96]:  # written by an sqlite that did not note the size
            continue
        page_size = int.from_bytes(header[16:18], "big")
        pages = int.from_bytes(header[28:32], "big")
        expected = (65536 if page_size == 1 else page_size) * pages
        size = file.stat().st_size
        if size < expected:
            raise BagError(
                f"{file}: corrupt or truncated ({size} of {expected} bytes); {remedy(file)}"
            )


def _event_topics(reader: Reader) -> tuple[str, ...]:
    return tuple(sorted({c.topic for c in reader.connections if c.msgtype in _EVENT_TYPES}))


def _choose(reader: Reader, path: Path, topic: str | None) -> list[Connection]:
    """The connections of the topic to read."""
    topics = _event_topics(reader)
    if topic is None:
        if not topics:
            others = sorted({f"{c.topic} ({c.msgtype})" for c in reader.connections})
            raise BagError(
                f"{path}: no topic with {EVENT_PACKET}; it has: {', '.join(others) or 'no topics'}"
            )
        # Skins, ears and networks send event packets too; a recording of ours has one camera.
        cameras = [name for name in topics if name.endswith(CAMERA_TOPIC)]
        if len(topics) > 1 and len(cameras) == 1:
            topics = tuple(cameras)
        if len(topics) > 1:
            raise BagError(f"{path}: several topics with events; choose one: {', '.join(topics)}")
        topic = topics[0]
    elif topic not in topics:
        types = sorted({c.msgtype for c in reader.connections if c.topic == topic})
        wrong = f"no topic {topic}"
        if types:
            wrong = f"topic {topic} has {', '.join(types)}, not {EVENT_PACKET}"
        known = f"topics with events: {', '.join(topics)}" if topics else "no topic has events"
        raise BagError(f"{path}: {wrong}; {known}")
    chosen = [c for c in reader.connections if c.topic == topic and c.msgtype in _EVENT_TYPES]
    if sum(c.msgcount for c in chosen) == 0:
        raise BagError(f"{path}: topic {topic} has no messages; record while the sensor publishes")
    return chosen


def remedy(path: Path) -> str:
    """What to do about a damaged recording, in words."""
    files = path.glob("*.mcap") if path.is_dir() else (path,)
    for file in files:
        if file.suffix == ".mcap":
            return f"`neuro_control events recover {file} OUT.mcap` writes what is whole of it"
    return "record it again, or recover it with the tool that made it"


def first_line(error: Exception) -> str:
    """What an error says, in one line."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def write_packets(
    path: str | Path, packets: Iterable[Packet], storage: Literal["mcap", "sqlite3"] = "mcap"
) -> int:
    """Record packets as a new rosbag2 folder; the recording time of each is its `stamp_ns`.

    Returns the number of packets written.
    Raises ValueError for another storage, or if the path exists already.
    """
    from rosbags.rosbag2 import StoragePlugin, Writer

    plugins = {"mcap": StoragePlugin.MCAP, "sqlite3": StoragePlugin.SQLITE3}
    if storage not in plugins:
        raise ValueError(f"storage is {storage!r}; it must be one of: {', '.join(plugins)}")
    path = Path(path)
    if path.exists():
        raise ValueError(f"path {path} exists already; give a new one, nothing is overwritten")
    store = _typestore()
    event_type = store.types[EVENT_PACKET]
    header_type = store.types["std_msgs/msg/Header"]
    time_type = store.types["builtin_interfaces/msg/Time"]
    n = 0
    with Writer(path, version=9, storage_plugin=plugins[storage]) as writer:
        connections: dict[str, Connection] = {}
        for packet in packets:
            if packet.topic not in connections:
                connections[packet.topic] = writer.add_connection(
                    packet.topic, EVENT_PACKET, typestore=store
                )
            sec, nanosec = divmod(packet.stamp_ns, _NS_PER_S)
            message = event_type(
                header=header_type(stamp=time_type(sec=sec, nanosec=nanosec), frame_id=""),
                height=packet.height,
                width=packet.width,
                seq=packet.seq,
                time_base=packet.time_base_ns,
                encoding=packet.encoding,
                is_bigendian=packet.is_bigendian,
                events=np.ascontiguousarray(packet.payload),
            )
            data = store.serialize_cdr(message, EVENT_PACKET)
            writer.write(connections[packet.topic], packet.stamp_ns, data)
            n += 1
    return n
