# SPDX-License-Identifier: Apache-2.0
"""Recordings are read as they are, and a broken one says what is wrong with it."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest

from neuro_control.events import BagError, Packet, event_topics, read_packets, write_packets

STORAGES = ("sqlite3", "mcap")


def packet(seq: int, topic: str = "/eye/events") -> Packet:
    payload = np.random.default_rng(seq).integers(0, 256, 4000 + seq).astype(np.uint8)
    return Packet(topic, seq, seq * 10**6, 10**9 + seq * 10**6, "mono", 64, 48, False, payload)


def record(path: Path, storage: str, n: int = 50, topics=("/eye/events",)) -> Path:
    packets = (packet(seq, topic) for seq in range(n) for topic in topics)
    assert write_packets(path, packets, storage) == n * len(topics)
    return path


def data_file(bag: Path) -> Path:
    (path,) = [p for p in bag.iterdir() if p.suffix in (".db3", ".mcap")]
    return path


def same(a: Packet, b: Packet) -> bool:
    names = ("topic", "seq", "time_base_ns", "stamp_ns", "encoding", "width", "height")
    fields = all(getattr(a, name) == getattr(b, name) for name in names)
    return fields and a.is_bigendian == b.is_bigendian and np.array_equal(a.payload, b.payload)


@pytest.mark.parametrize("storage", STORAGES)
def test_what_is_written_is_read(tmp_path, storage):
    bag = record(tmp_path / "bag", storage)
    for path in (bag, str(bag), data_file(bag)):
        packets = list(read_packets(path))
        assert len(packets) == 50
        assert all(same(p, packet(seq)) for seq, p in enumerate(packets))
        assert packets[0].payload.dtype == np.uint8


@pytest.mark.parametrize("storage", STORAGES)
def test_a_file_without_its_metadata_is_read(tmp_path, storage):
    alone = tmp_path / ("alone" + data_file(record(tmp_path / "bag", storage)).suffix)
    shutil.copy(data_file(tmp_path / "bag"), alone)
    assert sum(1 for _ in read_packets(alone)) == 50


@pytest.mark.parametrize("storage", STORAGES)
def test_of_several_topics_one_must_be_chosen(tmp_path, storage):
    bag = record(tmp_path / "bag", storage, n=3, topics=("/left/events", "/right/events"))
    assert event_topics(bag) == ("/left/events", "/right/events")
    with pytest.raises(BagError, match="choose one: /left/events, /right/events"):
        read_packets(bag)
    assert {p.topic for p in read_packets(bag, "/right/events")} == {"/right/events"}


def test_a_topic_that_is_not_there_is_named_with_those_that_are(tmp_path):
    bag = record(tmp_path / "bag", "mcap", n=1)
    with pytest.raises(BagError, match=r"no topic /ear; topics with events: /eye/events"):
        read_packets(bag, "/ear")


def test_a_topic_of_another_type_is_refused_by_its_type(tmp_path):
    bag = record(tmp_path / "bag", "sqlite3", n=1)
    with closing(sqlite3.connect(data_file(bag))) as database, database:
        database.execute("UPDATE topics SET type = 'sensor_msgs/msg/Image'")
    with pytest.raises(BagError, match="/eye/events has sensor_msgs/msg/Image, not event_camera"):
        read_packets(data_file(bag), "/eye/events")
    with pytest.raises(BagError, match=r"no topic with .*; it has: /eye/events \(sensor_msgs/msg"):
        read_packets(data_file(bag))


def test_a_topic_without_messages_is_refused(tmp_path):
    bag = record(tmp_path / "bag", "sqlite3", n=1)
    with closing(sqlite3.connect(data_file(bag))) as database, database:
        database.execute("DELETE FROM messages")
    with pytest.raises(BagError, match="has no messages; record while the sensor publishes"):
        read_packets(data_file(bag))


def test_a_path_that_is_no_recording_is_refused_by_name(tmp_path):
    with pytest.raises(BagError, match="nowhere: does not exist"):
        read_packets(tmp_path / "nowhere")
    with pytest.raises(BagError, match=r"no metadata\.yaml"):
        read_packets(tmp_path)
    for name, content, text in (
        ("empty.db3", b"", "is empty"),
        ("empty.mcap", b"", "is empty"),
        ("noise.db3", b"noise" * 1000, "not a readable rosbag2 recording"),
        ("noise.mcap", b"noise" * 1000, "not a readable rosbag2 recording"),
        ("events.raw", b"noise", "no rosbag2 storage"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BagError, match=f"{name}: .*{text}"):
            read_packets(tmp_path / name)


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("part", [0.01, 0.3, 0.6, 0.9, 0.999])
def test_a_truncated_recording_ends_in_a_clear_error(tmp_path, storage, part):
    path = data_file(record(tmp_path / "bag", storage))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    remedy = "record it again" if storage == "sqlite3" else "neuro_control events recover .* writes"
    for broken in (path, tmp_path / "bag"):
        with pytest.raises(BagError, match=rf"corrupt or truncated.*{remedy}"):
            list(read_packets(broken))


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("seed", range(25))
def test_a_corrupt_recording_gives_packets_or_a_clear_error(tmp_path, storage, seed):
    path = data_file(record(tmp_path / "bag", storage, n=10))
    content = np.frombuffer(path.read_bytes(), np.uint8).copy()
    rng = np.random.default_rng(seed)
    start = int(rng.integers(0, len(content)))
    content[start : start + 200] = rng.integers(0, 256, len(content[start : start + 200]))
    path.write_bytes(content.tobytes())
    packets = []
    with suppress(BagError):
        packets.extend(read_packets(path))
    assert len(packets) <= 10
    assert all(one.payload.dtype == np.uint8 for one in packets)


def test_a_recording_that_holds_less_than_its_index_says_so(tmp_path):
    bag = record(tmp_path / "bag", "sqlite3", n=5)
    with closing(sqlite3.connect(data_file(bag))) as database, database:
        database.execute("DELETE FROM messages WHERE id > 2")
    with pytest.raises(BagError, match="holds 2 of the 5 packets"):
        list(read_packets(bag))


def test_packets_are_read_one_at_a_time(tmp_path):
    path = data_file(record(tmp_path / "bag", "sqlite3"))
    packets = read_packets(path)
    assert next(packets).seq == 0
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(BagError, match=r"after [1-9]\d* packets"):
        list(packets)


def test_a_recording_is_never_overwritten(tmp_path):
    bag = record(tmp_path / "bag", "mcap", n=1)
    with pytest.raises(ValueError, match="exists already"):
        write_packets(bag, [])
    with pytest.raises(ValueError, match="storage is 'csv'"):
        write_packets(tmp_path / "new", [], "csv")


def test_recordings_of_real_drivers_are_read(shared_data):
    folder = shared_data / "event_camera"
    for name, n, encoding, size in (
        ("evt3_640x480.db3", 517, "evt3", (640, 480)),
        ("evt3_trigger_1280x720.db3", 105, "evt3", (1280, 720)),
        ("libcaer_rollover.db3", 201, "libcaer", (640, 480)),
        ("mono.db3", 2, "mono", (640, 480)),
    ):
        packets = list(read_packets(folder / name))
        assert len(packets) == n
        assert {p.encoding for p in packets} == {encoding}
        assert {(p.width, p.height) for p in packets} == {size}


def test_without_rosbags_the_error_names_the_command(tmp_path, monkeypatch):
    bag = record(tmp_path / "bag", "mcap", n=1)
    monkeypatch.setitem(sys.modules, "rosbags.rosbag2", None)
    with pytest.raises(BagError, match="pip install rosbags"):
        read_packets(bag)


def test_of_several_topics_the_cameras_is_taken(tmp_path):
    topics = ("/arm/event_camera/events", "/arm/network/spikes")
    bag = record(tmp_path / "bag", "mcap", n=3, topics=topics)
    assert [p.topic for p in read_packets(bag)] == ["/arm/event_camera/events"] * 3
    assert [p.topic for p in read_packets(bag, "/arm/network/spikes")] == [topics[1]] * 3
