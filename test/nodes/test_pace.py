# SPDX-License-Identifier: Apache-2.0
"""Simulated time beside wall-clock time."""

from __future__ import annotations

import pytest

from neuro_control.nodes.pace import Pace


def test_at_factor_one_it_waits_for_the_wall_clock() -> None:
    pace = Pace(1.0, 0.05)
    assert pace.wait_s(0.0, 100.0) == 0.0
    assert pace.wait_s(0.002, 100.0) == pytest.approx(0.002)
    assert pace.wait_s(0.004, 100.003) == pytest.approx(0.001)


def test_at_factor_two_it_waits_half_as_long() -> None:
    pace = Pace(2.0, 0.05)
    pace.wait_s(0.0, 0.0)
    assert pace.wait_s(0.1, 0.0) == pytest.approx(0.05)


def test_factor_zero_never_waits() -> None:
    pace = Pace(0.0, 0.05)
    assert pace.wait_s(0.0, 0.0) == pace.wait_s(9.0, 0.0) == 0.0


def test_a_short_delay_is_made_up_for_and_a_long_one_is_let_go() -> None:
    pace = Pace(1.0, 0.05)
    pace.wait_s(0.0, 0.0)
    assert pace.wait_s(0.01, 0.05) == 0.0
    assert pace.wait_s(0.06, 0.05) == pytest.approx(0.01), "made up for"
    assert pace.wait_s(0.07, 5.0) == 0.0
    assert pace.wait_s(0.13, 5.0) == pytest.approx(0.01), "only the last 0.05 s are made up for"


def test_another_factor_begins_anew() -> None:
    pace = Pace(1.0, 0.05)
    pace.wait_s(0.0, 0.0)
    pace.set_factor(0.5)
    assert pace.wait_s(1.0, 1.0) == 0.0
    assert pace.wait_s(1.1, 1.0) == pytest.approx(0.2)
