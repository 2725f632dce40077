# SPDX-License-Identifier: Apache-2.0
"""Core types survive the way through ROS messages."""

from __future__ import annotations

import array

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from neuro_control.events import Packet
from neuro_control.nodes import messages

times = st.integers(0, 2**31 * 10**9 - 1)
NAMES = ("a", "b")


def through(message: object) -> object:
    """As it comes out at the other end of a topic."""
    return deserialize_message(serialize_message(message), type(message))


@given(
    seq=st.integers(0, 2**64 - 1),
    base=st.integers(0, 2**63 - 1),
    stamp=times,
    width=st.integers(1, 2**15),
    payload=arrays(np.uint8, st.integers(0, 64)),
)
def test_packets_round_trip(
    seq: int, base: int, stamp: int, width: int, payload: np.ndarray
) -> None:
    sent = Packet("/e", seq, base, stamp, "mono", width, 7, False, payload)
    message = through(messages.packet_message(sent))
    came = messages.packet(message, "/e")
    np.testing.assert_array_equal(came.payload, payload)
    for name in ("topic", "seq", "time_base_ns", "stamp_ns", "encoding", "width", "height"):
        assert getattr(came, name) == getattr(sent, name)


def test_the_payload_is_an_array_of_bytes_and_read_without_a_copy() -> None:
    sent = Packet("/e", 1, 0, 0, "mono", 4, 4, False, np.arange(8, dtype=np.uint8))
    message = messages.packet_message(sent)
    assert isinstance(message.events, array.array)
    came = messages.packet(message, "/e")
    message.events[0] = 99
    assert came.payload[0] == 99


@given(times)
def test_times_round_trip(t_ns: int) -> None:
    assert messages.time_ns(messages.time_message(t_ns)) == t_ns


@given(st.lists(st.floats(allow_nan=False, width=32), min_size=2, max_size=2), times)
def test_joint_states_and_trajectories_round_trip(values: list[float], t_ns: int) -> None:
    q = np.array(values, np.float32)  # of another type than the message's, as callers' may be
    state = through(messages.joint_state_message(t_ns, NAMES, q, -q))
    assert isinstance(state, JointState)
    assert list(state.position) == [float(v) for v in q]
    assert list(state.velocity) == [-float(v) for v in q]
    assert list(state.effort) == []
    command = through(messages.trajectory_message(t_ns, NAMES, q, q, 4_000_000))
    assert isinstance(command, JointTrajectory)
    assert list(command.points[0].positions) == [float(v) for v in q]
    assert messages.duration_ns(command.points[0].time_from_start) == 4_000_000
    assert messages.time_ns(command.header.stamp) == t_ns
