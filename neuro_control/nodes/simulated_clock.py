# SPDX-License-Identifier: Apache-2.0
"""The clock of a simulation: publishes /clock, and looks for others that do.

/clock is one topic for all namespaces. Two simulators on it send every node that follows it to
and fro between two times, and each of them begins anew at every step back.
"""

from __future__ import annotations

from rclpy.node import Node
from rosgraph_msgs.msg import Clock

from neuro_control.nodes import messages, qos

TOPIC = "/clock"


class SimulatedClock:
    """The clock that a node publishes."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._publisher = node.create_publisher(Clock, TOPIC, qos.reliable(10))
        self._told: list[str] = []

    def publish(self, t_ns: int) -> None:
        """The simulated time is t_ns."""
        self._publisher.publish(messages.clock_message(t_ns))

    def look(self) -> str:
        """What is wrong and what to do, if another publishes here too; else "".

        Also a warning in the log, once for each set of others.
        """
        others = self._others()
        words = ""
        if others:
            words = (
                f"{TOPIC} is published by {', '.join(others)} too, and no node can follow both;"
                " end one of them, or give each simulated robot a ROS_DOMAIN_ID of its own"
            )
            if others != self._told:
                self._node.get_logger().warning(words)
        self._told = others
        return words

    def _others(self) -> list[str]:
        """Nodes that publish the clock, sorted; one of this node's own name may be among them."""
        names = sorted(
            f"{info.node_namespace.rstrip('/')}/{info.node_name}"
            for info in self._node.get_publishers_info_by_topic(TOPIC)
        )
        own = self._node.get_fully_qualified_name()
        if own in names:
            names.remove(own)
        return names
