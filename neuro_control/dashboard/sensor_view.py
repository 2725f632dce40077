# SPDX-License-Identifier: Apache-2.0
"""The packets of one sensor between two frames: how many events, and a sample of them to show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from neuro_control.events import Events, Packet, PacketStream

# A mono event is eight bytes, so that a packet's events can be counted without reading them.
_MONO = "mono"
_MONO_BYTES = 8


@dataclass(frozen=True)
class Sampled:
    """One frame's worth of a sensor.

    events: of the newest packets, as many as the budget allows.
    carried: events on the topic since the last frame, those that never came here estimated from
        the gaps in `seq`.
    shown: events among them that are in `events`.
    """

    events: tuple[Events, ...]
    carried: float
    shown: int


class SensorView:
    """Decodes the newest packets of a sensor up to a budget; never raises on what a device sends.

    on_reset: called when the sensor's time began anew, before its new events.
    refused: why nothing can be decoded, "" while it can.
    """

    def __init__(self, budget: int, on_reset: Callable[[], None] = lambda: None) -> None:
        self._budget = budget
        self._on_reset = on_reset
        self._stream: PacketStream | None = None
        self._restarts = 0
        self._next_seq: int | None = None
        self._events_per_byte = 1.0 / _MONO_BYTES
        self.refused = ""
        self.width = 0
        self.height = 0
        self.encoding = ""
        self.stamp_ns = 0
        self.time_offset_ns = 0

    def take(self, packets: Sequence[Packet]) -> Sampled:
        """Take in the packets since the last frame, in order."""
        if not packets:
            return Sampled((), 0.0, 0)
        newest = packets[-1]
        self.stamp_ns = newest.stamp_ns
        if not self._fits(newest) and not self._begin(newest):
            return Sampled((), 0.0, 0)
        payloads = sum(len(packet.payload) for packet in packets)
        carried = payloads * self._events_per_byte * self._packets_sent(packets) / len(packets)
        events: list[Events] = []
        shown, read = 0, 0
        for packet in self._chosen(packets):
            decoded = self._receive(packet)
            read += len(packet.payload)
            if decoded is not None and len(decoded):
                events.append(decoded)
                shown += len(decoded)
        if self.encoding != _MONO and read and shown:
            # Learned from what was decoded, for what is not.
            self._events_per_byte += 0.2 * (shown / read - self._events_per_byte)
        if events:
            self.time_offset_ns = int(events[-1].t_ns[-1]) - self.stamp_ns
        return Sampled(tuple(events), max(carried, float(shown)), shown)

    @property
    def now_ns(self) -> int:
        """The newest packet's stamp in the sensor's own time (ns)."""
        return self.stamp_ns + self.time_offset_ns

    def _fits(self, packet: Packet) -> bool:
        said = (packet.width, packet.height, packet.encoding)
        return self._stream is not None and said == (self.width, self.height, self.encoding)

    def _begin(self, packet: Packet) -> bool:
        try:
            self._stream = PacketStream(packet.width, packet.height, packet.encoding)
        except ValueError as error:
            self._stream, self.refused = None, str(error)
            return False
        self.width, self.height, self.encoding = packet.width, packet.height, packet.encoding
        self.refused = ""
        self._restarts = 0
        self._next_seq = None
        self._on_reset()
        return True

    def _packets_sent(self, packets: Sequence[Packet]) -> int:
        """How many the sensor sent meanwhile, with those that were dropped on the way."""
        first = packets[0].seq if self._next_seq is None else self._next_seq
        self._next_seq = packets[-1].seq + 1
        sent = self._next_seq - first
        # A publisher that began anew counts from elsewhere.
        return sent if len(packets) <= sent <= 1000 * len(packets) else len(packets)

    def _chosen(self, packets: Sequence[Packet]) -> list[Packet]:
        """The newest ones within the budget, in order; of a huge one every nth event."""
        chosen: list[Packet] = []
        left = self._budget
        for packet in reversed(packets):
            events = len(packet.payload) * self._events_per_byte
            if events > left:
                if not chosen:
                    chosen.append(self._thinned(packet, left))
                break
            left -= int(events)
            chosen.append(packet)
        return chosen[::-1]

    def _thinned(self, packet: Packet, most: int) -> Packet:
        if self.encoding != _MONO or packet.is_bigendian:
            return packet
        whole = len(packet.payload) // _MONO_BYTES
        every = max(-(-whole // most), 1)
        rows = packet.payload[: whole * _MONO_BYTES].reshape(whole, _MONO_BYTES)
        return replace(packet, payload=rows[::every].reshape(-1))

    def _receive(self, packet: Packet) -> Events | None:
        stream = self._stream
        if stream is None:
            return None
        events = stream.receive(packet)
        if stream.restarts != self._restarts:
            self._restarts = stream.restarts
            self._on_reset()
        return events
