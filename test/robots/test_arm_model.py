# SPDX-License-Identifier: Apache-2.0
"""Kinematics: right against UR5e's known figures, against MuJoCo and against differences."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.robots import ArmModel, arm_urdf

URDF = arm_urdf()
ARM = ArmModel.from_urdf(URDF)
ANGLES = st.lists(st.floats(-6.28, 6.28), min_size=6, max_size=6).map(np.array)


def mujoco_arm() -> tuple[mujoco.MjModel, mujoco.MjData]:
    spec = mujoco.MjSpec.from_string(URDF)
    spec.compiler.fusestatic = False
    model = spec.compile()
    return model, mujoco.MjData(model)


MODEL, DATA = mujoco_arm()


def test_names_limits_and_home_come_from_the_urdf() -> None:
    assert ARM.joint_names == (
        "shoulder_pan_joint",
        "shoulder_lift_joint",
        "elbow_joint",
        "wrist_1_joint",
        "wrist_2_joint",
        "wrist_3_joint",
    )
    np.testing.assert_allclose(ARM.limits.effort, [150, 150, 150, 28, 28, 28])
    np.testing.assert_allclose(ARM.limits.velocity, np.pi)
    np.testing.assert_allclose(ARM.limits.upper, [2 * np.pi] * 2 + [np.pi] + [2 * np.pi] * 3)
    np.testing.assert_allclose(ARM.home, [0, -1.9, 1.8, 0.1, np.pi / 2, 0])


def test_stretched_arm_reaches_as_far_as_a_ur5e() -> None:
    flange = ArmModel.from_urdf(URDF, tip_link="tool0").forward_kinematics(np.zeros(6))
    np.testing.assert_allclose(flange[:3, 3], [0.8172, 0.2329, 0.0628], atol=1e-9)


def test_ready_camera_looks_ahead_and_upright() -> None:
    pose = ARM.forward_kinematics(ARM.home)
    np.testing.assert_allclose(pose[:3, 2], [1, 0, 0], atol=1e-9)
    np.testing.assert_allclose(pose[:3, 1], [0, 0, -1], atol=1e-9)
    assert 0.5 < pose[2, 3] < 0.65


def test_ready_posture_is_far_from_singular() -> None:
    assert np.linalg.svd(ARM.jacobian(ARM.home), compute_uv=False).min() > 0.1


@given(ANGLES)
@settings(max_examples=50)
def test_forward_kinematics_equals_mujoco(q: np.ndarray) -> None:
    for name, angle in zip(ARM.joint_names, q, strict=True):
        DATA.joint(name).qpos = angle
    mujoco.mj_kinematics(MODEL, DATA)
    body = DATA.body(ARM.tip_link)
    pose = ARM.forward_kinematics(q)
    np.testing.assert_allclose(pose[:3, 3], body.xpos, atol=1e-6)
    np.testing.assert_allclose(pose[:3, :3], body.xmat.reshape(3, 3), atol=1e-6)
    np.testing.assert_array_equal(pose[3], [0, 0, 0, 1])


@given(ANGLES)
@settings(max_examples=30)
def test_jacobian_equals_central_differences(q: np.ndarray) -> None:
    jacobian, h = ARM.jacobian(q), 1e-6
    turn = ARM.forward_kinematics(q)[:3, :3]
    for joint in range(6):
        step = h * np.eye(6)[joint]
        ahead, behind = ARM.forward_kinematics(q + step), ARM.forward_kinematics(q - step)
        np.testing.assert_allclose(
            jacobian[:3, joint], (ahead - behind)[:3, 3] / (2 * h), atol=1e-7
        )
        spin = (ahead - behind)[:3, :3] @ turn.T / (2 * h)
        np.testing.assert_allclose(
            jacobian[3:, joint], [spin[2, 1], spin[0, 2], spin[1, 0]], atol=1e-7
        )


def test_wrong_sizes_and_chains_are_refused() -> None:
    with pytest.raises(ValueError, match=r"q: shape \(5,\)"):
        ARM.forward_kinematics(np.zeros(5))
    with pytest.raises(ValueError, match="no joint moves"):
        ArmModel.from_urdf(URDF, tip_link="ear_left_link")
    with pytest.raises(ValueError, match="prismatic"):
        ArmModel.from_urdf(URDF, tip_link="left_finger_link")
