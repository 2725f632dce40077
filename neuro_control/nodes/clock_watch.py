# SPDX-License-Identifier: Apache-2.0
"""The system's clock, watched: nobody is told when it is set, not even by ROS."""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.clock import JumpThreshold
from rclpy.duration import Duration

from neuro_control.control.guard import CLOCK_JITTER_NS
from neuro_control.nodes.sensor_clock import NEW_TIME_NS

# A clock that goes back by this (ns), as for the guard, or leaps ahead by NEW_TIME_NS, begins a new
# time.
BACK_NS = CLOCK_JITTER_NS
TIME_BEGINS_ANEW = JumpThreshold(
    min_forward=Duration(nanoseconds=NEW_TIME_NS),
    min_backward=Duration(nanoseconds=-BACK_NS),
    on_clock_change=False,
)


class ClockWatch:
    """Compares a clock with one that is never set.

    now_ns: the clock. steady_ns: one that is never set. A clock that is led slowly is let be.
    """

    def __init__(
        self, now_ns: Callable[[], int], steady_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._now_ns = now_ns
        self._steady_ns = steady_ns
        self._least, self._most = self._ahead_ns()

    def set_by_ns(self) -> int:
        """By how much the clock has been set since the last look, back below zero; 0: it was not.

        Where the process was kept from running between its looks at the two clocks, the least by
        which the one must have been set counts.
        """
        least, most = self._ahead_ns()
        before_least, before_most = self._least, self._most
        self._least, self._most = least, most
        if most - before_least < -BACK_NS:
            return most - before_least
        if least - before_most > NEW_TIME_NS:
            return least - before_most
        return 0

    def _ahead_ns(self) -> tuple[int, int]:
        """How far the clock is ahead of the steady one: at least, and at most."""
        before = self._steady_ns()
        now = self._now_ns()
        return now - self._steady_ns(), now - before
