# SPDX-License-Identifier: Apache-2.0
"""What is played of a recording, in which order, and from any place on."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from neuro_control.events import Events, FileError, encode_mono, write
from neuro_control.events.bag import EVENT_FIELDS, EVENT_PACKET
from neuro_control.nodes.recorded_topics import TOPICS, name_of, namespace_of, stamp_ns
from neuro_control.nodes.replay_source import Played, open_source

MS = 1_000_000
START = 1_700_000_000_000_000_000
STORE = get_typestore(Stores.ROS2_JAZZY)
STORE.register(get_types_from_msg(EVENT_FIELDS, EVENT_PACKET))
KINDS: Any = STORE.types


def header(t_ns: int) -> Any:
    stamp = KINDS["builtin_interfaces/msg/Time"](sec=t_ns // 10**9, nanosec=t_ns % 10**9)
    return KINDS["std_msgs/msg/Header"](stamp=stamp, frame_id="")


def packet(t_ns: int, seq: int) -> Any:
    x = np.array([seq % 16], np.uint16)
    payload, base = encode_mono(Events(np.array([t_ns]), x, x, np.ones(1, np.uint8), 16, 16))
    return KINDS[EVENT_PACKET](
        header=header(t_ns), height=16, width=16, seq=seq, time_base=base, encoding="mono",
        is_bigendian=False, events=payload,
    )  # fmt: skip


def joints(t_ns: int) -> Any:
    kind = KINDS["sensor_msgs/msg/JointState"]
    empty = np.zeros(0)
    return kind(header=header(t_ns), name=[], position=empty, velocity=empty, effort=empty)


def string(text: str) -> Any:
    return KINDS["std_msgs/msg/String"](data=text)


def record(path: Path, messages: list[tuple[str, int, Any]]) -> Path:
    """(topic, log time, message) each; a message of a topic that is known may be plain bytes."""
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        made: dict[str, Any] = {}
        for topic, log_ns, message in messages:
            if isinstance(message, bytes):
                writer.write(made[topic], log_ns, message)
                continue
            kind = message.__msgtype__
            if topic not in made:
                made[topic] = writer.add_connection(topic, kind, typestore=STORE)
            writer.write(made[topic], log_ns, bytes(STORE.serialize_cdr(message, kind)))
    return path


def a_run(path: Path, seconds: float = 6.0, namespace: str = "") -> Path:
    """Packets and joints each 20 ms, commands a moment after, recorded 3 ms late."""
    messages: list[tuple[str, int, Any]] = [
        (f"{namespace}/network/description", START, string('{"format": 1}')),
        (f"{namespace}/strange", START, string("?")),
        (f"{namespace}/target_direction", START, string("of another type")),
        ("/clock", START, KINDS["rosgraph_msgs/msg/Clock"](clock=header(START).stamp)),
    ]
    for n in range(round(seconds / 0.02)):
        t = START + 20 * MS * n
        messages.append((f"{namespace}/joint_states", t + 3 * MS, joints(t)))
        messages.append((f"{namespace}/event_camera/events", t + 3 * MS, packet(t, n)))
        messages.append((f"{namespace}/network/spikes", t + 4 * MS, packet(t, n)))
    return record(path, messages)


def whole(path: Path) -> Any:
    return open_source(str(path), "", "", None, True)


def places(played: list[Played]) -> list[float]:
    return [one.place_ns / MS for one in played]


@pytest.mark.parametrize("namespace", ["", "/robot_1"])
def test_sensors_and_what_nodes_did_are_told_apart(tmp_path: Path, namespace: str) -> None:
    source = whole(a_run(tmp_path / "bag", 0.2, namespace))
    assert {name: topic.done for name, topic in source.topics.items()} == {
        "joint_states": False, "network/spikes": True, "network/description": True,
    }  # fmt: skip
    assert source.left_out == {
        f"{namespace}/strange": "not known",
        f"{namespace}/target_direction": "has std_msgs/msg/String, not "
        "geometry_msgs/msg/Vector3Stamped",
    }
    assert source.start_ns == START


def test_everything_is_played_once_in_order(tmp_path: Path) -> None:
    source = whole(a_run(tmp_path / "bag", 1.0))
    played = list(source.play(0))
    assert places(played) == sorted(places(played))
    packets = [one.packet.seq for one in played if one.packet is not None]
    assert packets == list(range(50))
    states = [one for one in played if one.topic == "joint_states"]
    assert [stamp_ns(one.data) for one in states] == [START + 20 * MS * n for n in range(50)]
    assert [one.place_ns for one in states] == [20 * MS * n for n in range(50)]
    assert played[0].topic == "network/description"
    assert source.duration_ns == pytest.approx(0.98e9, abs=10 * MS)


@pytest.mark.parametrize("from_s", [0.5, 2.0, 4.99])
def test_from_a_place_on_it_is_the_rest(tmp_path: Path, from_s: float) -> None:
    source = whole(a_run(tmp_path / "bag"))
    from_ns = round(from_s * 1e9)
    rest = [one for one in source.play(0) if one.place_ns >= from_ns]
    found = list(source.play(from_ns))
    assert [(one.place_ns, one.topic, one.data) for one in found] == [
        (one.place_ns, one.topic, one.data) for one in rest
    ]
    assert len(found) > 100


def test_no_place_is_beyond_the_length(tmp_path: Path) -> None:
    messages = [
        ("/event_camera/events", START + 19 * MS * n, packet(START + 20 * MS * n, n))
        for n in range(50)
    ]
    source = whole(record(tmp_path / "bag", messages))
    last = list(source.play(0))[-1].place_ns
    assert last == 980 * MS
    assert source.duration_ns == last


def test_without_the_whole_only_events_are_played(tmp_path: Path) -> None:
    source = open_source(str(a_run(tmp_path / "bag", 0.2)), "", "", None, False)
    assert source.topics == {}
    assert all(one.packet is not None for one in source.play(0))


def test_a_clock_that_was_set_is_no_pause(tmp_path: Path) -> None:
    stamps = [0, 4, 8, 3_600_000, 3_600_004, 12, 16]
    messages = [
        ("/event_camera/events", START + 4 * MS * n, packet(START + t * MS, n))
        for n, t in enumerate(stamps)
    ]
    source = whole(record(tmp_path / "bag", messages))
    assert places(list(source.play(0))) == [0, 4, 8, 8, 12, 12, 16]


def test_after_a_jump_the_recordings_own_time_says_where_a_place_is(tmp_path: Path) -> None:
    messages = []
    for n in range(300):
        set_ns = 3_600 * 10**9 if n > 100 else 0
        place_ns = START + 20 * MS * n
        messages.append(("/event_camera/events", place_ns, packet(place_ns + set_ns, n)))
    source = whole(record(tmp_path / "bag", messages))
    found = [one.packet.seq for one in source.play(5 * 10**9) if one.packet is not None]
    assert found == list(range(250, 300))


def test_a_file_of_events_is_played_in_packets_and_knows_its_length_at_the_end(
    tmp_path: Path,
) -> None:
    t_ns = np.arange(100) * 10 * MS + 5
    x = (np.arange(100) % 16).astype(np.uint16)
    write(tmp_path / "in.npz", [Events(t_ns, x, x, np.ones(100, np.uint8), 16, 16)], (16, 16))
    source = whole(tmp_path / "in.npz")
    assert source.duration_ns is None
    rest = list(source.play(500 * MS))
    assert len(rest) == 50
    assert source.duration_ns == pytest.approx(990 * MS, abs=4 * MS)


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="nowhere"):
        whole(tmp_path / "nowhere")


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_stamp_is_read_in_either_byte_order(order: str) -> None:
    data = bytes([0, order == "<", 0, 0]) + struct.pack(f"{order}iI", 12, 345)
    assert stamp_ns(data) == 12_000_000_345


def test_every_topic_of_the_demos_recordings_is_known() -> None:
    from neuro_control.nodes.bag_recorder import RECORDED_TOPICS

    for topic, kind, *_ in RECORDED_TOPICS:
        name = topic.removeprefix("/")
        if name not in ("clock", "event_camera/events"):
            assert TOPICS[name].type == kind


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\1\0\0", bytes(11)])
def test_what_is_too_short_for_a_stamp_is_refused(data: bytes) -> None:
    with pytest.raises(FileError, match=f"{len(data)} bytes"):
        stamp_ns(data)


@pytest.mark.parametrize(
    ("events", "namespace"),
    [
        ("/event_camera/events", "/"),
        ("event_camera/events", "/"),
        ("/robot1/event_camera/events", "/robot1/"),
        ("/a/b/event_camera/events", "/a/b/"),
        ("/dvs/events", "/"),
        ("/my_event_camera/events", "/"),
    ],
)
def test_a_robots_namespace_is_what_its_camera_is_in(events: str, namespace: str) -> None:
    assert namespace_of(events) == namespace


@given(st.sampled_from(["/", "/robot1/", "/a/b/"]), st.sampled_from(sorted(TOPICS)))
def test_a_topic_has_a_name_in_its_own_namespace_only(namespace: str, name: str) -> None:
    assert name_of(namespace + name, namespace) == name
    for other in ("/robot2/", "/robot/", "/robot10/", "/c/"):
        assert name_of(other + name, namespace) in (None, (other + name).removeprefix("/"))
        assert name_of(other + name, namespace) not in TOPICS
    expected = name if namespace == "/" or name == "diagnostics" else None
    assert name_of("/" + name, namespace) == expected


def test_another_robots_topics_are_not_played_among_a_robots(tmp_path: Path) -> None:
    """Two robots in one recording: the joints of the one alone are played, under the real name."""
    messages: list[tuple[str, int, Any]] = []
    for n in range(20):
        t = START + 20 * MS * n
        messages += [
            ("/robot1/event_camera/events", t, packet(t, n)),
            ("/robot1/joint_states", t + MS, joints(t)),
            ("/joint_states", t + 2 * MS, joints(t + MS)),
            ("/robot2/joint_states", t + 2 * MS, joints(t + 2 * MS)),
        ]
    source = whole(record(tmp_path / "bag", messages))
    assert list(source.topics) == ["joint_states"]
    assert source.left_out == {
        "/joint_states": "not in /robot1/, where the events are",
        "/robot2/joint_states": "not in /robot1/, where the events are",
    }
    stamps = [stamp_ns(one.data) for one in source.play(0) if one.topic == "joint_states"]
    assert stamps == [START + 20 * MS * n for n in range(20)]


def test_two_topics_for_one_name_are_both_left_out(tmp_path: Path) -> None:
    kind = KINDS["diagnostic_msgs/msg/DiagnosticArray"]
    source = whole(
        record(
            tmp_path / "bag",
            [
                ("/robot1/event_camera/events", START, packet(START, 0)),
                ("/diagnostics", START, kind(header=header(START), status=[])),
                ("/robot1/diagnostics", START, kind(header=header(START), status=[])),
            ],
        )
    )
    assert source.topics == {}
    assert source.left_out == {
        "/diagnostics": "/robot1/diagnostics would be played as diagnostics too",
        "/robot1/diagnostics": "/diagnostics would be played as diagnostics too",
    }


@pytest.mark.parametrize("length", [0, 3, 8, 11, 12, 14, 20])
def test_a_message_that_cannot_be_read_is_passed_over_and_counted(
    tmp_path: Path, length: int
) -> None:
    messages: list[tuple[str, int, Any]] = []
    for n in range(20):
        t = START + 20 * MS * n
        state = joints(t)
        messages.append(("/event_camera/events", t, packet(t, n)))
        cut = bytes(STORE.serialize_cdr(state, state.__msgtype__))[:length]
        messages.append(("/joint_states", t + MS, cut if n in (3, 17) else state))
    source = whole(record(tmp_path / "bag", messages))
    played = list(source.play(0))
    stamps = [stamp_ns(one.data) for one in played if one.topic == "joint_states"]
    assert stamps == [START + 20 * MS * n for n in range(20) if n not in (3, 17)]
    assert source.refused == {"joint_states": 2}
    assert sum(one.packet is not None for one in played) == 20
    list(source.play(200 * MS))
    assert source.refused == {"joint_states": 3}, "those before the place are not counted again"


@pytest.mark.parametrize("length", [0, 10, 40])
def test_a_packet_of_events_that_cannot_be_read_is_damage(tmp_path: Path, length: int) -> None:
    whole_packet = packet(START + 4 * MS, 1)
    cut = bytes(STORE.serialize_cdr(whole_packet, EVENT_PACKET))[:length]
    messages = [
        ("/event_camera/events", START, packet(START, 0)),
        ("/event_camera/events", START + 4 * MS, cut),
    ]
    source = whole(record(tmp_path / "bag", messages))
    with pytest.raises(FileError, match="bag: /event_camera/events: a packet"):
        list(source.play(0))
