# SPDX-License-Identifier: Apache-2.0
"""Events to event packets of a fixed length in time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from neuro_control.events.address_events import Events
from neuro_control.events.encoders import encoder
from neuro_control.events.packets import Packet

PERIOD_NS = 4_000_000


def packets_of(
    chunks: Iterable[Events],
    size: tuple[int, int],
    encoding: str = "mono",
    topic: str = "/event_camera/events",
    period_ns: int = PERIOD_NS,
) -> Iterator[Packet]:
    """Packets of events as a driver sends them, each stamped with the end of its period.

    A period without events has no packet. What crosses from one chunk into the next is put
    together.

    Args:
        chunks: events in ascending time.
        size: (width, height) of the sensor.
        encoding: mono, evt2 or evt3.
        topic: that the packets name.
        period_ns: how much time a packet holds, at least 1.

    Raises:
        ValueError: events that the encoding cannot hold, or a period below 1.
    """
    if period_ns < 1:
        raise ValueError(f"period_ns is {period_ns}; it must be at least 1")
    made = encoder(encoding, *size)
    seq = 0
    kept = Events.empty(*size)

    def packet(events: Events, end_ns: int) -> Packet:
        payload, base_ns = made.encode(events)
        return Packet(topic, seq, base_ns, end_ns, encoding, *size, False, payload)

    for chunk in chunks:
        rest = Events.concatenate([kept, chunk]) if len(kept) else chunk
        while len(rest):
            end_ns = (int(rest.t_ns[0]) // period_ns + 1) * period_ns
            inside = int(rest.t_ns.searchsorted(end_ns))
            if inside == len(rest):
                break
            yield packet(rest[:inside], end_ns)
            seq += 1
            rest = rest[inside:]
        kept = rest
    if len(kept):
        yield packet(kept, (int(kept.t_ns[0]) // period_ns + 1) * period_ns)
