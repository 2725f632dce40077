# SPDX-License-Identifier: Apache-2.0
"""What we need of a URDF: the tree of links and joints, limits, inertias, initial positions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


@dataclass(frozen=True)
class JointLimits:
    """Limits of n joints, each float64[n]: rad or m, rad/s or m/s, N m or N."""

    lower: Float
    upper: Float
    velocity: Float
    effort: Float


@dataclass(frozen=True)
class Joint:
    """One joint. `origin` is the child's frame in the parent's at position zero, float64[4, 4]."""

    name: str
    kind: str
    parent: str
    child: str
    origin: Float
    axis: Float
    lower: float
    upper: float
    velocity: float
    effort: float

    @property
    def moves(self) -> bool:
        """Whether the joint has a degree of freedom."""
        return self.kind != "fixed"


@dataclass(frozen=True)
class Link:
    """One link. `inertia` is about the centre of mass, in the link's axes, float64[3, 3]."""

    name: str
    mass: float
    centre_of_mass: Float
    inertia: Float


@dataclass(frozen=True)
class UrdfModel:
    """A parsed URDF: name, links and joints by name, initial positions from ros2_control."""

    name: str
    links: dict[str, Link]
    joints: dict[str, Joint]
    initial_positions: dict[str, float]

    def chain(self, base_link: str, tip_link: str) -> list[Joint]:
        """Joints from `base_link` down to `tip_link`, in that order.

        Raises:
            ValueError: a link is not in the URDF, no chain leads from base to tip, or a joint of
                the chain has a velocity limit of 0, which exporters write where nobody gave one.
        """
        for field, link in (("base_link", base_link), ("tip_link", tip_link)):
            if link not in self.links:
                raise ValueError(f"{field}: the URDF has no link {link!r}")
        above = {joint.child: joint for joint in self.joints.values()}
        chain: list[Joint] = []
        link = tip_link
        while link != base_link:
            if link not in above:
                raise ValueError(f"tip_link: {tip_link!r} does not hang below {base_link!r}")
            joint = above[link]
            if joint.velocity == 0.0:
                raise ValueError(
                    f"joint {joint.name!r}: <limit velocity='0'>: it must be greater than 0;"
                    " a joint that never moves is of type fixed"
                )
            chain.append(joint)
            link = joint.parent
        return chain[::-1]


def rotation_from_rpy(roll: float, pitch: float, yaw: float) -> Float:
    """Rotation matrix of URDF's fixed-axis roll, pitch, yaw [rad]: Rz(yaw) Ry(pitch) Rx(roll)."""
    cr, sr = math.cos(roll), math.sin(roll)
    cp, sp = math.cos(pitch), math.sin(pitch)
    cy, sy = math.cos(yaw), math.sin(yaw)
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


def parse_urdf(text: str) -> UrdfModel:
    """Parse a URDF.

    Raises:
        ValueError: not XML, not a robot, or an element lacks what it must have.
    """
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(f"urdf: not well-formed XML: {error}") from error
    if root.tag != "robot":
        raise ValueError(f"urdf: the root element is <{root.tag}>, not <robot>")
    links = {link.name: link for link in map(_link, root.findall("link"))}
    joints = {joint.name: joint for joint in map(_joint, root.findall("joint"))}
    for joint in joints.values():
        for end in (joint.parent, joint.child):
            if end not in links:
                raise ValueError(f"joint {joint.name!r}: there is no link {end!r}")
    initial = {
        _attribute(joint, "name"): float(value.text or "0")
        for joint in root.iterfind("ros2_control/joint")
        for value in joint.iterfind("state_interface/param[@name='initial_value']")
    }
    return UrdfModel(root.get("name", ""), links, joints, initial)


def _attribute(element: ElementTree.Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise ValueError(f"urdf: <{element.tag}> {element.get('name', '')!r} has no {name!r}")
    return value


def _float(word: str) -> float:
    """The number that a word says; NaN if it says none."""
    try:
        return float(word)
    except ValueError:
        return math.nan


def _vector(element: ElementTree.Element, tag: str, name: str, default: str, of: str) -> Float:
    """Three finite numbers: attribute `name` of the child `tag`, which is `of` a joint or link."""
    child = element.find(tag)
    text = default if child is None else child.get(name, default)
    numbers = np.array([_float(word) for word in text.split()])
    if numbers.shape != (3,) or not np.isfinite(numbers).all():
        raise ValueError(
            f"{of}: <{tag} {name}={text!r}>: three numbers, such as {default!r}, would be right"
        )
    return numbers


def _origin(element: ElementTree.Element, of: str) -> Float:
    transform = np.eye(4)
    transform[:3, :3] = rotation_from_rpy(*_vector(element, "origin", "rpy", "0 0 0", of))
    transform[:3, 3] = _vector(element, "origin", "xyz", "0 0 0", of)
    return transform


def _axis(element: ElementTree.Element, of: str) -> Float:
    """A moving joint's axis, of length 1."""
    axis = _vector(element, "axis", "xyz", "1 0 0", of)
    length = float(np.linalg.norm(axis))
    # Beyond either, its square is no number any more, and the axis none of length 1.
    if not 1e-100 < length < 1e100:
        raise ValueError(
            f"{of}: <axis xyz='{' '.join(f'{n:g}' for n in axis)}'> has no direction; one of the"
            " three must not be 0, as in '0 0 1'"
        )
    return axis / length


_NO_LIMITS = {"lower": -math.inf, "upper": math.inf, "velocity": math.inf, "effort": math.inf}


def _limits(element: ElementTree.Element, of: str) -> dict[str, float]:
    """A moving joint's limits; infinite where it has none.

    A velocity of 0 is left to `UrdfModel.chain`: it matters only to who moves the joint.
    """
    limits = dict(_NO_LIMITS)
    limit = element.find("limit")
    if limit is None:
        kind = element.get("type")
        if kind in ("revolute", "prismatic"):
            raise ValueError(f"{of}: a {kind} joint needs a <limit>")
        return limits
    for key in limits:
        text = limit.get(key)
        if text is None:
            continue
        value = limits[key] = _float(text)
        if math.isnan(value):
            raise ValueError(f"{of}: <limit {key}={text!r}>: a number would be right")
        if value < 0.0 and key in ("velocity", "effort"):
            least = "greater than 0" if key == "velocity" else "at least 0"
            raise ValueError(f"{of}: <limit {key}={text!r}>: it must be {least}")
    lower, upper = limits["lower"], limits["upper"]
    if lower > upper or lower == math.inf or upper == -math.inf:
        raise ValueError(
            f"{of}: <limit lower='{lower:g}' upper='{upper:g}'>: lower must be at most upper"
        )
    return limits


def _joint(element: ElementTree.Element) -> Joint:
    name, kind = _attribute(element, "name"), _attribute(element, "type")
    parent, child = element.find("parent"), element.find("child")
    if parent is None or child is None:
        raise ValueError(f"joint {name!r}: needs a <parent> and a <child>")
    of = f"joint {name!r}"
    # What exporters write of a joint that has neither axis nor limits says nothing: "0 0 0".
    moves = kind not in ("fixed", "floating")
    return Joint(
        name=name,
        kind=kind,
        parent=_attribute(parent, "link"),
        child=_attribute(child, "link"),
        origin=_origin(element, of),
        axis=_axis(element, of) if moves else np.array([1.0, 0.0, 0.0]),
        **(_limits(element, of) if moves else _NO_LIMITS),
    )


def _link(element: ElementTree.Element) -> Link:
    name = _attribute(element, "name")
    inertial = element.find("inertial")
    if inertial is None:
        return Link(name, 0.0, np.zeros(3), np.zeros((3, 3)))
    mass, inertia = inertial.find("mass"), inertial.find("inertia")
    if mass is None or inertia is None:
        raise ValueError(f"link {name!r}: <inertial> needs <mass> and <inertia>")
    xx, xy, xz, yy, yz, zz = (
        float(_attribute(inertia, key)) for key in ("ixx", "ixy", "ixz", "iyy", "iyz", "izz")
    )
    frame = _origin(inertial, f"link {name!r}")
    turn = frame[:3, :3]
    tensor = turn @ np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) @ turn.T
    return Link(name, float(_attribute(mass, "value")), frame[:3, 3].copy(), tensor)
