# SPDX-License-Identifier: Apache-2.0
"""Simulated time runs only once everybody hears what the run is for."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")

from rclpy.task import Future

from neuro_control.demo.start_gate import ANSWER_S, PATIENCE_S, PaceGate


class FakeNode:
    """Keeps what a gate subscribes to, and is the client that it asks."""

    def __init__(self) -> None:
        self.callbacks: list[Any] = []
        self.requests: list[Any] = []

    def create_subscription(self, kind: Any, topic: str, callback: Any, profile: Any) -> Any:
        del kind, topic, profile
        self.callbacks.append(callback)
        return callback

    def destroy_subscription(self, subscription: Any) -> None:
        del subscription

    def create_client(self, kind: Any, name: str) -> FakeNode:
        del kind, name
        return self

    def service_is_ready(self) -> bool:
        return True

    def call_async(self, request: Any) -> Future:
        self.requests.append(request)
        return Future()


def test_the_pace_is_asked_for_once_commands_and_all_else_are_heard() -> None:
    node: Any = FakeNode()
    heard: list[bool] = []
    gate = PaceGate(node, 0.5, lambda: bool(heard))
    gate.is_open()
    heard.append(True)
    gate.is_open()
    heard.clear()
    node.callbacks[0](None)
    gate.is_open()
    assert node.requests == [], "spikes are not heard yet"
    heard.append(True)
    gate.is_open()
    (request,) = node.requests
    assert request.parameters[0].value.double_value == 0.5


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def asked_after_s(commands_after_s: float, limit_s: float) -> float:
    """When the pace is asked for if spikes are never heard: seconds from the start, in tenths."""
    node: Any = FakeNode()
    clock = Clock()
    begun_s = clock.now
    gate = PaceGate(node, 1.0, lambda: False, limit_s, clock)
    for tenth in range(round(2 * limit_s) * 10):
        clock.now = begun_s + tenth / 10 + 0.05
        if tenth == round(10 * commands_after_s):
            node.callbacks[0](None)
        gate.is_open()
        if node.requests:
            return tenth / 10
    pytest.fail("the pace was never asked for")


def test_what_never_comes_keeps_no_run_from_its_start() -> None:
    assert asked_after_s(3.0, 60.0) == pytest.approx(3.0 + PATIENCE_S, abs=0.11)


@pytest.mark.parametrize("commands_after_s", [35.0, 49.0])
def test_patience_ends_before_the_time_that_a_start_may_take(commands_after_s: float) -> None:
    assert asked_after_s(commands_after_s, 60.0) == pytest.approx(60.0 - ANSWER_S, abs=0.11)


def test_a_robot_that_is_up_late_is_not_kept_waiting() -> None:
    assert asked_after_s(58.0, 60.0) == 58.0
