# SPDX-License-Identifier: Apache-2.0
"""Packets that wait because they came faster than they could be answered."""

from __future__ import annotations

from dataclasses import dataclass

from neuro_control.events import Events

# A packet that has waited longer than this in the middleware has others behind it (ns).
LATE_NS = 3_000_000
# So many are put together at most: while there is a backlog a command still goes out for each
# so many packets.
MOST = 8


@dataclass(frozen=True)
class Joined:
    """Packets as one: their events, the stamp of the last, and when each was published (ns)."""

    events: Events
    stamp_ns: int
    published_ns: list[int]


class Backlog:
    """Puts packets together that have waited for long, so that the newest is answered soon.

    To decode a packet takes a fraction of what it takes to answer it. One by one, a controller
    that was held up once would stay behind for as long as its queue is full.
    """

    def __init__(self, late_ns: int = LATE_NS, most: int = MOST) -> None:
        self._late_ns = late_ns
        self._most = most
        self.clear()

    def __len__(self) -> int:
        return len(self._events)

    def clear(self) -> None:
        """Forget what waits."""
        self._events: list[Events] = []
        self._published_ns: list[int] = []
        self._stamp_ns = 0

    def add(self, events: Events, stamp_ns: int, published_ns: int, waited_ns: int) -> bool:
        """Add a packet; say whether it is time to answer.

        waited_ns: from its arrival in the middleware until now; negative if that is unknown.
        """
        self._events.append(events)
        self._published_ns.append(published_ns)
        self._stamp_ns = stamp_ns
        return waited_ns <= self._late_ns or len(self._events) >= self._most

    def take(self) -> Joined:
        """All that waits. Raises ValueError if nothing does."""
        joined = Joined(Events.concatenate(self._events), self._stamp_ns, self._published_ns)
        self.clear()
        return joined
