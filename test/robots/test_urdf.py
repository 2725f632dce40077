# SPDX-License-Identifier: Apache-2.0
"""The parser reads what a URDF says and names what is wrong with one."""

from __future__ import annotations

import numpy as np
import pytest

from neuro_control.robots import arm_urdf, parse_urdf, share_directory

ONE_JOINT = """
<robot name="r">
  <link name="a"/>
  <link name="b"><inertial><origin xyz="0 0 1" rpy="0 0 1.5707963267948966"/><mass value="2"/>
    <inertia ixx="1" ixy="0" ixz="0" iyy="2" iyz="0" izz="2.5"/></inertial></link>
  <joint name="j" type="{kind}"><parent link="a"/><child link="{child}"/>
    <origin xyz="1 2 3" rpy="0 0 0"/><axis xyz="0 0 2"/>{limit}</joint>
</robot>
"""
LIMIT = '<limit lower="-1" upper="2" velocity="3" effort="4"/>'


def test_joint_and_link_are_read() -> None:
    model = parse_urdf(ONE_JOINT.format(kind="revolute", child="b", limit=LIMIT))
    joint = model.joints["j"]
    assert (joint.lower, joint.upper, joint.velocity, joint.effort) == (-1.0, 2.0, 3.0, 4.0)
    np.testing.assert_array_equal(joint.axis, [0, 0, 1])
    np.testing.assert_array_equal(joint.origin[:3, 3], [1, 2, 3])
    # The inertia is turned into the link's axes: a quarter turn about z swaps x and y.
    np.testing.assert_allclose(np.diag(model.links["b"].inertia), [2, 1, 2.5])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<robot", "not well-formed"),
        ("<mujoco/>", "<robot>"),
        (ONE_JOINT.format(kind="revolute", child="b", limit=""), "needs a <limit>"),
        (ONE_JOINT.format(kind="revolute", child="c", limit=LIMIT), "no link 'c'"),
        ("<robot><joint type='fixed'/></robot>", "has no 'name'"),
    ],
)
def test_what_is_wrong_is_named(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_urdf(text)


def test_chain_must_exist() -> None:
    model = parse_urdf(ONE_JOINT.format(kind="revolute", child="b", limit=LIMIT))
    assert [joint.name for joint in model.chain("a", "b")] == ["j"]
    with pytest.raises(ValueError, match="does not hang below"):
        model.chain("b", "a")
    with pytest.raises(ValueError, match="no link 'nose'"):
        model.chain("a", "nose")


def test_share_directory_holds_the_description() -> None:
    assert (share_directory() / "urdf" / "arm.urdf.xacro").is_file()


def test_unknown_hardware_is_refused() -> None:
    with pytest.raises(ValueError, match="hardware: 'toaster'"):
        arm_urdf(hardware="toaster")
