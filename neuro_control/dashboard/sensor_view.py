# SPDX-License-Identifier: Apache-2.0
"""The packets of one sensor between two frames: how many events, and a sample of them to show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from neuro_control.events import Events, Packet, PacketStream

# A mono event is eight bytes, so that a packet's events can be counted without reading them.
_MONO = "mono"
_MONO_BYTES = 8
_LARGEST_TIME_NS = 1 << 62
# A packet this much before the last is no straggler: its publisher, or a recording, began anew.
_STRAGGLERS = 64
_BACK_NS = 100_000_000


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


def decode_mono(packets: Sequence[Packet], width: int, height: int) -> Events:
    """All events of packets of encoding `mono` in one pass, ascending in time.

    Twenty packets at once take as long as one. Events outside the sensor are left out, and so are
    packets whose time base no clock has.
    """
    sound = [p for p in packets if 0 <= p.time_base_ns < _LARGEST_TIME_NS and not p.is_bigendian]
    counts = [len(packet.payload) // _MONO_BYTES for packet in sound]
    parts = [p.payload[: n * _MONO_BYTES] for p, n in zip(sound, counts, strict=True)]
    if not sum(counts):
        return Events.empty(width, height)
    words = np.concatenate(parts).view("<u4").reshape(-1, 2)
    bases = np.array([packet.time_base_ns for packet in sound], np.int64)
    t_ns = np.repeat(bases, counts) + words[:, 0]
    place = words[:, 1]
    x, y = (place & 0xFFFF).astype(np.uint16), ((place >> 16) & 0x7FFF).astype(np.uint16)
    p = (place >> 31).astype(np.uint8)
    if int(x.max()) >= width or int(y.max()) >= height:
        inside = (x < width) & (y < height)
        t_ns, x, y, p = t_ns[inside], x[inside], y[inside], p[inside]
    if (t_ns[1:] < t_ns[:-1]).any():
        order = np.argsort(t_ns, kind="stable")
        t_ns, x, y, p = t_ns[order], x[order], y[order], p[order]
    return Events(t_ns, x, y, p, width, height)


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
        first = self._first_of_now(packets)
        began_anew, packets = first is not None, packets[first or 0 :]
        self.stamp_ns = newest.stamp_ns
        if not self._fits(newest) and not self._begin(newest):
            return Sampled((), 0.0, 0)
        payloads = sum(len(packet.payload) for packet in packets)
        carried = payloads * self._events_per_byte * self._packets_sent(packets) / len(packets)
        if self.encoding == _MONO:
            if began_anew:
                self._on_reset()
            events = [decode_mono(self._chosen(packets), self.width, self.height)]
            read = 0
        else:
            chosen = self._chosen(packets)
            decoded = [self._receive(packet) for packet in chosen]
            events = [batch for batch in decoded if batch is not None]
            read = sum(len(packet.payload) for packet in chosen)
        events = [batch for batch in events if len(batch)]
        shown = sum(len(batch) for batch in events)
        if read and shown:
            # Learned from what was decoded, for what is not.
            self._events_per_byte += 0.2 * (shown / read - self._events_per_byte)
        if events:
            self.time_offset_ns = int(events[-1].t_ns[-1]) - self.stamp_ns
        return Sampled(tuple(events), max(carried, float(shown)), shown)

    @property
    def now_ns(self) -> int:
        """The newest packet's stamp in the sensor's own time (ns)."""
        return self.stamp_ns + self.time_offset_ns

    def _first_of_now(self, packets: Sequence[Packet]) -> int | None:
        """Where among them time, or the count of packets, last began anew; None if nowhere."""
        found = None
        seq, stamp_ns = self._next_seq, self.stamp_ns
        for place, packet in enumerate(packets):
            if seq is not None and (
                packet.seq + _STRAGGLERS < seq or packet.stamp_ns + _BACK_NS < stamp_ns
            ):
                found = place
            seq, stamp_ns = packet.seq, packet.stamp_ns
        if found is not None:
            self._next_seq = None
        return found

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
