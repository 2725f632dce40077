# SPDX-License-Identifier: Apache-2.0
"""The robot in 3D: links where the kinematics puts them, shapes as the URDF says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.dashboard.scene import Scene, joint_pose, quaternion, sound_directions
from neuro_control.dashboard.urdf_shapes import visual_shapes
from neuro_control.robots import ArmModel, arm_urdf
from neuro_control.robots.urdf import parse_urdf, rotation_from_rpy

ANGLES = st.floats(-math.pi, math.pi)


def rotation_of(wxyz: tuple[float, ...]) -> np.ndarray:
    w, x, y, z = wxyz
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


@given(ANGLES, ANGLES, ANGLES)
def test_a_quaternion_is_its_rotation(roll: float, pitch: float, yaw: float) -> None:
    rotation = rotation_from_rpy(roll, pitch, yaw)
    np.testing.assert_allclose(rotation_of(quaternion(rotation)), rotation, atol=1e-9)


@given(st.lists(ANGLES, min_size=6, max_size=6))
def test_the_camera_is_where_the_kinematics_says(angles: list[float]) -> None:
    model, arm = parse_urdf(arm_urdf()), ArmModel.from_urdf(arm_urdf())
    pose = np.eye(4)
    q = dict(zip(arm.joint_names, angles, strict=True))
    for joint in model.chain(arm.base_link, arm.tip_link):
        pose = pose @ joint_pose(joint, q.get(joint.name, 0.0))
    np.testing.assert_allclose(pose, arm.forward_kinematics(np.array(angles)), atol=1e-9)


def test_every_shape_of_the_arm_is_there() -> None:
    shapes, missing = visual_shapes(arm_urdf())
    assert missing == []
    base = next(shape for shape in shapes if shape.link == "base_link")
    assert (base.kind, base.size, base.colour) == ("cylinder", (0.075, 0.09), (56, 59, 66))
    assert base.origin[2, 3] == 0.045
    assert {shape.kind for shape in shapes} == {"box", "cylinder"}


def test_a_mesh_that_is_not_here_is_named() -> None:
    urdf = (
        '<robot name="r"><link name="a"><visual><geometry>'
        '<mesh filename="package://nowhere/a.stl"/></geometry></visual></link></robot>'
    )
    assert visual_shapes(urdf) == ([], ["a.stl"])
    with pytest.raises(ValueError, match="not well-formed"):
        visual_shapes("<robot")


@given(st.floats(-80.0, 80.0))
def test_a_sound_is_sought_where_its_delay_says(azimuth_deg: float) -> None:
    left, right = np.array([0.0, 0.08, 0.5]), np.array([0.0, -0.08, 0.5])
    azimuth = math.radians(azimuth_deg)  # to the right of straight ahead, which is +x
    true = np.array([math.cos(azimuth), -math.sin(azimuth), 0.0])
    delay_ns = 0.16 * math.sin(azimuth) / 343.0 * 1e9
    found = sound_directions(delay_ns, left, right)
    assert len(found) == 2
    assert min(float(np.linalg.norm(d - true)) for d in found) < 1e-6
    assert all(abs(float(np.linalg.norm(d)) - 1.0) < 1e-9 for d in found)


def test_the_scene_follows_joints_target_and_sound() -> None:
    pytest.importorskip("viser", reason="needs viser")
    scene = Scene(arm_urdf(), "hand_camera_optical_frame", 1.0)
    try:
        arm = ArmModel.from_urdf(arm_urdf())
        q = dict(zip(arm.joint_names, [0.3, -1.2, 1.1, 0.2, 0.5, -0.4], strict=True))
        scene.show(
            q,
            camera_size=(128, 128),
            target=np.array([0.0, 0.0, 0.5]),
            direction=np.array([0.1, 0.0, 1.0]),
            sound_ns=100_000.0,
        )
        camera = arm.forward_kinematics(np.array(list(q.values())))
        np.testing.assert_allclose(scene.pose("hand_camera_optical_frame"), camera, atol=1e-9)
        place = (camera @ [0.0, 0.0, 0.5, 1.0])[:3]
        np.testing.assert_allclose(scene._target.position, place, atol=1e-6)
        assert scene._target.visible
        seen = scene._rays["seen"]
        wanted = camera[:3, :3] @ (np.array([0.1, 0.0, 1.0]) / math.hypot(0.1, 1.0))
        np.testing.assert_allclose(rotation_of(seen.wxyz)[:, 2], wanted, atol=1e-6)
        scene.show(q, camera_size=None, target=None, direction=None, sound_ns=None)
        assert not scene._target.visible
        assert not any(ray.visible for ray in scene._rays.values())
    finally:
        scene.close()
