# SPDX-License-Identifier: Apache-2.0
"""An empty node in the place of a real one: it answers each message at once and does nothing else.

`python -m benchmarks.relay_node FROM TO`: FROM is `event_camera/events`, answered by a trajectory
that keeps the arm where it starts, or a topic of trajectories, which are passed on as they are.
Executor and quality of service are those of the nodes that it stands for.
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


class RelayNode(Node):
    """See the module."""

    def __init__(self, source: str, destination: str) -> None:
        super().__init__("relay_" + destination.replace("/", "_"))
        self._publisher = self.create_publisher(JointTrajectory, destination, qos.COMMANDS)
        if source != EVENTS_TOPIC:
            self.create_subscription(JointTrajectory, source, self._publisher.publish, qos.COMMANDS)
            return
        arm = ArmModel.from_urdf(arm_urdf())
        self._answer = messages.trajectory_message(
            0, arm.joint_names, arm.home, np.zeros(len(arm.home)), COMMAND_TIME_NS
        )
        self.create_subscription(EventPacket, source, self._on_packet, qos.best_effort(64))

    def _on_packet(self, packet: Any) -> None:
        self._answer.header.stamp = packet.header.stamp
        self._publisher.publish(self._answer)


def main() -> int:
    source, destination, *rest = sys.argv[1:]
    return run(lambda: RelayNode(source, destination), [sys.argv[0], *rest])


if __name__ == "__main__":
    sys.exit(main())
