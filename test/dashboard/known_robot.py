# SPDX-License-Identifier: Apache-2.0
"""Messages whose picture on the page is known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from event_camera_msgs.msg import EventPacket
from geometry_msgs.msg import PointStamped
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Float64MultiArray, MultiArrayDimension, String
from trajectory_msgs.msg import JointTrajectory

from neuro_control.events import Events, Packet, encode_mono
from neuro_control.nodes import messages, qos
from test.dashboard.conftest import Processes, Robot

ARM = (
    "shoulder_pan_joint",
    "shoulder_lift_joint",
    "elbow_joint",
    "wrist_1_joint",
    "wrist_2_joint",
    "wrist_3_joint",
)
STEP_NS = 20_000_000
SIZE = 16
ON_AT, OFF_AT = (3, 2), (12, 9)  # column, row
ROWS = (("events", "input", 2 * SIZE * SIZE), ("retina", "hidden", 16), ("field", "output", 8))
# Of 500 ticks of 1 ms: name, role, spikes, operations into it, microseconds a tick.
COSTS = (
    ("retina", "hidden", 1000, 3000, 2.5),
    ("field", "output", 0, 16000, 0.75),
    ("events", "input", 500, None, None),
)
MISSES = {
    "node": "field",
    "cause": "weights miss the threshold",
    "text": "too little reaches field",
    "remedy": "larger weights",
    "figures": {"weight_factor": 3.287057, "threshold_factor": 0.304742},
}
FIRES = 5  # the neuron of the second row that fires in every step
DELAY_NS = 2_000_000


def packet_of(topic: str, seq: int, stamp_ns: int, events: Events) -> Any:
    payload, base_ns = encode_mono(events)
    packet = Packet(
        topic, seq, base_ns, stamp_ns, "mono", events.width, events.height, False, payload
    )
    return messages.packet_message(packet)


def events_at(t_ns: int, places: list[tuple[int, int, int]], width: int, height: int) -> Events:
    """Events at one time: column, row, polarity."""
    columns, rows, polarities = (np.array(v) for v in zip(*places, strict=True))
    n = len(places)
    return Events(
        np.full(n, t_ns, np.int64),
        columns.astype(np.uint16),
        rows.astype(np.uint16),
        polarities.astype(np.uint8),
        width,
        height,
    )


class KnownRobot:
    """Publishes every sense, the joints, the commands and the network; `publish` is one step.

    angle: of the first joint, and its command is 0.1 rad more. silent: topics that say nothing.
    words: what nodes say of themselves, as values by name of the node; nothing at first.
    """

    PERIOD = 10
    """Steps between two words of a node."""

    def __init__(self, node: Any) -> None:
        self.angle = 0.5
        self.silent: set[str] = set()
        self.words: dict[str, dict[str, Any]] = {}
        self.seq = 0
        self._space = str(node.get_namespace()).strip("/")
        self._publishers = {
            topic: node.create_publisher(kind, topic, profile)
            for topic, kind, profile in (
                ("event_camera/events", EventPacket, qos.best_effort(64)),
                ("skin/events", EventPacket, qos.best_effort(64)),
                ("taxels", Image, 10),
                ("cochlea/events", EventPacket, qos.best_effort(64)),
                ("joint_states", JointState, 10),
                ("desired_trajectory", JointTrajectory, qos.COMMANDS),
                ("arm_controller/joint_trajectory", JointTrajectory, qos.COMMANDS),
                ("simulation/target", PointStamped, 10),
                ("network/description", String, qos.LATCHED),
                ("network/spikes", EventPacket, qos.best_effort(16)),
                ("network/membranes", Float64MultiArray, qos.best_effort(16)),
                ("network/profile", String, qos.best_effort(4)),
                ("/diagnostics", DiagnosticArray, 10),
                ("replay/status", String, qos.LATCHED),
            )
        }
        rows = [
            {
                "row": i,
                "name": name,
                "role": role,
                "shape": [size],
                "size": size,
                "shown": size,
                "stride": 1,
                "threshold": None if role == "input" else [64, 64],
                "seen": True,
            }
            for i, (name, role, size) in enumerate(ROWS)
        ]
        description = {"format": 1, "rows": rows, "voltage_unit": "units", "dt_s": 0.001}
        self._say("network/description", String(data=json.dumps(description)))

    def _say(self, topic: str, message: Any) -> None:
        if topic not in self.silent:
            self._publishers[topic].publish(message)

    def say_replay(self, **status: Any) -> None:
        """Say once what a replay would say of itself."""
        self._say("replay/status", String(data=json.dumps(status)))

    def publish(self) -> None:
        """One step of everything."""
        self.seq += 1
        stamp_ns = self.seq * STEP_NS
        begin_ns = stamp_ns - 1_000_000
        eye = events_at(begin_ns, [(*ON_AT, 1), (*OFF_AT, 0)], SIZE, SIZE)
        self._say("event_camera/events", packet_of("", self.seq, stamp_ns, eye))
        skin = events_at(begin_ns, [(1, 2, 1)], 4, 12)
        self._say("skin/events", packet_of("", self.seq, stamp_ns, skin))
        self._say("taxels", self._taxels(stamp_ns))
        ears = events_at(begin_ns, [(4, 0, 1), (20, 1, 1)], 32, 2)
        self._say("cochlea/events", packet_of("", self.seq, stamp_ns, ears))
        q = np.zeros(6)
        q[0] = self.angle
        self._say("joint_states", messages.joint_state_message(stamp_ns, ARM, q, 0 * q))
        q[0] += 0.1
        for topic in ("desired_trajectory", "arm_controller/joint_trajectory"):
            self._say(topic, messages.trajectory_message(stamp_ns, ARM, q, None, 4_000_000))
        self._say(
            "simulation/target",
            messages.point_message(stamp_ns, "hand_camera_optical_frame", np.array([0.0, 0, 0.5])),
        )
        spikes = events_at(begin_ns, [(FIRES, 1, 1)], 2 * SIZE * SIZE, len(ROWS))
        self._say("network/spikes", packet_of("", self.seq, stamp_ns, spikes))
        self._say("network/membranes", self._membranes(stamp_ns))
        self._say("network/profile", String(data=json.dumps(self._profile())))
        if self.words and self.seq % self.PERIOD == 0:
            self._say("/diagnostics", self._diagnostics(stamp_ns))

    def _diagnostics(self, stamp_ns: int) -> DiagnosticArray:
        message = DiagnosticArray()
        message.header.stamp = messages.time_message(stamp_ns)
        message.status = [
            DiagnosticStatus(
                hardware_id=f"{self._space}/{name}".lstrip("/"),
                message="ok",
                values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
            )
            for name, values in dict(self.words).items()
        ]
        return message

    def _profile(self) -> dict[str, Any]:
        nodes = [
            {"name": name, "role": role, "neurons": 16, "spikes": spikes, "rate_hz": 1.0,
             "operations": operations, "us": us, "into": []}
            for name, role, spikes, operations, us in COSTS
        ]  # fmt: skip
        times = {"ticks": 400, "whole_us": 4.0, "overhead_us": 0.5, "coverage": 0.9, "age_s": 3.0,
                 "processor_s": 0.25}  # fmt: skip
        return {
            "format": 1,
            "ticks": 500,
            "dt_s": 0.001,
            "nodes": nodes,
            "times": times,
            "times_missing": "",
            "silence": {"ticks": 400, "findings": [MISSES]},
        }

    def _taxels(self, stamp_ns: int) -> Image:
        values = np.zeros((4, 4), np.float32)
        values[2, 1] = 3.0
        message = Image(height=4, width=4, encoding="32FC1", step=16)
        message.header.stamp = messages.time_message(stamp_ns)
        message.data = values.tobytes()
        return message

    def _membranes(self, stamp_ns: int) -> Float64MultiArray:
        columns = ["time_s", "retina:5", "retina:5 threshold", "retina:5 current"]
        times = stamp_ns * 1e-9 + 1e-3 * (np.arange(20) - 20)
        values = [np.linspace(0, 60, 20), np.full(20, 64.0), np.full(20, 12.0)]
        block = np.stack([times, *values], axis=1)
        message = messages.array_message(block.ravel())
        message.layout.dim = [
            MultiArrayDimension(label="tick", size=20, stride=80),
            MultiArrayDimension(label=",".join(columns), size=4, stride=4),
        ]
        return message


@contextmanager
def robot_and_page(namespace: str, folder: Path, scene: bool) -> Iterator[tuple[KnownRobot, str]]:
    """A known robot that publishes, in a namespace of its own, and the address of its page."""
    robot = Robot(namespace)
    known = KnownRobot(robot.node)
    robot.repeat(known.publish)
    processes = Processes(folder)
    try:
        yield known, processes.dashboard(namespace, scene=scene)
    finally:
        processes.end()
        robot.close()
