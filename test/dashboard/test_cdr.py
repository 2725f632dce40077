# SPDX-License-Identifier: Apache-2.0
"""Fields read from a message's bytes are those that ROS reads."""

from __future__ import annotations

import array

import numpy as np
import pytest
from event_camera_msgs.msg import EventPacket
from hypothesis import given
from hypothesis import strategies as st
from rclpy.serialization import serialize_message
from rosgraph_msgs.msg import Clock
from trajectory_msgs.msg import JointTrajectory

from neuro_control.dashboard.cdr import CdrError, event_packet, header_stamp_ns
from neuro_control.nodes import messages

NAMES = st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=20)


@given(
    NAMES, NAMES, st.integers(0, 2**31 - 1), st.integers(0, 2**63 - 1), st.booleans(),
    st.binary(max_size=40),
)  # fmt: skip
def test_an_event_packet_is_read_as_ros_reads_it(
    frame: str, encoding: str, small: int, large: int, flag: bool, payload: bytes
) -> None:
    message = EventPacket(
        height=small, width=small // 2, seq=large, time_base=large // 3, encoding=encoding,
        is_bigendian=flag,
    )  # fmt: skip
    message.header.frame_id = frame
    message.header.stamp = messages.time_message(large % 10**18)
    message.events = array.array("B", payload)
    wanted = messages.packet(message, "topic")
    read = event_packet(serialize_message(message), "topic")
    assert bytes(read.payload) == payload
    for field in ("seq", "time_base_ns", "stamp_ns", "encoding", "width", "height", "is_bigendian"):
        assert getattr(read, field) == getattr(wanted, field)


@given(st.integers(0, 10**18))
def test_stamps_are_read_from_the_first_bytes(stamp_ns: int) -> None:
    message = messages.trajectory_message(stamp_ns, ["a"], np.zeros(1), None, 1)
    assert isinstance(message, JointTrajectory)
    assert header_stamp_ns(serialize_message(message)) == stamp_ns
    clock = Clock(clock=messages.time_message(stamp_ns))
    assert header_stamp_ns(serialize_message(clock)) == stamp_ns


def test_what_was_cut_off_is_refused() -> None:
    message = EventPacket(encoding="mono")
    message.events = array.array("B", bytes(16))
    data = serialize_message(message)
    for length in range(len(data) - 4):
        with pytest.raises(CdrError):
            event_packet(data[:length], "topic")
