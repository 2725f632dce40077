# SPDX-License-Identifier: Apache-2.0
"""Which topics of a recording are played, and under which names.

What sensors sent is played as if they sent it again. What the nodes did is played beside, below
`recorded/`, so that it can be compared with what they do now.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rclpy.qos import QoSProfile

from neuro_control.events import FileError
from neuro_control.nodes import qos

EVENTS_TOPIC = "event_camera/events"
RECORDED = "recorded/"
_PACKET = "event_camera_msgs/msg/EventPacket"
_TRAJECTORY = "trajectory_msgs/msg/JointTrajectory"
_ARRAY = "std_msgs/msg/Float64MultiArray"


@dataclass(frozen=True)
class PlayedTopic:
    """A topic of the nodes: its type, whether it is what a node did, and how it is sent."""

    type: str
    done: bool
    sent: qos.Sent
    stamped: bool = True

    @property
    def profile(self) -> QoSProfile:
        """Quality of service."""
        return qos.of(self.sent, 64 if self.sent == "data" else 10)


TOPICS: Mapping[str, PlayedTopic] = MappingProxyType(
    {
        "joint_states": PlayedTopic("sensor_msgs/msg/JointState", False, "state"),
        "imu": PlayedTopic("sensor_msgs/msg/Imu", False, "data"),
        "taxels": PlayedTopic("sensor_msgs/msg/Image", False, "data"),
        "audio": PlayedTopic("std_msgs/msg/Int16MultiArray", False, "data", False),
        "skin/events": PlayedTopic(_PACKET, False, "data"),
        "cochlea/events": PlayedTopic(_PACKET, False, "data"),
        "simulation/target": PlayedTopic("geometry_msgs/msg/PointStamped", False, "state"),
        "desired_trajectory": PlayedTopic(_TRAJECTORY, True, "state"),
        "target_direction": PlayedTopic("geometry_msgs/msg/Vector3Stamped", True, "data"),
        "arm_controller/joint_trajectory": PlayedTopic(_TRAJECTORY, True, "state"),
        "arm_position_controller/commands": PlayedTopic(_ARRAY, True, "state", False),
        "arm_velocity_controller/commands": PlayedTopic(_ARRAY, True, "state", False),
        "network/spikes": PlayedTopic(_PACKET, True, "data"),
        "network/membranes": PlayedTopic(_ARRAY, True, "data", False),
        "network/profile": PlayedTopic("std_msgs/msg/String", True, "data", False),
        "network/description": PlayedTopic("std_msgs/msg/String", True, "latched", False),
        "diagnostics": PlayedTopic("diagnostic_msgs/msg/DiagnosticArray", True, "state"),
    }
)


GLOBAL = ("/diagnostics", "/clock")
"""Topics that are the same for every robot, whatever its namespace."""


def namespace_of(events: str) -> str:
    """The namespace of a robot by the recorded topic of its camera: "/robot/", "/" for none.

    A camera whose topic was called otherwise is taken for that of a robot without one.
    """
    namespace = _absolute(events).removesuffix(EVENTS_TOPIC)
    return namespace if namespace.endswith("/") else "/"


def name_of(recorded: str, namespace: str) -> str | None:
    """A recorded topic's name in a robot's namespace; None where it is not in there.

    namespace: begins and ends with a slash. Topics below another robot's are none of this one's.
    """
    recorded = _absolute(recorded)
    if recorded in GLOBAL:
        return recorded.removeprefix("/")
    return recorded.removeprefix(namespace) if recorded.startswith(namespace) else None


def stamp_ns(data: bytes) -> int:
    """The stamp of a message in CDR that begins with a header or a time.

    Raises FileError where it is too short to have one.
    """
    if len(data) < 12:
        raise FileError(f"a message of {len(data)} bytes is too short to have a stamp")
    order = "<" if data[1] & 1 else ">"
    sec, nanosec = struct.unpack_from(f"{order}iI", data, 4)
    return int(sec) * 1_000_000_000 + int(nanosec)


def _absolute(topic: str) -> str:
    return "/" + topic.removeprefix("/")
