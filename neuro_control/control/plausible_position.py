# SPDX-License-Identifier: Apache-2.0
"""Which measured positions are believed: those that the joints can have gone to in the time.

One wrong reading of an encoder would otherwise move the arm, for what is sent is reckoned from
where the arm is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# A joint may be pushed faster than it may be driven.
LEAP_SPEEDS = 2.0
# Jitter of a reading; given once to a reading and once to all of a window, else readings that run
# away by a little less each time would be believed.
TOLERANCE_RAD = 0.05
WINDOW_NS = 50_000_000


@dataclass(frozen=True)
class Reading:
    """A position (rad, float64[n]), its stamp, and when it came by the same clock (ns)."""

    q: FloatArray
    stamp_ns: int
    came_ns: int


class PlausiblePosition:
    """The position of an arm, followed from reading to reading.

    top_velocity: the joints' top speeds, float64[n] in rad/s; inf: no position of that joint leaps.
    first: so many readings must agree before the first is believed; drivers begin with zeros.

    last: the reading last believed; None: the position is not known. leaps: readings since then
    that were not believed; leaping_since_ns: when the first of those came.
    """

    def __init__(self, top_velocity: FloatArray, first: int = 1) -> None:
        self._top_velocity = np.minimum(top_velocity, np.finfo(np.float64).max ** 0.5)
        self._first = first
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.last: Reading | None = None
        self.leaps = 0
        self.leaping_since_ns = 0
        self._anchor: Reading | None = None  # believed about a window ago
        self._candidate: Reading | None = None
        self._agreeing = 0

    def take(self, reading: Reading) -> bool:
        """Take a reading; False if it is a leap."""
        if self.last is None:
            self._search(reading)
            return True
        anchor = self._anchor or self.last
        if not (self._in_reach(self.last, reading) and self._in_reach(anchor, reading)):
            if self.leaps == 0:
                self.leaping_since_ns = reading.came_ns
            self.leaps += 1
            return False
        if reading.stamp_ns - anchor.stamp_ns >= WINDOW_NS:
            self._anchor = self.last
        self.last, self.leaps = reading, 0
        return True

    def _search(self, reading: Reading) -> None:
        agrees = self._candidate is not None and self._in_reach(self._candidate, reading)
        self._agreeing = self._agreeing + 1 if agrees else 1
        self._candidate = reading
        if self._agreeing >= self._first:
            self.last = self._anchor = reading

    def _in_reach(self, before: Reading, reading: Reading) -> bool:
        # Stamps may stand, or be given by pairs; then the times of arrival tell.
        passed_ns = max(reading.stamp_ns - before.stamp_ns, reading.came_ns - before.came_ns, 0)
        reach = TOLERANCE_RAD + LEAP_SPEEDS * self._top_velocity * (passed_ns * 1e-9)
        return bool(np.all(np.abs(reading.q - before.q) <= reach))
