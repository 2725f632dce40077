# SPDX-License-Identifier: Apache-2.0
"""Running one node: what it says when it cannot begin, and when something in it is broken."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from neuro_control.nodes.spin import EndRequest, ExecutorKind, StartError, run


class Broken(Node):
    """A node whose timer raises."""

    def __init__(self, error: Exception) -> None:
        super().__init__("broken")
        self._error = error
        self.create_timer(0.001, self._fail)

    def _fail(self) -> None:
        raise self._error


@pytest.mark.parametrize("error", [StartError("no camera"), ValueError("no camera")])
def test_a_node_that_cannot_be_made_says_why_in_one_line(error: Exception, capfd: Any) -> None:
    def make() -> Node:
        raise error

    assert run(make, []) == 1
    assert capfd.readouterr().err == "error: no camera\n"
    assert not rclpy.ok()


@pytest.mark.parametrize("kind", ["events", "single_threaded"])
@pytest.mark.parametrize("error", [ValueError, KeyError])
def test_what_a_callback_raises_is_shown_with_where_it_was_raised(
    error: type[Exception], kind: ExecutorKind, capfd: Any
) -> None:
    ended: list[Node] = []
    # Made here: an error holds the frames that it came through, and by those the node.
    assert run(lambda: Broken(error("out of range")), [], end=ended.append, kind=kind) == 1
    said = capfd.readouterr().err
    assert "Traceback" in said
    assert "in _fail" in said
    assert "out of range" in said
    assert len(ended) == 1, "its last word is said all the same"
    assert not rclpy.ok()


class Slow(Node):
    """A node whose timer's callback takes longer than its period, and is told to end meanwhile."""

    def __init__(self) -> None:
        super().__init__("slow")
        self.calls = 0
        self.create_timer(0.001, self._work, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _work(self) -> None:
        time.sleep(0.003)
        self.calls += 1
        if self.calls == 5:
            signal.raise_signal(signal.SIGTERM)
        if self.calls == 1000:
            raise AssertionError("it was told to end long ago")


@pytest.mark.parametrize("kind", ["events", "single_threaded"])
def test_a_node_that_cannot_keep_up_with_its_timer_ends_when_it_is_told(kind: ExecutorKind) -> None:
    ended: list[int] = []
    assert run(Slow, [], end=lambda node: ended.append(node.calls), kind=kind) == 0
    assert ended[0] < 1000


@pytest.fixture
def hang_up() -> Iterator[None]:
    """What these tests do with SIGHUP is undone, and does not end them."""
    before = signal.signal(signal.SIGHUP, lambda *_: None)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hang_up")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_who_asks_for_the_end_is_heard(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    request = EndRequest()
    with request.heard():
        signal.raise_signal(number)
        assert request.made
    assert signal.getsignal(number) is before


@pytest.mark.usefixtures("hang_up")
def test_under_nohup_a_terminal_that_closes_ends_nothing() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    request = EndRequest()
    with request.heard():
        signal.raise_signal(signal.SIGHUP)
        assert not request.made
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
