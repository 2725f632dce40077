# SPDX-License-Identifier: Apache-2.0
"""The simulated arm: deterministic, obedient within its limits, honest about where things are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from neuro_control.robots import ArmModel, arm_urdf
from neuro_control.sim.arm_simulation import ArmSimulation, ArmSimulationSettings
from neuro_control.sim.joint_commands import TrajectoryPoint

URDF = arm_urdf()
ARM = ArmModel.from_urdf(URDF)
MS = 1_000_000
FAR = np.array([0.5, -0.3, 0.3, 0.8, -0.8, 1.5])


def simulation(**settings: object) -> ArmSimulation:
    return ArmSimulation(
        URDF, ArmSimulationSettings.model_validate({"renderer": "rays", **settings})
    )


@pytest.fixture
def arm() -> Iterator[ArmSimulation]:
    subject = simulation()
    yield subject
    subject.close()


def test_equal_seeds_and_commands_give_equal_frames() -> None:
    runs = [simulation(seed=4), simulation(seed=4)]
    for n in range(60):
        for run in runs:
            run.set_velocities(np.full(6, 0.3 * np.sin(n / 10)))
        a, b = (run.advance() for run in runs)
        assert a.t_ns == b.t_ns == (n + 1) * 2 * MS
        for name in ("q", "qd", "effort", "target_in_camera", "camera_pose"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        for name in ("t_ns", "x", "y", "p"):
            np.testing.assert_array_equal(getattr(a.events, name), getattr(b.events, name))


def test_another_seed_is_another_run() -> None:
    a, b = simulation(seed=1), simulation(seed=2)
    assert not np.array_equal(a.luminance, b.luminance)
    assert not np.allclose(a.advance().target_in_camera, b.advance().target_in_camera)


def test_it_begins_at_rest_in_the_ready_posture_and_stays(arm: ArmSimulation) -> None:
    for _ in range(50):
        frame = arm.advance()
    np.testing.assert_allclose(frame.q, ARM.home, atol=1e-4)
    np.testing.assert_allclose(frame.qd, 0, atol=1e-3)
    np.testing.assert_allclose(frame.camera_pose, ARM.forward_kinematics(frame.q), atol=1e-9)


def test_truth_agrees_with_the_path(arm: ArmSimulation) -> None:
    frame = arm.advance()
    ball = arm.path.position(frame.t_ns * 1e-9)
    seen = frame.camera_pose[:3, :3].T @ (ball - frame.camera_pose[:3, 3])
    np.testing.assert_allclose(frame.target_in_camera, seen, atol=1e-12)
    assert 0.5 < frame.target_in_camera[2] < 0.6


def test_events_of_a_resting_arm_come_from_the_ball() -> None:
    arm = simulation(target={"kind": "still"})
    for _ in range(5):
        arm.advance()
    events = [arm.advance().events for _ in range(100)]
    x, y = (np.concatenate([getattr(e, axis) for e in events]) for axis in "xy")
    assert x.size > 1000
    assert np.mean(np.hypot(x - 63.5, y - 63.5) < 9.5) > 0.98


def test_ball_that_neither_moves_nor_spins_is_silent() -> None:
    arm = simulation(
        target={"kind": "still", "spin_rev_s": 0},
        camera={"leak_rate_hz": 0, "shot_rate_hz": 0},
    )
    assert sum(len(arm.advance().events) for _ in range(50)) == 0


def test_stamps_lie_in_their_period_at_1_khz_too() -> None:
    arm = simulation(camera_period_us=1000)
    for n in range(30):
        events = arm.advance().events
        assert np.all((events.t_ns > n * MS) & (events.t_ns <= (n + 1) * MS))


@pytest.mark.parametrize(("joint", "hertz"), [(0, 0.5), (3, 2.0), (4, 2.0), (5, 4.0)])
def test_streamed_trajectory_is_followed_with_little_lag(joint: int, hertz: float) -> None:
    """One point, 4 ms ahead, 500 times a second, as the controller sends them."""
    arm = simulation()
    rate = 2 * np.pi * hertz
    times, track = [], []
    for n in range(500):
        ahead = n * 2e-3 + 4e-3
        ramp = min(1.0, ahead / 0.3)
        q, qd = ARM.home.copy(), np.zeros(6)
        q[joint] += 0.15 * ramp * np.sin(rate * ahead)
        qd[joint] = 0.15 * ramp * rate * np.cos(rate * ahead)
        arm.set_trajectory([TrajectoryPoint(4 * MS, q, qd)], arm.t_ns)
        frame = arm.advance()
        times.append(frame.t_ns * 1e-9)
        track.append(frame.q[joint] - ARM.home[joint])
    late, settled = np.array(times)[250:], np.array(track)[250:]
    lags = np.arange(-0.010, 0.030, 0.001)
    errors = [np.abs(settled - 0.15 * np.sin(rate * (late - lag))).max() for lag in lags]
    assert abs(lags[int(np.argmin(errors))]) < 0.015
    assert min(errors) < 0.01


def test_wrist_does_not_limit_cycle(arm: ArmSimulation) -> None:
    arm.set_positions(ARM.home + np.array([0, 0, 0, 0.3, 0.3, 0.3]))
    for _ in range(500):
        frame = arm.advance()
    rest = np.array([arm.advance().qd for _ in range(100)])
    np.testing.assert_allclose(frame.q - ARM.home, [0, 0, 0, 0.3, 0.3, 0.3], atol=1e-3)
    assert np.abs(rest).max() < 1e-3


def test_efforts_and_velocities_keep_their_limits(arm: ArmSimulation) -> None:
    arm.set_positions(ARM.home + FAR)
    for _ in range(400):
        frame = arm.advance()
        assert np.all(np.abs(frame.effort) <= ARM.limits.effort + 1e-9)
        # A motor at its effort limit can be carried a little past its velocity limit.
        assert np.all(np.abs(frame.qd) <= 1.25 * ARM.limits.velocity)
    np.testing.assert_allclose(frame.q, ARM.home + FAR, atol=2e-3)


def test_velocity_commands_time_out_into_holding(arm: ArmSimulation) -> None:
    arm.set_velocities(np.array([0, 0, 0, 0, 0.5, 0]))
    speeds = np.array([arm.advance().qd[4] for _ in range(100)])
    assert speeds[30:49] == pytest.approx(0.5, abs=0.05)
    assert np.abs(speeds[75:]).max() < 0.02


def test_period_must_be_whole_steps() -> None:
    with pytest.raises(ValueError, match="camera_period_us: 2500 is not a multiple"):
        ArmSimulationSettings(camera_period_us=2500)


def test_overview_shows_a_lit_scene(arm: ArmSimulation) -> None:
    arm.advance()
    picture = arm.overview_image(160, 100)
    assert picture.shape == (100, 160, 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 20


def test_the_ball_can_be_sent_on_another_path_while_it_runs(arm: ArmSimulation) -> None:
    before = arm.advance()
    target = arm.settings.target.model_copy(update={"kind": "still"})
    arm.change(arm.settings.model_copy(update={"target": target}))
    after = arm.advance()
    # Relative to a camera that stands: 2 ms at 0.45 m/s at most.
    assert np.linalg.norm(after.target_in_camera - before.target_in_camera) < 0.001
    for _ in range(700):
        frame = arm.advance()
    np.testing.assert_allclose(frame.target_in_camera, [0.0, 0.0, 0.55], atol=1e-3)
    assert arm.conditions["target_kind"] == "still"


def test_what_cannot_be_changed_meanwhile_is_refused(arm: ArmSimulation) -> None:
    with pytest.raises(ValueError, match="only target, disturbance and faults"):
        arm.change(arm.settings.model_copy(update={"seed": 7}))
    target = arm.settings.target.model_copy(update={"seed": 7})
    with pytest.raises(ValueError, match="only target, disturbance and faults"):
        arm.change(arm.settings.model_copy(update={"target": target}))


def test_a_covered_lens_gives_a_burst_of_off_events_and_then_next_to_nothing(
    arm: ArmSimulation,
) -> None:
    arm.advance()
    faults = arm.settings.faults.model_copy(update={"camera_blackout": True})
    arm.change(arm.settings.model_copy(update={"faults": faults}))
    burst = arm.advance().events
    assert len(burst) > 10_000
    assert burst.p.mean() < 0.01
    # A pixel that was deaf says the rest of its fall a little later.
    for _ in range(20):
        arm.advance()
    assert sum(len(arm.advance().events) for _ in range(50)) < 100


def test_faults_are_in_the_frames_and_the_truth_is_not_touched() -> None:
    clean, spoilt = simulation(), simulation(
        faults={"packets_lost": 1.0, "joint_states_delay_s": 0.01, "noise_events_per_s": 1e5}
    )  # fmt: skip
    for n in range(10):
        a, b = clean.advance(), spoilt.advance()
        np.testing.assert_array_equal(a.q, b.q)
        np.testing.assert_array_equal(a.target_in_camera, b.target_in_camera)
        assert a.packet_arrives
        assert not b.packet_arrives
        assert [r.t_ns for r in a.joint_states] == [a.t_ns]
        assert [r.t_ns for r in b.joint_states] == ([] if n < 5 else [a.t_ns - 10 * MS])
        assert len(b.events) > len(a.events)
    found = spoilt.conditions
    assert found["faults"] == "noise_events_per_s,packets_lost,joint_states_delay_s"
    assert found["fault_packets_lost"] == 10
    assert found["fault_joint_states_waiting"] == 5
    assert found["fault_events_added"] == pytest.approx(2000, rel=0.2)
