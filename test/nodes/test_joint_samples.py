# SPDX-License-Identifier: Apache-2.0
"""Joint states, judged: what is taken, with what velocities, and why there is nothing to go by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.control.arm import JointSample
from neuro_control.nodes.joint_samples import JointSamples

MS = 1_000_000
NAMES = ["j1", "j2"]
NAN = float("nan")


class Arm:
    """Joint samples that are given joint states at once, each as it is measured."""

    def __init__(self) -> None:
        self.samples = JointSamples(NAMES, np.array([100.0, np.inf]), 0.05)

    def tell(self, at_ms: float, q, qd=(), names=NAMES, came_ms=None) -> JointSample | None:
        came_ms = at_ms if came_ms is None else came_ms
        return self.samples.take(names, q, qd, round(at_ms * MS), round(came_ms * MS))

    def findings(self, now_ms: float = 0.0):
        return self.samples.findings(round(now_ms * MS))


def test_a_whole_joint_state_is_taken_as_it_is_in_the_arms_order() -> None:
    arm = Arm()
    sample = arm.tell(1, [3.0, 0.2, 0.1], [9.0, -2.0, -1.0], ["gripper", "j2", "j1"])
    assert sample is arm.samples.newest
    assert (sample.t_ns, sample.q.tolist(), sample.qd.tolist()) == (MS, [0.1, 0.2], [-1.0, -2.0])
    found = arm.findings()
    assert (found.because, found.refused) == ("", "")
    assert found.values["joint_velocities"] == "measured"


@pytest.mark.parametrize("qd", [[], [NAN, NAN], [1.0], [float("inf"), NAN]])
def test_velocities_that_are_missing_are_those_of_the_positions(qd) -> None:
    arm = Arm()
    for k in range(30):
        sample = arm.tell(10 * k, [0.1 + 0.02 * k, 0.2 - 0.01 * k], qd)
        assert sample.qd == pytest.approx([2.0, -1.0] if k else [0.0, 0.0])
    assert arm.findings().values["joint_velocities"] == "from positions"


def test_of_one_joint_without_velocity_that_one_is_from_positions() -> None:
    arm = Arm()
    arm.tell(0, [0.0, 0.0], [7.0, NAN])
    assert arm.tell(10, [0.1, 0.1], [7.0, NAN]).qd == pytest.approx([7.0, 10.0])
    assert arm.findings().values["joint_velocities"] == "from positions"


def test_the_rounding_of_positions_that_come_fast_is_not_taken_for_motion() -> None:
    arm, step = Arm(), 1e-4
    for at_ms in np.arange(0.0, 50.0, 0.25):
        speed = arm.tell(at_ms, [round(0.1e-3 * at_ms / step) * step, 0.0]).qd[0]
        assert speed == pytest.approx(0.1 if at_ms >= 5 else 0.0, abs=1.01 * step / 5e-3)


def test_a_position_that_cannot_be_is_refused_until_nothing_else_comes() -> None:
    arm = Arm()
    for at_ms in (0, 2, 4):
        arm.tell(at_ms, [0.1, 0.2])
    assert arm.tell(6, [1.6, 0.2]) is None
    assert arm.samples.newest.q.tolist() == [0.1, 0.2]
    found = arm.findings(6)
    assert found.refused == "joint_states: position of joint j1 leapt from 0.100 to 1.600 rad"
    assert arm.tell(8, [0.1, 50.0]) is not None, "a joint without a top speed may leap"
    for at_ms in range(10, 62, 2):
        assert arm.tell(at_ms, [20.0, 50.0]) is None
    assert arm.tell(62, [20.0, 50.0]).qd == pytest.approx([0.0, 0.0])


def test_after_a_pause_and_for_what_comes_again_no_velocity_is_made_up() -> None:
    arm = Arm()
    arm.tell(0, [0.0, 0.0])
    assert (arm.tell(51, [0.5, 0.5]).qd == 0).all()
    assert arm.tell(61, [0.6, 0.6]).qd == pytest.approx([10.0, 10.0])
    assert arm.tell(61, [0.6, 0.6]).qd == pytest.approx([10.0, 10.0])


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.integers(-100, 100),
            st.lists(st.floats(), min_size=2, max_size=2),
            st.lists(st.floats(), max_size=3),
        ),
        max_size=20,
    )
)
def test_what_is_taken_is_finite_whatever_comes(states) -> None:
    arm, at_ms = Arm(), 1000
    for step_ms, q, qd in states:
        at_ms += step_ms
        sample = arm.tell(at_ms, q, qd)
        assert (sample is None) or np.isfinite([sample.q, sample.qd]).all()


@pytest.mark.parametrize(
    ("names", "q", "why"),
    [
        (NAMES, [0.1, NAN], "joint_states: position of joint j2 is nan"),
        (NAMES, [float("-inf"), 0.1], "joint_states: position of joint j1 is -inf"),
        (["a", "j1"], [0.1, 0.2], "joint_states: joint j2 is missing, there are a, j1"),
        (NAMES, [0.1], "joint_states: 1 positions for 2 names"),
    ],
)
def test_a_joint_state_that_cannot_be_used_is_refused_and_the_reason_told(names, q, why) -> None:
    arm = Arm()
    assert arm.tell(0, q, names=names) is None
    found = arm.findings()
    assert (found.because, found.refused) == (why, why)
    assert found.values["joint_states_refused"] == 1
    # What others come beside it does not hide it.
    arm.tell(1, [0.1, 0.2])
    arm.tell(2, q, names=names)
    found = arm.findings()
    assert (found.because, found.refused) == ("", why)
    assert arm.findings(2000).refused == ""


def test_another_devices_joint_states_are_not_refused_but_do_not_count_either() -> None:
    arm = Arm()
    assert arm.findings().because == "no joint states come"
    arm.tell(0, [0.1], names=["finger"])
    found = arm.findings()
    assert found.because == "joint_states: none of the arm's joints j1, j2, only finger"
    assert (found.refused, found.values["joint_states_refused"]) == ("", 0)
    arm.tell(1, [0.1, 0.2])
    arm.tell(2, [0.1], names=["finger"])
    assert arm.findings().because == ""


def test_joint_states_that_cease_are_told_with_the_time() -> None:
    arm = Arm()
    arm.tell(0, [0.1, 0.2])
    assert arm.findings(900).because == ""
    assert arm.findings(2000).because == "no joint states for 2.0 s"
    arm.tell(2100, [0.1, 0.2])
    assert arm.findings(2900).because == ""
    # Those that ceased a moment ago, and were missed.
    arm.tell(3000, [0.1, 0.2])
    assert arm.samples.at(3200 * MS) is None
    assert arm.findings(3200).because == "no joint states for 0.2 s"


def test_a_sample_answers_what_was_seen_up_to_the_timeout_after_it() -> None:
    arm = Arm()
    assert arm.samples.at(0) is None
    sample = arm.tell(1000, [0.1, 0.2])
    # What was seen before it, however long, as packets that have waited.
    for at_ms in (0, 1000, 1050):
        assert arm.samples.at(at_ms * MS) is sample
    assert arm.findings(1050).because == ""
    assert arm.samples.at(1051 * MS) is None
    arm.tell(1002, [0.1, 0.2])
    because = arm.findings(1003).because
    assert "joint states are 0.051 s older than what they should answer" in because
    # One of many is no trouble.
    arm.tell(1010, [0.1, 0.2])
    assert arm.samples.at(1061 * MS) is None
    for _ in range(10):
        assert arm.samples.at(1060 * MS) is not None
    assert arm.findings(1011).because == ""


def test_one_that_is_older_than_the_newest_is_ignored() -> None:
    arm = Arm()
    newest = arm.tell(1000, [0.1, 0.2], came_ms=0)
    assert arm.tell(999, [0.5, 0.5], came_ms=1) is None
    assert arm.samples.newest is newest
    assert arm.findings().values["joint_states_late"] == 1
    # The same once more is none.
    assert arm.tell(1000, [0.1, 0.2], came_ms=2) is not None


def test_a_clock_that_was_set_back_is_waited_for_no_longer_than_the_timeout() -> None:
    arm = Arm()
    arm.tell(60_000, [0.1, 0.2], came_ms=0)
    taken = [arm.tell(came_ms, [0.1, 0.3], came_ms=came_ms) for came_ms in range(10, 100, 10)]
    assert [sample is not None for sample in taken] == 5 * [False] + 4 * [True]
    assert (taken[5].qd == 0).all(), "what was before is of another time"


def test_what_is_forgotten_is_not_told_any_more() -> None:
    arm = Arm()
    arm.tell(0, [0.1, NAN])
    arm.tell(5, [0.1, 0.2])
    arm.samples.forget()
    assert arm.samples.newest is None
    found = arm.findings(5000)
    assert (found.because, found.refused) == ("no joint states come", "")
    assert found.values["joint_states_refused"] == 1
