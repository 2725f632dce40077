# SPDX-License-Identifier: Apache-2.0
"""What `benchmarks.storm` sends: `python -m benchmarks.storm_source SECONDS MILLION`.

Stands for a camera and an arm in a process of its own: joint states, and event packets of a quiet
scene, a storm, and a quiet scene. Prints a line of JSON for each phase when it is over: its name,
begin and end (s, monotonic), and events sent.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import rclpy
from event_camera_msgs.msg import EventPacket
from rclpy.node import Node
from sensor_msgs.msg import JointState

from neuro_control.events import Events, Packet, encode_mono
from neuro_control.nodes import messages, qos
from neuro_control.robots import ArmModel, arm_urdf

WIDTH, HEIGHT = 128, 128
CALM_PERIOD_NS, CALM_EVENTS, CALM_S = 2_000_000, 200, 5.0
STORM_PERIOD_NS = 1_000_000
JOINTS_PERIOD_NS = 5_000_000


def payloads(events: int, period_ns: int, n: int = 16) -> list[np.ndarray]:
    """Payloads (uint8) of so many random events each, with time from 0."""
    rng = np.random.default_rng(0)
    return [
        encode_mono(
            Events(
                np.sort(rng.integers(0, period_ns // 1000, events)) * 1000,
                rng.integers(0, WIDTH, events).astype(np.uint16),
                rng.integers(0, HEIGHT, events).astype(np.uint16),
                rng.integers(0, 2, events).astype(np.uint8),
                WIDTH,
                HEIGHT,
            )
        )[0]
        for _ in range(n)
    ]


class Source(Node):
    """See the module."""

    def __init__(self) -> None:
        super().__init__("storm_source")
        self._packets = self.create_publisher(
            EventPacket, "event_camera/events", qos.best_effort(64)
        )
        self._joints = self.create_publisher(JointState, "joint_states", 10)
        self._arm = ArmModel.from_urdf(arm_urdf())
        self._seq = 0
        self._joints_due_ns = 0

    def ready(self) -> bool:
        """Whether a controller listens."""
        counts = (self._packets.get_subscription_count(), self._joints.get_subscription_count())
        return min(counts) > 0

    def send(self, seconds: float, ready: list[np.ndarray], period_ns: int) -> int:
        """Send packets of this period for so long, on time or late; returns how many."""
        begin_ns, sensor_ns = time.monotonic_ns(), time.time_ns()
        sent = 0
        while (now_ns := time.monotonic_ns()) - begin_ns < seconds * 1e9:
            if now_ns >= self._joints_due_ns:
                self._joints_due_ns = now_ns + JOINTS_PERIOD_NS
                home, names = self._arm.home, self._arm.joint_names
                state = messages.joint_state_message(time.time_ns(), names, home, 0 * home)
                self._joints.publish(state)
            if now_ns - begin_ns < sent * period_ns:
                time.sleep(2e-4)
                continue
            stamp_ns = time.time_ns()
            payload = ready[sent % len(ready)]
            size = (WIDTH, HEIGHT)
            # The sensor's own time: a packet that is sent late holds what happened when it was due.
            base_ns = sensor_ns + (sent - 1) * period_ns
            packet = Packet("", self._seq, base_ns, stamp_ns, "mono", *size, False, payload)
            self._packets.publish(messages.packet_message(packet))
            self._seq += 1
            sent += 1
        return sent


def main() -> None:
    """Send the phases."""
    seconds, million = map(float, sys.argv[1:])
    each = round(million * 1e6 * STORM_PERIOD_NS * 1e-9)
    calm, storm = payloads(CALM_EVENTS, CALM_PERIOD_NS), payloads(each, STORM_PERIOD_NS)
    rclpy.init()
    source = Source()
    while not source.ready():
        time.sleep(0.05)
    for phase, length_s, ready, period_ns in (
        ("warm-up", 3.0, calm, CALM_PERIOD_NS),
        ("before", CALM_S, calm, CALM_PERIOD_NS),
        ("storm", seconds, storm, STORM_PERIOD_NS),
        ("after", CALM_S, calm, CALM_PERIOD_NS),
    ):
        begin_s = time.monotonic()
        sent = source.send(length_s, ready, period_ns)
        events = sent * (each if phase == "storm" else CALM_EVENTS)
        print(json.dumps([phase, begin_s, time.monotonic(), events]), flush=True)
    source.destroy_node()
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
