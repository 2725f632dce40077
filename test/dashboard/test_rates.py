# SPDX-License-Identifier: Apache-2.0
"""Events a second, and which part of them is shown, however often it is asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.dashboard.panel import FrameParts
from neuro_control.dashboard.rates import Share
from neuro_control.dashboard.senses_panel import CameraPanel
from test.dashboard.conftest import Robot

PERIODS = st.floats(0.01, 20.0)


@given(
    st.lists(PERIODS, min_size=1, max_size=60), st.floats(1.0, 1e7), st.sampled_from([0.01, 0.5, 4])
)
def test_the_rate_of_a_steady_sensor_is_its_rate_whenever_frames_come(
    periods: list[float], events_per_s: float, pace: float
) -> None:
    """pace: of the sensor's clock over ours."""
    share = Share()
    now_s = 100.0
    share.add(now_s, pace * now_s, 12345.0, 0.0)  # gathered since nobody knows when
    assert share.rate == 0.0
    for period_s in periods:
        now_s += period_s
        share.add(now_s, pace * now_s, events_per_s * pace * period_s, 0.0)
        assert share.rate == pytest.approx(events_per_s, rel=1e-4)


@given(st.lists(PERIODS, min_size=1, max_size=60))
def test_of_a_sensor_whose_clock_stands_still_a_second_is_ours(periods: list[float]) -> None:
    share = Share()
    now_s = 100.0
    share.add(now_s, 7.0, 0.0, 0.0)
    for period_s in periods:
        now_s += period_s
        share.add(now_s, 7.0, 50.0 * period_s, 0.0)
        assert share.rate == pytest.approx(50.0)


@pytest.mark.parametrize("leap_s", [20.0, -3.0])
def test_where_the_sensors_clock_leaps_counting_begins_anew(leap_s: float) -> None:
    share = Share()
    for k in range(10):
        share.add(0.1 * k, 5.0 + 0.1 * k, 50.0, 0.0)
    share.add(1.0, 6.0 + leap_s, 50.0, 0.0)
    assert share.rate == 0.0
    share.add(1.1, 6.1 + leap_s, 50.0, 0.0)
    assert share.rate == pytest.approx(500.0)


@pytest.mark.parametrize("period_s", [0.05, 0.25, 0.5])
def test_what_has_fallen_silent_has_no_rate_after_a_second(period_s: float) -> None:
    share = Share()
    now_s = 0.0
    for _ in range(40):
        now_s += period_s
        share.add(now_s, now_s, 50.0, 25.0)
    assert share.shown == pytest.approx(0.5)
    silent_s = now_s
    while now_s < silent_s + 1.0 + period_s:
        now_s += period_s
        share.add(now_s, silent_s, 0.0, 0.0)
    assert share.rate == 0.0
    assert share.shown == 1.0


def test_a_sensor_that_comes_back_is_counted_anew(robot: Robot) -> None:
    panel = CameraPanel(robot.node, 1000)
    for now_s in (0.0, 1.0):
        panel.sense.share.add(now_s, now_s, 100.0, 100.0)
    assert panel.sense.share.rate == pytest.approx(100.0)
    panel.draw(2.0, FrameParts())  # nobody publishes
    assert panel.sense.share.rate == 0.0


def test_the_part_that_is_shown_is_known_from_the_first_frame_on() -> None:
    share = Share()
    share.add(5.0, 5.0, 100.0, 40.0)
    assert share.shown == pytest.approx(0.4)
