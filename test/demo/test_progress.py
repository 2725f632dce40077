# SPDX-License-Identifier: Apache-2.0
"""One line that rewrites itself on a terminal, and plain lines now and then elsewhere."""

from __future__ import annotations

import io

import pytest

from neuro_control.demo.progress import PLAIN_PERIOD_S, Progress, ProgressLine, remark_of
from neuro_control.demo.record import RunRecord, Status


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


FULL = Progress(101.1, 240.0, 0.61, 17.4, 67_700, 127_300, 11.1, "held: emergency stop")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_line_has_every_figure_with_its_unit() -> None:
    text = Progress(12.34, 30.0, 1.02, 0.84, 412_000, 38_000, 1.44).text()
    for part in ("12.3/30 s", "x1.02", "0.8°", "412.0 k events/s", "38.0 k spikes/s", "1.4 ms"):
        assert part in text


def test_what_is_not_known_is_not_said() -> None:
    assert Progress(0.0, 30.0).text() == "  0.0/30 s"
    assert Progress(3.5, delay_ms=float("nan"), remark="tracking").text() == "  3.5 s  tracking"


def test_a_terminal_has_its_line_rewritten() -> None:
    stream, clock = Terminal(), Clock()
    line = ProgressLine(stream, clock)
    line.show(Progress(1.0))
    line.show(Progress(2.0))  # too soon: not shown
    clock.now = 1.0
    line.show(Progress(3.0))
    line.say("done")
    text = stream.getvalue()
    assert text.count("\r") == 2
    assert "  2.0 s" not in text
    assert text.endswith("\x1b[K\ndone\n")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (200, FULL.text()),
        (80, "101.1/240 s  x0.61  error 17.4°  delay 11.1 ms  held: emergency stop"),
        (40, "101.1/240 s  held: emergency stop"),
        (10, "101.1/24…"),
    ],
)
def test_the_line_fits_the_terminal_and_what_matters_most_stays(columns: int, said: str) -> None:
    stream = Terminal()
    ProgressLine(stream, Clock(), lambda: columns).show(FULL)
    line = stream.getvalue().removeprefix("\r").removesuffix("\x1b[K")
    assert line == said
    assert len(line) < columns


@pytest.mark.parametrize("columns", [40, 80])
def test_a_remark_that_is_too_long_is_cut_and_not_left_out(columns: int) -> None:
    why = "joint_states: none of the arm's joints shoulder, elbow, wrist, only wheel_1, wheel_2"
    line = Progress(101.1, 240.0, 0.61, 17.4, 67_700, 127_300, 11.1, why).text(columns)
    begins = f"101.1/240 s  {why}"
    assert line == f"{begins[: columns - 1]}…"


@pytest.mark.parametrize("columns", range(1, 140))
def test_no_terminal_is_too_narrow(columns: int) -> None:
    assert len(FULL.text(columns)) <= columns


def test_a_terminal_that_cannot_rewrite_a_line_gets_plain_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    ProgressLine(stream, Clock()).show(FULL)
    assert stream.getvalue() == FULL.text() + "\n"


def test_that_the_robot_is_held_is_said_before_what_the_controller_does() -> None:
    record = RunRecord()
    assert remark_of(record) == ""
    values = {"controller_state": "tracking", "no_data_because": ""}
    record.add_status("controller", Status(0.0, 0, "ok", values))
    assert remark_of(record) == "tracking"
    values = {"controller_state": "tracking", "no_data_because": "no packets"}
    record.add_status("controller", Status(1.0, 0, "ok", values))
    assert remark_of(record) == "no packets"
    stopped = {"stopped_because": "emergency_stop,joint_states_silent"}
    record.add_status("guard", Status(1.0, 0, "ok", stopped))
    assert remark_of(record) == "held: emergency stop, joint states silent"
    record.add_status("guard", Status(2.0, 0, "ok", {"stopped_because": ""}))
    assert remark_of(record) == "no packets"


def test_elsewhere_a_plain_line_comes_now_and_then() -> None:
    stream, clock = io.StringIO(), Clock()
    line = ProgressLine(stream, clock)
    for step in range(21):
        clock.now = step * PLAIN_PERIOD_S / 10
        line.show(Progress(clock.now))
    assert len(stream.getvalue().splitlines()) == 3
    assert "\r" not in stream.getvalue()
    assert "\x1b" not in stream.getvalue()
