# SPDX-License-Identifier: Apache-2.0
"""When each thing of a recording is due, and what it is stamped: rate, pause, and another place.

It counts from the last moment at which that changed, on two clocks: one that only rises, by which
is waited, and the one of the stamps, which can be set. Both pass equally from there on, so that
what is published when it is due is stamped with the time at which it is published.
"""

from __future__ import annotations

from collections.abc import Callable

# Before a place that is sought so much is played, fast, so that whoever has a memory has it there.
PREROLL_NS = 200_000_000
PREROLL_RATE = 10.0


class Playback:
    """Where a replay is. Times `now_s` are of a clock that only rises [s]; places in ns.

    paused: it stands, but for what is played before a place that was sought. rate: recorded time
    over real time. seeks: how often another place was sought. stamp_clock: time now by the clock
    of the stamps [ns].
    """

    def __init__(
        self, rate: float, now_s: float, stamp_clock: Callable[[], int] = lambda: 0
    ) -> None:
        self.rate = rate
        self._stamp_clock = stamp_clock
        self.paused = False
        self.seeks = 0
        self.place_ns = 0
        self._sought_ns: int | None = None
        self._until_ns = 0
        self._anchor(0, now_s)

    @property
    def sought(self) -> bool:
        """Whether another place is sought, which is not yet gone to."""
        return self._sought_ns is not None

    @property
    def standing(self) -> bool:
        """Whether nothing becomes due."""
        return self.paused and self.place_ns >= self._until_ns

    @property
    def moves(self) -> bool:
        """Whether it goes on where it is."""
        return not (self.standing or self.sought)

    def seek(self, place_ns: int) -> None:
        """Ask for another place."""
        self._sought_ns = max(place_ns, 0)
        self.seeks += 1

    def begin(self, now_s: float) -> int:
        """Go to the place that is sought, or to the start; says where to play from."""
        place_ns, self._sought_ns = self._sought_ns or 0, None
        self._until_ns = place_ns
        begin_ns = max(place_ns - PREROLL_NS, 0)
        self._anchor(begin_ns, now_s)
        return begin_ns

    def resettle(self, now_s: float) -> None:
        """Time has passed in which nothing was due."""
        self._anchor(self.place_ns, now_s)

    def pause(self, now_s: float) -> None:
        """Stand where it is."""
        self._anchor(self.place_ns, now_s)
        self.paused = True

    def resume(self, now_s: float) -> None:
        """Go on from where it is."""
        self._anchor(self.place_ns, now_s)
        self.paused = False

    def set_rate(self, rate: float, now_s: float) -> None:
        """Go on at another rate."""
        self._anchor(self.place_ns, now_s)
        self.rate = rate

    def wait_s(self, place_ns: int, now_s: float) -> float:
        """How long until a place is due; to be asked for places that only rise."""
        return self._since_s + self._takes_s(place_ns) - now_s

    def stamp_ns(self, place_ns: int) -> int:
        """When a place is due by the clock of the stamps; for places that only rise."""
        return self._since_stamp_ns + round(self._takes_s(place_ns) * 1e9)

    def next_ns(self, place_ns: int, step_ns: int) -> int:
        """The next place on the way to one, a step on; it stops over at the one that is sought."""
        next_ns = min(self.place_ns + step_ns, place_ns)
        return min(next_ns, self._until_ns) if self.place_ns < self._until_ns else next_ns

    def reach(self, place_ns: int, now_s: float) -> None:
        """Note that a place was reached."""
        passed_until = self.place_ns < self._until_ns <= place_ns
        self.place_ns = place_ns
        if passed_until and self.paused:
            self._anchor(place_ns, now_s)

    def _takes_s(self, place_ns: int) -> float:
        """How long it takes to a place from where it counts from, the preroll at its own rate."""
        before_ns = min(place_ns, self._until_ns) - min(self._since_ns, self._until_ns)
        after_ns = max(place_ns, self._until_ns) - max(self._since_ns, self._until_ns)
        return before_ns * 1e-9 / PREROLL_RATE + after_ns * 1e-9 / self.rate

    def _anchor(self, place_ns: int, now_s: float) -> None:
        self.place_ns = place_ns
        self._since_s, self._since_ns = now_s, place_ns
        self._since_stamp_ns = self._stamp_clock()
