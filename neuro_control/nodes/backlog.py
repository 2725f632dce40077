# SPDX-License-Identifier: Apache-2.0
"""Packets that wait because they came faster than they could be answered."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from neuro_control.events import Packet

# A packet that has waited longer than this in the middleware may have others behind it (ns).
LATE_NS = 1_000_000


@dataclass(frozen=True)
class Waiting:
    """A packet not yet decoded, when it was published (ns), and its events as expected."""

    packet: Packet
    published_ns: int
    events: float


class Backlog:
    """The newest packets that one answer can take in; those before them are let go unread.

    To fetch a packet takes a small part of what it takes to decode and answer it. So a controller
    that was held up fetches all that wait before it answers. What it then takes in is limited, not
    by how long it waited but by how much it is: after a pause of a quiet sensor all of it, in a
    storm the newest only, so that an answer takes as long as it did before the storm.

    most_events: of one answer, expected; the newest packet with any is taken however large. 0: no
    limit.
    """

    def __init__(self, most_events: int) -> None:
        self._most = most_events
        self._waiting: deque[Waiting] = deque()
        self._events = 0.0
        self.added = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, packet: Packet, published_ns: int, events: float) -> list[Packet]:
        """Add the newest packet with as many events, expected; returns what is let go, in order.

        For one that brings no events nothing is let go. `added` counts the packets since the last
        were taken, those let go among them.
        """
        self.added += 1
        self._waiting.append(Waiting(packet, published_ns, events))
        self._events += events
        shed: list[Packet] = []
        if not (self._most and events > 0):
            return shed
        while len(self._waiting) > 1 and self._events > self._most:
            oldest = self._waiting.popleft()
            self._events -= oldest.events
            shed.append(oldest.packet)
        return shed

    def take(self) -> list[Waiting]:
        """All that waits, in order; then nothing does."""
        taken = list(self._waiting)
        self._waiting.clear()
        self._events = 0.0
        self.added = 0
        return taken
