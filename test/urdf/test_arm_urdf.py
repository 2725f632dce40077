# SPDX-License-Identifier: Apache-2.0
"""The arm's description is a robot that could exist."""

from __future__ import annotations

from xml.etree import ElementTree

import mujoco
import numpy as np
import pytest

from neuro_control.robots import ArmModel, arm_urdf, parse_urdf

URDF = arm_urdf()
MODEL = parse_urdf(URDF)


def test_it_has_the_sensors() -> None:
    for link in (
        "base_link",
        "tool0",
        "hand_camera_link",
        "hand_camera_optical_frame",
        "left_finger_pad_link",
        "right_finger_pad_link",
        "ear_left_link",
        "ear_right_link",
    ):
        assert link in MODEL.links


def test_it_is_one_tree_with_base_link_as_root() -> None:
    children = [joint.child for joint in MODEL.joints.values()]
    assert len(children) == len(set(children))
    assert set(MODEL.links) - set(children) == {"base_link"}
    for link in set(MODEL.links) - {"base_link"}:
        MODEL.chain("base_link", link)


def test_world_is_optional() -> None:
    model = parse_urdf(arm_urdf(world=True))
    assert [joint.name for joint in model.chain("world", "base_link")] == ["world_joint"]


def test_inertias_are_physical() -> None:
    """Positive moments that obey the triangle inequality, with room for rounding."""
    for link in MODEL.links.values():
        if link.mass == 0.0:
            continue
        assert link.mass > 0.0
        small, middle, large = np.linalg.eigvalsh(link.inertia)
        assert small > 0.0, link.name
        assert small + middle >= large * (1 + 1e-9), link.name


def test_every_moving_link_has_mass() -> None:
    for joint in MODEL.joints.values():
        if joint.moves:
            assert MODEL.links[joint.child].mass > 0.0


def test_masses_are_those_of_a_ur5e() -> None:
    names = ["base_link", "shoulder_link", "upper_arm_link", "forearm_link"]
    names += [f"wrist_{n}_link" for n in (1, 2, 3)]
    masses = [MODEL.links[name].mass for name in names]
    np.testing.assert_allclose(masses, [4.0, 3.761, 8.058, 2.846, 1.37, 1.3, 0.365])


def test_optical_frame_follows_rep_103() -> None:
    """z ahead, x right, y down, against the link's x ahead, y left, z up."""
    turn = MODEL.joints["hand_camera_optical_joint"].origin[:3, :3]
    np.testing.assert_allclose(turn, [[0, 0, 1], [-1, 0, 0], [0, -1, 0]], atol=1e-12)


def test_camera_looks_along_the_tool() -> None:
    tool = ArmModel.from_urdf(URDF, tip_link="tool0")
    camera = ArmModel.from_urdf(URDF)
    a, b = tool.forward_kinematics(tool.home), camera.forward_kinematics(camera.home)
    np.testing.assert_allclose(a[:3, 2], b[:3, 2], atol=1e-9)


@pytest.mark.parametrize(
    ("hardware", "plugin"),
    [
        ("mujoco", "mujoco_ros2_control/MujocoSystemInterface"),
        ("gazebo", "gz_ros2_control/GazeboSimSystem"),
        ("none", "mock_components/GenericSystem"),
    ],
)
def test_hardware_plugin_is_chosen(hardware: str, plugin: str) -> None:
    root = ElementTree.fromstring(arm_urdf(hardware=hardware))
    assert [node.text for node in root.iterfind("ros2_control/hardware/plugin")] == [plugin]
    controlled = {joint.get("name") for joint in root.iterfind("ros2_control/joint")}
    assert controlled == {joint.name for joint in MODEL.joints.values() if joint.moves}


def test_mujoco_takes_the_description_as_it_is() -> None:
    model = mujoco.MjSpec.from_string(URDF).compile()
    assert model.nv == 8
