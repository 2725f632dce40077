# SPDX-License-Identifier: Apache-2.0
"""One line that rewrites itself on a terminal, and plain lines now and then elsewhere."""

from __future__ import annotations

import io

from neuro_control.demo.progress import PLAIN_PERIOD_S, Progress, ProgressLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


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


def test_elsewhere_a_plain_line_comes_now_and_then() -> None:
    stream, clock = io.StringIO(), Clock()
    line = ProgressLine(stream, clock)
    for step in range(21):
        clock.now = step * PLAIN_PERIOD_S / 10
        line.show(Progress(clock.now))
    assert len(stream.getvalue().splitlines()) == 3
    assert "\r" not in stream.getvalue()
    assert "\x1b" not in stream.getvalue()
