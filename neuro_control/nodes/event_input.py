# SPDX-License-Identifier: Apache-2.0
"""The controller's input: packets to events in the node's time, every loss counted."""

from __future__ import annotations

from dataclasses import dataclass

from neuro_control.events import Events, Packet, PacketStream, StreamCounters
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
    def packets(self) -> int:
        """Packets received."""
        return self._unreadable if self._stream is None else self._stream.counters.packets

    @property
    def restarts(self) -> int:
        """How often the publisher began anew."""
        return 0 if self._stream is None else self._stream.restarts

    @property
    def last_drop(self) -> str:
        """Why the last packet was dropped, or ""."""
        drop = None if self._stream is None else self._stream.last_drop
        return "" if drop is None else drop.value

    def shed(self, packet: Packet) -> None:
        """Let the packet go unread: counted, and what hangs on it is not trusted."""
        if (stream := self._stream_for(packet)) is not None:
            stream.shed(packet)

    def expected_events(self, packet: Packet) -> float:
        """How many events a packet has if it is as the last one with any; 0 before the first.

        Of one that is not of this stream none are expected, for it will be dropped.
        """
        stream, said = self._stream, (packet.encoding, packet.width, packet.height)
        if stream is None or said != (stream.encoding, stream.width, stream.height):
            return 0.0
        return packet.payload.size * self._events_per_byte

    def let_go(self, events: int) -> None:
        """So many of the events that were received are not taken in after all."""
        self.events -= events

    def receive(self, packet: Packet) -> Events | None:
        """The packet's events in the node's time; None if it was dropped."""
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
        return self._clock.to_node_time(events, packet.stamp_ns)

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
