# SPDX-License-Identifier: Apache-2.0
"""Rates and shares over the last moment."""

from __future__ import annotations

from collections import deque

WINDOW_S = 1.0


class Share:
    """How much came, and how much of it was shown, over the last second."""

    def __init__(self) -> None:
        self._entries: deque[tuple[float, float, float]] = deque()
        # The rate counts what came after this: how long the first entry gathered is not known.
        self._since_s: float | None = None

    def add(self, now_s: float, carried: float, shown: float) -> None:
        """What came since the last time."""
        if self._since_s is None:
            self._since_s = now_s
        self._entries.append((now_s, carried, shown))
        while now_s - self._entries[0][0] > WINDOW_S:
            self._since_s = self._entries.popleft()[0]

    def rate(self, now_s: float) -> float:
        """Events a second, 0 before the second entry."""
        since_s = self._since_s
        if since_s is None or now_s <= since_s:
            return 0.0
        carried = sum(entry[1] for entry in self._entries if entry[0] > since_s)
        return carried / (now_s - since_s)

    @property
    def shown(self) -> float:
        """Part that was shown, 0 to 1; 1 where nothing came."""
        carried = sum(entry[1] for entry in self._entries)
        return 1.0 if carried <= 0 else min(sum(entry[2] for entry in self._entries) / carried, 1.0)
