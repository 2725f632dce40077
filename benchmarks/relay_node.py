# SPDX-License-Identifier: Apache-2.0
"""An empty node in the place of a real one: it answers each message at once and does nothing else.

`python -m benchmarks.relay_node FROM TO`: FROM is `event_camera/events`, answered by a trajectory
out of a table made beforehand, or a topic of trajectories, which are passed on as they are.
Executor and quality of service are those of the nodes that it stands for.

The table sways the hand, so that packets are on average as large as in the demo: a camera that
stands still sees little more than half as many events.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from event_camera_msgs.msg import EventPacket
from rclpy.node import Node
from trajectory_msgs.msg import JointTrajectory

from neuro_control.nodes import messages, qos
from neuro_control.nodes.simulator import EVENTS_TOPIC
from neuro_control.nodes.spin import run
from neuro_control.robots import ArmModel, arm_urdf

COMMAND_TIME_NS = 4_000_000
SWAY_PERIOD_NS = 2_000_000_000
SWAY_STEP_NS = 2_000_000
# Peak velocities of the wrist (rad/s), found by trying: as many events as in the demo.
SWAY_RAD_S = np.array([0.0, 0.0, 0.0, 0.3, 0.45, 0.0])


def sway() -> list[JointTrajectory]:
    """The answers of one period, from the arm's home and back to it."""
    arm = ArmModel.from_urdf(arm_urdf())
    per_s = 2e9 * np.pi / SWAY_PERIOD_NS
    answers = []
    for t_ns in range(0, SWAY_PERIOD_NS, SWAY_STEP_NS):
        angle = per_s * t_ns * 1e-9
        q = arm.home + SWAY_RAD_S / per_s * (1.0 - np.cos(angle))
        qd = SWAY_RAD_S * np.sin(angle)
        answers.append(messages.trajectory_message(t_ns, arm.joint_names, q, qd, COMMAND_TIME_NS))
    return answers


class RelayNode(Node):
    """See the module."""

    def __init__(self, source: str, destination: str) -> None:
        super().__init__("relay_" + destination.replace("/", "_"))
        self._publisher = self.create_publisher(JointTrajectory, destination, qos.COMMANDS)
        if source != EVENTS_TOPIC:
            self.create_subscription(JointTrajectory, source, self._publisher.publish, qos.COMMANDS)
            return
        self._answers = sway()
        self.create_subscription(EventPacket, source, self._on_packet, qos.best_effort(64))

    def _on_packet(self, packet: Any) -> None:
        stamp = packet.header.stamp
        phase_ns = messages.time_ns(stamp) % SWAY_PERIOD_NS
        answer = self._answers[phase_ns // SWAY_STEP_NS]
        answer.header.stamp = stamp
        self._publisher.publish(answer)


def main() -> int:
    source, destination, *rest = sys.argv[1:]
    return run(lambda: RelayNode(source, destination), [sys.argv[0], *rest])


if __name__ == "__main__":
    sys.exit(main())
