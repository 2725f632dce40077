# SPDX-License-Identifier: Apache-2.0
"""A payload weighs what it weighs, wind pushes as it says, and gusts have their statistics."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from neuro_control.robots import arm_urdf
from neuro_control.sim.arm_simulation import ArmSimulation, ArmSimulationSettings
from neuro_control.sim.disturbances import PAYLOAD_RADIUS_M, Gusts

URDF = arm_urdf()
G = 9.81


def settings_of(**disturbance: float) -> ArmSimulationSettings:
    # A camera that costs next to nothing: this is about forces.
    world = {"image_width": 16, "image_height": 16}
    return ArmSimulationSettings.model_validate(
        {"renderer": "rays", "world": world, "disturbance": disturbance}
    )


def settled(**disturbance: float) -> ArmSimulation:
    arm = ArmSimulation(URDF, settings_of(**disturbance))
    for _ in range(500):
        frame = arm.advance()
    assert np.abs(frame.qd).max() < 1e-4
    return arm


def jacobian(arm: ArmSimulation, body: int, point: np.ndarray) -> np.ndarray:
    """d(point of the body) / d(arm's joints), float64[3, 6]."""
    jac = np.zeros((3, arm.model.nv))
    mujoco.mj_jac(arm.model, arm.data, jac, None, point, body)
    return jac[:, arm.world.arm_joints]


@pytest.mark.parametrize("kilograms", [0.5, 3.0])
def test_at_rest_the_motors_bear_the_payloads_weight(kilograms: float) -> None:
    free, laden = settled(), settled(payload_kg=kilograms)
    body = laden.world.payload_body
    weight = np.array([0.0, 0.0, -kilograms * G])
    wanted = -jacobian(laden, body, laden.data.xipos[body]).T @ weight
    joints = laden.world.arm_joints
    borne = laden.data.ctrl[joints] - free.data.ctrl[joints]
    np.testing.assert_allclose(borne, wanted, atol=0.02 * kilograms)
    assert np.abs(wanted).max() > 3.0 * kilograms, "this posture feels the weight"


def test_the_drives_do_not_know_of_it_and_the_arm_sags_a_little() -> None:
    free, laden = settled(), settled(payload_kg=3.0)
    joints = laden.world.arm_joints
    sag = np.abs(laden.data.qpos[joints] - free.data.qpos[joints]).max()
    assert 1e-4 < sag < 0.02
    low = laden.world.hand_body
    assert laden.data.xpos[low][2] < free.data.xpos[low][2]


def test_a_payload_is_a_ball_and_mujoco_reckons_with_it() -> None:
    free, laden = settled(), settled(payload_kg=2.0)
    body = laden.world.payload_body
    inertia = 0.4 * 2.0 * PAYLOAD_RADIUS_M**2
    np.testing.assert_allclose(laden.model.body_inertia[body], inertia)
    assert laden.model.body_subtreemass[0] - free.model.body_subtreemass[0] == pytest.approx(2.0)
    place = laden.data.xipos[body]
    mass = [np.zeros((run.model.nv, run.model.nv)) for run in (free, laden)]
    for run, matrix in zip((free, laden), mass, strict=True):
        run.data.qpos[:] = laden.data.qpos
        mujoco.mj_forward(run.model, run.data)
        for column in range(run.model.nv):
            unit = np.eye(run.model.nv)[column]
            mujoco.mj_mulM(run.model, run.data, matrix[column], unit)
    jac, turn = np.zeros((3, laden.model.nv)), np.zeros((3, laden.model.nv))
    mujoco.mj_jac(laden.model, laden.data, jac, turn, place, body)
    wanted = 2.0 * jac.T @ jac + inertia * turn.T @ turn
    np.testing.assert_allclose(mass[1] - mass[0], wanted, atol=1e-9)


def test_a_payload_can_be_taken_and_put_down_while_it_runs() -> None:
    arm = settled()
    before = arm.data.ctrl.copy()
    arm.change(settings_of(payload_kg=2.0))
    for _ in range(500):
        arm.advance()
    assert np.abs(arm.data.ctrl - before).max() > 5.0
    arm.change(settings_of())
    for _ in range(500):
        arm.advance()
    np.testing.assert_allclose(arm.data.ctrl, before, atol=1e-3)
    assert arm.conditions["payload_kg"] == 0.0


@pytest.mark.parametrize("degrees", [0.0, 90.0, -135.0])
def test_at_rest_the_motors_bear_the_wind(degrees: float) -> None:
    free, blown = settled(), settled(wind_n=20.0, wind_direction_deg=degrees)
    angle = np.radians(degrees)
    force = 20.0 * np.array([np.cos(angle), np.sin(angle), 0.0])
    hand = blown.world.hand_body
    wanted = -jacobian(blown, hand, blown.data.xipos[hand]).T @ force
    joints = blown.world.arm_joints
    borne = blown.data.ctrl[joints] - free.data.ctrl[joints]
    np.testing.assert_allclose(borne, wanted, atol=0.1)
    assert blown.conditions["wind_force_n"] == pytest.approx(20.0)


@pytest.mark.parametrize(("sigma", "tau_s", "dt_s"), [(3.0, 0.3, 0.001), (10.0, 0.05, 0.01)])
def test_gusts_have_the_deviation_and_the_correlation_that_were_asked_for(
    sigma: float, tau_s: float, dt_s: float
) -> None:
    gusts = Gusts(5)
    n = 60_000
    force = np.array([gusts.step(sigma, tau_s, dt_s) for _ in range(n)])
    # The standard error of the deviation, n dt / (2 tau) samples being independent.
    independent = n * dt_s / (2 * tau_s)
    assert np.abs(force.std(axis=0) / sigma - 1.0).max() < 5 / np.sqrt(2 * independent)
    assert np.abs(force.mean(axis=0)).max() < 5 * sigma / np.sqrt(independent)
    lag = round(tau_s / dt_s)
    kept = (force[lag:] * force[:-lag]).mean() / (force**2).mean()
    assert kept == pytest.approx(np.exp(-1.0), abs=5 / np.sqrt(3 * independent))


def test_gusts_shake_the_arm_the_same_way_for_the_same_seed() -> None:
    runs = [ArmSimulation(URDF, settings_of(gust_n=10.0)) for _ in range(2)]
    still = ArmSimulation(URDF, settings_of())
    for _ in range(100):
        frames = [run.advance() for run in runs]
        calm = still.advance()
    np.testing.assert_array_equal(frames[0].q, frames[1].q)
    assert np.abs(frames[0].q - calm.q).max() > 1e-5
    assert runs[0].conditions["wind_force_n"] > 0.0


def test_when_the_wind_drops_it_is_gone() -> None:
    arm = settled(wind_n=30.0)
    arm.change(settings_of())
    arm.advance()
    assert not arm.data.xfrc_applied.any()
    assert arm.conditions["wind_force_n"] == 0.0
