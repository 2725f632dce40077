# SPDX-License-Identifier: Apache-2.0
"""Stops: when they come and end, and where the arm is held."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from neuro_control.control.guard import Guard
from neuro_control.control.guard_settings import GuardSettings, Reason
from test.control.guard_bench import HERE, LIMITS, MS, NAMES, REST, expect_hold, make, push, send

# Latched stops


def test_an_emergency_stop_holds_until_it_is_released() -> None:
    guard = make()
    expect_hold(guard.emergency_stop(11 * MS), Reason.EMERGENCY_STOP)
    assert guard.emergency_stop(11 * MS) is None, "once is enough"
    expect_hold(send(guard, HERE + 0.001, stamp_ms=12), Reason.EMERGENCY_STOP)
    assert guard.release() == (Reason.EMERGENCY_STOP,)
    out = send(guard, HERE + 0.001, stamp_ms=14)
    assert out is not None
    assert out.passed
    assert guard.release() == ()


def test_an_emergency_stop_outlives_deactivation_and_a_clock_that_goes_back() -> None:
    guard = make()
    guard.emergency_stop(11 * MS)
    guard.deactivate(12 * MS)
    guard.activate(13 * MS)
    guard.tick(0)
    guard.joints(NAMES, HERE, [], 0, 0)
    expect_hold(guard.command(NAMES, HERE, REST, 0, 0), Reason.EMERGENCY_STOP)


def test_an_emergency_stop_can_come_before_activation() -> None:
    guard = Guard(NAMES, LIMITS, GuardSettings())
    assert guard.emergency_stop(0) is None
    guard.activate(1)
    guard.joints(NAMES, HERE, [], 1, 1)
    expect_hold(guard.command(NAMES, HERE, REST, 1, 1), Reason.EMERGENCY_STOP)


def test_too_much_effort_for_too_long_stops_where_the_arm_is() -> None:
    guard = make(effort_scale=1.0, effort_time_s=0.03)
    stuck = HERE + 0.01
    assert guard.joints(NAMES, stuck, [51.0, 0.0], 20 * MS, 20 * MS) is None
    assert guard.joints(NAMES, stuck, [0.0, -21.0], 40 * MS, 40 * MS) is None
    out = guard.joints(NAMES, stuck, [51.0, 0.0], 50 * MS, 50 * MS)
    expect_hold(out, Reason.EFFORT_LIMIT, stuck)
    assert guard.stopped == (Reason.EFFORT_LIMIT,)


def test_a_short_push_is_no_collision() -> None:
    guard = make(effort_scale=1.0, effort_time_s=0.03)
    for now in range(12, 200, 2):
        effort = [51.0, 0.0] if now % 20 else [49.0, 0.0]
        assert guard.joints(NAMES, HERE, effort, now * MS, now * MS) is None


def test_a_latched_stop_of_the_guard_before_is_still_one() -> None:
    guard = Guard(NAMES, LIMITS, GuardSettings(), [Reason.EFFORT_LIMIT])
    guard.activate(0)
    guard.joints(NAMES, HERE, [], 0, 0)
    expect_hold(guard.command(NAMES, HERE, REST, 0, 0), Reason.EFFORT_LIMIT)
    assert guard.release() == (Reason.EFFORT_LIMIT,)


def test_efforts_that_are_missing_for_a_while_forgive_nothing() -> None:
    guard = make(effort_scale=1.0, effort_time_s=0.03)
    for now, effort in ((20, [51.0, 0.0]), (30, []), (40, [np.nan, 0.0])):
        assert guard.joints(NAMES, HERE, effort, now * MS, now * MS) is None
        assert guard.arm.effort_watched is (now == 20)
    expect_hold(guard.joints(NAMES, HERE, [51.0, 0.0], 50 * MS, 50 * MS), Reason.EFFORT_LIMIT)


def test_a_joint_without_an_effort_limit_is_not_watched() -> None:
    limits = dataclasses.replace(LIMITS, effort=np.array([0.0, np.inf]))
    guard = Guard(NAMES, limits, GuardSettings(effort_time_s=0.0))
    guard.activate(0)
    assert guard.joints(NAMES, HERE, [1e6, 1e6], 10 * MS, 10 * MS) is None
    assert not guard.arm.effort_watched


# What a hold is


def test_a_stop_in_fast_motion_is_where_the_arm_is_and_not_where_it_was_to_go() -> None:
    guard = make(max_step_s=0.1, hold_within_rad=0.05)
    guard.joints(NAMES, HERE, [], 40 * MS, 40 * MS)
    sent = send(guard, HERE + np.array([0.06, 0.0]), stamp_ms=40)
    assert sent is not None
    assert sent.reasons == ()
    hold = guard.emergency_stop(41 * MS)
    expect_hold(hold, Reason.EMERGENCY_STOP, HERE)
    assert hold is not None
    assert hold.least_time_ns == 30_000_000, "0.06 rad at 2 rad/s"


def test_a_stop_keeps_to_the_permitted_speed_too() -> None:
    guard = make(velocity_scale=0.1)
    guard.emergency_stop(11 * MS)
    guard.joints(NAMES, HERE + np.array([0.03, 0.0]), [], 20 * MS, 20 * MS)
    there = HERE + np.array([0.36, 0.0])
    push(guard, there, 200)
    hold = guard.repeat(200 * MS)
    expect_hold(hold, Reason.EMERGENCY_STOP, there)
    assert hold is not None
    assert hold.least_time_ns == pytest.approx(1_800_000_000)


def test_a_release_where_nothing_was_stopped_leaves_the_watchdog_awake() -> None:
    guard = make()
    assert guard.release() == ()
    guard.joints(NAMES, HERE, [], 70 * MS, 70 * MS)
    expect_hold(guard.tick(70 * MS), Reason.CONTROLLER_STALE)


def test_an_arm_outside_its_limits_is_held_there_and_may_only_come_back() -> None:
    guard = Guard(NAMES, LIMITS, GuardSettings(position_margin_rad=0.0))
    guard.activate(0)
    outside = np.array([1.2, 0.0])
    guard.joints(NAMES, outside, [], 10 * MS, 10 * MS)
    expect_hold(guard.emergency_stop(10 * MS), Reason.EMERGENCY_STOP, outside)
    guard.release()
    for stamp_ms, asked, expected in ((12, 1.3, 1.2), (14, 1.2, 1.2), (16, 1.0, 1.2 - 2.0 * 0.002)):
        out = send(guard, [asked, 0.0], stamp_ms=stamp_ms)
        assert out is not None
        assert out.passed
        assert out.q[0] == pytest.approx(expected)


def test_the_first_command_to_an_arm_outside_its_limits_is_no_motion() -> None:
    guard = Guard(NAMES, LIMITS, GuardSettings())
    guard.activate(0)
    guard.joints(NAMES, [1.2, 0.0], [], 10 * MS, 10 * MS)
    first = send(guard, [0.95, 0.0], stamp_ms=10)
    assert first is not None
    np.testing.assert_array_equal(first.q, [1.2, 0.0])
    assert first.least_time_ns == 0


def test_a_place_that_was_measured_too_long_ago_is_not_held() -> None:
    guard = Guard(NAMES, LIMITS, GuardSettings(joint_states_timeout_s=0.05))
    guard.activate(0)
    guard.joints(NAMES, HERE, [], 10 * MS, 10 * MS)
    assert guard.emergency_stop(61 * MS) is None


def test_when_joint_states_die_in_motion_the_arm_is_not_sent_back_to_where_it_was() -> None:
    guard = make(joint_states_timeout_s=0.05)
    guard.joints(NAMES, HERE, [], 12 * MS, 12 * MS)
    for now in range(12, 62, 2):
        sent = send(guard, HERE + 0.003 * (now - 10), stamp_ms=now)
        assert sent is not None
        assert sent.passed
    expect_hold(guard.tick(63 * MS), Reason.JOINT_STATES_STALE, sent.q)


def test_a_guard_that_sent_nothing_has_nothing_to_hold_when_it_is_deactivated() -> None:
    guard = Guard(NAMES, LIMITS, GuardSettings())
    guard.activate(0)
    guard.joints(NAMES, HERE, [], 10 * MS, 10 * MS)
    assert guard.deactivate(11 * MS) is None


def test_a_repeated_hold_does_not_refuse_data_that_are_older() -> None:
    guard = make()
    for now in range(12, 200, 2):
        guard.joints(NAMES, HERE, [], now * MS, now * MS)
        guard.tick(now * MS)
    assert guard.stopped == (Reason.CONTROLLER_STALE,)
    assert guard.repeat(200 * MS) is not None
    out = send(guard, HERE, stamp_ms=110, now_ms=201)
    assert out is not None
    assert out.passed


# Time for the way


def test_the_joints_are_given_time_for_the_way() -> None:
    guard = make(velocity_scale=0.5)
    out = send(guard, HERE + 0.1, stamp_ms=14)
    assert out is not None
    assert out.least_time_ns == pytest.approx(4 * MS, abs=1)


def test_where_the_way_begins_at_the_arm_its_lag_takes_time_too() -> None:
    guard = make(way_from_measured=True)
    guard.joints(NAMES, HERE - [0.02, 0.0], [], 12 * MS, 12 * MS)
    out = send(guard, HERE, stamp_ms=12)
    assert out is not None
    assert out.least_time_ns == pytest.approx(10 * MS, abs=1)


# Velocities


def test_an_arm_that_is_sent_velocities_begins_at_rest() -> None:
    guard = Guard(NAMES, LIMITS, GuardSettings(command_interface="velocity"))
    begin = guard.activate(0, at_rest=True)
    for out in (begin, guard.repeat(100 * MS)):
        assert out is not None
        assert not out.passed
        np.testing.assert_array_equal(out.qd, 0.0)
    assert guard.interventions == 0
    guard.joints(NAMES, HERE, [], 110 * MS, 110 * MS)
    assert guard.stopped == (Reason.NO_COMMAND,)
    out = send(guard, HERE, [0.1, 0.1], stamp_ms=110)
    assert out is not None
    assert out.passed
    assert guard.repeat(111 * MS) is None
    positions = Guard(NAMES, LIMITS, GuardSettings())
    assert positions.activate(0, at_rest=True) is None
    assert positions.repeat(1 * MS) is None


def test_velocities_can_be_stopped_without_knowing_where_the_arm_is() -> None:
    guard = Guard(NAMES, LIMITS, GuardSettings(command_interface="velocity"))
    guard.activate(0)
    out = guard.emergency_stop(5 * MS)
    assert out is not None
    np.testing.assert_array_equal(out.qd, 0.0)


@pytest.mark.parametrize("interface", ["velocity", "position"])
def test_a_stop_that_is_the_first_to_see_a_clock_that_went_back_is_one(interface: str) -> None:
    guard = make(command_interface=interface)
    guard.tick(5000 * MS)
    hold = guard.emergency_stop(0)
    assert (hold is not None) is (interface == "velocity")
    assert guard.latched == (Reason.EMERGENCY_STOP,)


def test_a_command_that_is_the_first_to_see_a_clock_that_went_back_stops_velocities() -> None:
    guard = make(command_interface="velocity")
    guard.joints(NAMES, HERE, [], 5000 * MS, 5000 * MS)
    send(guard, HERE, [1.0, 0.0], stamp_ms=5000)
    out = send(guard, HERE, [1.0, 0.0], stamp_ms=99, now_ms=100)
    assert out is not None
    assert out.reasons == (Reason.CLOCK_JUMP,)
    np.testing.assert_array_equal(out.qd, 0.0)


def test_positions_begin_anew_without_a_stop_when_the_clock_goes_back() -> None:
    guard = make()
    guard.tick(5000 * MS)
    assert guard.tick(0) is None
    guard.joints(NAMES, HERE, [], 10 * MS, 10 * MS)
    assert guard.stopped == ()


def test_velocities_are_stopped_when_the_clock_goes_back() -> None:
    guard = make(command_interface="velocity")
    guard.joints(NAMES, HERE, [], 5000 * MS, 5000 * MS)
    moving = send(guard, HERE, [1.0, 0.0], stamp_ms=5000)
    assert moving is not None
    assert moving.qd[0] == 1.0
    for out in (guard.tick(0), guard.repeat(100 * MS)):
        assert out is not None
        np.testing.assert_array_equal(out.qd, 0.0)
    guard.joints(NAMES, HERE, [], 110 * MS, 110 * MS)
    assert guard.stopped == (Reason.CLOCK_JUMP,)
    out = send(guard, HERE, [1.0, 0.0], stamp_ms=110)
    assert out is not None
    assert out.passed
