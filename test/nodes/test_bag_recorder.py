# SPDX-License-Identifier: Apache-2.0
"""A recording can be read again, by the same means as any other, however the run ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import Reader

from neuro_control.events import read_packets
from neuro_control.nodes import bag_recorder
from neuro_control.nodes.bag_recorder import EVENT_PACKET, RECORDED_TOPICS, recording


def packet_bytes(seq: int, t_ns: int) -> bytes:
    store: Any = bag_recorder._typestore()
    kinds = store.types
    stamp = kinds["builtin_interfaces/msg/Time"](sec=0, nanosec=t_ns)
    message = kinds[EVENT_PACKET](
        header=kinds["std_msgs/msg/Header"](stamp=stamp, frame_id="camera"),
        height=128,
        width=128,
        seq=seq,
        time_base=t_ns,
        encoding="mono",
        is_bigendian=False,
        events=np.arange(16, dtype=np.uint8),
    )
    return bytes(store.serialize_cdr(message, EVENT_PACKET))


@pytest.mark.parametrize("name", ["out.mcap", "out"])
def test_what_is_recorded_is_read_again(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with recording(path) as recorder:
        for k in range(5):
            recorder.write("/event_camera/events", k * 1000, packet_bytes(k, k * 1000))
    assert path.is_file() == (name == "out.mcap")
    assert [p.name for p in tmp_path.iterdir()] == [name]
    packets = list(read_packets(path))
    assert [p.seq for p in packets] == [0, 1, 2, 3, 4]
    assert packets[3].stamp_ns == 3000
    assert len(packets[3].payload) == 16


def test_a_recording_replaces_an_older_file(tmp_path: Path) -> None:
    path = tmp_path / "out.mcap"
    for count in (3, 1):
        with recording(path) as recorder:
            for k in range(count):
                recorder.write("/event_camera/events", k, packet_bytes(k, k))
    assert len(list(read_packets(path))) == 1


def test_a_run_that_breaks_off_still_leaves_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "out.mcap"

    def break_off() -> None:
        with recording(path) as recorder:
            recorder.write("/event_camera/events", 1, packet_bytes(0, 1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert len(list(read_packets(path))) == 1


def test_every_topic_is_in_it_with_its_type(tmp_path: Path) -> None:
    path = tmp_path / "out.mcap"
    with recording(path) as recorder:
        recorder.write("/event_camera/events", 1, packet_bytes(0, 1))
    with Reader(path) as reader:
        assert {(c.topic, c.msgtype) for c in reader.connections} == {
            (topic, kind) for topic, kind, _ in RECORDED_TOPICS
        }
