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


def moving(kind: str = "revolute", axis: str = "0 0 1", **limits: str) -> str:
    """A robot of one joint, with these limits in place of good ones; "" leaves one out."""
    good = {"lower": "-1", "upper": "2", "velocity": "3", "effort": "4"} | limits
    limit = " ".join(f'{key}="{text}"' for key, text in good.items() if text)
    text = ONE_JOINT.format(kind=kind, child="b", limit=f"<limit {limit}/>")
    return text.replace('<axis xyz="0 0 2"/>', f'<axis xyz="{axis}"/>')


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (moving(axis="0 0 0"), "<axis xyz='0 0 0'> has no direction; .* as in '0 0 1'"),
        (moving(axis="1e-300 0 0"), "<axis xyz='1e-300 0 0'> has no direction"),
        (moving(axis="0 0 nan"), "<axis xyz='0 0 nan'>: three numbers"),
        (moving(axis="0 inf 0"), "<axis xyz='0 inf 0'>: three numbers"),
        (moving(axis="0 1"), "<axis xyz='0 1'>: three numbers, such as '1 0 0'"),
        (moving(axis="a b c"), "<axis xyz='a b c'>: three numbers"),
        (moving(lower="low"), "<limit lower='low'>: a number would be right"),
        (moving(upper="nan"), "<limit upper='nan'>: a number would be right"),
        (moving(lower="3"), "<limit lower='3' upper='2'>: lower must be at most upper"),
        (moving(lower="inf", upper="inf"), "<limit lower='inf' upper='inf'>: lower must be at"),
        (moving(velocity="-1"), "<limit velocity='-1'>: it must be greater than 0"),
        (moving(velocity="nan"), "<limit velocity='nan'>: a number would be right"),
        (moving(velocity="3 rad/s"), "<limit velocity='3 rad/s'>: a number would be right"),
        (moving(effort="-0.5"), "<limit effort='-0.5'>: it must be at least 0"),
        (moving(effort="nan"), "<limit effort='nan'>: a number would be right"),
        (moving(kind="continuous", velocity="-1"), "<limit velocity='-1'>"),
        (moving().replace('xyz="1 2 3"', 'xyz="1 2"'), "<origin xyz='1 2'>: three numbers"),
        (moving().replace('rpy="0 0 0"', 'rpy="0 0 nan"'), "<origin rpy='0 0 nan'>"),
    ],
)
def test_a_joint_that_no_arm_can_have_is_refused_by_name(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=f"^joint 'j': {says}"):
        parse_urdf(text)


def test_a_wrong_inertia_is_refused_by_its_link() -> None:
    with pytest.raises(ValueError, match=r"^link 'b': <origin xyz='0 one 1'>"):
        parse_urdf(moving().replace('xyz="0 0 1"', 'xyz="0 one 1"', 1))


def test_who_moves_a_joint_must_know_how_fast() -> None:
    # Exporters write 0 where nobody gave a limit, in grippers for one: no reason to refuse an arm.
    model = parse_urdf(moving(velocity="0"))
    with pytest.raises(ValueError, match=r"^joint 'j': <limit velocity='0'>: .* greater than 0"):
        model.chain("a", "b")


def test_limits_that_are_not_there_are_infinite() -> None:
    joint = parse_urdf(moving(kind="continuous", lower="", upper="", velocity="")).joints["j"]
    assert (joint.lower, joint.upper, joint.velocity) == (-np.inf, np.inf, np.inf)
    assert joint.effort == 4.0


@pytest.mark.parametrize("kind", ["fixed", "floating"])
def test_a_joint_without_an_axis_may_say_what_it_likes_of_one(kind: str) -> None:
    model = parse_urdf(moving(kind=kind, axis="0 0 0", lower="1", upper="0", velocity="0"))
    joint = model.joints["j"]
    assert np.linalg.norm(joint.axis) == 1.0
    assert (joint.lower, joint.velocity) == (-np.inf, np.inf)


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
