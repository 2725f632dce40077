# SPDX-License-Identifier: Apache-2.0
"""A recording can be read again, by the same means as any other, however the run ended."""

from __future__ import annotations

import contextlib
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import Reader

from neuro_control.events import read_packets
from neuro_control.nodes import bag_recorder
from neuro_control.nodes.bag_recorder import EVENT_PACKET, RECORDED_TOPICS, recording
from neuro_control.nodes.recording_place import RecordingError, growing_folder, left_behind


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


def record(path: Path, messages: int = 1) -> None:
    with recording(path) as recorder:
        for k in range(messages):
            recorder.write("/event_camera/events", k, packet_bytes(k, k))


@pytest.mark.parametrize("name", ["out.mcap", "out"])
def test_a_second_recorder_is_refused_and_the_first_loses_nothing(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    with recording(path) as recorder:
        recorder.write("/event_camera/events", 1, packet_bytes(0, 1))
        for again in (path, tmp_path / "." / name):
            with pytest.raises(RecordingError, match=f"{name}: is being recorded by another") as no:
                record(again)
            assert "choose another name" in str(no.value)
        recorder.write("/event_camera/events", 2, packet_bytes(1, 2))
        record(tmp_path / "other")
    assert len(list(read_packets(path))) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([name, "other"])
    record(tmp_path / "third.mcap")


def test_what_a_dead_process_left_behind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.mcap"
    lives = (
        "import sys; from pathlib import Path; from neuro_control.nodes import recording_place\n"
        "with recording_place.growing_folder(Path(sys.argv[1])) as folder:\n"
        "    folder.mkdir(); (folder / 'bag_0.mcap').touch(); print(flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", lives, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(RecordingError, match="is being recorded by another"):
            record(path)
        process.kill()
    left = tmp_path / ".out.mcap.recording"
    assert (left / "bag" / "bag_0.mcap").exists()
    (left / "metadata.yaml").touch()  # as versions before this left it
    record(path, 3)
    assert len(list(read_packets(path))) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["out.mcap"]


def test_of_many_who_begin_and_end_at_once_each_is_refused_or_records(tmp_path: Path) -> None:
    """Also where a lock is removed while another is about to take it."""
    path = tmp_path / "out"

    def take(number: int) -> int:
        try:
            with growing_folder(path) as folder:
                folder.mkdir()
                (folder / str(number)).touch()
                assert [p.name for p in folder.iterdir()] == [str(number)]
                shutil.rmtree(folder)
        except RecordingError:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(1000))) >= 1
    assert list(tmp_path.iterdir()) == []


def make_full(path: Path) -> None:
    path.mkdir()
    (path / "something").touch()


@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        ("run", make_full, "is a folder that is not empty; choose another name"),
        ("run", Path.touch, "is there, and no folder; choose another name"),
        ("run", lambda path: path.symlink_to("elsewhere"), "is there, and no folder"),
        ("run.mcap", make_full, "is a folder, and a name that ends in .mcap is of one file"),
    ],
)
def test_where_it_could_not_be_put_nothing_is_recorded(
    tmp_path: Path, name: str, make: Callable[[Path], None], reason: str
) -> None:
    path = tmp_path / name
    make(path)
    with pytest.raises(RecordingError, match=f"{name}: {reason}"):
        record(path)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_where_nothing_can_be_written_it_is_told_and_nothing_is_changed(tmp_path: Path) -> None:
    (tmp_path / ".run.recording").symlink_to("nowhere")
    (tmp_path / ".y.mcap.recording").touch()
    (tmp_path / "file").touch()
    before = sorted(tmp_path.iterdir())
    for path, why in (
        (tmp_path / "run", r"File exists \(.*/\.run\.recording\)"),
        (tmp_path / "y.mcap", r"File exists \(.*/\.y\.mcap\.recording\)"),
        (tmp_path / "file" / "x.mcap", r".* \(.*/file.*\)"),
        (tmp_path / f"{'n' * 245}.mcap", "File name too long"),
        (tmp_path / f"{'n' * 300}.mcap", "File name too long"),
        (Path("/proc/x.mcap"), "No such file or directory"),
    ):
        with pytest.raises(RecordingError, match=f"{path}: cannot be recorded to: {why}"):
            record(path)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["out.mcap", "out"])
def test_what_a_killed_recorder_wrote_is_moved_aside(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / name
    (tmp_path / "out_2.mcap").write_bytes(b"another")
    left = tmp_path / f".{name}.recording" / "bag"
    left.mkdir(parents=True)
    (left / "bag.mcap").write_bytes(b"what it wrote")
    assert left_behind(path) == left / "bag.mcap"
    record(path)
    assert (tmp_path / "out_3.mcap").read_bytes() == b"what it wrote"
    assert (tmp_path / "out_2.mcap").read_bytes() == b"another"
    assert len(list(read_packets(path))) == 1
    assert not list(tmp_path.glob(".*"))
    assert left_behind(path) is None
    assert f"cut off; what it wrote until then is {tmp_path / 'out_3.mcap'}" in caplog.text


@contextlib.contextmanager
def full_after(size: int) -> Iterator[None]:
    """No file can grow beyond this size (bytes), as on a disk that is full then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_ends_the_recording_and_not_what_is_recorded(tmp_path: Path) -> None:
    path = tmp_path / "out.mcap"
    left = tmp_path / ".out.mcap.recording" / "bag" / "bag.mcap"
    told = f"{path}: cannot be recorded to: File too large; not all was .*, what was .* is {left}"

    def record_too_much() -> None:
        with recording(path) as bag:
            for k in range(8):
                bag.write("/taxels", k, bytes(600_000))
            assert bag.failure is not None
            assert 3 < bag.messages < 8
            before = bag.messages
            bag.write("/taxels", 8, bytes(10))  # it is not raised again
            assert bag.messages == before

    with full_after(3_000_000), pytest.raises(RecordingError, match=told):
        record_too_much()
    assert not path.exists()
    assert left.stat().st_size > 2_000_000
    record(path)
    assert (tmp_path / "out_2.mcap").stat().st_size > 2_000_000


def test_a_disk_that_is_full_at_the_end_is_told(tmp_path: Path) -> None:
    path = tmp_path / "out.mcap"
    with (
        full_after(1000),
        pytest.raises(RecordingError, match="File too large; not all was written, "),
    ):
        record(path)
    assert not path.exists()


def test_no_name_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="is no name; name a file"):
        record(Path())


@pytest.mark.parametrize("name", ["run", "run.mcap"])
def test_what_came_in_its_way_meanwhile_costs_nothing_that_was_recorded(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    (tmp_path / name.replace("run", "run_2")).touch()
    kept = tmp_path / name.replace("run", "run_3")

    def interfere() -> None:
        with recording(path) as recorder:
            recorder.write("/event_camera/events", 1, packet_bytes(0, 1))
            make_full(path)

    with pytest.raises(RecordingError, match=f"cannot be put there any more .*; it is {kept}"):
        interfere()
    assert len(list(read_packets(kept))) == 1
    assert (path / "something").exists()
    assert not list(tmp_path.glob(".*"))


def test_an_empty_folder_may_be_there(tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.mkdir()
    record(path)
    assert len(list(read_packets(path))) == 1


def test_every_topic_is_in_it_with_its_type(tmp_path: Path) -> None:
    path = tmp_path / "out.mcap"
    with recording(path) as recorder:
        recorder.write("/event_camera/events", 1, packet_bytes(0, 1))
    with Reader(path) as reader:
        assert {(c.topic, c.msgtype) for c in reader.connections} == {
            (topic, kind) for topic, kind, _ in RECORDED_TOPICS
        }
