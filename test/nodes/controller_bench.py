# SPDX-License-Identifier: Apache-2.0
"""A controller node that steers nothing, between a camera, an arm and a listener."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from event_camera_msgs.msg import EventPacket
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from neuro_control.backends.backend_report import BackendReport
from neuro_control.control.arm import ArmCommand, ControllerStatistics
from neuro_control.events import Events, Packet, encode_mono
from neuro_control.nodes import messages, qos
from neuro_control.nodes.controller import ControllerNode
from test.nodes.two_joints import ARM, HERE, NAMES

MS = 1_000_000
BEGIN_NS = 1_000 * MS


class FakeController:
    """Holds the arm, counts what it is given."""

    backend_report = BackendReport({"backend": "fake", "backend_reason": "a test"})
    network_watch = None

    def __init__(self, settings: Any, arm: Any) -> None:
        self.settings, self.arm = settings, arm
        self.steps: list[tuple[int, int]] = []
        self.joints: list[int] = []
        self.velocities: list[np.ndarray] = []
        self.sizes: set[tuple[int, int]] = set()
        self.resets = 0
        self.dies = ""
        self.closed = False

    @property
    def statistics(self) -> ControllerStatistics:
        n = len(self.steps)
        return ControllerStatistics(n, 3 * n, 30 * n, 100, 0, 5.0)

    def where_activity_dies(self) -> str:
        return self.dies

    def close(self) -> None:
        self.closed = True

    def reset(self) -> None:
        self.resets += 1

    def step(self, events: Events, joints: Any, t_ns: int) -> ArmCommand:
        self.steps.append((t_ns, len(events)))
        self.joints.append(joints.t_ns)
        self.velocities.append(joints.qd)
        self.sizes.add((events.width, events.height))
        return ArmCommand(t_ns, joints.q, 0.0 * joints.q, "tracking", np.array([0.1, -0.2]))


class Bench:
    """A controller between a camera, an arm and a listener, and a clock that the test sets.

    However long the machine takes for a step, nothing grows old by it and no time passes without
    the sensor; for tests of that, use_sim_time=False.
    """

    def __init__(self, ros: Any, overrides: Any, **values: Any) -> None:
        self.ros = ros
        values = {"use_sim_time": True, "joint_states_timeout_s": 1.0, **ARM, **values}
        options = {"parameter_overrides": overrides(**values)}
        self.node = ros.add(ControllerNode(FakeController, **options))
        self.node.start()
        self.fake = self.node.controller
        self.sent = ros.listen(JointTrajectory, "desired_trajectory", qos.COMMANDS)
        self.joints = ros.publisher(JointState, "joint_states")
        self.packets = ros.publisher(EventPacket, "event_camera/events", qos.reliable(64))
        ros.until(lambda: self.node._outputs.command.get_subscription_count() > 0)
        self.seq = 0
        if values["use_sim_time"]:
            self.at(BEGIN_NS)

    def now(self) -> int:
        return int(self.node.get_clock().now().nanoseconds)

    def at(self, t_ns: int) -> None:
        """It is this time now."""
        self.ros.tell_time(self.node, t_ns)

    def measure(self, stamp_ns: int | None = None, q: Any = HERE, qd: Any = 0 * HERE) -> None:
        before = self.node._joints.newest
        stamp_ns = self.now() if stamp_ns is None else stamp_ns
        self.joints.publish(messages.joint_state_message(stamp_ns, NAMES, q, qd))
        self.ros.until(lambda: self.node._joints.newest is not before)

    def packet(self, stamp_ns: int, count: int = 4) -> Packet:
        t = stamp_ns - np.arange(count, 0, -1)
        x = np.zeros(count, np.uint16)
        events = Events(t, x, x, np.ones(count, np.uint8), 32, 32)
        payload, base = encode_mono(events)
        self.seq += 1
        return Packet("", self.seq, base, stamp_ns, "mono", 32, 32, False, payload)

    def see(self, stamp_ns: int | None = None, **changes: Any) -> int:
        """Send a packet; without a stamp one of now, which is a little later than before."""
        if stamp_ns is None and self.node.get_parameter("use_sim_time").value:
            self.at(self.now() + 2 * MS)
        stamp_ns = self.now() if stamp_ns is None else stamp_ns
        packet = replace(self.packet(stamp_ns), **changes)
        self.packets.publish(messages.packet_message(packet))
        return stamp_ns

    def answer(self) -> Any:
        count = len(self.sent)
        self.ros.until(lambda: len(self.sent) > count)
        return self.sent[-1]

    def values(self) -> dict[str, Any]:
        return self.node.report().values
