# SPDX-License-Identifier: Apache-2.0
"""The controller's input: packets to events in the node's time, every loss counted."""

from __future__ import annotations

from dataclasses import dataclass

from neuro_control.events import DropReason, Events, Packet, PacketStream, StreamCounters
from neuro_control.events.packet_sequence import PacketSequence, Place
from neuro_control.nodes.sensor_clock import SensorClock


@dataclass(frozen=True)
class Declared:
    """What the stream must be; 0 and "": as the first packet says."""

    width: int = 0
    height: int = 0
    encoding: str = ""


class EventInput:
    """Takes packets as they come; never raises on what a device sends.

    refused: why no packet can be decoded at all, "" while they can.
    """

    def __init__(self, declared: Declared) -> None:
        self._declared = declared
        self._stream: PacketStream | None = None
        # Where the sequence is after the packets that wait; None while there was no stream when the
        # first of them came.
        self._ahead: PacketSequence | None = None
        self._clock = SensorClock()
        self._unreadable = 0
        self.refused = ""
        self.taken = 0
        self.events = 0
        self._events_per_byte = 0.0

    @property
    def counters(self) -> StreamCounters:
        """Of the packet stream."""
        return StreamCounters(self._unreadable) if self._stream is None else self._stream.counters

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the sensor; nothing while no packet could be decoded."""
        return (0, 0) if self._stream is None else (self._stream.width, self._stream.height)

    @property
    def packets(self) -> int:
        """Packets received."""
        return self._unreadable if self._stream is None else self._stream.counters.packets

    @property
    def restarts(self) -> int:
        """How often the publisher began anew."""
        return 0 if self._stream is None else self._stream.restarts

    @property
    def clock_reanchored(self) -> int:
        """How often the sensor's clock was set to the node's anew (`SensorClock`)."""
        return self._clock.reanchored

    @property
    def last_drop(self) -> str:
        """Why the last packet was dropped, or ""."""
        drop = None if self._stream is None else self._stream.last_drop
        return "" if drop is None else drop.value

    def shed(self, packet: Packet) -> bool:
        """Let the packet go unread: counted, and what hangs on it is not trusted.

        Returns whether anything is lost with it: it would have been decoded.
        """
        stream = self._stream_for(packet)
        if stream is None:
            return False
        stream.shed(packet)
        return stream.last_drop is DropReason.SHED

    def expected_events(self, packet: Packet, first: bool) -> float:
        """How many events a packet has if it is as the last one with any; 0 before the first.

        Of one that will be dropped none are expected: it is of another sensor, was sent before, or
        comes too late. So packets must be told in the order in which they are then received or
        shed; first: all that came before this one have been.
        """
        stream = self._stream
        if first:
            self._ahead = None if stream is None else stream.sequence()
        if stream is None or self._ahead is None or stream.mismatch(packet) is not None:
            return 0.0
        if self._ahead.follow(packet.seq) in (Place.DUPLICATE, Place.OUT_OF_ORDER):
            return 0.0
        return packet.payload.size * self._events_per_byte

    def let_go(self, events: int) -> None:
        """So many of the events that were received are not taken in after all."""
        self.events -= events

    def decode(self, packet: Packet) -> Events | None:
        """The packet's events in the sensor's time; None if it was dropped."""
        stream = self._stream_for(packet)
        if stream is None:
            return None
        events = stream.receive(packet)
        if events is None:
            return None
        self.taken += 1
        if count := len(events):
            self.events += count
            self._events_per_byte = count / packet.payload.size
        return events

    def begin_anew(self) -> None:
        """A new time begins: what is next given the node's time may lie before the last."""
        self._clock.begin_anew()

    def to_node_time(self, events: Events, stamp_ns: int) -> Events:
        """Decoded events of a packet with this stamp, in the node's time (`SensorClock`).

        Times ascend from call to call, unless a new time begins. So only events that are taken in
        are given it: those of a packet stamped wrongly would push all later ones ahead.
        """
        return self._clock.to_node_time(events, stamp_ns)

    def _stream_for(self, packet: Packet) -> PacketStream | None:
        """The stream, made with the first packet that can be decoded; None if this one cannot."""
        if self._stream is None:
            wanted = self._declared
            try:
                self._stream = PacketStream(
                    wanted.width or packet.width,
                    wanted.height or packet.height,
                    wanted.encoding or packet.encoding,
                )
            except ValueError as error:
                self._unreadable += 1
                self.refused = str(error)
                return None
            self.refused = ""
        return self._stream
