# SPDX-License-Identifier: Apache-2.0
"""The guard lets through only what the robot may do, and says why."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.control.guard import Guard
from neuro_control.control.guard_settings import GuardedCommand, GuardSettings, Reason
from neuro_control.robots.urdf import JointLimits

MS = 1_000_000
NAMES = ("shoulder", "elbow")
LIMITS = JointLimits(
    lower=np.array([-1.0, -2.0]),
    upper=np.array([1.0, 2.0]),
    velocity=np.array([2.0, 3.0]),
    effort=np.array([50.0, 20.0]),
)
HERE = np.array([0.1, -0.2])
REST = np.zeros(2)


def make(**changes: object) -> Guard:
    """An active guard that has seen the arm at rest and let its first command through at 10 ms."""
    guard = Guard(NAMES, LIMITS, GuardSettings(**{"position_margin_rad": 0.0, **changes}))  # type: ignore[arg-type]
    guard.activate(0)
    guard.joints(NAMES, HERE, [], 10 * MS, 10 * MS)
    first = guard.command(NAMES, HERE, REST, 10 * MS, 10 * MS)
    assert first is not None
    assert first.passed
    return guard


def send(
    guard: Guard,
    q: Sequence[float] | np.ndarray,
    qd: Sequence[float] | np.ndarray = (0.0, 0.0),
    stamp_ms: float = 12,
    now_ms: float | None = None,
    names: Sequence[str] = NAMES,
) -> GuardedCommand | None:
    now = stamp_ms if now_ms is None else now_ms
    return guard.command(names, q, qd, round(stamp_ms * MS), round(now * MS))


def expect_hold(out: GuardedCommand | None, reason: Reason, at: np.ndarray = HERE) -> None:
    assert out is not None
    assert not out.passed
    assert out.reasons == (reason,)
    np.testing.assert_allclose(out.q, at)
    np.testing.assert_array_equal(out.qd, 0.0)


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


def test_a_command_that_comes_again_does_not_drag_an_arm_that_was_kept_from_following() -> None:
    guard = make()
    out = send(guard, HERE + 0.003, stamp_ms=12)
    assert out is not None
    guard.joints(NAMES, HERE + 0.36, [], 13 * MS, 13 * MS)
    for _ in range(2):
        out = send(guard, HERE + 0.03, stamp_ms=14)
        assert out is not None
        assert np.abs(out.q - (HERE + 0.36)).max() <= 0.35
    guard.joints(NAMES, HERE - 0.3, [], 15 * MS, 15 * MS)
    out = send(guard, HERE + 0.03, stamp_ms=14, now_ms=15)
    assert out is not None
    np.testing.assert_allclose(out.q, HERE - 0.3)


def test_velocities_that_come_again_still_end_before_a_limit() -> None:
    guard = make(command_interface="velocity")
    asked = np.array([0.9, -0.2])
    measured = asked.copy()
    for now_ms in range(14, 40, 5):
        guard.joints(NAMES, measured, [], now_ms * MS, now_ms * MS)
        out = send(guard, asked, [2.0, 0.0], stamp_ms=12, now_ms=now_ms)
        assert out is not None
        assert out.qd[0] == pytest.approx((1.0 - measured[0]) / 0.1)
        measured[0] += 0.01


# What is clamped


def test_positions_are_clamped_to_the_limits_less_the_margin() -> None:
    guard = make(position_margin_rad=0.1)
    near = np.array([0.899, -0.2])
    guard.joints(NAMES, near, [], 12 * MS, 12 * MS)
    out = send(guard, [0.95, -0.2], [0.5, 0.0])
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


def test_an_arm_that_was_kept_from_following_goes_on_from_where_it_is() -> None:
    guard = make()
    away = HERE + np.array([0.0, 1.0])
    guard.joints(NAMES, away, [], 12 * MS, 12 * MS)
    out = send(guard, away)
    assert out is not None
    assert out.passed
    np.testing.assert_allclose(out.q, away)


def test_acceleration_is_clamped_where_it_is_limited() -> None:
    out = send(make(max_acceleration_rad_s2=10.0), HERE, [0.5, -0.01], stamp_ms=12)
    assert out is not None
    assert out.reasons == (Reason.ACCELERATION_LIMIT,)
    np.testing.assert_allclose(out.qd, [10.0 * 0.002, -0.01])


def test_velocity_commands_slow_down_towards_a_limit() -> None:
    guard = make(command_interface="velocity", limit_approach_s=0.1)
    guard.joints(NAMES, [0.95, 0.0], [], 12 * MS, 12 * MS)
    out = send(guard, [0.96, 0.0], [2.0, 1.0])
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
    guard.tick(0)
    assert guard.stopped == (Reason.POSITION_UNKNOWN,)
    assert guard.command(NAMES, HERE, REST, 0, 0) is None


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
    guard.joints(NAMES, away, [], 20 * MS, 20 * MS)
    expect_hold(guard.emergency_stop(20 * MS), Reason.EMERGENCY_STOP, away)


# Joint states


@pytest.mark.parametrize(
    ("names", "q", "stamp_ms"),
    [
        (NAMES, [np.nan, 0.0], 20),
        (("shoulder",), [0.0], 20),
        (NAMES, [0.0], 20),
        (NAMES, HERE, 9),
    ],
)
def test_an_invalid_joint_state_is_not_used(
    names: tuple[str, ...], q: Sequence[float], stamp_ms: int
) -> None:
    guard = make()
    guard.joints(names, q, [], stamp_ms * MS, 20 * MS)
    assert guard.counts[Reason.JOINT_STATES_INVALID] == 1
    assert send(guard, HERE, stamp_ms=20) is not None


def test_other_joints_beside_the_arms_are_ignored() -> None:
    guard = make()
    guard.joints(("finger", *NAMES), [9.0, *HERE], [], 20 * MS, 20 * MS)
    assert guard.counts[Reason.JOINT_STATES_INVALID] == 0


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
    with pytest.raises(ValueError, match="position_margin_rad"):
        Guard(NAMES, LIMITS, GuardSettings(position_margin_rad=1.0))


def test_limits_that_do_not_fit_the_joints_are_refused() -> None:
    with pytest.raises(ValueError, match=r"limits\.lower"):
        Guard(("a", "b", "c"), LIMITS, GuardSettings())


# The law

any_float = st.floats(allow_nan=True, allow_infinity=True, width=64)
near = st.floats(-2.5, 2.5)
vector = st.lists(near | any_float, min_size=0, max_size=3)
sane = st.lists(near, min_size=2, max_size=2)
clock_step = st.integers(-2, 30)
action = st.one_of(
    st.tuples(st.just("command"), sane | vector, sane | vector, st.integers(-60, 60), clock_step),
    st.tuples(st.just("joints"), sane | vector, vector, st.integers(-5, 5), clock_step),
    st.tuples(st.sampled_from(["stop", "release", "tick", "repeat"]), clock_step),
)


@settings(max_examples=150)
@given(
    st.lists(action, max_size=40),
    st.sampled_from(["joint_trajectory", "position", "velocity"]),
    st.sampled_from([0.0, 20.0]),
)
def test_whatever_comes_in_what_goes_out_is_permitted(
    actions: list[tuple], interface: str, acceleration: float
) -> None:
    guard = make(command_interface=interface, max_acceleration_rad_s2=acceleration)
    now = 10 * MS
    last = HERE
    last_stamp = 10 * MS
    measured = HERE
    for what, *details in actions:
        now += details[-1] * MS
        out: GuardedCommand | None = None
        if what == "command":
            q, qd, offset, _ = details
            out = guard.command(NAMES, q, qd, now + offset * MS, now)
        elif what == "joints":
            q, effort, offset, _ = details
            before = guard.counts[Reason.JOINT_STATES_INVALID]
            out = guard.joints(NAMES, q, effort, now + offset * MS, now)
            if guard.counts[Reason.JOINT_STATES_INVALID] == before:
                measured = np.array(q)
        elif what == "stop":
            out = guard.emergency_stop(now)
        elif what == "release":
            guard.release()
        else:
            out = guard.tick(now) if what == "tick" else guard.repeat(now)
        if out is None:
            continue
        assert np.all(np.isfinite(out.q))
        assert np.all(np.isfinite(out.qd))
        assert np.all(out.q >= LIMITS.lower)
        assert np.all(out.q <= LIMITS.upper)
        assert np.all(np.abs(out.qd) <= LIMITS.velocity)
        if not out.passed:
            assert np.all(out.qd == 0.0)
            assert out.reasons
        if interface != "velocity":
            # A step begins at the last command, or where the arm was found to be instead.
            reach = LIMITS.velocity * max(out.stamp_ns - last_stamp, 0) * 1e-9 + 1e-9
            here = np.clip(measured, LIMITS.lower, LIMITS.upper)
            from_last = np.all(np.abs(out.q - last) <= reach)
            from_here = np.all(np.abs(out.q - here) <= reach)
            assert from_last or from_here
        last, last_stamp = out.q, out.stamp_ns
