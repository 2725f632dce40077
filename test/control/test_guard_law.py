# SPDX-License-Identifier: Apache-2.0
"""The law: whatever comes in, what goes out is permitted."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.control.guard import Guard
from neuro_control.control.guard_settings import GuardedCommand, GuardSettings, Reason
from test.control.guard_bench import HERE, LIMITS, MS, NAMES, REST, make, send

any_float = st.floats(allow_nan=True, allow_infinity=True, width=64)
near = st.floats(-2.5, 2.5)
vector = st.lists(near | any_float, min_size=0, max_size=3)
sane = st.lists(near, min_size=2, max_size=2)
way = st.lists(st.floats(-0.05, 0.05), min_size=2, max_size=2)
clock_step = st.integers(-2, 30)
action = st.one_of(
    st.tuples(st.just("command"), sane | vector, sane | vector, st.integers(-60, 60), clock_step),
    st.tuples(st.just("follow"), way, way, st.integers(-5, 5), clock_step),
    st.tuples(st.just("joints"), sane | vector, vector, st.integers(-5, 5), clock_step),
    st.tuples(st.just("drift"), way, vector, st.integers(-5, 5), clock_step),
    st.tuples(st.sampled_from(["stop", "release", "tick", "repeat"]), clock_step),
)


def beyond(q: np.ndarray) -> np.ndarray:
    """How far outside of the limits."""
    return np.maximum(np.maximum(q - LIMITS.upper, LIMITS.lower - q), 0.0)


@settings(max_examples=200)
@given(
    st.lists(action, max_size=40),
    st.sampled_from(["joint_trajectory", "position", "velocity"]),
    st.sampled_from([0.0, 20.0]),
    st.sampled_from([0.06, 0.35]),
    st.booleans(),
)
def test_whatever_comes_in_what_goes_out_is_permitted(
    actions: list[tuple], interface: str, acceleration: float, jump: float, from_measured: bool
) -> None:
    guard = make(
        command_interface=interface,
        max_acceleration_rad_s2=acceleration,
        max_jump_rad=jump,
        way_from_measured=from_measured,
    )
    now = 10 * MS
    last = HERE
    last_stamp = 10 * MS
    known = True  # where the arm was sent last
    for what, *details in actions:
        now += details[-1] * MS
        here = HERE if guard.arm.q is None else guard.arm.q
        out: GuardedCommand | None = None
        if what in ("command", "follow"):
            q, qd, offset, _ = details
            q = q if what == "command" else last + np.array(q)
            out = guard.command(NAMES, q, qd, now + offset * MS, now)
        elif what in ("joints", "drift"):
            q, effort, offset, _ = details
            q = q if what == "joints" else here + np.array(q)
            out = guard.joints(NAMES, q, effort, now + offset * MS, now)
        elif what == "stop":
            out = guard.emergency_stop(now)
        elif what == "release":
            known = known and Reason.POSITION_LEAP not in guard.release()
        else:
            out = guard.tick(now) if what == "tick" else guard.repeat(now)
        if out is None:
            continue
        here = last if guard.arm.q is None else guard.arm.q
        assert np.all(np.isfinite(out.qd))
        assert np.all(np.abs(out.qd) <= LIMITS.velocity)
        if not out.passed:
            assert np.all(out.qd == 0.0)
            assert out.reasons
        if interface == "velocity":
            assert np.all(np.isfinite(out.q)) or not out.passed
            continue
        assert np.all(np.isfinite(out.q))
        # An arm outside of its limits is held there or led back.
        assert np.all(beyond(out.q) <= np.maximum(beyond(last), beyond(here)) + 1e-9)
        # A step begins at the last command. A hold may be where the arm is, and so is the first
        # command of a new time, or after joint states that leapt.
        reach = LIMITS.velocity * max(out.stamp_ns - last_stamp, 0) * 1e-9 + 1e-9
        known = known and guard.counts[Reason.CLOCK_JUMP] == 0
        is_here = np.all(np.abs(out.q - here) <= 1e-9)
        assert np.all(np.abs(out.q - last) <= reach) or (is_here and not (out.passed and known))
        for start in (last, here) if from_measured else (last,):
            needed_s = np.max(np.abs(out.q - start) / LIMITS.velocity)
            assert not known or out.least_time_ns >= needed_s * 1e9 * (1.0 - 1e-9)
        # What is repeated begins no new time.
        last, last_stamp = out.q, last_stamp if what == "repeat" else out.stamp_ns


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(1, 60), sane), min_size=1, max_size=40))
def test_no_joint_state_moves_the_known_position_faster_than_joints_can_go(
    states: list[tuple[int, list[float]]],
) -> None:
    guard = make()
    now, before, before_ns = 10 * MS, HERE, 10 * MS
    for step, q in states:
        now += step * MS
        guard.joints(NAMES, q, [], now, now)
        assert guard.arm.q is not None
        if guard.arm.stamp_ns == now:
            reach = 0.05 + 2.0 * LIMITS.velocity * (now - before_ns) * 1e-9
            assert np.all(np.abs(guard.arm.q - before) <= reach + 1e-12)
            before, before_ns = guard.arm.q, now
        else:
            np.testing.assert_array_equal(guard.arm.q, before)


@settings(max_examples=100)
@given(
    st.lists(sane, min_size=1, max_size=60),
    st.sampled_from([2.0, 20.0]),
    st.sampled_from([2, 5]),
)
def test_positions_keep_the_acceleration_where_it_is_limited(
    asked: list[list[float]], acceleration: float, step_ms: int
) -> None:
    guard = make(max_acceleration_rad_s2=acceleration, max_jump_rad=7.0)
    speed, last = REST, HERE
    dt_s = step_ms * 1e-3
    for i, q in enumerate(asked):
        now = 10 + (i + 1) * step_ms
        guard.joints(NAMES, last, [], now * MS, now * MS)
        # Away from the limits, which have the last word.
        out = send(guard, np.clip(q, -0.5, 0.5), stamp_ms=now)
        assert out is not None
        assert out.passed
        new = (out.q - last) / dt_s
        at_limit = np.any(np.abs(out.q) > 0.95 * LIMITS.upper)
        assert at_limit or np.all(np.abs(new - speed) <= acceleration * dt_s + 1e-6)
        speed, last = new, out.q


def test_an_arm_of_limited_acceleration_follows_a_steady_motion_without_lag() -> None:
    guard = make(max_acceleration_rad_s2=2.0)
    speed, last = np.array([0.2, -0.1]), HERE
    for k in range(1, 400):
        now = 10 + 2 * k
        guard.joints(NAMES, last, [], now * MS, now * MS)
        out = send(guard, HERE + speed * 0.002 * k, speed, stamp_ms=now)
        assert out is not None
        last = out.q
    assert out.reasons == ()
    np.testing.assert_allclose(out.q, HERE + speed * 0.002 * 399)


def test_a_command_in_no_time_is_no_braking() -> None:
    guard = make(max_acceleration_rad_s2=2.0)
    steps, last = [], HERE
    for k in range(1, 100):
        now = 10 + 2 * k
        guard.joints(NAMES, last, [], now * MS, now * MS)
        out = send(guard, HERE + 0.4 * 0.002 * k, [0.4, 0.4], stamp_ms=now)
        assert out is not None
        steps.append(out.q - last)
        last = out.q
        other = send(guard, last + 0.01, [0.4, 0.4], stamp_ms=now)
        assert other is not None
        np.testing.assert_array_equal(other.q, last)
    assert np.all(np.abs(np.diff(steps, axis=0)) <= 2.0 * 0.002**2 + 1e-9)
    assert np.all(steps[-1] > 0.3 * 0.002)


def test_an_arm_of_limited_acceleration_comes_to_rest_where_it_is_sent() -> None:
    guard = make(max_acceleration_rad_s2=2.0, max_jump_rad=7.0)
    goal, last, now = HERE + np.array([0.5, -0.5]), HERE, 10.0
    furthest = HERE
    for _ in range(600):
        now += 2
        guard.joints(NAMES, last, [], round(now * MS), round(now * MS))
        out = send(guard, goal, stamp_ms=now)
        assert out is not None
        last = out.q
        furthest = np.where(np.abs(last - HERE) > np.abs(furthest - HERE), last, furthest)
    np.testing.assert_allclose(last, goal, atol=1e-6)
    assert np.all(np.abs(furthest - HERE) <= 0.5 + 2.0 * 0.002**2), "it does not overshoot"


@settings(max_examples=100)
@given(st.floats(0.0, 0.3), st.lists(st.floats(-0.15, 0.15), min_size=1, max_size=80))
def test_an_arm_outside_its_limits_comes_back_without_haste(
    outside: float, asked: list[float]
) -> None:
    """However near it is to its limits, and wherever it is asked to go."""
    guard = Guard(NAMES, LIMITS, GuardSettings(max_acceleration_rad_s2=2.0))
    guard.activate(0)
    last, speed, dt_s = np.array([0.98 + outside, 0.0]), REST, 0.004
    for k, ahead in enumerate(asked, start=1):
        guard.joints(NAMES, last, [], 4 * k * MS, 4 * k * MS)
        out = send(guard, last + np.array([ahead, 0.0]), stamp_ms=4.0 * k)
        assert out is not None
        assert out.passed
        assert out.q[0] <= max(last[0], 0.98) + 1e-9
        new = (out.q - last) / dt_s
        assert k == 1 or np.all(new - speed >= -2.0 * dt_s - 1e-6)
        speed, last = new, out.q
