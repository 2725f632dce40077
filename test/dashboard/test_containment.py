# SPDX-License-Identifier: Apache-2.0
"""Whatever is sent, the page and its buttons go on, and the panel says what it could not draw."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from event_camera_msgs.msg import EventPacket
from geometry_msgs.msg import PointStamped
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Float32MultiArray, Float64MultiArray, MultiArrayDimension, String
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from neuro_control.dashboard.containment import TOLD_S, Containment
from neuro_control.dashboard.panel import FrameParts
from neuro_control.dashboard.robot_panels import RobotPanels
from neuro_control.dashboard.taps import Tap
from neuro_control.dashboard.wire import encode_frame
from neuro_control.nodes.messages import message_class
from neuro_control.reports.json_text import json_text
from test.dashboard.conftest import Processes, Robot, until
from test.dashboard.known_robot import ARM
from test.dashboard.test_server import ask, in_thread

NESTED = "[" * 100_000


def packet(width: int, height: int, encoding: str = "mono", **fields: Any) -> EventPacket:
    return EventPacket(width=width, height=height, encoding=encoding, seq=1, **fields)


def image(height: int, width: int, step: int, data: bytes = b"", encoding: str = "32FC1") -> Image:
    return Image(height=height, width=width, step=step, encoding=encoding, data=data)


def array(kind: Any, data: list[float], *dims: tuple[str, int]) -> Any:
    message = kind(data=data)
    message.layout.dim = [MultiArrayDimension(label=name, size=size) for name, size in dims]
    return message


def description(**rows: Any) -> String:
    return String(data=json.dumps({"rows": [rows]}))


HUGE = 2**32 - 1
MALFORMED = [
    ("event_camera/events", packet(0, 0)),
    ("event_camera/events", packet(HUGE, HUGE)),
    ("event_camera/events", packet(4, 4, "nonsense")),
    ("event_camera/events", packet(4, 4, time_base=2**64 - 1, events=b"\xff" * 9)),
    ("event_camera/events", packet(4, 4, "evt3", events=b"\xff" * 9)),
    ("skin/events", packet(65535, 1)),
    ("skin/events", packet(1, 1)),
    ("taxels", image(0, 0, 0)),
    ("taxels", image(HUGE, 0, 0)),
    ("taxels", image(2, 0, 4, b"\0" * 8)),
    ("taxels", image(2, 2, 7, b"\0" * 14)),
    ("taxels", image(2, 2, 8, b"\xff" * 16)),
    ("taxels", image(2, 2, 8, b"\0" * 16, "rgb8")),
    ("cochlea/events", packet(0, 2)),
    ("cochlea/events", packet(65536, 65536)),
    ("joint_states", JointState(name=list(ARM), position=[1.0])),
    ("joint_states", JointState(name=["a", "a"], position=[np.nan, np.inf])),
    ("desired_trajectory", JointTrajectory(points=[JointTrajectoryPoint()])),
    ("arm_controller/joint_trajectory", JointTrajectory(joint_names=list(ARM))),
    ("arm_position_controller/commands", Float64MultiArray(data=[1.0])),
    ("simulation/target", PointStamped()),
    ("network/description", String(data="")),
    ("network/description", String(data="7")),
    ("network/description", String(data=NESTED)),
    ("network/description", String(data=json.dumps({"rows": [{"shown": 1}] * 100_000}))),
    ("network/description", description(shown="x")),
    ("network/description", description(shown=1e999)),
    ("network/description", description(shown=-1)),
    ("network/membranes", array(Float64MultiArray, [], ("t", 0), ("a,b", 2))),
    ("network/membranes", array(Float64MultiArray, [1.0], ("t", 0), ("", 0))),
    ("network/profile", String(data="")),
    ("network/profile", String(data="7")),
    ("network/profile", String(data=NESTED)),
    ("network/profile", String(data='{"nodes": [{"name": 1}], "ticks": 1, "dt_s": 1}')),
    ("network/profile", String(data='{"nodes": [], "ticks": 0, "dt_s": 1e999, "silence": null}')),
    ("network/profile", String(data='{"nodes": [], "ticks": 1, "dt_s": 1, "silence": [1]}')),
    ("replay/status", String(data="7")),
    ("replay/status", String(data="{}")),
    ("replay/status", String(data=NESTED)),
    (
        "/diagnostics",
        DiagnosticArray(
            status=[
                DiagnosticStatus(
                    level=b"\xff",
                    hardware_id="guard",
                    values=[KeyValue(key="guard_x", value="inf"), KeyValue(key="ticks", value="?")],
                )
            ]
        ),
    ),
]


class Looked:
    """The panels of a robot, without a page."""

    def __init__(self, robot: Robot) -> None:
        self.robot = robot
        self.logged: list[str] = []
        self.containment = Containment(self.logged.append)
        self.listener = rclpy.create_node("looks", context=robot.context)
        self.panels = RobotPanels(self.listener, ARM, 1000, self.containment)

    def taps(self) -> dict[str, Tap]:
        return {tap.spec.topic: tap for tap in self.panels._taps()}

    def draw(self) -> FrameParts:
        parts, now_s = FrameParts(), time.monotonic()
        self.panels.follow_graph(now_s)
        self.panels.draw(now_s, parts)
        encode_frame(parts.state, parts.arrays)
        for text in parts.texts.values():
            json_text(text)
        return parts

    def hears(self, topic: str, kind: Any, message: Any) -> FrameParts:
        """Send it until it has been taken; the frame it was taken for."""
        tap = self.taps()[topic]
        tap.heard_s = None
        publisher = self.robot.node.create_publisher(kind, topic, tap.spec.profile)
        described = "network/description"
        if topic in ("network/spikes", "network/membranes"):  # nobody hears them without
            profile = self.taps()[described].spec.profile
            describes = self.robot.node.create_publisher(String, described, profile)
            describes.publish(description(shown=4))
        frames: list[FrameParts] = []

        def drawn() -> bool:
            publisher.publish(message)
            frames.append(self.draw())
            return tap.heard_s is not None

        until(drawn, f"{topic} is heard", 20.0)
        for each in [
            p for p in self.robot.node.publishers if p.topic in (publisher.topic, f"/{described}")
        ]:
            self.robot.node.destroy_publisher(each)
        return frames[-1]


@pytest.fixture
def looked(robot: Robot) -> Iterator[Looked]:
    """Panels that have heard nothing yet: a message of the test before may come late."""
    made = Looked(robot)
    yield made
    made.panels.close()
    made.listener.destroy_node()


@pytest.mark.parametrize(
    ("topic", "message"), MALFORMED, ids=[f"{t}-{i}" for i, (t, _) in enumerate(MALFORMED)]
)
def test_no_malformed_message_keeps_the_other_panels_from_being_drawn(
    looked: Looked, topic: str, message: Any
) -> None:
    parts = looked.hears(topic, type(message), message)
    assert "flow" in parts.state
    foreseen = {"ears"} if topic == "cochlea/events" and message.height > 16 else set()
    assert set(looked.containment.failures) == foreseen


def test_an_array_of_no_taxels_is_no_picture(looked: Looked) -> None:
    parts = looked.hears("taxels", Float32MultiArray, array(Float32MultiArray, []))
    assert "pressure" not in parts.arrays
    assert looked.containment.failures == {}


def test_bytes_that_are_no_message_are_told_and_left(looked: Looked) -> None:
    for topic, tap in looked.taps().items():
        kind = message_class(tap.spec.types[0])
        garbage = b"\x00\x01\x00\x00" + b"\xff" * 13
        looked.hears(topic, kind, garbage)
    parts = looked.hears("joint_states", JointState, JointState(name=list(ARM)))
    assert "camera" not in parts.state
    assert looked.containment.failures
    for failure in looked.containment.failures.values():
        assert failure.count >= 1
    assert all("Traceback" in text for text in looked.logged)
    assert len(looked.logged) <= 2 * len(looked.containment.failures)


def test_a_panel_that_fails_leaves_nothing_half_drawn_and_is_logged_once(
    looked: Looked, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(now_s: float, parts: FrameParts) -> None:
        parts.state["half"] = now_s
        raise ZeroDivisionError("no skin")

    monkeypatch.setattr(looked.panels._panels["skin"], "draw", fail)
    for count in range(1, 4):
        parts = looked.draw()
        assert "half" not in parts.state
        assert "flow" in parts.state
        said = looked.containment.says(time.monotonic())
        assert said == {"skin": {"reason": "ZeroDivisionError: no skin", "count": count}}
    assert len(looked.logged) == 1
    assert "Traceback" in looked.logged[0]
    assert looked.containment.says(time.monotonic() + TOLD_S) == {}


def test_the_process_goes_on_and_its_buttons_answer(processes: Processes, robot: Robot) -> None:
    address = processes.dashboard(scene=False)
    publisher = robot.node.create_publisher(EventPacket, "cochlea/events", 10)
    bad = serialize_message(packet(65536, 65536))
    robot.repeat(lambda: publisher.publish(bad))

    async def told() -> tuple[dict[str, Any], int]:
        failures: dict[str, Any] = {}
        after = 0
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{address}ws") as page:
            while after < 5:
                message = await page.receive(60.0)
                if message.type is aiohttp.WSMsgType.BINARY:
                    await page.send_str("drawn")
                    after += bool(failures)
                    continue
                said = json.loads(message.data)
                if said["kind"] == "undrawable":
                    failures = said["value"]
        return failures, after

    failures, after = in_thread(told())
    assert list(failures) == ["ears"]
    assert "65536 rows" in failures["ears"]["reason"]
    assert after == 5
    assert ask("POST", f"{address}api/stop")[0] == 409  # there is no guard
    status, text = ask("POST", f"{address}api/record", data=b'{"on": "yes"}')
    assert (status, json.loads(text)) == (400, {"error": "on is 'yes'; it must be true or false"})
    assert processes.started[0].poll() is None
