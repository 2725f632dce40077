# SPDX-License-Identifier: Apache-2.0
"""The arm does not notice what happens to the board that steps its network."""

from __future__ import annotations

from benchmarks.failover import measure


def test_the_motion_is_that_of_a_run_without_faults() -> None:
    found = measure(seconds=2.0, faults=2, seed=1, mean_periods=5.0)
    assert sum(found.injected.values()) >= 1
    assert found.unnamed == 0
    assert found.periods == 1000
    assert found.periods_without_command == 0
    assert found.same_motion
    assert found.processes_left == 0
