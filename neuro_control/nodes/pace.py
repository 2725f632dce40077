# SPDX-License-Identifier: Apache-2.0
"""Simulated time beside wall-clock time."""

from __future__ import annotations

import math


class Pace:
    """Says how long to wait so that simulated time runs at a factor of wall-clock time.

    A delay up to `catch_up_s` is made up for; what is more is let go, so that a machine that was
    busy for a second is not followed by a second of haste.
    """

    def __init__(self, factor: float, catch_up_s: float) -> None:
        self._factor = factor
        self._catch_up_s = catch_up_s
        self._wall_s = math.nan
        self._sim_s = 0.0

    def set_factor(self, factor: float) -> None:
        """Another factor from the next step on; 0: no waiting."""
        self._factor = factor
        self._wall_s = math.nan

    def wait_s(self, sim_s: float, wall_s: float) -> float:
        """Wall-clock time (s) to wait at simulated time sim_s."""
        if self._factor == 0.0:
            return 0.0
        if math.isnan(self._wall_s):
            self._wall_s, self._sim_s = wall_s, sim_s
        due_s = self._wall_s + (sim_s - self._sim_s) / self._factor
        if wall_s - due_s > self._catch_up_s:
            self._wall_s, self._sim_s = wall_s - self._catch_up_s, sim_s
            return 0.0
        return max(due_s - wall_s, 0.0)
