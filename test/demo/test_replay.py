# SPDX-License-Identifier: Apache-2.0
"""What the command `neuro_control replay` says of a recording that goes through the nodes."""

from __future__ import annotations

from neuro_control.bringup import CONTROLLER, REPLAY
from neuro_control.demo.record import RunRecord, Status
from neuro_control.demo.replay import online_summary, progress_of


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
    found["guard_interventions"] = 0
    assert online_summary(found) == (
        "5 packets, 1 lost, 2 dropped; 3 commands, 0 interventions of the guard"
    )
    nothing = online_summary(dict.fromkeys(found, None))
    assert "None" not in nothing
    assert "before" in nothing
