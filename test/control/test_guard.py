# SPDX-License-Identifier: Apache-2.0
"""The guard lets through only what the robot may do, and says why."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

from neuro_control.control.guard import Guard
from neuro_control.control.guard_settings import GuardSettings, Reason
from test.control.guard_bench import HERE, LIMITS, MS, NAMES, REST, expect_hold, make, push, send

# What passes


def test_a_permitted_command_passes_unchanged_with_its_stamp() -> None:
    guard = make()
    out = send(guard, HERE + 0.003, [0.5, -0.5], stamp_ms=12, now_ms=13)
    assert out is not None
    assert out.passed
    assert out.reasons == ()
    assert out.stamp_ns == 12 * MS
    np.testing.assert_array_equal(out.q, HERE + 0.003)
    np.testing.assert_array_equal(out.qd, [0.5, -0.5])
    assert guard.interventions == 0
    assert guard.stopped == ()


def test_joints_in_another_order_are_put_in_order() -> None:
    out = send(make(), (HERE + 0.001)[::-1], [0.2, 0.1], names=NAMES[::-1])
    assert out is not None
    assert out.passed
    np.testing.assert_allclose(out.q, HERE + 0.001)
    np.testing.assert_allclose(out.qd, [0.1, 0.2])


def test_a_command_without_velocities_means_rest_at_its_end() -> None:
    out = send(make(), HERE + 0.001, [])
    assert out is not None
    assert out.passed
    np.testing.assert_array_equal(out.qd, 0.0)


def test_the_first_command_holds_the_arm_where_it_is() -> None:
    guard = Guard(NAMES, LIMITS, GuardSettings())
    guard.activate(0)
    guard.joints(NAMES, HERE, [], 0, 0)
    out = guard.command(NAMES, HERE + 0.2, [1.0, 1.0], 0, 0)
    assert out is not None
    assert out.passed
    np.testing.assert_array_equal(out.q, HERE)
    np.testing.assert_array_equal(out.qd, 0.0)


def test_a_command_that_comes_twice_is_answered_twice_and_counts_once() -> None:
    guard = Guard(NAMES, LIMITS, GuardSettings(position_margin_rad=0.0))
    guard.activate(0)
    guard.joints(NAMES, HERE, [], 10 * MS, 10 * MS)
    first = send(guard, HERE + 0.1, [1.0, 1.0], stamp_ms=10)
    assert first is not None
    again = send(guard, HERE + 0.1, [1.0, 1.0], stamp_ms=10, now_ms=11)
    assert again is first
    assert guard.interventions == 0
    clamped = send(guard, HERE + 0.1, [1.0, 1.0], stamp_ms=12)
    assert clamped is not None
    assert clamped.reasons == (Reason.STEP_LIMIT,)
    assert send(guard, HERE + 0.1, [1.0, 1.0], stamp_ms=12) is clamped
    assert guard.interventions == 1
    # Another command of the same time has no time to go anywhere.
    other = send(guard, HERE + 0.05, [1.0, 1.0], stamp_ms=12)
    assert other is not None
    assert other.reasons == (Reason.STEP_LIMIT,)
    np.testing.assert_array_equal(other.q, clamped.q)


def test_a_command_that_comes_again_after_a_stop_is_a_new_one() -> None:
    guard = make(max_acceleration_rad_s2=10.0)
    before = send(guard, HERE, [0.02, 0.02], stamp_ms=12)
    assert before is not None
    assert before.reasons == ()
    guard.emergency_stop(12 * MS)
    guard.release()
    out = send(guard, HERE, [0.02, 0.02], stamp_ms=12)
    assert out is not None
    assert out.reasons == (Reason.ACCELERATION_LIMIT,)  # from rest, in no time
    np.testing.assert_array_equal(out.qd, 0.0)


def test_an_arm_that_was_kept_from_following_is_held_and_goes_on_from_where_it_is() -> None:
    guard = make()
    out = send(guard, HERE + 0.003, stamp_ms=12)
    assert out is not None
    there = HERE + 0.36
    push(guard, there, 150)
    expect_hold(send(guard, HERE + 0.03, stamp_ms=150), Reason.STRAYED, there)
    out = send(guard, HERE + 0.03, stamp_ms=152)
    assert out is not None
    assert out.reasons == (Reason.STEP_LIMIT,)
    np.testing.assert_allclose(out.q, there - LIMITS.velocity * 0.002)


def test_velocities_that_come_again_still_end_before_a_limit() -> None:
    guard = make(command_interface="velocity")
    asked = np.array([0.9, -0.2])
    push(guard, asked, 250)
    measured = asked.copy()
    for now_ms in range(252, 280, 5):
        guard.joints(NAMES, measured, [], now_ms * MS, now_ms * MS)
        out = send(guard, asked, [2.0, 0.0], stamp_ms=250, now_ms=now_ms)
        assert out is not None
        assert out.qd[0] == pytest.approx((1.0 - measured[0]) / 0.1)
        measured[0] += 0.01


# What is clamped


def test_positions_are_clamped_to_the_limits_less_the_margin() -> None:
    guard = make(position_margin_rad=0.1)
    near = np.array([0.899, -0.2])
    push(guard, near, 250)
    expect_hold(send(guard, near, stamp_ms=250), Reason.STRAYED, near)
    out = send(guard, [0.95, -0.2], [0.5, 0.0], stamp_ms=252)
    assert out is not None
    assert out.passed
    assert Reason.POSITION_LIMIT in out.reasons
    assert out.q[0] == pytest.approx(0.9)
    assert out.qd[0] == 0.0, "the velocity must not point out of the range"


def test_velocities_are_clamped_to_the_top_speed() -> None:
    out = send(make(velocity_scale=0.5), HERE, [5.0, -9.0])
    assert out is not None
    assert out.reasons == (Reason.VELOCITY_LIMIT,)
    np.testing.assert_allclose(out.qd, [1.0, -1.5])


def test_a_step_is_clamped_to_what_top_speed_reaches_in_the_time_between() -> None:
    out = send(make(), HERE + np.array([0.1, -0.1]), stamp_ms=14)
    assert out is not None
    assert out.reasons == (Reason.STEP_LIMIT,)
    np.testing.assert_allclose(out.q - HERE, [2.0 * 0.004, -3.0 * 0.004])


def test_a_pause_is_made_up_for_only_in_part() -> None:
    guard = make(max_step_s=0.01)
    guard.joints(NAMES, HERE, [], 50 * MS, 50 * MS)
    out = send(guard, HERE + 0.3, stamp_ms=50)
    assert out is not None
    np.testing.assert_allclose(out.q - HERE, [0.02, 0.03])


def test_acceleration_is_clamped_where_it_is_limited() -> None:
    out = send(make(max_acceleration_rad_s2=10.0), HERE, [0.5, -0.01], stamp_ms=12)
    assert out is not None
    assert out.reasons == (Reason.ACCELERATION_LIMIT,)
    np.testing.assert_allclose(out.qd, [10.0 * 0.002, -0.01])


def test_velocity_commands_slow_down_towards_a_limit() -> None:
    guard = make(command_interface="velocity", limit_approach_s=0.1)
    push(guard, np.array([0.95, 0.0]), 250)
    out = send(guard, [0.96, 0.0], [2.0, 1.0], stamp_ms=250)
    assert out is not None
    assert out.reasons == (Reason.POSITION_LIMIT,)
    np.testing.assert_allclose(out.qd, [0.5, 1.0])


# What is refused


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_refused(bad: float) -> None:
    expect_hold(send(make(), [bad, 0.0]), Reason.NOT_FINITE)
    expect_hold(send(make(), HERE, [0.0, bad]), Reason.NOT_FINITE)


@pytest.mark.parametrize(
    ("names", "q", "qd"),
    [
        (("shoulder", "wrist"), HERE, REST),
        (("shoulder",), [0.0], [0.0]),
        (("shoulder", "shoulder"), HERE, REST),
        (("shoulder", "elbow", "wrist"), [0.0] * 3, [0.0] * 3),
        (NAMES, [0.0], REST),
        (NAMES, [], []),
        (NAMES, HERE, [0.0]),
        ((), [], []),
    ],
)
def test_other_joints_or_sizes_are_refused(
    names: tuple[str, ...], q: Sequence[float], qd: Sequence[float]
) -> None:
    expect_hold(send(make(), q, qd, names=names), Reason.WRONG_JOINTS)


def test_a_stamp_that_runs_backwards_is_refused_and_nothing_goes_out() -> None:
    guard = make()
    assert send(guard, HERE, stamp_ms=9, now_ms=12) is None
    assert guard.counts[Reason.STAMP_BACKWARDS] == 1


def test_a_command_that_answers_old_data_is_refused() -> None:
    guard = make(joint_states_timeout_s=1.0)
    expect_hold(send(guard, HERE, stamp_ms=12, now_ms=113), Reason.STAMP_TOO_OLD)


def test_a_stamp_from_the_future_is_refused_and_forgotten() -> None:
    guard = make()
    expect_hold(send(guard, HERE, stamp_ms=500, now_ms=12), Reason.STAMP_IN_FUTURE)
    out = send(guard, HERE, stamp_ms=13)
    assert out is not None
    assert out.passed


def test_a_jump_from_the_measured_position_is_refused() -> None:
    expect_hold(send(make(max_jump_rad=0.3), HERE + np.array([0.0, 0.31])), Reason.JUMP)


def test_nothing_passes_before_the_first_joint_state_and_it_is_no_intervention() -> None:
    guard = Guard(NAMES, LIMITS, GuardSettings())
    guard.activate(0)
    assert guard.command(NAMES, HERE, REST, 0, 0) is None
    assert guard.repeat(1 * MS) is None
    assert guard.counts[Reason.POSITION_UNKNOWN] == 1
    assert guard.interventions == 0
    assert guard.stopped == (Reason.POSITION_UNKNOWN,)
    guard.joints(NAMES, HERE, [], 2 * MS, 2 * MS)
    assert guard.stopped == ()
    out = send(guard, HERE, stamp_ms=2)
    assert out is not None
    assert out.passed


def test_a_clock_that_goes_back_makes_the_position_unknown() -> None:
    guard = make()
    guard.tick(50 * MS)
    guard.tick(39 * MS)
    assert guard.stopped == (Reason.POSITION_UNKNOWN,)
    assert send(guard, HERE, stamp_ms=40) is None


def test_nothing_passes_while_not_active_and_it_is_no_intervention() -> None:
    guard = Guard(NAMES, LIMITS, GuardSettings())
    guard.joints(NAMES, HERE, [], 0, 0)
    assert guard.command(NAMES, HERE, REST, 0, 0) is None
    assert guard.counts[Reason.NOT_ACTIVE] == 1
    assert guard.interventions == 0
    assert guard.stopped == (Reason.NOT_ACTIVE,)


def test_deactivation_holds_the_arm() -> None:
    guard = make()
    hold = guard.deactivate(20 * MS)
    assert hold is not None
    assert not hold.passed
    np.testing.assert_array_equal(hold.q, HERE)
    assert guard.deactivate(21 * MS) is None
    assert guard.repeat(22 * MS) is None


# Watchdogs


def test_a_controller_that_stopped_stops_the_arm_once() -> None:
    guard = make(controller_timeout_s=0.05)
    for now in (20, 40, 60):
        guard.joints(NAMES, HERE, [], now * MS, now * MS)
        assert guard.tick(now * MS) is None
    guard.joints(NAMES, HERE, [], 61 * MS, 61 * MS)
    expect_hold(guard.tick(61 * MS), Reason.CONTROLLER_STALE)
    assert guard.tick(62 * MS) is None
    assert guard.stopped == (Reason.CONTROLLER_STALE,)
    assert guard.counts[Reason.CONTROLLER_STALE] == 1


def test_commands_pass_again_when_the_controller_is_back() -> None:
    guard = make()
    guard.joints(NAMES, HERE, [], 70 * MS, 70 * MS)
    guard.tick(70 * MS)
    out = send(guard, HERE, stamp_ms=71)
    assert out is not None
    assert out.passed
    assert guard.stopped == ()


def test_stale_joint_states_stop_the_arm_even_while_commands_come() -> None:
    guard = make(joint_states_timeout_s=0.05)
    send(guard, HERE, stamp_ms=59)
    expect_hold(guard.tick(61 * MS), Reason.JOINT_STATES_STALE)
    expect_hold(send(guard, HERE, stamp_ms=62), Reason.JOINT_STATES_STALE)


def test_a_sensor_that_repeats_an_old_sample_is_stale() -> None:
    guard = make()
    for now in (20, 40, 60, 61):
        guard.joints(NAMES, HERE, [], 10 * MS, now * MS)
        send(guard, HERE, stamp_ms=min(now, 60), now_ms=min(now, 60))
    expect_hold(guard.tick(61 * MS), Reason.JOINT_STATES_STALE)


def test_a_sensor_stamped_in_the_future_does_not_stay_fresh() -> None:
    guard = make()
    guard.joints(NAMES, HERE, [], 10_000 * MS, 11 * MS)
    send(guard, HERE, stamp_ms=60)
    assert guard.tick(62 * MS) is not None


def test_the_watchdogs_wait_for_the_first_command() -> None:
    guard = Guard(NAMES, LIMITS, GuardSettings())
    guard.activate(0)
    assert guard.tick(10_000 * MS) is None
    assert guard.interventions == 0


def test_the_arm_is_held_where_it_was_stopped_and_does_not_creep() -> None:
    guard = make()
    for now in range(70, 2000, 10):
        sagging = HERE - 1e-4 * now
        guard.joints(NAMES, sagging, [], now * MS, now * MS)
        guard.tick(now * MS)
        hold = guard.repeat(now * MS)
        assert hold is not None
        np.testing.assert_array_equal(hold.q, HERE)


def test_an_arm_that_is_not_where_it_was_sent_is_held_where_it_is() -> None:
    guard = make()
    away = HERE + np.array([0.0, 1.0])
    push(guard, away, 200)
    expect_hold(guard.emergency_stop(200 * MS), Reason.EMERGENCY_STOP, away)


# The clock


def test_when_the_clock_goes_back_the_guard_begins_anew() -> None:
    guard = make()
    send(guard, HERE, stamp_ms=5000, now_ms=5000)
    assert guard.tick(0) is None
    assert guard.counts[Reason.CLOCK_JUMP] == 1
    assert send(guard, HERE, stamp_ms=1) is None, "the old position is not known to be true"
    guard.joints(NAMES, HERE, [], 2 * MS, 2 * MS)
    out = send(guard, HERE, stamp_ms=3)
    assert out is not None
    assert out.passed


# Settings


def test_a_margin_that_leaves_no_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'shoulder'.*position_margin_rad"):
        Guard(NAMES, LIMITS, GuardSettings(position_margin_rad=1.0))


def test_limits_that_do_not_fit_the_joints_are_refused() -> None:
    with pytest.raises(ValueError, match=r"limits\.lower"):
        Guard(("a", "b", "c"), LIMITS, GuardSettings())


@pytest.mark.parametrize("velocity", [0.0, -1.0, np.inf])
def test_a_joint_without_a_top_speed_is_refused_by_name(velocity: float) -> None:
    limits = dataclasses.replace(LIMITS, velocity=np.array([2.0, velocity]))
    with pytest.raises(ValueError, match=r"'elbow': velocity limit"):
        Guard(NAMES, limits, GuardSettings())
