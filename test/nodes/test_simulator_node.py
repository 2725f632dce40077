# SPDX-License-Identifier: Apache-2.0
"""The simulator node: publishes what the hardware would, in real time or in lockstep."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("mujoco", reason="needs MuJoCo")

import rclpy
from event_camera_msgs.msg import EventPacket
from geometry_msgs.msg import PointStamped
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Float64MultiArray, Int16MultiArray
from trajectory_msgs.msg import JointTrajectory

from neuro_control.events import Events, PacketStream
from neuro_control.nodes import messages, qos
from neuro_control.nodes.diagnostics import documented
from neuro_control.nodes.parameters import ParameterError
from neuro_control.nodes.simulator import SimulatorNode

MS = 1_000_000
NAMES = ("j1", "j2")


class FakeWorld:
    """A world of two joints that go where they are told; five events a period."""

    joint_names = NAMES
    lost: tuple[int, ...] = ()

    def __init__(self, urdf: str, settings: Any) -> None:
        self.t_ns = 0
        self.q = np.zeros(2)
        self.orders: list[tuple[str, Any]] = []
        self.closed = False
        self.settings = settings
        self.conditions: dict[str, Any] = {"payload_kg": 0.0}

    def advance(self) -> Any:
        self.t_ns += 2 * MS
        t = self.t_ns - np.arange(5, 0, -1)
        x = np.arange(5, dtype=np.uint16)
        events = Events(t, x, x, np.ones(5, np.uint8), 16, 16)
        return SimpleNamespace(
            t_ns=self.t_ns,
            events=events,
            target_in_camera=np.array([0.0, 1.0, 1.0]),
            packet_arrives=self.t_ns not in self.lost,
            joint_states=[
                SimpleNamespace(t_ns=self.t_ns, q=self.q, qd=np.zeros(2), effort=np.ones(2))
            ],
            taxels=np.full((2, 3), 0.5, np.float32) if self.settings.senses.touch else None,
            sound=np.arange(6, dtype=np.int16).reshape(3, 2)
            if self.settings.senses.sound
            else None,
        )

    def change(self, settings: Any) -> None:
        if settings.target.speed_m_s > 4.0:
            raise ValueError("target.speed_m_s: this world is small")
        self.settings = settings

    def set_trajectory(self, points: list[Any], stamp_ns: int) -> None:
        self.orders.append(("trajectory", stamp_ns))
        self.q = points[-1].q

    def set_positions(self, q: np.ndarray) -> None:
        self.orders.append(("positions", q))

    def set_velocities(self, qd: np.ndarray) -> None:
        if np.any(np.abs(qd) > 10.0):
            raise ValueError("qd: too fast")
        self.orders.append(("velocities", qd))

    def close(self) -> None:
        self.closed = True


def make(ros: Any, overrides: Any, **values: Any) -> SimulatorNode:
    return ros.add(SimulatorNode(FakeWorld, parameter_overrides=overrides(**values)))


def answer_everything(ros: Any, sim: SimulatorNode) -> list[int]:
    """A controller that answers each packet at once; returns the stamps that it will answer."""
    stamps: list[int] = []
    publisher = ros.publisher(JointTrajectory, "arm_controller/joint_trajectory", qos.COMMANDS)

    def answer(packet: EventPacket) -> None:
        stamp = messages.time_ns(packet.header.stamp)
        stamps.append(stamp)
        publisher.publish(
            messages.trajectory_message(stamp, NAMES, np.zeros(2), np.zeros(2), 4 * MS)
        )

    ros.probe.create_subscription(EventPacket, "event_camera/events", answer, 64)
    ros.until(lambda: sim._events.get_subscription_count() > 0)
    return stamps


def test_it_publishes_what_the_hardware_would(ros: Any, overrides: Any) -> None:
    sim = make(ros, overrides, seconds=0.02, lockstep=True)
    clock = ros.listen(Clock, "/clock")
    joints = ros.listen(JointState, "joint_states")
    target = ros.listen(PointStamped, "simulation/target")
    packets = ros.listen(EventPacket, "event_camera/events", 64)
    answer_everything(ros, sim)
    sim.simulate(ros.executor)
    ros.until(lambda: len(target) == 10)
    assert [messages.time_ns(c.clock) for c in clock] == [2 * MS * k for k in range(1, 11)]
    assert [messages.time_ns(j.header.stamp) for j in joints][-1] == 20 * MS
    assert tuple(joints[0].name) == NAMES
    assert list(joints[0].effort) == [1.0, 1.0]
    assert target[0].header.frame_id == "hand_camera_optical_frame"
    stream = PacketStream(16, 16, "mono")
    events = [stream.receive(messages.packet(p, "")) for p in packets]
    assert [len(e) for e in events if e is not None] == [5] * 10
    assert stream.counters.packets_lost == 0


def test_in_lockstep_time_waits_for_the_answer(ros: Any, overrides: Any) -> None:
    sim = make(ros, overrides, seconds=0.1, lockstep=True)
    stamps = answer_everything(ros, sim)
    sim.simulate(ros.executor)
    assert stamps == [2 * MS * k for k in range(1, 51)], "each packet once, none before its answer"
    report = sim.report()
    assert report.values["sim_time_s"] == pytest.approx(0.1)
    assert report.values["packets_unanswered"] == 0
    assert 0.0 < report.values["latency_ms_median"] < 10_000.0


def test_a_controller_that_comes_late_is_waited_for_and_told_of(ros: Any, overrides: Any) -> None:
    sim = make(ros, overrides, seconds=0.01, lockstep=True, lockstep_timeout_s=0.1)
    publisher = ros.publisher(JointTrajectory, "arm_controller/joint_trajectory", qos.COMMANDS)
    heard: list[int] = []

    def answer_the_third_time(packet: EventPacket) -> None:
        heard.append(messages.time_ns(packet.header.stamp))
        if len(heard) >= 3:
            publisher.publish(
                messages.trajectory_message(heard[-1], NAMES, np.zeros(2), np.zeros(2), MS)
            )

    ros.probe.create_subscription(EventPacket, "event_camera/events", answer_the_third_time, 64)
    ros.until(lambda: sim._events.get_subscription_count() > 0)
    sim.simulate(ros.executor)
    assert heard[:3] == [2 * MS] * 3
    assert sim.report().values["lockstep_timeouts"] >= 1  # a busy machine may be late besides


def test_every_wait_that_is_too_long_is_counted(ros: Any, overrides: Any) -> None:
    """Also one that is over before the packet is sent again."""
    sim = make(ros, overrides, seconds=0.01, lockstep=True, lockstep_timeout_s=0.1)
    publisher = ros.publisher(JointTrajectory, "arm_controller/joint_trajectory", qos.COMMANDS)
    due_s: dict[int, float] = {}

    def wait_first(packet: EventPacket) -> None:
        due_s.setdefault(messages.time_ns(packet.header.stamp), time.monotonic() + 0.2)

    def answer() -> None:
        for stamp_ns, at_s in due_s.items():
            if time.monotonic() >= at_s:
                publisher.publish(
                    messages.trajectory_message(stamp_ns, NAMES, np.zeros(2), np.zeros(2), MS)
                )

    ros.probe.create_subscription(EventPacket, "event_camera/events", wait_first, 64)
    ros.probe.create_timer(0.02, answer)
    ros.until(lambda: sim._events.get_subscription_count() > 0)
    sim.simulate(ros.executor)
    assert sim.report().values["lockstep_timeouts"] == len(due_s) == 5


def test_without_lockstep_it_keeps_pace_and_ends(ros: Any, overrides: Any) -> None:
    sim = make(ros, overrides, seconds=0.05, real_time_factor=0.0)
    sim.simulate(ros.executor)
    assert sim.world.t_ns == 50 * MS
    assert sim.report().warning, "nobody has sent a command"


def test_the_pace_can_be_changed_while_it_runs(ros: Any, overrides: Any) -> None:
    sim = make(ros, overrides)
    (result,) = sim.set_parameters([Parameter("real_time_factor", value=2.0)])
    assert result.successful
    assert sim.parameters.settings.real_time_factor == 2.0
    (result,) = sim.set_parameters([Parameter("real_time_factor", value=-1.0)])
    assert not result.successful
    (result,) = sim.set_parameters([Parameter("seed", value=7)])
    assert not result.successful


def test_a_new_pace_begins_a_new_count_of_delays(ros: Any, overrides: Any) -> None:
    sim = make(ros, overrides, seconds=0.02, lockstep=True, real_time_factor=0.0)
    answer_everything(ros, sim)
    sim.simulate(ros.executor)
    assert sim.latency.run().count == 10
    sim.set_parameters([Parameter("real_time_factor", value=2.0)])
    assert sim.latency.run().count == 0


@pytest.mark.parametrize(
    ("topic", "order"),
    [
        ("arm_position_controller/commands", "positions"),
        ("arm_velocity_controller/commands", "velocities"),
    ],
)
def test_it_obeys_forwarded_commands(ros: Any, overrides: Any, topic: str, order: str) -> None:
    sim = make(ros, overrides)
    publisher = ros.publisher(Float64MultiArray, topic, qos.COMMANDS)
    publisher.publish(messages.array_message(np.array([0.1, 0.2])))
    ros.until(lambda: bool(sim.world.orders))
    assert sim.world.orders[0][0] == order
    np.testing.assert_array_equal(sim.world.orders[0][1], [0.1, 0.2])


def trajectory(
    names: tuple[str, ...] = NAMES,
    q: tuple[float, ...] = (0.1, 0.2),
    times: tuple[int, ...] = (4 * MS,),
) -> JointTrajectory:
    message = messages.trajectory_message(0, names, np.array(q), np.zeros(len(q)), 0)
    point = message.points[0]
    message.points = []
    for t in times:
        other = messages.trajectory_message(0, names, np.array(q), np.zeros(len(q)), t)
        message.points.append(other.points[0])
    del point
    return message


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (trajectory(names=("j1", "j3")), "joints"),
        (trajectory(names=("j1",), q=(0.1,)), "joints"),
        (trajectory(times=()), "empty"),
        (trajectory(q=(0.1,)), "size"),
        (trajectory(q=(0.1, float("nan"))), "not_finite"),
        (trajectory(times=(MS, MS)), "time_order"),
        (messages.array_message(np.array([1.0])), "size"),
        (messages.array_message(np.array([1.0, np.inf])), "not_finite"),
        (messages.array_message(np.array([1.0, 99.0])), "arm"),
    ],
)
def test_bad_commands_are_refused_with_a_reason(
    ros: Any, overrides: Any, message: Any, reason: str
) -> None:
    sim = make(ros, overrides)
    if isinstance(message, JointTrajectory):
        assert not sim.commands.trajectory(message)
    else:
        assert not sim.commands.velocities(message)
    assert sim.world.orders == []
    assert sim.report().values[f"refused_{reason}"] == 1


def test_joints_in_another_order_are_put_in_order(ros: Any, overrides: Any) -> None:
    sim = make(ros, overrides)
    assert sim.commands.trajectory(trajectory(names=("j2", "j1"), q=(0.2, 0.1)))
    np.testing.assert_array_equal(sim.world.q, [0.1, 0.2])


def test_its_keys_are_documented_and_it_gives_the_world_back(ros: Any, overrides: Any) -> None:
    sim = make(ros, overrides)
    assert [key for key in sim.report().values if not documented(key)] == []
    world = sim.world
    ros.executor.remove_node(sim)
    ros.nodes.remove(sim)
    sim.destroy_node()
    assert world.closed


def test_wrong_parameters_are_refused_with_a_reason(ros: Any, overrides: Any) -> None:
    with pytest.raises(ParameterError, match=r"real_time_factor: expected .* from 0\.0 to 100"):
        SimulatorNode(FakeWorld, parameter_overrides=overrides(real_time_factor=-1.0))


def set_one(sim: SimulatorNode, name: str, value: Any) -> Any:
    (result,) = sim.set_parameters([Parameter(name, value=value)])
    return result


def test_the_world_can_be_changed_while_it_runs(ros: Any, overrides: Any) -> None:
    sim = make(ros, overrides)
    sim.latency.add(1)
    for name, value in (
        ("target.kind", "jump"),
        ("target.speed_m_s", 1.5),
        ("disturbance.payload_kg", 2.0),
        ("disturbance.wind_n", 10.0),
        ("faults.camera_blackout", True),
        ("faults.packets_lost", 0.25),
        ("faults.joint_states_delay_s", 0.02),
    ):
        assert set_one(sim, name, value).successful, name
    told = sim.world.settings
    assert (told.target.kind, told.target.speed_m_s) == ("jump", 1.5)
    assert (told.disturbance.payload_kg, told.disturbance.wind_n) == (2.0, 10.0)
    assert (told.faults.camera_blackout, told.faults.packets_lost) == (True, 0.25)
    assert sim.latency.run().max_ms > 0, "the delays until now still count"


def test_what_cannot_be_is_refused_with_the_reason_and_changes_nothing(
    ros: Any, overrides: Any
) -> None:
    sim = make(ros, overrides)
    for name, value, words in (
        ("target.kind", "spiral", "target.kind"),
        ("disturbance.payload_kg", 6.0, "payload_kg"),
        ("faults.packets_lost", -0.1, "packets_lost"),
        ("target.speed_m_s", 4.5, "this world is small"),
        ("seed", 3, "seed"),
    ):
        result = set_one(sim, name, value)
        assert not result.successful
        assert words in result.reason
    assert sim.world.settings == sim.parameters.settings.simulation
    assert sim.get_parameter("target.speed_m_s").value == 0.3


def test_in_lockstep_joint_states_cannot_be_lost_or_late(ros: Any, overrides: Any) -> None:
    sim = make(ros, overrides, lockstep=True)
    result = set_one(sim, "faults.joint_states_lost", 0.5)
    assert not result.successful
    assert "lockstep" in result.reason
    with pytest.raises(ParameterError, match="joint_states_delay_s"):
        SimulatorNode(
            FakeWorld,
            parameter_overrides=overrides(lockstep=True, faults__joint_states_delay_s=0.1),
        )


def test_a_lost_packet_is_a_gap_and_lockstep_does_not_wait_for_it(ros: Any, overrides: Any) -> None:
    class Lossy(FakeWorld):
        lost = (6 * MS, 8 * MS)

    sim = ros.add(SimulatorNode(Lossy, parameter_overrides=overrides(seconds=0.02, lockstep=True)))
    packets = ros.listen(EventPacket, "event_camera/events", 64)
    answer_everything(ros, sim)
    sim.simulate(ros.executor)
    ros.until(lambda: len(packets) == 8)
    stream = PacketStream(16, 16, "mono")
    for packet in packets:
        stream.receive(messages.packet(packet, ""))
    assert stream.counters.packets_lost == 2


def test_skin_and_ears_are_there_where_they_are_asked_for(ros: Any, overrides: Any) -> None:
    sim = make(ros, overrides, seconds=0.01, senses__touch=True, senses__sound=True)
    taxels = ros.listen(Image, "taxels", qos.best_effort(8))
    sound = ros.listen(Int16MultiArray, "audio", qos.best_effort(8))
    topics = sim.senses
    ros.until(
        lambda: topics.taxels.get_subscription_count() and topics.sound.get_subscription_count()
    )
    sim.simulate(ros.executor)
    ros.until(lambda: bool(taxels) and bool(sound))
    assert (taxels[0].height, taxels[0].width, taxels[0].encoding) == (2, 3, "32FC1")
    assert list(np.frombuffer(taxels[0].data, "<f4")) == [0.5] * 6
    assert taxels[0].header.frame_id == "left_finger_pad_link"
    assert list(sound[0].data) == [0, 1, 2, 3, 4, 5]
    plain = SimulatorNode(FakeWorld, parameter_overrides=overrides())
    assert plain.senses.taxels is plain.senses.sound is None
    plain.destroy_node()


def test_its_report_says_what_the_robot_is_up_against(ros: Any, overrides: Any) -> None:
    sim = make(ros, overrides)
    sim.world.conditions = {"payload_kg": 2.0, "faults": "hot_pixels"}
    assert sim.report().values["payload_kg"] == 2.0
    assert sim.report().values["faults"] == "hot_pixels"


def test_a_second_clock_is_told_with_what_to_do(ros: Any, overrides: Any, capfd: Any) -> None:
    sim = make(ros, overrides)
    assert "/clock" not in sim.report().message
    second = rclpy.create_node("simulator", namespace="b")
    ros.add(second)
    clock = second.create_publisher(Clock, "/clock", qos.reliable(10))
    ros.until(lambda: sim.count_publishers("/clock") == 2)
    for _ in range(2):
        told = sim.report()
        assert told.warning
        assert told.message.startswith("/clock is published by /b/simulator too")
        assert "a ROS_DOMAIN_ID of its own" in told.message
    assert capfd.readouterr().err.count("/clock is published by /b/simulator too") == 1
    second.destroy_publisher(clock)
    ros.until(lambda: sim.count_publishers("/clock") == 1)
    assert "/clock" not in sim.report().message


def test_a_second_simulator_of_the_same_name_is_one_too(ros: Any, overrides: Any) -> None:
    first, _ = make(ros, overrides), make(ros, overrides)
    ros.until(lambda: first.count_publishers("/clock") == 2)
    assert first.report().message.startswith("/clock is published by /simulator too")
