# SPDX-License-Identifier: Apache-2.0
"""The buttons: a stop succeeds only where the guard says that it has stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from rcl_interfaces.msg import ParameterDescriptor, SetParametersResult
from rclpy.executors import SingleThreadedExecutor
from std_srvs.srv import Trigger

from neuro_control.dashboard import actions
from neuro_control.dashboard.actions import Operator
from neuro_control.dashboard.requests import ActionError, RequestError
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
    monkeypatch.setattr(actions, "TIMEOUT_S", 30.0)
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


@pytest.mark.parametrize("reason", ["gusts_n: too strong", "too strong"])
def test_a_parameter_that_a_node_refuses_is_named_once(
    guard: Guard, operator: Operator, robot: Robot, reason: str
) -> None:
    del guard  # spins the robot's node
    robot.node.declare_parameter("gusts_n", 1.0, ParameterDescriptor())
    robot.node.add_on_set_parameters_callback(
        lambda _: SetParametersResult(successful=False, reason=reason)
    )
    with pytest.raises(ActionError) as refused:
        operator._set("robot", "gusts_n", 2.0)
    assert str(refused.value) == "gusts_n: too strong"


def test_a_stop_reaches_a_guard_that_comes_only_then(guard: Guard, operator: Operator) -> None:
    said: list[Any] = []
    asks = threading.Thread(target=lambda: said.append(operator.stop({})))
    asks.start()
    guard.serve("emergency_stop")
    asks.join(40.0)
    assert said == [{"success": True, "message": "stopped"}]


REFUSED = [
    ("replay", {}, "either pause or seek_s"),
    ("replay", {"pause": True, "seek_s": 1.0}, "one of them"),
    ("replay", {"pause": 1}, "pause is 1; it must be true or false"),
    ("replay", {"pause": "yes"}, "pause is 'yes'; it must be true or false"),
    ("replay", {"seek_s": None}, "seek_s is not given; it must be a number of seconds, 0 or more"),
    ("replay", {"seek_s": True}, "seek_s is True; it must be a number of seconds"),
    ("replay", {"seek_s": "1"}, "seek_s is '1'; it must be a number of seconds"),
    ("replay", {"seek_s": -1}, "seek_s is -1; it must be a number of seconds, 0 or more"),
    ("replay", {"seek_s": 10**400}, "must be a number of seconds"),
    ("replay", {"seek_s": float("inf")}, "seek_s is inf"),
    ("replay", {"speed": 2}, "speed is no field of this request; it has pause, seek_s"),
    ("set", {}, "node is not given; it must be one of simulator, replay"),
    ("set", {"node": 7, "name": "rate"}, "node is 7"),
    ("set", {"node": "guard", "name": "rate"}, "node is 'guard'; the page sets parameters of simu"),
    ("set", {"node": "replay"}, "name is not given"),
    ("set", {"node": "simulator", "name": "seed", "value": 1},
     r"name is 'seed'; of simulator the page sets target\.\*, .*, real_time_factor"),
    ("set", {"node": "replay", "name": "rate", "to": 1}, "to is no field of this request"),
    ("probe", {}, "neurons is not given; it must be population:neuron"),
    ("probe", {"neurons": ["field:1"]}, r"neurons is \['field:1'\]"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "wanted", "words"), REFUSED)
def test_a_request_that_is_none_is_refused_with_field_value_and_what_would_be_right(
    operator: Operator, name: str, wanted: dict[str, Any], words: str
) -> None:
    with pytest.raises(RequestError, match=words):
        getattr(operator, name)(wanted)


def test_a_seek_without_a_replay_is_refused(operator: Operator) -> None:
    with pytest.raises(ActionError, match="no replay listens on replay/seek"):
        operator.replay({"seek_s": 1.5})
