# SPDX-License-Identifier: Apache-2.0
"""Between ROS messages and the core's types.

Every field is cast explicitly: with the checks of the setters off, which is the default, a value
of the wrong type is not refused but stored as other bits.
"""

from __future__ import annotations

import array
import importlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Duration, Time
from event_camera_msgs.msg import EventPacket
from geometry_msgs.msg import PointStamped, Vector3Stamped
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Float64MultiArray, Int16MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from neuro_control.events import Packet

FloatArray = npt.NDArray[np.float64]

_S = 1_000_000_000


def message_class(kind: str) -> Any:
    """The class of a message type such as sensor_msgs/msg/JointState."""
    package, _, name = kind.split("/")
    return getattr(importlib.import_module(f"{package}.msg"), name)


def time_message(t_ns: int) -> Time:
    """The time t_ns (ns, not negative) as a message."""
    sec, nanosec = divmod(int(t_ns), _S)
    return Time(sec=sec, nanosec=nanosec)


def time_ns(message: Time) -> int:
    """A message's time in ns."""
    return int(message.sec) * _S + int(message.nanosec)


def duration_ns(message: Duration) -> int:
    """A message's duration in ns."""
    return int(message.sec) * _S + int(message.nanosec)


def _floats(values: Iterable[float] | FloatArray) -> array.array[float]:
    return array.array("d", np.asarray(values, np.float64).tobytes())


def packet_message(
    packet: Packet, frame_id: str = "hand_camera_optical_frame", stamp_ns: int | None = None
) -> EventPacket:
    """A packet on its way out; stamp_ns replaces the packet's own stamp."""
    message = EventPacket()
    message.header.stamp = time_message(packet.stamp_ns if stamp_ns is None else stamp_ns)
    message.header.frame_id = frame_id
    message.height = int(packet.height)
    message.width = int(packet.width)
    message.seq = int(packet.seq)
    message.time_base = int(packet.time_base_ns)
    message.encoding = str(packet.encoding)
    message.is_bigendian = bool(packet.is_bigendian)
    message.events = array.array("B", packet.payload.tobytes())
    return message


def packet(message: EventPacket, topic: str) -> Packet:
    """A packet that came in. The payload is the message's own memory, not a copy."""
    return Packet(
        topic=topic,
        seq=int(message.seq),
        time_base_ns=int(message.time_base),
        stamp_ns=time_ns(message.header.stamp),
        encoding=str(message.encoding),
        width=int(message.width),
        height=int(message.height),
        is_bigendian=bool(message.is_bigendian),
        payload=np.frombuffer(message.events, np.uint8),
    )


def joint_state_message(
    stamp_ns: int,
    names: Sequence[str],
    q: FloatArray,
    qd: FloatArray | None = None,
    effort: FloatArray | None = None,
) -> JointState:
    """Joint positions (rad), velocities (rad/s) and efforts (N m) at a time."""
    message = JointState()
    message.header.stamp = time_message(stamp_ns)
    message.name = [str(name) for name in names]
    message.position = _floats(q)
    if qd is not None:
        message.velocity = _floats(qd)
    if effort is not None:
        message.effort = _floats(effort)
    return message


def trajectory_message(
    stamp_ns: int,
    names: Sequence[str],
    q: FloatArray,
    qd: FloatArray | None,
    time_from_start_ns: int,
) -> JointTrajectory:
    """A trajectory of one point: positions (rad) and, if given, velocities (rad/s) after a time."""
    message = JointTrajectory()
    message.header.stamp = time_message(stamp_ns)
    message.joint_names = [str(name) for name in names]
    point = JointTrajectoryPoint()
    point.positions = _floats(q)
    if qd is not None:
        point.velocities = _floats(qd)
    sec, nanosec = divmod(int(time_from_start_ns), _S)
    point.time_from_start = Duration(sec=sec, nanosec=nanosec)
    message.points = [point]
    return message


def array_message(values: FloatArray) -> Float64MultiArray:
    """Values for a controller that forwards them (position or velocity commands)."""
    message = Float64MultiArray()
    message.data = _floats(values)
    return message


def taxels_message(stamp_ns: int, frame_id: str, taxels: npt.NDArray[np.float32]) -> Image:
    """Values of taxels, float32[rows, columns], as a picture of encoding 32FC1."""
    message = Image()
    message.header.stamp = time_message(stamp_ns)
    message.header.frame_id = frame_id
    message.height, message.width = (int(n) for n in taxels.shape)
    message.encoding = "32FC1"
    message.step = 4 * message.width
    message.data = array.array("B", np.ascontiguousarray(taxels, "<f4").tobytes())
    return message


def sound_message(samples: npt.NDArray[np.int16]) -> Int16MultiArray:
    """Samples of sound, int16[n, ears], interleaved."""
    message = Int16MultiArray()
    message.data = array.array("h", np.ascontiguousarray(samples, np.int16).tobytes())
    return message


def clock_message(t_ns: int) -> Clock:
    """The simulation's time."""
    return Clock(clock=time_message(t_ns))


def point_message(stamp_ns: int, frame_id: str, point: FloatArray) -> PointStamped:
    """A point (m) in a frame."""
    message = PointStamped()
    message.header.stamp = time_message(stamp_ns)
    message.header.frame_id = frame_id
    message.point.x, message.point.y, message.point.z = (float(v) for v in point)
    return message


def direction_message(
    stamp_ns: int, frame_id: str, direction: Sequence[float] | FloatArray
) -> Vector3Stamped:
    """The direction (x/z, y/z) in a camera's optical frame as a vector with z = 1."""
    message = Vector3Stamped()
    message.header.stamp = time_message(stamp_ns)
    message.header.frame_id = frame_id
    message.vector.x = float(direction[0])
    message.vector.y = float(direction[1])
    message.vector.z = 1.0
    return message
