# SPDX-License-Identifier: Apache-2.0
"""Simulated time runs only once everybody hears what the run is for."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")

from rclpy.task import Future

from neuro_control.demo import start_gate
from neuro_control.demo.start_gate import PaceGate


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


def test_what_never_comes_keeps_no_run_from_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    node: Any = FakeNode()
    gate = PaceGate(node, 1.0, lambda: False)
    node.callbacks[0](None)
    gate.is_open()
    assert node.requests == []
    monkeypatch.setattr(start_gate, "PATIENCE_S", -1.0)
    gate.is_open()
    assert len(node.requests) == 1
