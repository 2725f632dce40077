# SPDX-License-Identifier: Apache-2.0
"""A target that is sent on another path goes there; it does not appear there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.sim.target_motion import TargetMotion
from neuro_control.sim.target_paths import TargetPath, TargetPathSettings

VIEW = np.eye(4)
KINDS = ("lissajous", "random_walk", "jump", "still")


def told(kind: str, **more: object) -> TargetPathSettings:
    return TargetPathSettings.model_validate({"kind": kind, **more})


def test_without_a_change_it_is_the_path() -> None:
    motion, path = (make(told("lissajous"), VIEW, 3) for make in (TargetMotion, TargetPath))
    for t_s in (0.0, 0.7, 12.345):
        np.testing.assert_array_equal(motion.position(t_s), path.position(t_s))
        np.testing.assert_array_equal(motion.orientation(t_s), path.orientation(t_s))


@settings(max_examples=40)
@given(
    st.sampled_from(KINDS),
    st.sampled_from(KINDS),
    st.floats(0.0, 5.0),
    st.floats(0.0, 20.0),
    st.floats(0.0, 50.0),
)
def test_a_change_makes_no_jump_in_place_or_spin(
    first: str, then: str, speed: float, spin: float, t_s: float
) -> None:
    motion = TargetMotion(told(first), VIEW, 1)
    before, turned = motion.position(t_s), motion.orientation(t_s)
    motion.change(told(then, speed_m_s=speed, spin_rev_s=spin), t_s)
    np.testing.assert_allclose(motion.position(t_s), before, atol=1e-12)
    # A quaternion and its negative are the same turn.
    assert abs(motion.orientation(t_s) @ turned) == pytest.approx(1.0, abs=1e-9)


@settings(max_examples=30)
@given(st.sampled_from(KINDS), st.floats(0.0, 2.0), st.floats(0.0, 50.0))
def test_it_arrives_and_then_is_the_new_path(then: str, speed: float, t_s: float) -> None:
    motion = TargetMotion(told("lissajous"), VIEW, 1)
    motion.change(told(then, speed_m_s=speed), t_s)
    path = TargetPath(told(then, speed_m_s=speed), VIEW, 1)
    np.testing.assert_array_equal(motion.position(t_s + 10.0), path.position(t_s + 10.0))


def test_the_glide_is_about_as_fast_as_the_target() -> None:
    motion = TargetMotion(told("lissajous", half_width_m=0.3), VIEW, 1)
    motion.change(told("still"), 2.0)
    t = np.arange(2.0, 5.0, 0.001)
    places = np.array([motion.position(t_s) for t_s in t])
    speed = np.linalg.norm(np.diff(places, axis=0), axis=1) / 0.001
    assert speed.max() < 1.5 * 0.3 + 1e-6
    np.testing.assert_allclose(places[-1], [0.0, 0.0, 0.55], atol=1e-12)


def test_changes_can_follow_each_other_within_a_glide() -> None:
    motion = TargetMotion(told("lissajous"), VIEW, 1)
    motion.change(told("still"), 1.0)
    for t_s in (1.1, 1.2, 1.3):
        before = motion.position(t_s)
        motion.change(told("random_walk", speed_m_s=t_s), t_s)
        np.testing.assert_allclose(motion.position(t_s), before, atol=1e-12)
