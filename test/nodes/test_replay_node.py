# SPDX-License-Identifier: Apache-2.0
"""The replay node plays recordings as a camera would send them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from event_camera_msgs.msg import EventPacket
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState

from neuro_control.events import Events, FileError, Packet, encode_mono, write, write_packets
from neuro_control.nodes import messages, qos
from neuro_control.nodes.diagnostics import documented
from neuro_control.nodes.parameters import ParameterError
from neuro_control.nodes.replay import ReplayNode

MS = 1_000_000


def recording(folder: Path, count: int = 5) -> Path:
    """Packets 4 ms apart, from a second after the beginning of time."""
    packets = []
    for k in range(count):
        stamp = 1_000 * MS + 4 * MS * k
        x = np.array([k], np.uint16)
        events = Events(np.array([stamp]), x, x, np.ones(1, np.uint8), 16, 16)
        payload, base = encode_mono(events)
        packets.append(
            Packet("/event_camera/events", k, base, stamp, "mono", 16, 16, False, payload)
        )
    path = folder / "bag"
    write_packets(path, packets)
    return path


def play(ros: Any, overrides: Any, path: Path, **values: Any) -> ReplayNode:
    node = ros.add(ReplayNode(parameter_overrides=overrides(path=str(path), **values)))
    ros.until(lambda: ros.probe.count_publishers("/event_camera/events") > 0)
    return node


def test_packets_come_in_order_stamped_by_the_nodes_clock(
    ros: Any, overrides: Any, tmp_path: Path
) -> None:
    node = play(ros, overrides, recording(tmp_path))
    heard = []
    ros.probe.create_subscription(
        EventPacket, "event_camera/events", heard.append, qos.best_effort(10)
    )
    now = node.get_clock().now().nanoseconds
    node.play(ros.executor)
    ros.until(lambda: len(heard) == 5)
    assert [p.seq for p in heard] == [0, 1, 2, 3, 4]
    stamps = [messages.time_ns(p.header.stamp) for p in heard]
    assert list(np.diff(stamps)) == [4 * MS] * 4
    assert stamps[0] >= now


def test_with_the_clock_the_recordings_stamps_are_kept(
    ros: Any, overrides: Any, tmp_path: Path
) -> None:
    node = play(ros, overrides, recording(tmp_path), publish_clock=True)
    clock = ros.listen(Clock, "/clock")
    heard = ros.listen(EventPacket, "/event_camera/events", qos.best_effort(10))
    node.play(ros.executor)
    ros.until(lambda: len(heard) == 5 and len(clock) == 4)
    assert messages.time_ns(heard[-1].header.stamp) == 1_016 * MS
    assert messages.time_ns(clock[-1].clock) == 1_016 * MS


def test_an_arm_at_rest_can_be_played_beside(ros: Any, overrides: Any, tmp_path: Path) -> None:
    node = play(ros, overrides, recording(tmp_path), joint_states=True)
    joints = ros.listen(JointState, "/joint_states")
    ros.listen(EventPacket, "/event_camera/events", qos.best_effort(10))
    node.play(ros.executor)
    ros.until(lambda: len(joints) >= 4)
    assert len(joints[0].name) == 6
    assert list(joints[0].velocity) == [0.0] * 6


def test_a_recording_that_cannot_be_read_is_an_error(
    ros: Any, overrides: Any, tmp_path: Path
) -> None:
    node = play(ros, overrides, tmp_path / "nowhere", wait_s=0.0)
    with pytest.raises(FileError, match="nowhere"):
        node.play(ros.executor)


def test_any_file_of_events_is_played_in_packets_of_four_milliseconds(
    ros: Any, overrides: Any, tmp_path: Path
) -> None:
    t_ns = np.array([1, 2, 5, 11]) * MS
    x = np.arange(4).astype(np.uint16)
    write(tmp_path / "in.npz", [Events(t_ns, x, x, np.ones(4, np.uint8), 16, 16)], (16, 16))
    node = play(ros, overrides, tmp_path / "in.npz")
    heard: list[Any] = []
    ros.probe.create_subscription(
        EventPacket, "event_camera/events", heard.append, qos.best_effort(10)
    )
    node.play(ros.executor)
    ros.until(lambda: len(heard) == 3)
    assert [len(packet.events) // 8 for packet in heard] == [2, 1, 1]
    assert (heard[0].width, heard[0].encoding) == (16, "mono")


def test_a_path_must_be_given(ros: Any, overrides: Any) -> None:
    with pytest.raises(ParameterError, match="path: must be set"):
        ReplayNode(parameter_overrides=overrides())


def test_its_keys_are_documented(ros: Any, overrides: Any, tmp_path: Path) -> None:
    node = play(ros, overrides, recording(tmp_path))
    assert [key for key in node.report().values if not documented(key)] == []
