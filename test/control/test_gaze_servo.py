# SPDX-License-Identifier: Apache-2.0
"""The servo turns the gaze onto a direction, and when it knows none it holds, then looks around.

The arm here is a perfect one: it is where it was sent at the next step.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.control.gaze_servo import (
    GazeServo,
    GazeServoSettings,
    GazeServoState,
    damped_inverse,
)
from neuro_control.robots.arm_model import ArmModel
from neuro_control.robots.description import arm_urdf

STEP_NS = 2_000_000
MODEL = ArmModel.from_urdf(arm_urdf())
NOTHING = np.zeros(2)


def servo(**settings: float) -> GazeServo:
    return GazeServo(MODEL, GazeServoSettings(**settings), MODEL.home)


def direction_to(point: np.ndarray, q: np.ndarray) -> np.ndarray:
    pose = MODEL.forward_kinematics(q)
    x, y, z = pose[:3, :3].T @ (point - pose[:3, 3])
    return np.array([x / z, y / z])


def follow(
    control: GazeServo, point: np.ndarray | None, steps: int, state: GazeServoState | None = None
) -> list[GazeServoState]:
    state = control.begin(MODEL.home, 0) if state is None else state
    states = []
    for _ in range(steps):
        direction = None if point is None else direction_to(point, state.q)
        state = control.step(state, state.q, direction, NOTHING, state.t_ns + STEP_NS)
        states.append(state)
    return states


def ahead(x: float, y: float, z: float = 0.55) -> np.ndarray:
    pose = MODEL.forward_kinematics(MODEL.home)
    return pose[:3, 3] + pose[:3, :3] @ np.array([x, y, z])


@pytest.mark.parametrize("aside", [(0.15, 0.0), (-0.15, 0.0), (0.0, 0.12), (-0.1, -0.1)])
def test_a_still_target_comes_to_the_middle(aside: tuple[float, float]) -> None:
    point = ahead(*aside)
    last = follow(servo(), point, 500)[-1]
    assert last.mode == "tracking"
    assert np.abs(direction_to(point, last.q)).max() < np.tan(np.radians(0.3))


def test_the_error_falls_with_the_gain() -> None:
    point = ahead(0.05, 0.0)
    states = follow(servo(gaze_gain=10.0, follow_gain=0.0), point, 50)
    start = direction_to(point, MODEL.home)[0]
    # After 0.1 s at a gain of 10 / s, one time constant.
    assert direction_to(point, states[-1].q)[0] == pytest.approx(start * np.exp(-1.0), rel=0.05)


def test_the_horizon_stays_level_and_the_hand_near_its_place() -> None:
    home = MODEL.forward_kinematics(MODEL.home)
    for point in (ahead(0.2, 0.0), ahead(-0.2, 0.1)):
        pose = MODEL.forward_kinematics(follow(servo(), point, 1500)[-1].q)
        assert abs(np.arcsin(pose[2, 0])) < np.radians(2.0)
        assert np.linalg.norm(pose[:3, 3] - home[:3, 3]) < 0.2


def test_the_hand_moves_towards_the_side_of_the_target_if_it_may() -> None:
    home = MODEL.forward_kinematics(MODEL.home)
    point = ahead(0.2, 0.0)
    beside = {}
    for gain in (0.0, 0.5):
        pose = MODEL.forward_kinematics(follow(servo(follow_gain=gain), point, 1500)[-1].q)
        beside[gain] = float((home[:3, :3].T @ (pose[:3, 3] - home[:3, 3]))[0])
    assert abs(beside[0.0]) < 0.01
    assert beside[0.5] > 0.03


def test_remembered_velocity_is_added_to_the_command() -> None:
    control = servo()
    state = control.begin(MODEL.home, 0)
    pursuit = np.array([0.0, 0.5])
    moved = control.step(state, MODEL.home, NOTHING, pursuit, STEP_NS)
    turned = control.camera_velocity(MODEL.home, moved.velocity_rad_s)
    assert turned[:2] == pytest.approx(pursuit, abs=1e-3)


def test_without_a_target_it_holds_and_then_looks_around_slowly() -> None:
    control = servo()
    tracked = follow(control, ahead(0.1, 0.0), 250)[-1]
    lost = follow(control, None, 2500, tracked)
    modes = [state.mode for state in lost]
    assert modes[0] == "tracking"
    assert modes.index("holding") == pytest.approx(50, abs=1)
    assert modes.index("searching") == pytest.approx(500, abs=1)
    held = [state.q for state in lost if state.mode == "holding"]
    assert np.ptp(held, axis=0).max() == 0.0
    search = np.array([state.velocity_rad_s for state in lost if state.mode == "searching"])
    assert np.abs(search).max() <= control.settings.search_speed_rad_s + 1e-9
    assert np.abs(lost[-1].q - MODEL.home).max() < 0.5


def test_it_never_runs_away_on_what_it_remembers() -> None:
    control = servo()
    state = control.begin(MODEL.home, 0)
    state = control.step(state, MODEL.home, NOTHING, NOTHING, STEP_NS)
    for _ in range(400):
        state = control.step(state, state.q, None, np.array([0.0, 2.0]), state.t_ns + STEP_NS)
    turned = np.arccos(
        np.clip(
            MODEL.forward_kinematics(state.q)[:3, 2] @ MODEL.forward_kinematics(MODEL.home)[:3, 2],
            -1,
            1,
        )
    )
    # 2 rad/s that fade over 0.1 s turn by 0.1 rad at most.
    assert turned < 0.12


def test_before_anything_was_seen_it_does_not_move() -> None:
    states = follow(servo(), None, 100)
    assert all(state.mode == "holding" for state in states)
    assert all((state.q == MODEL.home).all() for state in states)


@given(
    q=st.lists(st.floats(-7, 7), min_size=6, max_size=6),
    direction=st.tuples(st.floats(-5, 5), st.floats(-5, 5)),
    pursuit=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
)
def test_commands_stay_within_the_limits_wherever_the_arm_is(
    q: list[float], direction: tuple[float, float], pursuit: tuple[float, float]
) -> None:
    control = servo()
    here = np.clip(np.array(q), MODEL.limits.lower, MODEL.limits.upper)
    state = control.begin(here, 0)
    for _ in range(5):
        state = control.step(
            state, state.q, np.array(direction), np.array(pursuit), state.t_ns + STEP_NS
        )
        assert np.isfinite(state.q).all()
        assert (state.q >= MODEL.limits.lower).all()
        assert (state.q <= MODEL.limits.upper).all()
        assert (np.abs(state.velocity_rad_s) <= MODEL.limits.velocity).all()


def test_time_that_does_not_go_forward_changes_nothing() -> None:
    control = servo()
    state = follow(control, ahead(0.1, 0.0), 10)[-1]
    assert control.step(state, state.q, NOTHING, NOTHING, state.t_ns) is state
    assert control.step(state, state.q, NOTHING, NOTHING, state.t_ns - STEP_NS) is state


def test_the_damped_inverse_is_the_inverse_away_from_singularities_and_small_at_them() -> None:
    random = np.random.default_rng(0)
    regular = random.normal(size=(6, 6))
    assert damped_inverse(regular, 0.03, 0.0) @ regular == pytest.approx(np.eye(6), abs=1e-6)
    singular = np.diag([1.0, 1.0, 1.0, 1.0, 1.0, 1e-9])
    assert np.abs(damped_inverse(singular, 0.05, 0.02)).max() < 1.01
