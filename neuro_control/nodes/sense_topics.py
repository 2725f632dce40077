# SPDX-License-Identifier: Apache-2.0
"""What the simulated skin and ears send, for the nodes that make events of it."""

from __future__ import annotations

from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Int16MultiArray

from neuro_control.nodes import messages, qos
from neuro_control.nodes.simulated_world import Frame
from neuro_control.sim.simulated_senses import PAD, SimulatedSensesSettings


class SenseTopics:
    """The topics `taxels` and `audio` of a simulation, where it has skin and ears."""

    def __init__(self, node: Node, settings: SimulatedSensesSettings) -> None:
        self.taxels: Any = None
        self.sound: Any = None
        if settings.touch:
            self.taxels = node.create_publisher(Image, "taxels", qos.best_effort(8))
        if settings.sound:
            self.sound = node.create_publisher(Int16MultiArray, "audio", qos.best_effort(100))

    def publish(self, frame: Frame) -> None:
        """Publish what there is in a frame."""
        if self.taxels is not None and frame.taxels is not None:
            self.taxels.publish(messages.taxels_message(int(frame.t_ns), PAD, frame.taxels))
        if self.sound is not None and frame.sound is not None:
            self.sound.publish(messages.sound_message(frame.sound))
