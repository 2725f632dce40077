# SPDX-License-Identifier: Apache-2.0
"""Rates and shares over the last moment."""

from __future__ import annotations

from collections import deque

WINDOW_S = 1.0


class Share:
    """How much came, and how much of it was shown, over the last second."""

    def __init__(self) -> None:
        self._entries: deque[tuple[float, float, float]] = deque()
        self._began_s: float | None = None

    def add(self, now_s: float, carried: float, shown: float) -> None:
        """What came since the last time."""
        if self._began_s is None:
            self._began_s = now_s
        self._entries.append((now_s, carried, shown))
        while self._entries and now_s - self._entries[0][0] > WINDOW_S:
            self._entries.popleft()

    def rate(self, now_s: float) -> float:
        """Events a second."""
        if self._began_s is None or now_s <= self._began_s:
            return 0.0
        span_s = min(now_s - self._began_s, WINDOW_S)
        return sum(entry[1] for entry in self._entries) / span_s

    @property
    def shown(self) -> float:
        """Part that was shown, 0 to 1; 1 where nothing came."""
        carried = sum(entry[1] for entry in self._entries)
        return 1.0 if carried <= 0 else min(sum(entry[2] for entry in self._entries) / carried, 1.0)
