# SPDX-License-Identifier: Apache-2.0
"""Rates and shares over the last moment."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

WINDOW_S = 1.0
# A sensor's clock goes on by at most this much, and this many times as fast as ours.
LEAP_S, LEAP = 1.0, 10.0


@dataclass(frozen=True)
class _Entry:
    now_s: float
    stamp_s: float
    carried: float
    shown: float


class Share:
    """How much came, and how much of it was shown, over the last second of the wall clock."""

    def __init__(self) -> None:
        self._entries: deque[_Entry] = deque()
        # The rate counts what came after this: how long the first entry gathered is not known.
        self._since: _Entry | None = None

    def add(self, now_s: float, stamp_s: float, carried: float, shown: float) -> None:
        """What came since the last time.

        now_s: of `time.monotonic`. stamp_s: of the newest packet that has come, then or earlier.
        """
        entry = _Entry(now_s, stamp_s, carried, shown)
        if self._entries:
            last = self._entries[-1]
            gone_s, gone_here_s = stamp_s - last.stamp_s, now_s - last.now_s
            if not 0.0 <= gone_s <= LEAP_S + LEAP * gone_here_s:
                # As by a recording that is played from elsewhere.
                self._entries.clear()
                self._since = None
        if self._since is None:
            self._since = entry
        self._entries.append(entry)
        while now_s - self._entries[0].now_s > WINDOW_S:
            self._since = self._entries.popleft()

    @property
    def rate(self) -> float:
        """Events a second of the sensor's clock; of ours where the sensor's stands still.

        In a simulation that is simulated time, as every other rate of the page has it. 0 before
        the second entry.
        """
        since = self._since
        if since is None:
            return 0.0
        last = self._entries[-1]
        span_s = last.stamp_s - since.stamp_s
        if span_s <= 0.0:
            span_s = last.now_s - since.now_s
        if span_s <= 0.0:
            return 0.0
        return sum(e.carried for e in self._entries if e.now_s > since.now_s) / span_s

    @property
    def shown(self) -> float:
        """Part that was shown, 0 to 1; 1 where nothing came."""
        carried = sum(e.carried for e in self._entries)
        return 1.0 if carried <= 0 else min(sum(e.shown for e in self._entries) / carried, 1.0)
