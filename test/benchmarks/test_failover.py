# SPDX-License-Identifier: Apache-2.0
"""The arm does not notice what happens to the board that steps its network."""

from __future__ import annotations

import time

import numpy as np
import pytest

from benchmarks import failover
from benchmarks.failover import KINDS, LATE_S, Injector, measure
from neuro_control.backends import ShadowSettings
from neuro_control.backends.random_networks import random_network


def test_the_motion_is_that_of_a_run_without_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    # A fault is made of a board that is in step, and a busy machine makes it late.
    settings = ShadowSettings(deadline_s=0.2, hang_s=0.5)
    monkeypatch.setattr(failover, "SETTINGS", settings)
    found = measure(seconds=2.0, faults=2, seed=1, mean_periods=5.0)
    assert sum(found.injected.values()) >= 1
    assert found.unnamed == 0
    assert found.periods == 1000
    assert found.periods_without_command == 0
    assert found.same_motion
    assert found.processes_left == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_loss_in_the_last_period_is_named_too(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failover, "KINDS", (kind,))
    injector = Injector(seed=0, faults=1, mean_periods=0.0)
    shadow = injector.make(random_network(0))
    try:
        injector.before_answer(0)
        time.sleep(2 * LATE_S)  # what a busy machine may do to this process
        shadow.step(np.zeros(0, np.int32))
        injector.step_on()
        assert injector.made == [(0, kind)]
        assert injector.unnamed() == 0
    finally:
        shadow.close()
