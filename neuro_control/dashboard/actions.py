# SPDX-License-Identifier: Apache-2.0
"""The buttons of the page: what it asks of the robot's nodes.

These move or stop a robot: `stop` and `release` (the guard's services). In a simulation or a
replay only: `set` (target, payload, wind, faults, pace), `replay`. `probe` and `record` do not
touch the robot.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.msg import ParameterDescriptor, ParameterType, ParameterValue
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from std_msgs.msg import Float64
from std_srvs.srv import Trigger

from neuro_control.dashboard.server import ActionError
from neuro_control.nodes import qos

STOP_TIMEOUT_S = 2.0
TIMEOUT_S = 3.0
# Which parameters the page may set, by node.
SETTABLE: dict[str, tuple[str, ...]] = {
    "simulator": ("target.", "disturbance.", "faults.", "real_time_factor"),
    "replay": ("rate",),
}


class Operator:
    """Service clients in a node and a thread of their own, so that nothing keeps a stop waiting."""

    def __init__(self, context: Context | None = None, **options: Any) -> None:
        self.node = Node("_dashboard_operator", context=context, **options)
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self.node)
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._seek = self.node.create_publisher(Float64, "replay/seek", qos.reliable(1))
        for name in ("guard/emergency_stop", "guard/release"):
            self._client(Trigger, name)
        self._thread = threading.Thread(target=self._spin, name="dashboard_operator", daemon=True)
        self._thread.start()

    def _spin(self) -> None:
        try:
            self._executor.spin()
        except ExternalShutdownException:
            return

    def close(self) -> None:
        """Ask nothing more."""
        self._executor.shutdown()
        self._thread.join(5.0)
        self.node.destroy_node()

    # Buttons

    def stop(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Emergency stop: the guard holds the arm until it is released."""
        del wanted
        return self._trigger("guard/emergency_stop", "the guard does not answer: press the robot's")

    def release(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Let commands through again."""
        del wanted
        return self._trigger("guard/release", "the guard does not answer")

    def set(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Set a parameter: {"node", "name", "value"}."""
        node, name = str(wanted.get("node", "")), str(wanted.get("name", ""))
        if not any(name.startswith(prefix) for prefix in SETTABLE.get(node, ())):
            raise ActionError(f"the page does not set {name!r} of {node!r}")
        return self._set(node, name, wanted.get("value"))

    def probe(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Choose the neurons whose membranes are shown: {"neurons": "field:528, retina:10"}."""
        return self._set("controller", "probe_neurons", str(wanted.get("neurons", "")))

    def controls(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """The parameters that the page may set now, with range, meaning and value."""
        del wanted
        found: dict[str, Any] = {}
        for node, prefixes in SETTABLE.items():
            listed = self._client(ListParameters, f"{node}/list_parameters")
            if not listed.service_is_ready():
                continue
            answer = self._call(listed, ListParameters.Request(), node)
            names = [n for n in answer.result.names if n.startswith(prefixes)]
            described = self._call(
                self._client(DescribeParameters, f"{node}/describe_parameters"),
                DescribeParameters.Request(names=names),
                node,
            )
            values = self._call(
                self._client(GetParameters, f"{node}/get_parameters"),
                GetParameters.Request(names=names),
                node,
            )
            found[node] = [
                describe(descriptor, value)
                for descriptor, value in zip(described.descriptors, values.values, strict=True)
                if not descriptor.read_only
            ]
        return {"controls": found}

    def replay(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Drive a replay: {"pause": true}, {"pause": false} or {"seek_s": 1.5}."""
        if "pause" in wanted:
            name = "replay/pause" if wanted["pause"] else "replay/resume"
            return self._trigger(name, "no replay answers")
        seek_s = wanted.get("seek_s")
        if not isinstance(seek_s, (int, float)) or not math.isfinite(seek_s):
            raise ActionError(f"seek_s is {seek_s!r}; it must be a number of seconds")
        self._seek.publish(Float64(data=float(seek_s)))
        return {"seek_s": float(seek_s)}

    # What they are made of

    def _client(self, kind: Any, name: str) -> Any:
        with self._lock:
            if name not in self._clients:
                self._clients[name] = self.node.create_client(kind, name)
            return self._clients[name]

    def _call(self, client: Any, request: Any, who: str, timeout_s: float = TIMEOUT_S) -> Any:
        if not client.wait_for_service(timeout_s):
            raise ActionError(f"{who}: nobody is there")
        done = threading.Event()
        future = client.call_async(request)
        future.add_done_callback(lambda _: done.set())
        if not done.wait(timeout_s):
            client.remove_pending_request(future)
            raise ActionError(f"{who} has not answered within {timeout_s:g} s")
        return future.result()

    def _trigger(self, name: str, otherwise: str) -> dict[str, Any]:
        client = self._client(Trigger, name)
        try:
            answer = self._call(client, Trigger.Request(), name, STOP_TIMEOUT_S)
        except ActionError as error:
            raise ActionError(f"{otherwise} ({error})") from error
        return {"success": bool(answer.success), "message": str(answer.message)}

    def _set(self, node: str, name: str, value: Any) -> dict[str, Any]:
        described = self._call(
            self._client(DescribeParameters, f"{node}/describe_parameters"),
            DescribeParameters.Request(names=[name]),
            node,
        ).descriptors
        kind = described[0].type if described else ParameterType.PARAMETER_NOT_SET
        message = ParameterMessage(name=name, value=parameter_value(name, kind, value))
        answer = self._call(
            self._client(SetParameters, f"{node}/set_parameters"),
            SetParameters.Request(parameters=[message]),
            node,
        )
        result = answer.results[0]
        if not result.successful:
            raise ActionError(str(result.reason))
        return {"node": node, "name": name, "value": value}


def parameter_value(name: str, kind: int, value: Any) -> ParameterValue:
    """A value of JSON as a parameter's. Raises ActionError if it is of another type."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == ParameterType.PARAMETER_BOOL and isinstance(value, bool):
        return ParameterValue(type=kind, bool_value=value)
    if kind == ParameterType.PARAMETER_INTEGER and number and float(value).is_integer():
        return ParameterValue(type=kind, integer_value=int(value))
    if kind == ParameterType.PARAMETER_DOUBLE and number and math.isfinite(value):
        return ParameterValue(type=kind, double_value=float(value))
    if kind == ParameterType.PARAMETER_STRING and isinstance(value, str):
        return ParameterValue(type=kind, string_value=value)
    raise ActionError(f"{name} cannot be {value!r}")


def describe(descriptor: ParameterDescriptor, value: ParameterValue) -> dict[str, Any]:
    """A parameter for the page: name, type, meaning, range, choices, value."""
    kinds: dict[int, tuple[str, Callable[[ParameterValue], Any]]] = {
        ParameterType.PARAMETER_BOOL: ("bool", lambda v: bool(v.bool_value)),
        ParameterType.PARAMETER_INTEGER: ("int", lambda v: int(v.integer_value)),
        ParameterType.PARAMETER_DOUBLE: ("float", lambda v: float(v.double_value)),
        ParameterType.PARAMETER_STRING: ("text", lambda v: str(v.string_value)),
    }
    kind, read = kinds.get(value.type, ("", lambda _: None))
    ranges = [*descriptor.floating_point_range, *descriptor.integer_range]
    choices = str(descriptor.additional_constraints)
    return {
        "name": str(descriptor.name),
        "type": kind,
        "description": str(descriptor.description),
        "low": float(ranges[0].from_value) if ranges else None,
        "high": float(ranges[0].to_value) if ranges else None,
        "choices": choices.removeprefix("one of ").split(", ")
        if choices.startswith("one of ")
        else [],
        "value": read(value),
    }
