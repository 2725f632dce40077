# SPDX-License-Identifier: Apache-2.0
"""What a replay plays, in the order of time and from any place on: recordings and files of events.

A place is the time since the recording's first event packet. Stamps that jump, as those of a
clock that was set, are no pause to be waited for: the places go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rclpy.serialization import deserialize_message

from neuro_control.events import BagError, FileError, Packet, open_file, packets_of
from neuro_control.events.bag import is_event_type, packet_of, read_packets
from neuro_control.events.files.bag_file import BagFile
from neuro_control.events.recording import RecordedMessage, Recording
from neuro_control.nodes.messages import message_class
from neuro_control.nodes.recorded_topics import (
    TOPICS,
    PlayedTopic,
    name_of,
    namespace_of,
    stamp_ns,
)

# A gap in a recording's stamps beyond this is a clock that was set, not a pause to be waited for.
LONGEST_PAUSE_NS = 10_000_000_000
# Messages are recorded later than they are stamped, by less than this.
_MARGIN_NS = 1_000_000_000
# Beyond this, a recording's own time and its stamps have parted.
_PARTED_NS = 2_000_000_000


@dataclass(frozen=True)
class Played:
    """One thing to play at a place: a packet of events, or a message of a topic as it is."""

    place_ns: int
    packet: Packet | None = None
    topic: str = ""
    data: bytes = b""


class Source(Protocol):
    """What can be played.

    start_ns: recorded time of place 0. duration_ns: None while it is not known. topics: names of
    what is played beside the events, and how. left_out: recorded topics that are not, and why.
    refused: how many of their messages were passed over, as they could not be read, by name.
    """

    start_ns: int
    duration_ns: int | None
    topics: Mapping[str, PlayedTopic]
    left_out: Mapping[str, str]
    refused: dict[str, int]

    def play(self, from_ns: int) -> Iterator[Played]:
        """Everything from a place on. Raises FileError where the recording is damaged."""


class _Places:
    """Places of stamps: they rise as the stamps do, but for clocks that were set."""

    def __init__(self, base_ns: int) -> None:
        self._base_ns = base_ns
        self.last_ns = 0

    def of_packet(self, stamp: int) -> int:
        """Of an event packet, by which the clock of a recording is judged."""
        place_ns = stamp - self._base_ns
        if not -_PARTED_NS <= place_ns - self.last_ns <= LONGEST_PAUSE_NS:
            self._base_ns = stamp - self.last_ns
            place_ns = self.last_ns
        self.last_ns = max(place_ns, self.last_ns)
        return self.last_ns

    def of_other(self, stamp: int) -> int:
        """Of a message beside the packets, whose stamp may be a little earlier or none."""
        place_ns = stamp - self._base_ns
        if 0 <= place_ns - self.last_ns <= LONGEST_PAUSE_NS:
            self.last_ns = place_ns
        return self.last_ns


class FileSource:
    """A file of events that is no recording: packets of 4 ms."""

    def __init__(self, file: Any, size: tuple[int, int]) -> None:
        self._file, self._size = file, size
        self.topics: Mapping[str, PlayedTopic] = {}
        self.left_out: Mapping[str, str] = {}
        self.refused: dict[str, int] = {}
        self.duration_ns: int | None = None
        first = next(packets_of(file.blocks(size), size), None)
        self.start_ns = 0 if first is None else first.stamp_ns

    def play(self, from_ns: int) -> Iterator[Played]:
        """See `Source`."""
        places = _Places(self.start_ns)
        for packet in packets_of(self._file.blocks(self._size), self._size):
            place_ns = places.of_packet(packet.stamp_ns)
            if place_ns >= from_ns:
                yield Played(place_ns, packet)
        self.duration_ns = places.last_ns


@dataclass
class BagSource:
    """A rosbag2 recording; with `whole` the other topics of the nodes beside the events."""

    path: Path
    topic: str | None
    whole: bool
    start_ns: int = 0
    duration_ns: int | None = None
    topics: Mapping[str, PlayedTopic] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            first_packet = next(read_packets(self.path, self.topic))
            self.start_ns, self._events = first_packet.stamp_ns, first_packet.topic
            self._recording = Recording(self.path)
            first = next(self._recording.messages([self._events]))
        except BagError as error:
            raise FileError(str(error)) from error
        self._log_ns = first.log_ns
        self.duration_ns = max(self._recording.end_ns - first.log_ns, 0)
        self._names: dict[str, str] = {}
        if self.whole:
            self._choose()

    def _choose(self) -> None:
        namespace = namespace_of(self._events)
        sources: dict[str, list[str]] = {}
        left_out: dict[str, str] = {}
        for recorded, kind in self._recording.topics.items():
            name = name_of(recorded, namespace)
            if recorded == self._events or name == "clock":
                continue  # the events are played by their packets; the clock is the replay's own
            if name is None:
                left_out[recorded] = f"not in {namespace}, where the events are"
            elif (why := _why_not(name, kind)) is not None:
                left_out[recorded] = why
            else:
                sources.setdefault(name, []).append(recorded)
        for name, among in sources.items():
            if len(among) == 1:
                self._names[among[0]] = name
                continue
            for recorded in among:
                others = ", ".join(one for one in among if one != recorded)
                left_out[recorded] = f"{others} would be played as {name} too"
        self.topics = {name: TOPICS[name] for name in self._names.values()}
        self.left_out = left_out

    def play(self, from_ns: int) -> Iterator[Played]:
        """See `Source`."""
        try:
            yield from self._play(from_ns)
        except BagError as error:
            raise FileError(str(error)) from error

    def _play(self, from_ns: int) -> Iterator[Played]:
        start_ns = None if from_ns <= 0 else self._log_ns + from_ns - _MARGIN_NS
        places: _Places | None = None
        for message in self._recording.messages([self._events, *self._names], start_ns):
            packet = None
            if message.topic == self._events:
                packet = self._packet_of(message)
            if places is None:
                places = self._begin(message, packet)
            if packet is not None:
                place_ns = places.of_packet(packet.stamp_ns)
                if place_ns >= from_ns:
                    yield Played(place_ns, packet)
                continue
            name = self._names[message.topic]
            if not _whole(message):
                if places.last_ns >= from_ns:
                    self.refused[name] = self.refused.get(name, 0) + 1
                continue
            stamp = stamp_ns(message.data) if TOPICS[name].stamped else 0
            place_ns = places.of_other(stamp) if stamp else places.last_ns
            if place_ns >= from_ns:
                yield Played(place_ns, None, name, message.data)
        if places is not None:  # what was recorded in haste is longer than its recording took
            self.duration_ns = max(self.duration_ns or 0, places.last_ns)

    def _packet_of(self, message: RecordedMessage) -> Packet:
        try:
            return packet_of(message.topic, message.type, message.data)
        except Exception as error:  # as in events.bag: parsers of damaged data can raise anything
            raise FileError(
                f"{self.path}: {message.topic}: a packet of {len(message.data)} bytes cannot be"
                f" read ({error}); the recording is corrupt or truncated"
            ) from error

    def _begin(self, message: RecordedMessage, packet: Packet | None) -> _Places:
        """Places of what is read from here on; the recording's time tells where that is."""
        places = _Places(self.start_ns)
        logged_ns = max(message.log_ns - self._log_ns, 0)
        places.last_ns = max(logged_ns - _PARTED_NS, 0)
        if packet is not None and abs(packet.stamp_ns - self.start_ns - logged_ns) > _PARTED_NS:
            places = _Places(packet.stamp_ns - logged_ns)
            places.last_ns = logged_ns
        return places


def _why_not(name: str, kind: str) -> str | None:
    """Why messages of a kind are not played under a name; None where they are."""
    played = TOPICS.get(name)
    if played is None:
        return "another event topic" if is_event_type(kind) else "not known"
    if played.type != kind:
        return f"has {kind}, not {played.type}"
    try:
        message_class(kind)
    except (ImportError, AttributeError):
        return f"{kind} is not installed"
    return None


def _whole(message: RecordedMessage) -> bool:
    """Whether a message can be read, so that whoever is sent it can read it."""
    try:
        # What can be in it is not looked at here: that is for those who know what it is for.
        deserialize_message(message.data, message_class(message.type))
    except (RuntimeError, ValueError, MemoryError):  # RMWError is a RuntimeError; text a ValueError
        return False
    return True


def open_source(
    path: str, topic: str, layout: str, size: tuple[int, int] | None, whole: bool
) -> Source:
    """What can be played of a file. Raises FileError."""
    try:
        file = open_file(path, topic=topic or None, layout=layout, size=size)
    except OSError as error:
        raise FileError(str(error)) from error
    if isinstance(file, BagFile):
        return BagSource(Path(path), topic or None, whole)
    return FileSource(file, size or file.smallest_size())
