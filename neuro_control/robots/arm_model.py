# SPDX-License-Identifier: Apache-2.0
"""Kinematics of a serial arm: where the tip is and how it moves, a few microseconds a call."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_control.robots.urdf import JointLimits, parse_urdf

Float = NDArray[np.float64]


@dataclass(frozen=True)
class ArmModel:
    """A chain of n revolute joints from `base_link` to `tip_link`.

    Attributes:
        joint_names: the n joints that move the tip, from base to tip.
        limits: of these joints, from the URDF.
        home: the ready posture, float64[n] [rad] (ros2_control initial values, else zeros).
        origins: float64[n + 1, 4, 4]; frame of joint i in frame i - 1 at zero, last the tip.
        axes: float64[n, 3]; unit axis of each joint in its own frame.
    """

    base_link: str
    tip_link: str
    joint_names: tuple[str, ...]
    limits: JointLimits
    home: Float
    origins: Float
    axes: Float

    @classmethod
    def from_urdf(
        cls,
        text: str,
        base_link: str = "base_link",
        tip_link: str = "hand_camera_optical_frame",
    ) -> ArmModel:
        """Read the chain from URDF text.

        Raises:
            ValueError: no such chain, or a joint of it is neither fixed nor revolute.
        """
        model = parse_urdf(text)
        origins, axes, moving = [np.eye(4)], [], []
        for joint in model.chain(base_link, tip_link):
            origins[-1] = origins[-1] @ joint.origin
            if not joint.moves:
                continue
            if joint.kind not in ("revolute", "continuous"):
                raise ValueError(
                    f"joint {joint.name!r}: is {joint.kind}; the chain to {tip_link!r} must be"
                    " of fixed, revolute and continuous joints"
                )
            moving.append(joint)
            axes.append(joint.axis)
            origins.append(np.eye(4))
        if not moving:
            raise ValueError(f"tip_link: no joint moves {tip_link!r} against {base_link!r}")
        return cls(
            base_link=base_link,
            tip_link=tip_link,
            joint_names=tuple(joint.name for joint in moving),
            limits=JointLimits(
                lower=np.array([joint.lower for joint in moving]),
                upper=np.array([joint.upper for joint in moving]),
                velocity=np.array([joint.velocity for joint in moving]),
                effort=np.array([joint.effort for joint in moving]),
            ),
            home=np.array([model.initial_positions.get(joint.name, 0.0) for joint in moving]),
            origins=np.ascontiguousarray(np.stack(origins)),
            axes=np.ascontiguousarray(np.stack(axes)),
        )

    def forward_kinematics(self, q: Float) -> Float:
        """Pose of the tip in the base frame, float64[4, 4], at joint angles q float64[n] [rad].

        Raises:
            ValueError: `q` has another size.
        """
        pose = np.empty((4, 4))
        _tip_pose(self.origins, self.axes, self._checked(q), pose)
        return pose

    def jacobian(self, q: Float) -> Float:
        """Geometric Jacobian at q, float64[6, n], in the base frame at the tip's origin.

        Rows 0-2: linear velocity of the tip [m/rad]; rows 3-5: its angular velocity [rad/rad].

        Raises:
            ValueError: `q` has another size.
        """
        jacobian = np.empty((6, len(self.joint_names)))
        _tip_jacobian(self.origins, self.axes, self._checked(q), jacobian)
        return jacobian

    def _checked(self, q: Float) -> Float:
        angles = np.ascontiguousarray(q, dtype=np.float64)
        if angles.shape != (len(self.joint_names),):
            raise ValueError(f"q: shape {angles.shape}, expected ({len(self.joint_names)},)")
        return angles


@njit(cache=True)
def _append(rotation: Float, position: Float, origin: Float) -> None:
    """Advance the running frame by a fixed transform, in place."""
    for row in range(3):
        r0, r1, r2 = rotation[row, 0], rotation[row, 1], rotation[row, 2]
        position[row] += r0 * origin[0, 3] + r1 * origin[1, 3] + r2 * origin[2, 3]
        for column in range(3):
            rotation[row, column] = (
                r0 * origin[0, column] + r1 * origin[1, column] + r2 * origin[2, column]
            )


@njit(cache=True)
def _turn(rotation: Float, axis: Float, angle: float) -> None:
    """Turn the running frame about an axis of its own (Rodrigues' formula), in place."""
    x, y, z = axis[0], axis[1], axis[2]
    c, s = math.cos(angle), math.sin(angle)
    v = 1.0 - c
    for row in range(3):
        r0, r1, r2 = rotation[row, 0], rotation[row, 1], rotation[row, 2]
        rotation[row, 0] = (
            r0 * (c + x * x * v) + r1 * (y * x * v + z * s) + r2 * (z * x * v - y * s)
        )
        rotation[row, 1] = (
            r0 * (x * y * v - z * s) + r1 * (c + y * y * v) + r2 * (z * y * v + x * s)
        )
        rotation[row, 2] = (
            r0 * (x * z * v + y * s) + r1 * (y * z * v - x * s) + r2 * (c + z * z * v)
        )


@njit(cache=True)
def _tip_pose(origins: Float, axes: Float, q: Float, pose: Float) -> None:
    rotation, position = np.eye(3), np.zeros(3)
    for joint in range(q.size):
        _append(rotation, position, origins[joint])
        _turn(rotation, axes[joint], q[joint])
    _append(rotation, position, origins[q.size])
    pose[:3, :3] = rotation
    pose[:3, 3] = position
    pose[3, :3] = 0.0
    pose[3, 3] = 1.0


@njit(cache=True)
def _tip_jacobian(origins: Float, axes: Float, q: Float, jacobian: Float) -> None:
    rotation, position = np.eye(3), np.zeros(3)
    anchors = np.empty((q.size, 3))
    for joint in range(q.size):
        _append(rotation, position, origins[joint])
        anchors[joint] = position
        axis = axes[joint]
        for row in range(3):
            jacobian[3 + row, joint] = (
                rotation[row, 0] * axis[0] + rotation[row, 1] * axis[1] + rotation[row, 2] * axis[2]
            )
        _turn(rotation, axis, q[joint])
    _append(rotation, position, origins[q.size])
    for joint in range(q.size):
        ax, ay, az = jacobian[3, joint], jacobian[4, joint], jacobian[5, joint]
        dx = position[0] - anchors[joint, 0]
        dy = position[1] - anchors[joint, 1]
        dz = position[2] - anchors[joint, 2]
        jacobian[0, joint] = ay * dz - az * dy
        jacobian[1, joint] = az * dx - ax * dz
        jacobian[2, joint] = ax * dy - ay * dx
