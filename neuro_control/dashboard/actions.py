# SPDX-License-Identifier: Apache-2.0
"""The buttons of the page: what it asks of the robot's nodes.

These move or stop a robot: `stop` and `release` (the guard's services). In a simulation or a
replay only: `set` (target, payload, wind, faults, pace), `replay`. `probe` and `record` do not
touch the robot.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from std_msgs.msg import Float64
from std_srvs.srv import Trigger

from neuro_control.dashboard.requests import (
    ActionError,
    RequestError,
    check_fields,
    describe,
    flag,
    parameter_value,
    seconds,
    text,
)
from neuro_control.nodes import qos

STOP_TIMEOUT_S = 2.0
STOP_POLL_S = 0.01
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
        self._stop = self._client(Trigger, "guard/emergency_stop")
        self._client(Trigger, "guard/release")
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
        """Emergency stop: the guard holds the arm until it is released.

        Raises ActionError unless the guard says that it has stopped.
        """
        del wanted
        answer = self._ask_to_stop()
        if answer is None:
            raise ActionError("the guard does not answer: press the robot's own stop button")
        if not answer.success:
            raise ActionError(
                f"the guard has not stopped ({answer.message}): press the robot's own stop button"
            )
        return {"success": True, "message": str(answer.message)}

    def _ask_to_stop(self) -> Any:
        """The guard's answer; None if it has none in time.

        Asked at once, even a guard that is not yet seen (one way may be open already), and again
        as soon as it is seen. To stop twice is to stop.
        """
        answered = threading.Event()
        ready = self._stop.service_is_ready()
        futures = [self._stop.call_async(Trigger.Request())]
        end_s = time.monotonic() + STOP_TIMEOUT_S
        futures[0].add_done_callback(lambda _: answered.set())
        while not answered.wait(STOP_POLL_S) and time.monotonic() < end_s:
            if not ready and self._stop.service_is_ready():
                ready = True
                futures.append(self._stop.call_async(Trigger.Request()))
                futures[-1].add_done_callback(lambda _: answered.set())
        for future in futures:
            if future.done():
                return future.result()
            self._stop.remove_pending_request(future)
        return None

    def release(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Let commands through again."""
        del wanted
        return self._trigger("guard/release", "the guard does not answer")

    def set(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Set a parameter: {"node", "name", "value"}."""
        check_fields(wanted, "node", "name", "value")
        nodes = ", ".join(SETTABLE)
        node = text(wanted, "node", f"one of {nodes}")
        name = text(wanted, "name", "the name of a parameter")
        if node not in SETTABLE:
            raise RequestError(f"node is {node!r}; the page sets parameters of {nodes}")
        if not name.startswith(SETTABLE[node]):
            those = ", ".join(f"{p}*" if p.endswith(".") else p for p in SETTABLE[node])
            raise RequestError(f"name is {name!r}; of {node} the page sets {those}")
        return self._set(node, name, wanted.get("value"))

    def probe(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Choose the neurons whose membranes are shown: {"neurons": "field:528, retina:10"}."""
        check_fields(wanted, "neurons")
        neurons = text(wanted, "neurons", "population:neuron, comma-separated, as in field:528")
        return self._set("controller", "probe_neurons", neurons)

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
        check_fields(wanted, "pause", "seek_s")
        if len(wanted) != 1:
            raise RequestError("a replay is asked for either pause or seek_s, and for one of them")
        if "pause" in wanted:
            name = "replay/pause" if flag(wanted, "pause") else "replay/resume"
            return self._trigger(name, "no replay answers")
        seek_s = seconds(wanted, "seek_s")
        if not self._seek.get_subscription_count():
            raise ActionError("no replay listens on replay/seek: nothing is played here")
        self._seek.publish(Float64(data=seek_s))
        return {"seek_s": seek_s}

    # What they are made of

    def _client(self, kind: Any, name: str) -> Any:
        with self._lock:
            if name not in self._clients:
                self._clients[name] = self.node.create_client(kind, name)
            return self._clients[name]

    def _call(self, client: Any, request: Any, who: str, timeout_s: float | None = None) -> Any:
        if timeout_s is None:
            timeout_s = TIMEOUT_S
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
        if not answer.success:
            raise ActionError(f"{name}: {answer.message or 'it was refused'}")
        return {"success": True, "message": str(answer.message)}

    def _set(self, node: str, name: str, value: Any) -> dict[str, Any]:
        described = self._call(
            self._client(DescribeParameters, f"{node}/describe_parameters"),
            DescribeParameters.Request(names=[name]),
            node,
        ).descriptors
        if not described or not described[0].name:
            raise RequestError(f"name is {name!r}; {node} has no such parameter")
        message = ParameterMessage(name=name, value=parameter_value(described[0], value))
        answer = self._call(
            self._client(SetParameters, f"{node}/set_parameters"),
            SetParameters.Request(parameters=[message]),
            node,
        )
        result = answer.results[0]
        if not result.successful:
            # Most nodes name the parameter themselves.
            named = result.reason.startswith(f"{name}: ")
            raise ActionError(result.reason if named else f"{name}: {result.reason}")
        return {"node": node, "name": name, "value": value}
