# SPDX-License-Identifier: Apache-2.0
"""Joints, commands, target, and the delay from sensor to command."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.serialization import deserialize_message

from neuro_control.dashboard.cdr import CdrError, header_stamp_ns
from neuro_control.dashboard.delays import DelayMeter
from neuro_control.dashboard.panel import FrameParts, rounded
from neuro_control.dashboard.taps import Taken, Tap, TapSpec
from neuro_control.events import Packet
from neuro_control.nodes import messages
from neuro_control.nodes.messages import message_class
from neuro_control.robots.joint_order import ordered

TRAJECTORY = "trajectory_msgs/msg/JointTrajectory"
ARRAY = "std_msgs/msg/Float64MultiArray"
# Topic, type, and what a command of it is.
ROBOT_COMMANDS = (
    ("arm_controller/joint_trajectory", TRAJECTORY, "position"),
    ("arm_position_controller/commands", ARRAY, "position"),
    ("arm_velocity_controller/commands", ARRAY, "velocity"),
)


class MotionPanel:
    """`joints` float32[4, n]: position, velocity, command, wanted (NaN: not known).

    arm_joints: those that are commanded, in order; the others only move the picture of the robot.
    positions: of every joint by name, for the scene. target: in the camera's frame, m.
    """

    def __init__(self, node: Node, arm_joints: tuple[str, ...]) -> None:
        self.arm_joints = arm_joints
        self.positions: dict[str, float] = {}
        self.target: NDArray[np.float64] | None = None
        self.direction: NDArray[np.float64] | None = None
        self.joints = Tap(node, TapSpec("joint_states", ("sensor_msgs/msg/JointState",)))
        self.wanted = Tap(node, TapSpec("desired_trajectory", (TRAJECTORY,)))
        self.commands = [
            (Tap(node, TapSpec(topic, (kind,), depth=64)), meaning)
            for topic, kind, meaning in ROBOT_COMMANDS
        ]
        self._target = Tap(node, TapSpec("simulation/target", ("geometry_msgs/msg/PointStamped",)))
        self._direction = Tap(
            node, TapSpec("target_direction", ("geometry_msgs/msg/Vector3Stamped",))
        )
        self.delays = DelayMeter()
        self._forget()

    def _forget(self) -> None:
        n = len(self.arm_joints)
        self._curves = np.full((4, n), np.nan, np.float32)
        self._stamp_ns = 0
        self._meaning = ""

    @property
    def taps(self) -> list[Tap]:
        """See Panel."""
        robot = [tap for tap, _ in self.commands]
        return [self.joints, self.wanted, *robot, self._target, self._direction]

    def on_packet(self, packet: Packet, taken: Taken) -> None:
        """A packet of the event camera: commands answer it."""
        self.delays.packet(packet.stamp_ns, taken.published_ns)

    def draw(self, now_s: float, parts: FrameParts) -> None:
        """See Panel."""
        for taken in self.joints.take():
            self._take_joints(taken)
        for taken in self.wanted.take():
            self._curves[3] = self._of_trajectory(taken)
        for tap, meaning in self.commands:
            self._take_commands(tap, meaning)
        self._take_target()
        if self.joints.kind and self._stamp_ns:
            parts.state["joints"] = {
                "stamp_s": self._stamp_ns * 1e-9,
                "age_s": rounded(self.joints.age_s(now_s)),
                "command_is": self._meaning,
            }
            parts.arrays["joints"] = self._curves
        elif not self.joints.kind:
            self._forget()
        if any(tap.kind for tap, _ in self.commands):
            self.delays.draw(now_s, parts)

    def _take_joints(self, taken: Taken) -> None:
        message = deserialize_message(taken.data, message_class(self.joints.kind))
        self.positions = {
            str(name): float(q)
            for name, q in zip(message.name, message.position, strict=False)
            if np.isfinite(q)
        }
        self._stamp_ns = messages.time_ns(message.header.stamp)
        for row, values in ((0, message.position), (1, message.velocity)):
            found = ordered(message.name, values, self.arm_joints)
            self._curves[row] = np.nan if found is None else found

    def _take_commands(self, tap: Tap, meaning: str) -> None:
        taken = tap.take()
        if not taken:
            return
        self._meaning = meaning
        if tap.kind == TRAJECTORY:
            for one in taken:
                try:
                    self.delays.command(header_stamp_ns(one.data), one.published_ns, one.missed)
                except CdrError:
                    continue
            self._curves[2] = self._of_trajectory(taken[-1])
            return
        data = deserialize_message(taken[-1].data, message_class(tap.kind)).data
        fits = len(data) == len(self.arm_joints)
        self._curves[2] = np.asarray(data, np.float32) if fits else np.nan

    def _of_trajectory(self, taken: Taken) -> Any:
        message = deserialize_message(taken.data, message_class(TRAJECTORY))
        if not message.points:
            return np.nan
        found = ordered(message.joint_names, message.points[-1].positions, self.arm_joints)
        return np.nan if found is None else found

    def _take_target(self) -> None:
        if not self._target.kind:
            self.target = None
        for taken in self._target.take():
            point = deserialize_message(taken.data, message_class(self._target.kind)).point
            self.target = np.array([point.x, point.y, point.z], np.float64)
        if not self._direction.kind:
            self.direction = None
        for taken in self._direction.take():
            vector = deserialize_message(taken.data, message_class(self._direction.kind)).vector
            self.direction = np.array([vector.x, vector.y, vector.z], np.float64)
