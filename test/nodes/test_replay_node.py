# SPDX-License-Identifier: Apache-2.0
"""The replay node plays recordings as a camera would send them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from event_camera_msgs.msg import EventPacket
from rclpy.parameter import Parameter
from rclpy.serialization import serialize_message
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64, String
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from neuro_control.events import (
    Events,
    FileError,
    Packet,
    PacketStream,
    encode_mono,
    write,
    write_packets,
)
from neuro_control.nodes import messages, qos
from neuro_control.nodes.bag_recorder import recording as record_bag
from neuro_control.nodes.diagnostics import documented
from neuro_control.nodes.parameters import ParameterError
from neuro_control.nodes.replay import ReplayNode
from neuro_control.nodes.replay_source import Played

MS = 1_000_000
T0 = 1_000_000 * MS


def recording(folder: Path, count: int = 5) -> Path:
    """Packets 4 ms apart, from a second after the beginning of time."""
    packets = []
    for k in range(count):
        stamp = 1_000 * MS + 4 * MS * k
        x = np.array([k], np.uint16)
        events = Events(np.array([stamp]), x, x, np.ones(1, np.uint8), 16, 16)
        payload, base = encode_mono(events)
        packets.append(
            Packet("/event_camera/events", k, base, stamp, "mono", 16, 16, False, payload)
        )
    path = folder / "bag"
    write_packets(path, packets)
    return path


def play(ros: Any, overrides: Any, path: Path, **values: Any) -> ReplayNode:
    node = ros.add(ReplayNode(parameter_overrides=overrides(path=str(path), **values)))
    ros.until(lambda: ros.probe.count_publishers("/event_camera/events") > 0)
    return node


def test_packets_come_in_order_stamped_by_the_nodes_clock(
    ros: Any, overrides: Any, tmp_path: Path
) -> None:
    node = play(ros, overrides, recording(tmp_path))
    heard = []
    ros.probe.create_subscription(
        EventPacket, "event_camera/events", heard.append, qos.best_effort(10)
    )
    now = node.get_clock().now().nanoseconds
    node.play(ros.executor)
    ros.until(lambda: len(heard) == 5)
    assert [p.seq for p in heard] == [0, 1, 2, 3, 4]
    stamps = [messages.time_ns(p.header.stamp) for p in heard]
    assert list(np.diff(stamps)) == [4 * MS] * 4
    assert stamps[0] >= now


def test_with_the_clock_the_recordings_stamps_are_kept(
    ros: Any, overrides: Any, tmp_path: Path
) -> None:
    node = play(ros, overrides, recording(tmp_path), publish_clock=True)
    clock = ros.listen(Clock, "/clock")
    heard = ros.listen(EventPacket, "/event_camera/events", qos.best_effort(10))
    node.play(ros.executor)
    ros.until(lambda: len(heard) == 5 and len(clock) == 4)
    assert messages.time_ns(heard[-1].header.stamp) == 1_016 * MS
    assert messages.time_ns(clock[-1].clock) == 1_016 * MS


def test_an_arm_at_rest_can_be_played_beside(ros: Any, overrides: Any, tmp_path: Path) -> None:
    node = play(ros, overrides, recording(tmp_path), joint_states=True)
    joints = ros.listen(JointState, "/joint_states")
    ros.listen(EventPacket, "/event_camera/events", qos.best_effort(10))
    node.play(ros.executor)
    ros.until(lambda: len(joints) >= 4)
    assert len(joints[0].name) == 6
    assert list(joints[0].velocity) == [0.0] * 6


def test_a_recording_that_cannot_be_read_is_an_error(
    ros: Any, overrides: Any, tmp_path: Path
) -> None:
    node = play(ros, overrides, tmp_path / "nowhere", wait_s=0.0)
    with pytest.raises(FileError, match="nowhere"):
        node.play(ros.executor)


def test_any_file_of_events_is_played_in_packets_of_four_milliseconds(
    ros: Any, overrides: Any, tmp_path: Path
) -> None:
    t_ns = np.array([1, 2, 5, 11]) * MS
    x = np.arange(4).astype(np.uint16)
    write(tmp_path / "in.npz", [Events(t_ns, x, x, np.ones(4, np.uint8), 16, 16)], (16, 16))
    node = play(ros, overrides, tmp_path / "in.npz")
    heard: list[Any] = []
    ros.probe.create_subscription(
        EventPacket, "event_camera/events", heard.append, qos.best_effort(10)
    )
    node.play(ros.executor)
    ros.until(lambda: len(heard) == 3)
    assert [len(packet.events) // 8 for packet in heard] == [2, 1, 1]
    assert (heard[0].width, heard[0].encoding) == (16, "mono")


def test_a_path_must_be_given(ros: Any, overrides: Any) -> None:
    with pytest.raises(ParameterError, match="path: must be set"):
        ReplayNode(parameter_overrides=overrides())


def test_its_keys_are_documented(ros: Any, overrides: Any, tmp_path: Path) -> None:
    node = play(ros, overrides, recording(tmp_path))
    assert [key for key in node.report().values if not documented(key)] == []


def joints_at(t_ns: int) -> JointState:
    return messages.joint_state_message(t_ns, ["j"], np.array([t_ns * 1e-9]))


@pytest.fixture
def a_run(tmp_path: Path) -> Path:
    """Six seconds from 1000 s on: packets, joints and commands each 20 ms, as the demo records."""
    path = tmp_path / "run.mcap"
    with record_bag(path) as recorder:
        recorder.write("/network/description", T0, serialize_message(String(data='{"format": 1}')))
        for k in range(300):
            t_ns = T0 + 20 * MS * k
            x = np.array([k % 16], np.uint16)
            events = Events(np.array([t_ns]), x, x, np.ones(1, np.uint8), 16, 16)
            payload, base = encode_mono(events)
            packet = Packet("", k, base, t_ns, "mono", 16, 16, False, payload)
            command = messages.trajectory_message(t_ns, ["j"], np.ones(1), None, 4 * MS)
            for topic, message in (
                ("/joint_states", joints_at(t_ns)),
                ("/event_camera/events", messages.packet_message(packet)),
                ("/desired_trajectory", command),
                ("/network/spikes", messages.packet_message(packet)),
            ):
                recorder.write(topic, t_ns, serialize_message(message))
    return path


class Slider:
    """A replay of a whole run, listened to and moved as the page moves it."""

    def __init__(self, ros: Any, overrides: Any, path: Path, **values: Any) -> None:
        self.ros = ros
        values = {"publish_clock": True, "joint_states": True, "wait_s": 0.3, **values}
        self.node = play(ros, overrides, path, **values)
        self.status = ros.listen(String, "/replay/status", qos.LATCHED)
        self.packets = ros.listen(EventPacket, "/event_camera/events", qos.best_effort(1000))
        self.joints = ros.listen(JointState, "/joint_states", 1000)
        self.clock = ros.listen_later(Clock, "/clock", qos.reliable(1000))
        self.seek_to = ros.publisher(Float64, "/replay/seek", qos.reliable(1))
        self.steps: list[Callable[[], bool]] = []

    def goes_on(self) -> bool:
        """Asked at every turn of the replay's loop: does the next step, once it can be done."""
        if self.steps and self.steps[0]():
            self.steps.pop(0)
        return bool(self.steps)

    def run(self, *steps: Callable[[], bool]) -> None:
        """Play until the steps are done; each says whether it is."""
        self.steps = list(steps)
        end = time.monotonic() + 60.0
        self.node.play(self.ros.executor, lambda: self.goes_on() and time.monotonic() < end)
        assert self.steps == [], "what was waited for did not come"

    def told(self) -> dict[str, Any]:
        return dict(json.loads(self.status[-1].data))

    def seek(self, seconds: float) -> Callable[[], bool]:
        def step() -> bool:
            self.seek_to.publish(Float64(data=seconds))
            return True

        return step

    def stamps(self, first: int = 0) -> list[int]:
        return [messages.time_ns(p.header.stamp) for p in self.packets[first:]]


def test_a_whole_run_is_played_what_nodes_did_beside(ros: Any, overrides: Any, a_run: Path) -> None:
    slider = Slider(ros, overrides, a_run, rate=5.0)
    commands = ros.listen_later(JointTrajectory, "/recorded/desired_trajectory", 100)
    about = ros.listen_later(String, "/recorded/network/description", qos.LATCHED)
    spikes = ros.listen_later(EventPacket, "/recorded/network/spikes", qos.best_effort(100))
    slider.run(lambda: len(slider.packets) >= 100)
    assert slider.stamps()[:50] == [T0 + 20 * MS * k for k in range(50)]
    # Beside the state of an arm at rest, none of which may come now that there are real ones.
    assert {tuple(joints.name) for joints in slider.joints} == {("j",)}
    assert messages.time_ns(slider.joints[10].header.stamp) == T0 + 200 * MS
    assert slider.joints[10].position[0] == pytest.approx(1000.2)
    assert len(commands) > 30
    assert len(spikes) > 30
    assert about[0].data == '{"format": 1}'
    assert not ros.probe.get_publishers_info_by_topic("/desired_trajectory")
    told = slider.told()
    assert told["format"] == 1
    assert told["topics"]["joint_states"] == "sensor_msgs/msg/JointState"
    assert told["duration_s"] == pytest.approx(5.98, abs=0.01)
    assert told["start_ns"] == T0


def test_it_says_what_it_cannot_read_and_does_not_send_it(
    ros: Any, overrides: Any, tmp_path: Path
) -> None:
    path = tmp_path / "cut.mcap"
    with record_bag(path) as recorder:
        for k in range(10):
            t_ns = T0 + 20 * MS * k
            x = np.array([k], np.uint16)
            payload, base = encode_mono(
                Events(np.array([t_ns]), x, x, np.ones(1, np.uint8), 16, 16)
            )
            packet = Packet("", k, base, t_ns, "mono", 16, 16, False, payload)
            joints = serialize_message(joints_at(t_ns))
            recorder.write("/joint_states", t_ns, joints[: (0, 7, 30)[k]] if k < 3 else joints)
            recorder.write(
                "/event_camera/events", t_ns, serialize_message(messages.packet_message(packet))
            )
    slider = Slider(ros, overrides, path, stay=True)
    assert slider.node.report().warning is False
    slider.run(lambda: len(slider.packets) == 10 and len(slider.joints) >= 7)
    assert [messages.time_ns(state.header.stamp) for state in slider.joints] == [
        T0 + 20 * MS * k for k in range(3, 10)
    ]
    slider.node._tell_status()
    ros.until(lambda: slider.told()["refused"] == {"joint_states": 3})
    report = slider.node.report()
    assert report.values["messages_refused"] == 3
    assert report.warning
    assert "3 of joint_states" in report.message


def test_it_can_be_sent_back_and_forth(ros: Any, overrides: Any, a_run: Path) -> None:
    slider = Slider(ros, overrides, a_run)
    counts: list[int] = []

    def at(place_s: float) -> Callable[[], bool]:
        def step() -> bool:
            stamp = T0 + round(place_s * 1e9)
            seen = [
                n for n, t in enumerate(slider.stamps()) if t == stamp and n >= sum(counts[-1:])
            ]
            if seen:
                counts.append(seen[0])
            return bool(seen)

        return step

    slider.run(at(0.2), slider.seek(4.0), at(4.1), slider.seek(1.0), at(1.1))
    stamps = slider.stamps()
    jumps = [n for n in range(1, len(stamps)) if not 0 < stamps[n] - stamps[n - 1] <= 40 * MS]
    assert len(jumps) == 2, "it goes there and nowhere else"
    # A little before the place, so that the network is awake there.
    assert [stamps[n] for n in jumps] == [T0 + 3_800 * MS, T0 + 800 * MS]
    ticks = [messages.time_ns(clock.clock) for clock in slider.clock]
    back = [n for n in range(1, len(ticks)) if ticks[n] < ticks[n - 1]]
    assert [ticks[n] for n in back] == [T0 + 800 * MS], "the clock goes back once, to there"
    # Whoever counts the packets is told of a new beginning, not of a loss.
    stream = PacketStream(16, 16, "mono")
    for packet in slider.packets:
        stream.receive(messages.packet(packet, ""))
    assert (stream.counters.packets_lost, stream.counters.restarts) == (0, 2)
    assert slider.told()["seeks"] == 2


@pytest.mark.parametrize("rate", [0.5, 1.0, 5.0])
def test_after_a_seek_packets_are_not_stamped_ahead_of_the_clock(
    ros: Any, overrides: Any, a_run: Path, rate: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in what is played fast before the place, nor after it: the guard would refuse."""
    slider = Slider(ros, overrides, a_run, rate=rate, publish_clock=False)
    node, ahead_ns = slider.node, list[int]()
    publish = node._publish

    def listened(played: Played) -> None:
        publish(played)
        now_ns = node.get_clock().now().nanoseconds
        ahead_ns.append(node.playback.stamp_ns(played.place_ns) - now_ns)

    monkeypatch.setattr(node, "_publish", listened)
    slider.run(
        lambda: len(slider.packets) >= 3,
        slider.seek(3.0),
        lambda: node.playback.place_ns >= 3_100 * MS,
        lambda: bool(node._on_pause(None, Trigger.Response()).success),
        slider.seek(2.0),
        lambda: node.playback.standing and node.playback.place_ns == 2_000 * MS,
        lambda: bool(node._on_resume(None, Trigger.Response()).success),
        lambda: node.playback.place_ns >= 2_100 * MS,
    )
    assert len(ahead_ns) > 30
    assert max(ahead_ns) < 2 * MS
    # What was published is what was looked at, and a clock that rises stamped it.
    ros.until(lambda: len(slider.packets) == node.packets)
    assert np.all(np.diff(slider.stamps()) >= 0)


def test_paused_it_stands_and_a_seek_shows_the_place(ros: Any, overrides: Any, a_run: Path) -> None:
    slider = Slider(ros, overrides, a_run)
    node = slider.node
    place: list[Any] = []

    def paused() -> bool:
        if len(slider.packets) < 5:
            return False
        answer = node._on_pause(None, Trigger.Response())
        assert answer.success
        place.append(node.playback.place_ns)
        return True

    def stands() -> bool:
        place.append(time.monotonic())
        return place[-1] - place[1] > 0.3

    def shown() -> bool:
        return bool(slider.stamps()) and slider.stamps()[-1] == T0 + 3_000 * MS

    def resumed() -> bool:
        assert node.playback.place_ns == 3_000 * MS
        assert slider.told()["paused"] is True
        return bool(node._on_resume(None, Trigger.Response()).success)

    slider.run(
        paused,
        stands,
        lambda: node.playback.place_ns == place[0],
        slider.seek(3.0),
        shown,
        lambda: node.playback.standing,
        lambda: slider.told()["position_s"] == pytest.approx(3.0),
        resumed,
        lambda: slider.stamps()[-1] >= T0 + 3_100 * MS,
    )


def test_it_stays_at_the_end_if_it_shall(ros: Any, overrides: Any, a_run: Path) -> None:
    slider = Slider(ros, overrides, a_run, rate=50.0, stay=True)
    node = slider.node

    def ended() -> bool:
        return node.ended and slider.told()["ended"]

    def not_resumed() -> bool:
        answer = node._on_resume(None, Trigger.Response())
        assert not answer.success
        assert "seek" in answer.message
        return True

    slider.run(ended, not_resumed, slider.seek(99.0), lambda: node.playback.seeks == 1, ended)
    assert slider.told()["position_s"] == pytest.approx(5.98, abs=0.03), "no further than its end"


def test_the_rate_can_be_changed_and_a_wrong_one_is_refused(
    ros: Any, overrides: Any, a_run: Path
) -> None:
    slider = Slider(ros, overrides, a_run, rate=0.01)
    (result,) = slider.node.set_parameters([Parameter("rate", value=0.0)])
    assert not result.successful
    (result,) = slider.node.set_parameters([Parameter("rate", value=20.0)])
    assert result.successful
    slider.run(lambda: len(slider.packets) >= 200)
    assert slider.told()["rate"] == 20.0


def test_a_place_that_is_no_number_is_refused(ros: Any, overrides: Any, a_run: Path) -> None:
    slider = Slider(ros, overrides, a_run)
    slider.node._on_seek(Float64(data=float("nan")))
    assert not slider.node.playback.sought
    assert slider.node.report().values["seeks"] == 0
