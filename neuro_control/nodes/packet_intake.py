# SPDX-License-Identifier: Apache-2.0
"""From the packets that wait to the events of one answer; what is not taken in is counted."""

from __future__ import annotations

from dataclasses import dataclass, field

from neuro_control.events import Events, Packet
from neuro_control.nodes.backlog import Backlog
from neuro_control.nodes.event_input import Declared, EventInput
from neuro_control.nodes.sensor_clock import NEW_TIME_NS

__all__ = ["NEW_TIME_NS", "IntakeCounts", "PacketIntake", "Taken"]


@dataclass(frozen=True)
class Taken:
    """What one answer takes in.

    events: in order. stamp_ns: of the newest packet. published_ns: when each of them was published.
    begins_anew: the sensor, or a simulation's time, has begun anew with these.
    """

    events: Events
    stamp_ns: int
    published_ns: list[int]
    begins_anew: bool


@dataclass
class IntakeCounts:
    """Packets that came before the last that was taken in; packets and events that were let go.

    They go on when the node is activated anew.
    """

    packets_late: int = 0
    packets_shed: int = 0
    events_shed: int = 0


@dataclass
class PacketIntake:
    """Holds packets until they are answered, decodes those that are.

    declared: what the stream must be. most_events: that one answer takes in while packets wait; 0:
    no limit. counts: where losses are counted, those that the stream itself does not count.
    standing: packets taken in since the last whose stamp was another than that of the one before.
    """

    declared: Declared
    most_events: int
    counts: IntakeCounts
    input: EventInput = field(init=False)
    standing: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.input = EventInput(self.declared)
        self._backlog = Backlog(self.most_events)
        self._taken_ns = -1
        self._restarts = 0
        self._shed = 0  # since the last answer

    def __len__(self) -> int:
        return len(self._backlog)

    @property
    def stamp_ns(self) -> int:
        """Stamp of the last packet that was taken in; -1 before the first."""
        return self._taken_ns

    @property
    def held(self) -> int:
        """Packets held since the last answer, those among them that were let go too."""
        return self._backlog.added

    def hold(self, packet: Packet, published_ns: int) -> None:
        """Keep a packet until `take`, and let go of the oldest that are too much for one answer.

        For a packet that will be dropped, as one that was sent before, none is let go.
        """
        events = self.input.expected_events(packet, first=not len(self._backlog))
        for old in self._backlog.add(packet, published_ns, events):
            if self.input.shed(old):
                self.counts.packets_shed += 1
                self._shed += 1

    def begin_anew(self) -> None:
        """Take in what has stamps of a new time; what is held is of the old one.

        That is decoded, for its decoder's sake and the counts', and not answered.
        """
        waiting, self._shed = self._backlog.take(), 0
        for each in waiting:
            self.counts.packets_late += self.input.decode(each.packet) is not None
        self._taken_ns = -1
        self.input.begin_anew()

    def take(self, answered_ns: int) -> Taken | None:
        """Decode what is held; None if nothing of it is to be answered.

        answered_ns: stamp of the last answer, -1 before any. A packet that is more than a second
        older, or comes from a publisher that began anew, begins a new time; the events' times
        ascend else, from answer to answer too.
        """
        parts: list[Events] = []
        published_ns: list[int] = []
        begins_anew = False
        good, self._shed = self._shed, 0  # packets that brought events, or would have
        # What was taken in and could not be answered is no ground to wait for its time either.
        answered_ns = max(answered_ns, self._taken_ns)
        for each in self._backlog.take():
            events = self.input.decode(each.packet)
            if events is None:
                continue
            good += 1
            stamp_ns = each.packet.stamp_ns
            if answered_ns - stamp_ns > NEW_TIME_NS or self.input.restarts != self._restarts:
                self._restarts = self.input.restarts
                answered_ns, begins_anew = -1, True
                self.input.begin_anew()
                self.counts.packets_late += len(parts)
                parts.clear()
                published_ns.clear()
            elif stamp_ns < self._taken_ns:
                self.counts.packets_late += 1
                continue
            self.standing = self.standing + 1 if stamp_ns == self._taken_ns else 0
            self._taken_ns = stamp_ns
            parts.append(self.input.to_node_time(events, stamp_ns))
            published_ns.append(each.published_ns)
        if not parts:
            return None
        events = Events.concatenate(parts)
        # How many there are is known only now.
        too_many = len(events) - self.most_events
        if self.most_events and too_many > 0 and good > 1:
            events = events[too_many:]
            self.input.let_go(too_many)
            self.counts.events_shed += too_many
        return Taken(events, self._taken_ns, published_ns, begins_anew)
