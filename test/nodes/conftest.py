# SPDX-License-Identifier: Apache-2.0
"""ROS for the tests: a domain of this process alone, on this machine alone."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

# Before anything imports rclpy.
from test.ros_domain import little_to_collect, no_participant_left  # noqa: F401

os.environ["ROS_PYTHON_CHECK_FIELDS"] = "1"

rclpy = pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("event_camera_msgs", reason="needs event_camera_msgs built")

# The message packages' own generator imports a deprecated module of the standard library.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import rosidl_generator_py  # noqa: F401

from rclpy.node import Node  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from rosgraph_msgs.msg import Clock  # noqa: E402

from neuro_control.nodes import messages  # noqa: E402
from neuro_control.nodes.spin import make_executor, spin_for  # noqa: E402


class Ros:
    """Nodes in one executor, and waiting for what they do."""

    def __init__(self, kind: str = "events") -> None:
        self.executor = make_executor(kind)  # type: ignore[arg-type]
        self.nodes: list[Any] = []
        self.clients: dict[str, Any] = {}
        self._clock: Any = None
        self.probe = self.add(rclpy.create_node("probe"))

    def add(self, node: Any) -> Any:
        self.nodes.append(node)
        self.executor.add_node(node)
        # A report tells what has grown since the one before: only the test asks for one.
        for diagnostics in self._diagnostics():
            diagnostics._timer.cancel()
        return node

    def _diagnostics(self) -> list[Any]:
        return [node._diagnostics for node in self.nodes if hasattr(node, "_diagnostics")]

    def until(
        self, condition: Callable[[], bool], seconds: float = 60.0, what: str = "what it waits for"
    ) -> None:
        """Handle what comes until the condition holds; fail if it never does."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"{what} did not come"
            spin_for(self.executor, 0.005)

    def listen(self, kind: type, topic: str, profile: Any = 10) -> list[Any]:
        """Everything heard on a topic from now on, once somebody publishes there."""
        heard = self.listen_later(kind, topic, profile)
        self.until(lambda: self.probe.count_publishers(topic) > 0)
        if topic == "/diagnostics":
            for diagnostics in self._diagnostics():
                diagnostics._timer.reset()
        return heard

    def listen_later(self, kind: type, topic: str, profile: Any = 10) -> list[Any]:
        """The same, for a publisher that may take long to come."""
        heard: list[Any] = []
        self.probe.create_subscription(kind, topic, heard.append, profile)
        return heard

    def publisher(self, kind: type, topic: str, profile: Any = 10) -> Any:
        """A publisher that somebody listens to."""
        publisher = self.probe.create_publisher(kind, topic, profile)
        self.until(lambda: publisher.get_subscription_count() > 0)
        return publisher

    def call(self, kind: type, name: str, request: Any = None) -> Any:
        """The answer of a service."""
        # One client for all calls: each new one has to find the service, and be found by it.
        client = self.clients.get(name)
        if client is None:
            client = self.clients[name] = self.probe.create_client(kind, name)
        self.until(client.service_is_ready, what=f"the service {name}")
        future = client.call_async(request or kind.Request())
        self.until(future.done, what=f"the answer of {name}")
        return future.result()

    def tell_time(self, node: Any, t_ns: int) -> None:
        """It is this time now, for a node whose time is simulated."""
        if self._clock is None:
            self._clock = self.publisher(Clock, "/clock")
        clock = self._clock

        def told() -> bool:
            clock.publish(messages.clock_message(t_ns))
            return bool(node.get_clock().now().nanoseconds == t_ns)

        self.until(told)

    def close(self) -> None:
        for node in self.nodes:
            self.executor.remove_node(node)
            node.destroy_node()
        # rclpy's EventsExecutor still holds their timers, and by those the nodes.
        self.executor.shutdown()


@pytest.fixture
def ros() -> Iterator[Ros]:
    rclpy.init()
    try:
        context = Ros()
        yield context
        context.close()
    finally:
        rclpy.try_shutdown()


@pytest.fixture
def overrides() -> Callable[..., list[Parameter]]:
    """Parameter overrides from keywords; two underscores stand for a dot."""

    def make(**values: Any) -> list[Parameter]:
        return [Parameter(k.replace("__", "."), value=v) for k, v in values.items()]

    return make


@pytest.fixture
def node(ros: Ros) -> Node:
    return ros.probe
