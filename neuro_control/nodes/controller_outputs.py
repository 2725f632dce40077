# SPDX-License-Identifier: Apache-2.0
"""What the controller node publishes: its command, and the direction of the target."""

from __future__ import annotations

from collections.abc import Sequence

from geometry_msgs.msg import Vector3Stamped
from trajectory_msgs.msg import JointTrajectory

from neuro_control.control.arm import ArmCommand
from neuro_control.nodes import messages, qos
from neuro_control.nodes.controller_settings import ControllerNodeSettings
from neuro_control.nodes.lifecycle import ManagedNode

CAMERA_FRAME = "hand_camera_optical_frame"


class ControllerOutputs:
    """`desired_trajectory` and `target_direction`, until the node's clean-up."""

    def __init__(
        self, node: ManagedNode, joint_names: Sequence[str], settings: ControllerNodeSettings
    ) -> None:
        self._joint_names = tuple(joint_names)
        self._command_time_ns = round(settings.command_time_s * 1e9)
        self._direction_period_ns = round(settings.direction_period_s * 1e9)
        self._lockstep = settings.lockstep
        self.command = node.add_publisher(JointTrajectory, "desired_trajectory", qos.COMMANDS)
        self.direction = node.add_publisher(Vector3Stamped, "target_direction", qos.best_effort(1))
        self.forget()

    def forget(self) -> None:
        """A new time begins: what was said last is of another."""
        self._last: JointTrajectory | None = None
        self._direction_due_ns = 0

    def publish(self, command: ArmCommand, t_ns: int) -> None:
        """Publish a command with this stamp, and the direction, if it is known and due."""
        self._last = messages.trajectory_message(
            t_ns, self._joint_names, command.q, command.qd, self._command_time_ns
        )
        self.command.publish(self._last)
        due = self._lockstep or t_ns >= self._direction_due_ns
        if command.target_direction is not None and due:
            self._direction_due_ns = t_ns + self._direction_period_ns
            self.direction.publish(
                messages.direction_message(t_ns, CAMERA_FRAME, command.target_direction)
            )

    def publish_again(self) -> None:
        """Publish the last command once more, if there is one."""
        if self._last is not None:
            self.command.publish(self._last)
