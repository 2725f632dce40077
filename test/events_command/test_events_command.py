# SPDX-License-Identifier: Apache-2.0
"""`neuro_control events`, as it is typed."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from pydantic import ValidationError

from neuro_control.cli import main
from neuro_control.demo.replay import replay_online
from neuro_control.events import Events, Packet, read, read_triggers, write, write_packets
from neuro_control.events_command import render
from neuro_control.nodes.bag_recorder import recording as recording_to
from neuro_control.nodes.replay_settings import LARGEST_RATE, LEAST_RATE, ReplaySettings

SIZE = (40, 30)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A second of two pixels: ON every 10 ms, OFF every 20 ms."""
    on = [(k * 10_000_000, 3, 4, 1) for k in range(100)]
    off = [(k * 20_000_000 + 5_000_000, 7, 8, 0) for k in range(50)]
    rows = np.array(sorted(on + off))
    columns = (rows[:, 0], *(rows[:, k].astype(np.uint16) for k in (1, 2)))
    events = Events(*columns, rows[:, 3].astype(np.uint8), *SIZE)
    write(tmp_path / "in.raw", [events], SIZE)
    return tmp_path / "in.raw"


def said(capsys, *words) -> tuple[int, str, str]:
    code = main(["events", *map(str, words)])
    return code, *capsys.readouterr()


def test_info_says_what_is_in_a_file(recording: Path, capsys):
    code, out, _ = said(capsys, "info", recording)
    assert code == 0
    assert "Prophesee RAW, evt3" in out
    assert "150 (100 ON, 50 OFF)" in out
    assert "busiest (3, 4): 100" in out
    assert "events/s, 200 events/s in the busiest 10 ms" in out
    assert "unusable  nothing" in out
    code, out, _ = said(capsys, "info", recording, "--json")
    found = json.loads(out)
    assert (found["width"], found["active_pixels"], found["errors"]) == (40, 2, {})
    assert found["duration_s"] == pytest.approx(0.99)
    assert found["busiest_10ms_events_per_second"] == 200


def test_info_of_a_damaged_file_counts_what_is_wrong(recording: Path, capsys):
    recording.write_bytes(recording.read_bytes() + b"\x00\x10\x05")
    code, out, _ = said(capsys, "info", recording)
    assert code == 1
    assert "unusable  malformed 2" in out


def test_info_and_convert_of_a_file_that_is_cut_short_use_what_is_whole(tmp_path: Path, capsys):
    cut, out = tmp_path / "cut.dat", tmp_path / "out.npz"
    records = np.array([[k, 4 << 14 | 3] for k in range(10)], "<u4").tobytes()
    cut.write_bytes(b"% Version 2\n% Width 40\n% Height 30\n\x0c\x08" + records[:-3])
    code, text, _ = said(capsys, "info", cut)
    assert code == 1
    assert "events    9 (0 ON, 9 OFF)" in text
    assert "unusable  malformed 5" in text
    code, text, _ = said(capsys, "convert", cut, out)
    assert code == 0
    assert text.splitlines() == [
        f"{out}: 9 events of a sensor of 40 x 30",
        f"{cut}: unusable, and left out or mended: malformed 5",
    ]
    assert len(read(out)) == 9


def test_external_triggers_are_told_of_by_channel_and_are_written_where_they_can_be(
    tmp_path: Path, capsys
):
    path, out = tmp_path / "in.raw", tmp_path / "out.npz"
    words = np.array([0x8000, 0x6005, 0xA601, 0x0007, 0x2005, 0xA600, 0xA001, 0xA601], "<u2")
    path.write_bytes(b"% format EVT3;height=30;width=40\n% end\n" + words.tobytes())
    code, text, _ = said(capsys, "info", path)
    assert code == 0
    assert "triggers  4 (channel 0: 1 rising, 0 falling; channel 6: 2 rising, 1 falling)\n" in text
    _, text, _ = said(capsys, "info", path, "--json")
    assert json.loads(text)["trigger_channels"]["6"] == {"rising": 2, "falling": 1}
    code, text, _ = said(capsys, "convert", path, out)
    assert code == 0
    assert text.splitlines()[1].startswith(f"{path}: 4 external triggers, which are not written")
    code, text, _ = said(capsys, "convert", path, tmp_path / "out.raw", "--encoding", "evt2")
    assert code == 0
    assert text.splitlines()[1] == f"{tmp_path / 'out.raw'}: 4 external triggers"
    assert read_triggers(tmp_path / "out.raw").channel.tolist() == [6, 6, 0, 6]


def test_convert_writes_the_same_events(recording: Path, tmp_path: Path, capsys):
    for name in ("out.npz", "out.h5", "out.mcap"):
        code, out, _ = said(capsys, "convert", recording, tmp_path / name)
        assert code == 0
        assert "150 events of a sensor of 40 x 30" in out
        assert np.array_equal(read(tmp_path / name).t_ns, read(recording).t_ns)
    code, out, _ = said(capsys, "info", tmp_path / "out.mcap")
    assert "packets" in out
    assert "0 lost" in out


def test_a_file_can_be_converted_into_itself(recording: Path, capsys):
    before = read(recording)
    code, *_ = said(capsys, "convert", recording, recording, "--encoding", "evt2")
    assert code == 0
    assert np.array_equal(read(recording).t_ns, before.t_ns)
    assert [path.name for path in recording.parent.iterdir()] == [recording.name]


def test_a_picture_shows_on_orange_and_off_blue(recording: Path, tmp_path: Path, capsys):
    out = tmp_path / "out.png"
    code, *_ = said(capsys, "render", recording, out, "--duration", 1)
    image = imread(out)
    assert code == 0
    scale = image.shape[0] // 30
    assert image.shape[:2] == (30 * scale, 40 * scale)
    on = image[4 * scale + 1, 3 * scale + 1]
    off = image[8 * scale + 1, 7 * scale + 1]
    assert on[0] > on[2]
    assert off[2] > off[0]
    assert image[0, 0].max() > 0.9 or image[0, 0, :3].max() < 0.2


def test_a_film_has_a_picture_for_each_stretch(recording: Path, tmp_path: Path, capsys):
    out = tmp_path / "out.gif"
    code, text, _ = said(
        capsys, "render", recording, out, "--frame", 0.1, "--start", 0.2, "--duration", 0.5
    )
    assert code == 0
    assert "5 pictures of 100 ms" in text
    assert out.read_bytes().startswith(b"GIF89a")


@pytest.mark.parametrize(("limit", "beyond"), [(LEAST_RATE, -math.inf), (LARGEST_RATE, math.inf)])
def test_a_speed_is_refused_where_the_node_would_refuse_it(limit, beyond, recording, capsys):
    assert ReplaySettings(path="in.raw", rate=limit).rate == limit
    too_much = math.nextafter(limit, beyond)
    with pytest.raises(ValidationError, match="rate"):
        ReplaySettings(path="in.raw", rate=too_much)
    code, _, err = said(capsys, "play", recording, "--rate", repr(too_much))
    assert code == 2
    assert "--rate" in err
    assert replay_online(recording, None, too_much, None) == 2
    assert "--rate" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("info", "nowhere.raw"), "no file nowhere.raw"),
        (("info", "/dev/null"), "/dev/null is neither a file nor a folder"),
        (
            ("info", "IN", "--width", 3),
            "--width 3 is given without --height; give both, or neither",
        ),
        (("info", "IN", "--width", -5, "--height", 3), "--width is -5; it must be 1 to 65536"),
        (("info", "IN", "--layout", "eye"), "layout is 'eye'; it must be one of: dvs128, davis240"),
        (("play", "IN", "--rate", -4), "--rate is -4; it must be 0.01 to 100"),
        (("play", "IN", "--rate", "nan"), "--rate is nan; it must be 0.01 to 100"),
        (("convert", "IN", "out.txt"), "the suffix is '.txt'"),
        (("convert", "IN", "nodir/a.npz"), "OUT nodir/a.npz: its folder does not exist; make it"),
        (("convert", "IN", "nodir/a.mcap"), "its folder does not exist; make it first"),
        (("convert", "IN", "/proc/a.raw"), "OUT /proc/a.raw: nothing can be written there"),
        (("render", "IN", "nodir/a.png"), "OUT nodir/a.png: its folder does not exist; make it"),
        (("render", "IN", "nodir/a.gif"), "OUT nodir/a.gif: its folder does not exist; make it"),
        (("render", "IN", "out.jpg"), "the suffix must be .png"),
        (("render", "IN", "out.png", "--duration", 0), "--duration is 0; it must be 1e-06 to"),
        (("render", "IN", "out.png", "--start", 50), "no events from 50 s after the first"),
        (
            ("render", "IN", "out.gif", "--frame", "0.001"),
            "a film of more than 500 pictures of 0.001 s; give --duration 0.5 at most, or a longer"
            " --frame",
        ),
        (
            ("render", "IN", "out.gif", "--frame", "0.001", "--duration", "30"),
            "give --duration 0.5 at most, or --frame 0.06 at least",
        ),
    ],
)
def test_what_cannot_be_is_one_line(words, message, recording, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, _, err = said(capsys, *(recording if word == "IN" else word for word in words))
    assert code == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err


@pytest.mark.parametrize("there", [b"an older film", None])
@pytest.mark.parametrize("fault", [None, KeyboardInterrupt()])
def test_a_film_that_is_refused_or_interrupted_leaves_what_was_there(
    there, fault, recording, tmp_path, monkeypatch, capsys
):
    out = tmp_path / "films" / "out.gif"
    out.parent.mkdir()
    if there is not None:
        out.write_bytes(there)
    if fault is not None:
        drawn = iter([np.zeros((30, 40, 3), np.uint8)] * 3)

        def interrupted(*_: object) -> np.ndarray:
            for image in drawn:
                return image
            raise fault

        monkeypatch.setattr(render, "picture", interrupted)
    code, *_ = said(capsys, "render", recording, out, "--frame", 0.001 if fault is None else 0.1)
    assert code == (2 if fault is None else 130)
    assert [path.read_bytes() for path in out.parent.iterdir()] == (
        [] if there is None else [there]
    )


@pytest.mark.parametrize(
    ("command", "name"), [("convert", "out.npz"), ("render", "out.png"), ("render", "out.gif")]
)
def test_what_is_written_over_is_told(command, name, recording: Path, tmp_path: Path, capsys):
    out = tmp_path / name
    assert "written over" not in said(capsys, command, recording, out)[1]
    assert said(capsys, command, recording, out)[1].endswith("; it was there and is written over\n")
    assert said(capsys, "convert", recording, tmp_path / "out.mcap")[0] == 0
    code, _, err = said(capsys, "convert", recording, tmp_path / "out.mcap")
    assert code == 2
    assert "is there already" in err


def test_a_packet_that_was_sent_again_is_no_error(tmp_path: Path, capsys):
    payload = np.zeros(0, np.uint8)
    packets = [
        Packet("/eye/events", seq, k * 10**6, k * 10**6, "mono", 40, 30, False, payload)
        for k, seq in enumerate((0, 1, 1, 2))
    ]
    write_packets(tmp_path / "in", packets)
    code, out, _ = said(capsys, "info", tmp_path / "in")
    assert code == 0
    assert "packets   4 on /eye/events, 0 lost, 1 sent again" in out
    assert "unusable  nothing" in out
    # By the name that `replay --offline --report` gives it.
    assert json.loads(said(capsys, "info", tmp_path / "in", "--json")[1])["duplicates"] == 1


def test_recover_writes_what_is_whole_of_a_recording_that_was_cut_off(tmp_path: Path, capsys):
    cut, out = tmp_path / "cut.mcap", tmp_path / "out.mcap"
    with recording_to(tmp_path / "in.mcap") as recorder:
        for k in range(30):
            recorder.write("/taxels", k * 100_000_000, bytes(100_000))
    data = (tmp_path / "in.mcap").read_bytes()
    cut.write_bytes(data[: 2 * len(data) // 3])
    code, text, _ = said(capsys, "recover", cut, out)
    assert code == 0
    found, missing = text.splitlines()
    assert found.startswith(f"{out}: 1")
    assert "messages of 13 topics" in found
    assert re.fullmatch(
        rf"{cut} is whole up to its last [\d,]+ bytes: the file ends there", missing
    )
    code, text, _ = said(capsys, "recover", tmp_path / "in.mcap", tmp_path / "again.mcap")
    assert code == 0
    assert f"{tmp_path / 'in.mcap'} was whole; nothing is missing" in text
    code, _, error = said(capsys, "recover", cut, out)
    assert (code, error) == (2, f"error: {out}: is there already; choose another name\n")
