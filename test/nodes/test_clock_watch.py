# SPDX-License-Identifier: Apache-2.0
"""The system's clock, watched: what was set is told, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.nodes.clock_watch import BACK_NS, ClockWatch
from neuro_control.nodes.sensor_clock import NEW_TIME_NS

MS = 1_000_000
S = 1_000 * MS


class Clocks:
    """A clock and a steady one; between any two looks at them `slow_ns` pass."""

    def __init__(self) -> None:
        self.passed_ns, self.set_ns, self.slow_ns = 7 * S, 5_000 * S, 0
        self.watch = ClockWatch(lambda: self.steady() + self.set_ns, self.steady)

    def steady(self) -> int:
        self.passed_ns += self.slow_ns
        return self.passed_ns

    def look(self, after_ns: int = 10 * MS) -> int:
        self.passed_ns += after_ns
        return self.watch.set_by_ns()


@pytest.mark.parametrize("by_ns", [-60 * S, -300 * MS, -BACK_NS - 1, NEW_TIME_NS + 1, 3600 * S])
def test_a_clock_that_is_set_is_told_once(by_ns: int) -> None:
    clocks = Clocks()
    assert clocks.look() == 0
    clocks.set_ns += by_ns
    assert clocks.look() == by_ns
    assert clocks.look() == 0


@pytest.mark.parametrize("by_ns", [-BACK_NS, -MS, NEW_TIME_NS])
def test_a_clock_that_is_led_is_not_set(by_ns: int) -> None:
    clocks = Clocks()
    clocks.set_ns += by_ns
    assert clocks.look() == 0
    for _ in range(100):
        clocks.set_ns -= MS
        assert clocks.look() == 0


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 10 * S), st.integers(0, 3 * S)), max_size=20))
def test_a_process_that_is_kept_from_running_sees_no_clock_set(pauses) -> None:
    clocks = Clocks()
    for after_ns, slow_ns in pauses:
        clocks.slow_ns = slow_ns
        assert clocks.look(after_ns) == 0
