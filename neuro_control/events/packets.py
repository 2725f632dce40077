# SPDX-License-Identifier: Apache-2.0
"""A stream of event packets: which are taken, which are dropped, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from neuro_control.events.address_events import Events
from neuro_control.events.codecs import WORD_BYTES, decoder
from neuro_control.events.counters import DecoderCounters
from neuro_control.events.packet_sequence import STUBBORN, PacketSequence, Place
from neuro_control.events.payload import BYTE
from neuro_control.events.trigger import Triggers


@dataclass(frozen=True, eq=False)
class Packet:
    """One event packet as it came over a topic or out of a recording.

    topic: where it came from.
    seq: counts the publisher's packets.
    time_base_ns: what the times in the payload count from, where the encoding has it.
    stamp_ns: the message header's stamp: the host's clock, not the sensor's.
    encoding: name of the payload's encoding.
    width, height: the sensor's size.
    is_bigendian: byte order of the payload.
    payload: uint8[n].
    """

    topic: str
    seq: int
    time_base_ns: int
    stamp_ns: int
    encoding: str
    width: int
    height: int
    is_bigendian: bool
    payload: NDArray[np.uint8]


class DropReason(str, Enum):
    """Why a whole packet was not decoded."""

    SIZE = "size"
    """It claims another sensor size than the stream's."""
    ENCODING = "encoding"
    """It claims another encoding than the stream's."""
    BYTE_ORDER = "byte_order"
    """It claims to be big-endian, and does not hold whole words that could be turned round."""
    PAYLOAD = "payload"
    """Its payload is no one-dimensional array of bytes."""
    DUPLICATE = "duplicate"
    """Its sequence number has come already."""
    OUT_OF_ORDER = "out_of_order"
    """It comes after packets that were sent later; it was counted as lost when they came."""
    TIME_BACKWARDS = "time_backwards"
    """Its events begin before the end of the events given out already."""
    SHED = "shed"
    """More came than could be worked on, and it had waited longest (`PacketStream.shed`)."""


@dataclass(frozen=True)
class StreamCounters:
    """What has become of a stream's packets since construction.

    packets: received, taken or not.
    packets_lost: missing sequence numbers.
    restarts: times the publisher began anew (no loss is counted for these).
    drops: packets dropped for each reason; reasons that never occurred are 0.
    decoder: the decoder's own counters; its events and triggers are those given out.
    """

    packets: int = 0
    packets_lost: int = 0
    restarts: int = 0
    drops: Mapping[DropReason, int] = field(default_factory=dict)
    decoder: DecoderCounters = field(default_factory=DecoderCounters)

    @property
    def packets_dropped(self) -> int:
        """Packets dropped, for whatever reason."""
        return sum(self.drops.values())

    @property
    def errors(self) -> int:
        """Everything that should not have come: dropped packets and the decoder's errors."""
        return self.packets_dropped + self.decoder.errors


_OUT_OF_PLACE = {
    Place.DUPLICATE: DropReason.DUPLICATE,
    Place.OUT_OF_ORDER: DropReason.OUT_OF_ORDER,
}


class PacketStream:
    """Checks and decodes the packets of one sensor; never raises on what a device sends.

    Packets are compared with the size and encoding that the stream was made for. Gaps in `seq`
    are counted as lost packets and told to the decoder. A `seq` far back or far ahead, or eight
    packets from the past in a row, mean that the publisher began anew: the decoder is reset, its
    times may start lower, and `counters.restarts` tells the caller to reset what hangs on them.

    Raises ValueError on construction for an encoding that is not supported, naming it and those
    that are, and for a size that no sensor has.
    """

    def __init__(self, width: int, height: int, encoding: str) -> None:
        self._decoder = decoder(encoding, width, height)
        self._width = width
        self._height = height
        self._encoding = encoding
        self._word_bytes = WORD_BYTES[encoding]
        self._packets = 0
        self._sequence = PacketSequence()
        self._restarts = 0
        self._drops = dict.fromkeys(DropReason, 0)
        self._last_drop: DropReason | None = None
        self._backwards = 0
        self._refused_on = 0
        self._refused_off = 0
        self._refused_triggers = 0
        self._last_ns = -1

    @property
    def width(self) -> int:
        """Columns of the sensor."""
        return self._width

    @property
    def height(self) -> int:
        """Rows of the sensor."""
        return self._height

    @property
    def encoding(self) -> str:
        """Encoding of the payloads."""
        return self._encoding

    @property
    def last_drop(self) -> DropReason | None:
        """Why the last packet was dropped; None if it was taken."""
        return self._last_drop

    @property
    def triggers(self) -> Triggers:
        """The edges at the external trigger inputs in the last packet; none if it was dropped."""
        taken = self._packets > 0 and self._last_drop is None
        return self._decoder.triggers if taken else Triggers.empty()

    @property
    def restarts(self) -> int:
        """Times the publisher began anew (also in `counters`; cheap enough for every packet)."""
        return self._restarts

    @property
    def counters(self) -> StreamCounters:
        """What has become of the packets since construction."""
        decoded = self._decoder.counters
        return StreamCounters(
            self._packets,
            self._sequence.lost,
            self._restarts,
            MappingProxyType(dict(self._drops)),
            replace(
                decoded,
                events_on=decoded.events_on - self._refused_on,
                events_off=decoded.events_off - self._refused_off,
                triggers=decoded.triggers - self._refused_triggers,
            ),
        )

    def mismatch(self, packet: Packet) -> DropReason | None:
        """What the packet claims to be and the stream is not; None if it is of this stream."""
        if packet.width != self._width or packet.height != self._height:
            return DropReason.SIZE
        if packet.encoding != self._encoding:
            return DropReason.ENCODING
        payload = packet.payload
        if payload.dtype != BYTE or payload.ndim != 1:
            return DropReason.PAYLOAD
        if packet.is_bigendian and len(payload) % self._word_bytes:
            return DropReason.BYTE_ORDER
        return None

    def sequence(self) -> PacketSequence:
        """Where the stream is in the sequence, a copy: to look ahead over packets that wait."""
        return self._sequence.copy()

    def receive(self, packet: Packet) -> Events | None:
        """Decode one packet: its events, perhaps none; None if the packet was dropped."""
        self._packets += 1
        reason = self.mismatch(packet)
        if reason is None:
            reason = self._follow(packet.seq)
        if reason is not None:
            self._drop(reason)
            return None
        payload = packet.payload
        if packet.is_bigendian:
            payload = payload.reshape(-1, self._word_bytes)[:, ::-1].reshape(-1)
        events = self._decoder.decode(payload, packet.time_base_ns)
        if len(events):
            if int(events.t_ns[0]) < self._last_ns:
                self._backwards += 1
                if self._backwards < STUBBORN:
                    on = int(np.count_nonzero(events.p))
                    self._refused_on += on
                    self._refused_off += len(events) - on
                    self._refused_triggers += len(self._decoder.triggers)
                    self._drop(DropReason.TIME_BACKWARDS)
                    return None
                self._restarts += 1
            self._last_ns = int(events.t_ns[-1])
            self._backwards = 0
        self._last_drop = None
        return events

    def shed(self, packet: Packet) -> None:
        """Let one packet go unread: it is counted as dropped, and the decoder is told of a loss.

        It is dropped as `SHED` only if it would have been decoded; else for what is wrong with it.
        """
        self._packets += 1
        reason = self.mismatch(packet) or self._follow(packet.seq)
        if reason is None:
            self._decoder.discontinuity()
        self._drop(reason or DropReason.SHED)

    def _drop(self, reason: DropReason) -> None:
        self._drops[reason] += 1
        self._last_drop = reason

    def _follow(self, seq: int) -> DropReason | None:
        """Put the packet into the sequence, and tell the decoder of losses and restarts."""
        place = self._sequence.follow(seq)
        if place is Place.AFTER_LOSS:
            self._decoder.discontinuity()
        elif place is Place.ANEW:
            self._restarts += 1
            self._decoder.reset()
            self._backwards = 0
            self._last_ns = -1
        return _OUT_OF_PLACE.get(place)
