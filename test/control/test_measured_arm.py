# SPDX-License-Identifier: Apache-2.0
"""Joint states: which are believed, and what effort does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from neuro_control.control.guard_settings import Reason
from test.control.guard_bench import HERE, MS, NAMES, expect_hold, make, send

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
    for now in range(12, 61, 2):
        assert guard.joints(NAMES, there, [], now * MS, now * MS) is None
    expect_hold(guard.joints(NAMES, there, [], 61 * MS, 61 * MS), Reason.POSITION_LEAP)
    guard.joints(NAMES, there, [], 300 * MS, 300 * MS)
    expect_hold(send(guard, HERE, stamp_ms=300), Reason.POSITION_LEAP)
    assert Reason.POSITION_LEAP in guard.release()
    assert guard.stopped == (Reason.POSITION_UNKNOWN,)
    guard.joints(NAMES, there, [], 302 * MS, 302 * MS)
    out = send(guard, there, stamp_ms=303)
    assert out is not None
    assert out.passed
    np.testing.assert_allclose(out.q, there)


def test_an_arm_may_be_moved_by_hand_while_the_guard_is_not_active() -> None:
    guard = make()
    guard.deactivate(11 * MS)
    guard.joints(NAMES, HERE + 1.0, [], 12 * MS, 12 * MS)
    assert guard.counts[Reason.POSITION_LEAP] == 0


def test_the_joint_states_of_a_gripper_are_nobodys_business() -> None:
    guard = make()
    assert guard.joints(("finger",), [0.04], [], 12 * MS, 12 * MS) is None
    assert guard.interventions == 0
