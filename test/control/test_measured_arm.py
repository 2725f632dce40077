# SPDX-License-Identifier: Apache-2.0
"""Joint states: which are believed, and what effort does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from neuro_control.control.guard import Guard
from neuro_control.control.guard_settings import GuardSettings, Reason
from test.control.guard_bench import HERE, LIMITS, MS, NAMES, REST, expect_hold, make, send

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


# Joint states that cannot be


def test_one_wrong_joint_state_moves_nothing() -> None:
    guard = make()
    wrong = HERE + np.array([1.5, 0.0])
    assert guard.joints(NAMES, wrong, [], 12 * MS, 12 * MS) is None
    assert guard.counts[Reason.POSITION_LEAP] == 1
    out = send(guard, HERE + 0.003, stamp_ms=12)
    assert out is not None
    assert out.reasons == ()
    guard.joints(NAMES, wrong, [], 13 * MS, 13 * MS)
    expect_hold(guard.emergency_stop(13 * MS), Reason.EMERGENCY_STOP, HERE + 0.003)


def test_joint_states_that_stay_elsewhere_stop_the_arm_until_somebody_has_looked() -> None:
    guard = make(joint_states_timeout_s=0.05)
    there = HERE + np.array([0.8, 0.0])
    for now in range(12, 64, 2):
        assert guard.joints(NAMES, there, [], now * MS, now * MS) is None
        assert guard.latched == ()
    expect_hold(guard.tick(63 * MS), Reason.JOINT_STATES_STALE)
    assert guard.joints(NAMES, there, [], 64 * MS, 64 * MS) is None
    assert guard.latched == (Reason.POSITION_LEAP,)
    # Wherever the arm is: to send it anywhere would be a motion.
    guard.joints(NAMES, HERE, [], 300 * MS, 300 * MS)
    assert guard.repeat(300 * MS) is None
    assert send(guard, HERE, stamp_ms=300) is None
    assert guard.release() == (Reason.POSITION_LEAP,)
    assert guard.repeat(301 * MS) is None
    guard.joints(NAMES, there, [], 302 * MS, 302 * MS)
    out = send(guard, there - 0.01, stamp_ms=303)
    assert out is not None
    assert out.passed
    np.testing.assert_allclose(out.q, there)


def test_a_velocity_is_stopped_by_joint_states_that_stay_elsewhere() -> None:
    guard = make(command_interface="velocity")
    for now in range(12, 70, 2):
        out = guard.joints(NAMES, HERE + 0.8, [], now * MS, now * MS)
    assert guard.latched == (Reason.POSITION_LEAP,)
    out = guard.repeat(70 * MS)
    assert out is not None
    np.testing.assert_array_equal(out.qd, 0.0)


@pytest.mark.parametrize("period_ms", [8, 50, 100])
def test_a_few_wrong_joint_states_stop_nothing_for_good(period_ms: int) -> None:
    guard = make(joint_states_timeout_s=0.05)
    for k in range(1, 100):
        wrong = k % 10 in (5, 6)
        now = 10 + k * period_ms
        guard.joints(NAMES, HERE + (9.0 if wrong else 0.0), [], now * MS, now * MS)
        guard.tick(now * MS)
    assert guard.latched == ()
    assert guard.counts[Reason.POSITION_LEAP] == 20


def test_joint_states_that_run_away_are_not_followed() -> None:
    guard = make()
    q = HERE.copy()
    for k in range(1, 20):
        q = q + np.array([0.08, 0.0])  # 10 rad/s of a joint that does 2, by what is jitter once
        guard.joints(NAMES, q, [], (10 + 8 * k) * MS, (10 + 8 * k) * MS)
    assert guard.counts[Reason.POSITION_LEAP] > 5
    assert guard.latched == (Reason.POSITION_LEAP,)


def test_stamps_that_come_in_pairs_are_no_leaps() -> None:
    guard = make()
    for k in range(1, 200):
        now = 10 + 20 * k
        stamp = 10 + 40 * (k // 2)
        q = HERE + np.array([0.0, 0.7 * np.sin(3.0 * now * 1e-3 / 0.7)])
        guard.joints(NAMES, q, [], stamp * MS, now * MS)
    assert guard.counts[Reason.POSITION_LEAP] == 0


def test_the_first_position_is_believed_once_enough_joint_states_agree() -> None:
    """Drivers may begin with zeros."""
    guard = Guard(NAMES, LIMITS, GuardSettings(agreeing_joint_states=3))
    guard.activate(0)
    for now, q in ((2, REST), (4, REST), (6, HERE + 0.5), (8, HERE + 0.5)):
        guard.joints(NAMES, q, [], now * MS, now * MS)
        assert guard.stopped == (Reason.POSITION_UNKNOWN,)
        assert send(guard, q, stamp_ms=now) is None
    guard.joints(NAMES, HERE + 0.5, [], 10 * MS, 10 * MS)
    first = send(guard, HERE + 0.5, stamp_ms=10)
    assert first is not None
    np.testing.assert_array_equal(first.q, HERE + 0.5)
    assert guard.interventions == 0


def test_an_invalid_joint_state_is_no_leap() -> None:
    guard = make()
    for now in range(12, 200, 2):
        guard.joints(NAMES, [np.nan, 0.0], [], now * MS, now * MS)
    assert guard.latched == ()


def test_a_release_forgives_the_time_of_too_much_effort() -> None:
    guard = make(effort_scale=1.0, effort_time_s=0.03)
    guard.joints(NAMES, HERE, [51.0, 0.0], 20 * MS, 20 * MS)
    guard.emergency_stop(30 * MS)
    guard.release()
    assert guard.joints(NAMES, HERE, [51.0, 0.0], 55 * MS, 55 * MS) is None
    assert guard.latched == ()


def test_an_arm_may_be_moved_by_hand_while_the_guard_is_not_active() -> None:
    guard = make()
    guard.deactivate(11 * MS)
    guard.joints(NAMES, HERE + 1.0, [], 12 * MS, 12 * MS)
    assert guard.counts[Reason.POSITION_LEAP] == 0


def test_the_joint_states_of_a_gripper_are_nobodys_business() -> None:
    guard = make()
    assert guard.joints(("finger",), [0.04], [], 12 * MS, 12 * MS) is None
    assert guard.interventions == 0
