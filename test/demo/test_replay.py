# SPDX-License-Identifier: Apache-2.0
"""What the command `neuro_control replay` says of a recording that goes through the nodes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neuro_control import cli
from neuro_control.bringup import CONTROLLER, REPLAY
from neuro_control.demo.parameters import override
from neuro_control.demo.record import RunRecord, Status
from neuro_control.demo.replay import (
    TOLD_S,
    Unchanged,
    _parameters,
    online_summary,
    progress_of,
    replay_online,
)
from neuro_control.events import write_packets
from test.events.test_bag import packet


def heard(paused: str) -> RunRecord:
    record = RunRecord()
    said = {
        REPLAY.name: {"paused": paused, "sim_time_s": "3.5"},
        CONTROLLER.name: {"controller_state": "tracking"},
    }
    for name, values in said.items():
        record.statuses[name] = [Status(3.5, 0, "ok", values)]
    return record


def test_a_replay_that_goes_on_says_what_the_controller_does() -> None:
    assert progress_of(heard("false")).remark == "tracking"
    assert progress_of(RunRecord()).remark == ""


def test_a_replay_that_stands_says_what_would_move_it() -> None:
    progress = progress_of(heard("true"))
    assert progress.simulated_s == 3.5
    assert all(word in progress.remark for word in ("replay/seek", "replay/resume", "Ctrl-C"))


def test_the_last_word_says_where_nothing_was_heard() -> None:
    found = {"packets": 5, "packets_lost": 1, "packets_dropped": 2, "commands": 3}
    found |= {"guard_interventions": 0, "seeks": 0}
    assert online_summary(found) == (
        "5 packets, 1 lost, 2 dropped; 3 commands, 0 interventions of the guard"
    )
    played = online_summary(found | {"seeks": 2})
    assert played.endswith("; in all of the 3 stretches that were played")
    nothing = online_summary(dict.fromkeys(found, None))
    assert "None" not in nothing
    assert "before" in nothing


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["simulator.seed=1"], "there are controller, guard, replay"),
        (["replay.rat=2"], "no parameter 'rat'"),
        (["replay.stay=yes please"], "true or false"),
        (["dashboard.port=0"], "dashboard is started with --dashboard only"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], texts: list[str], words: str
) -> None:
    bag = tmp_path / "run.mcap"
    write_packets(bag, [packet(0, "/event_camera/events")])
    assert replay_online(bag, None, 1.0, None, overrides=texts) == 2
    assert words in capsys.readouterr().err


def test_parameters_of_the_nodes_and_the_page_can_be_set(tmp_path: Path) -> None:
    parameters = override(
        _parameters(tmp_path / "run.mcap", "/eye", 0.5, stay=False, dashboard=True),
        ["dashboard.port=0", "replay.repeat=true", "controller.gaze_gain=7"],
    )
    assert parameters["dashboard"]["port"] == 0
    assert parameters["replay"]["rate"] == 0.5
    assert parameters["controller"]["gaze_gain"] == 7.0
    assert _parameters(tmp_path, "/eye", 1.0, stay=True, dashboard=False).keys() == {
        "controller", "guard", "replay",
    }  # fmt: skip


def test_a_replay_that_stands_is_told_of_for_a_while_only() -> None:
    unchanged, stands = Unchanged(), progress_of(heard("true"))
    assert unchanged.for_s(progress_of(heard("false")), 5.0) == 0.0
    assert unchanged.for_s(stands, 7.0) == 0.0
    faded = replace(stands, delay_ms=0.9)
    assert unchanged.for_s(faded, 7.0 + TOLD_S) == TOLD_S
    assert unchanged.for_s(progress_of(heard("false")), 60.0) == 0.0


@pytest.mark.parametrize("words", [["--rate", "1"], ["--stay"], ["--dashboard"]])
def test_offline_refuses_what_is_for_nodes(
    words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["replay", str(tmp_path / "run.mcap"), "--offline", *words]) == 2
    assert f"{words[0]} is for nodes, and --offline starts none" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--offline"], []])
@pytest.mark.parametrize(
    ("report", "why"),
    [("/nowhere/c.json", "its folder does not exist"), ("c.txt", "its name must end in .json")],
)
def test_a_report_that_cannot_be_written_is_told_before_anything_starts(
    report: str, why: str, words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bag = tmp_path / "run.mcap"
    write_packets(bag, [packet(0, "/event_camera/events")])
    assert cli.main(["replay", str(bag), *words, "--report", report]) == 2
    said = capsys.readouterr()
    assert f"error: --report {report}: {why}" in said.err
    assert said.out == ""


def test_offline_says_what_was_sent_again_and_where_the_report_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bag, report = tmp_path / "run.mcap", tmp_path / "c.json"
    one = replace(packet(0, "/event_camera/events"), payload=np.zeros(0, np.uint8))
    write_packets(bag, [replace(one, seq=seq) for seq in (0, 1, 1, 2)])
    assert cli.main(["replay", str(bag), "--offline", "--report", str(report)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  packets    4, 0 lost, 1 sent again" in lines
    assert "  errors     0" in lines
    assert lines[-1] == f"  report     {report}"
    assert json.loads(report.read_text())["duplicates"] == 1


def test_offline_nothing_can_be_set(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ["replay", str(tmp_path / "run.mcap"), "--offline", "--set", "replay.rate=2"]
    assert cli.main(words) == 2
    assert "--offline starts none" in capsys.readouterr().err
