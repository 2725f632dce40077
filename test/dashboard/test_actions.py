# SPDX-License-Identifier: Apache-2.0
"""The buttons: a stop succeeds only where the guard says that it has stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from rcl_interfaces.msg import ParameterType
from rclpy.executors import SingleThreadedExecutor
from std_srvs.srv import Trigger

from neuro_control.dashboard import actions
from neuro_control.dashboard.actions import Operator, parameter_value
from neuro_control.dashboard.server import ActionError
from test.dashboard.conftest import Robot


class Guard:
    """A guard that answers as it is told, and notes what it was asked."""

    def __init__(self, robot: Robot) -> None:
        self.answer = (True, "stopped")
        self.asked: list[str] = []
        self._node = robot.node
        self._executor = SingleThreadedExecutor(context=robot.context)
        self._executor.add_node(robot.node)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()

    def serve(self, *names: str) -> None:
        for name in names:
            self._node.create_service(Trigger, f"guard/{name}", self._on(name))

    def _on(self, name: str) -> Any:
        def answer(_: Any, response: Any) -> Any:
            self.asked.append(name)
            response.success, response.message = self.answer
            return response

        return answer

    def close(self) -> None:
        self._executor.shutdown()
        self._thread.join(5.0)


@pytest.fixture
def guard(robot: Robot) -> Iterator[Guard]:
    made = Guard(robot)
    yield made
    made.close()


@pytest.fixture
def operator(robot: Robot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    # Nothing here waits so long; a loaded machine may.
    monkeypatch.setattr(actions, "STOP_TIMEOUT_S", 30.0)
    made = Operator(robot.context)
    yield made
    made.close()


def test_a_stop_that_the_guard_confirms_succeeds(guard: Guard, operator: Operator) -> None:
    guard.serve("emergency_stop", "release")
    assert operator.stop({}) == {"success": True, "message": "stopped"}
    assert set(guard.asked) == {"emergency_stop"}


def test_a_guard_that_has_not_stopped_is_an_error(guard: Guard, operator: Operator) -> None:
    guard.serve("emergency_stop", "release")
    guard.answer = (False, "not active")
    with pytest.raises(ActionError, match=r"has not stopped \(not active\).*stop button"):
        operator.stop({})
    with pytest.raises(ActionError, match="not active"):
        operator.release({})


def test_no_guard_is_an_error(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "STOP_TIMEOUT_S", 0.05)
    with pytest.raises(ActionError, match="does not answer"):
        operator.stop({})


def test_a_stop_reaches_a_guard_that_comes_only_then(guard: Guard, operator: Operator) -> None:
    said: list[Any] = []
    asks = threading.Thread(target=lambda: said.append(operator.stop({})))
    asks.start()
    guard.serve("emergency_stop")
    asks.join(40.0)
    assert said == [{"success": True, "message": "stopped"}]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ParameterType.PARAMETER_INTEGER, 2**63),
        (ParameterType.PARAMETER_INTEGER, 10**400),
        (ParameterType.PARAMETER_INTEGER, 0.5),
        (ParameterType.PARAMETER_INTEGER, True),
        (ParameterType.PARAMETER_DOUBLE, 10**400),
        (ParameterType.PARAMETER_DOUBLE, float("nan")),
        (ParameterType.PARAMETER_STRING, 1),
    ],
)
def test_a_value_of_another_type_is_refused(kind: int, value: Any) -> None:
    with pytest.raises(ActionError, match="p cannot be"):
        parameter_value("p", kind, value)


def test_a_whole_number_is_an_integer() -> None:
    found = parameter_value("p", ParameterType.PARAMETER_INTEGER, -(2**63))
    assert found.integer_value == -(2**63)
    assert parameter_value("p", ParameterType.PARAMETER_INTEGER, 3.0).integer_value == 3


@pytest.mark.parametrize("seek_s", [None, True, "1", 10**400, float("inf")])
def test_a_place_in_a_recording_is_a_number(operator: Operator, seek_s: Any) -> None:
    with pytest.raises(ActionError, match="number of seconds"):
        operator.replay({"seek_s": seek_s})
