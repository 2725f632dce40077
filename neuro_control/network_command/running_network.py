# SPDX-License-Identifier: Apache-2.0
"""What a controller that runs publishes of its network, heard through ROS 2."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from neuro_control.events import Packet
from neuro_control.inspection import SilenceReport, Wiring

TIMEOUT_S = 5.0
"""Until the first message of a topic."""
CAUSES_TIMEOUT_S = 60.0
"""The controller starts a process of low priority, and asks it every ten seconds: that takes about
five, and on a machine that is busy with a simulation half a minute."""


class RunningNetwork:
    """Hears one controller; every method waits.

    node: listens. wait: handles what comes until a condition holds, for so many seconds at most.
    """

    def __init__(self, node: Any, wait: Callable[[Callable[[], bool], float], None]) -> None:
        self._node = node
        self._wait = wait

    def description(self) -> dict[str, Any]:
        """What the network is.

        Raises:
            ValueError: nobody publishes it, or something else in its place.
        """
        from std_msgs.msg import String

        from neuro_control.nodes import qos

        texts: list[str] = []
        self._node.create_subscription(
            String, "network/description", lambda m: texts.append(m.data), qos.LATCHED
        )
        self._wait(lambda: bool(texts), TIMEOUT_S)
        if not texts:
            raise ValueError(
                f"nobody publishes network/description within {TIMEOUT_S:g} s: is a controller "
                "configured, in this ROS_DOMAIN_ID and namespace?"
            )
        try:
            found: dict[str, Any] = json.loads(texts[-1])
            Wiring.from_description(found)
            float(found["dt_s"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"network/description is not what was expected: {error}") from error
        return found

    def packets(self, seconds: float) -> list[Packet]:
        """Its messages of spikes over so many seconds.

        Raises:
            ValueError: it publishes none.
        """
        from event_camera_msgs.msg import EventPacket

        from neuro_control.nodes import messages, qos

        packets: list[Packet] = []
        subscription = self._node.create_subscription(
            EventPacket,
            "network/spikes",
            lambda m: packets.append(messages.packet(m, "network/spikes")),
            qos.best_effort(64),
        )
        self._wait(lambda: bool(packets), TIMEOUT_S)
        if not packets:
            raise ValueError(
                "the controller publishes no network/spikes: it is not active, or its network "
                "does not tick (no packets come, or no joint states)"
            )
        self._wait(lambda: False, seconds)
        self._node.destroy_subscription(subscription)
        return packets

    def causes(self) -> tuple[SilenceReport | None, str]:
        """What the controller finds when it goes through its last input again; or None, and why."""
        from std_msgs.msg import String

        from neuro_control.nodes import qos

        texts: list[str] = []
        found: list[tuple[SilenceReport | None, str]] = []

        def read() -> bool:
            while texts and not found:
                try:
                    said = json.loads(texts.pop(0))
                    if said["silence"] is not None:
                        found.append((SilenceReport.from_json(said["silence"]), ""))
                    elif said["times_missing"]:
                        found.append((None, str(said["times_missing"])))
                except (ValueError, KeyError, TypeError) as error:
                    found.append((None, f"network/profile is not what was expected: {error}"))
            return bool(found)

        self._node.create_subscription(
            String, "network/profile", lambda m: texts.append(m.data), qos.best_effort(4)
        )
        self._wait(lambda: bool(texts), TIMEOUT_S)
        if not texts:
            return None, f"nothing on network/profile within {TIMEOUT_S:g} s"
        self._wait(read, CAUSES_TIMEOUT_S)
        if not found:
            return None, f"none on network/profile within {CAUSES_TIMEOUT_S:g} s"
        return found[0]


@contextmanager
def running_network() -> Iterator[RunningNetwork]:
    """The network of the controller in this ROS_DOMAIN_ID and namespace.

    Raises:
        ValueError: there is no ROS here.
    """
    try:
        import rclpy
        from event_camera_msgs.msg import EventPacket  # noqa: F401 - whether it is here
        from rclpy.executors import SingleThreadedExecutor
    except ImportError as error:
        raise ValueError(f"--running needs ROS 2 ({error}); `neuro_control doctor`") from error

    context = rclpy.Context()
    rclpy.init(context=context)
    with ExitStack() as ends:
        ends.callback(rclpy.try_shutdown, context=context)
        node = rclpy.create_node("network_why", context=context)
        ends.callback(node.destroy_node)
        executor = SingleThreadedExecutor(context=context)
        ends.callback(executor.shutdown)
        executor.add_node(node)

        def wait(condition: Callable[[], bool], seconds: float) -> None:
            end = time.monotonic() + seconds
            while not condition() and time.monotonic() < end:
                executor.spin_once(timeout_sec=0.05)

        yield RunningNetwork(node, wait)
