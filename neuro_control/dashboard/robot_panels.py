# SPDX-License-Identifier: Apache-2.0
"""All panels of one robot, made anew whenever somebody begins to look."""

from __future__ import annotations

from collections.abc import Iterator

from rclpy.node import Node

from neuro_control.dashboard.containment import Containment
from neuro_control.dashboard.health_panel import HealthPanel
from neuro_control.dashboard.motion_panel import MotionPanel
from neuro_control.dashboard.network_panel import NetworkPanel
from neuro_control.dashboard.panel import FrameParts, Panel
from neuro_control.dashboard.profile_panel import ProfilePanel
from neuro_control.dashboard.scene import Scene
from neuro_control.dashboard.senses_panel import CameraPanel, EarsPanel, SkinPanel
from neuro_control.dashboard.taps import Tap


class RobotPanels:
    """The panels and their topics.

    node: in no executor (see `taps`). arm: the joints that are commanded. budget: events of a
    sensor that one frame takes in. containment: takes what a panel cannot draw.
    """

    def __init__(
        self, node: Node, arm: tuple[str, ...], budget: int, containment: Containment
    ) -> None:
        self._node = node
        self._containment = containment
        self.camera = CameraPanel(node, budget)
        self.ears = EarsPanel(node, budget)
        self.motion = MotionPanel(node, arm)
        self.camera.sense.on_packet = self.motion.on_packet
        # By the name of that panel of the page which tells of failures.
        self._panels: dict[str, Panel] = {
            "camera": self.camera,
            "skin": SkinPanel(node, budget),
            "ears": self.ears,
            "joints": self.motion,
            "raster": NetworkPanel(node, budget),
            "profile": ProfilePanel(node),
            "health": HealthPanel(node, self.camera.sense, self.motion),
        }

    def _taps(self) -> Iterator[Tap]:
        for panel in self._panels.values():
            yield from panel.taps

    def follow_graph(self, now_s: float) -> None:
        """Open the topics that somebody publishes now, close those that nobody does."""
        # Our own wishes are in the list too, so that publishers are counted.
        types = {
            name: kinds
            for name, kinds in self._node.get_topic_names_and_types()
            if self._node.count_publishers(name)
        }
        for name, panel in self._panels.items():
            with self._containment.contained(name, now_s):
                for tap in panel.taps:
                    tap.follow(types)

    def draw(self, now_s: float, parts: FrameParts) -> None:
        """Take what has come and write it into the frame; half a panel is none."""
        for name, panel in self._panels.items():
            with self._containment.contained(name, now_s):
                own = FrameParts()
                panel.draw(now_s, own)
                parts.state |= own.state
                parts.arrays |= own.arrays
                parts.texts |= own.texts

    def show(self, scene: Scene, now_s: float) -> None:
        """Bring the 3D scene up to date."""
        view = self.camera.sense.view
        with self._containment.contained("scene", now_s):
            scene.show(
                self.motion.positions,
                camera_size=(view.width, view.height) if view.width else None,
                target=self.motion.target,
                direction=self.motion.direction,
                sound_ns=self.ears.time_difference_ns,
            )

    def close(self) -> None:
        """Listen no more."""
        for tap in self._taps():
            tap.close()
