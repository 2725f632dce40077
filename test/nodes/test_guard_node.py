# SPDX-License-Identifier: Apache-2.0
"""The guard node: lifecycle, topics, services and diagnostics around the guard."""

from __future__ import annotations

import os
import re
import time
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.clock import ClockType
from rclpy.lifecycle import TransitionCallbackReturn as Result
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from neuro_control.nodes import messages, qos
from neuro_control.nodes.diagnostics import documented
from neuro_control.nodes.guard import GuardNode
from neuro_control.nodes.parameters import ParameterError
from neuro_control.nodes.spin import StartError
from test.nodes.two_joints import ARM, HERE, NAMES

BEGIN_NS = 1_000_000_000


class Bench:
    """A guard with a controller before it, a robot behind it, and a clock that the test sets.

    However long the machine takes for a step, nothing grows old by it.
    """

    def __init__(self, ros: Any, overrides: Any, topic: str, kind: type, **values: Any) -> None:
        self.ros = ros
        values = {**ARM, "use_sim_time": True, **values}
        self.guard = ros.add(GuardNode(parameter_overrides=overrides(**values)))
        self.guard.start()
        self.sent = ros.listen(kind, topic, qos.COMMANDS)
        self.joints = ros.publisher(JointState, "joint_states")
        self.commands = ros.publisher(JointTrajectory, "desired_trajectory", qos.COMMANDS)
        ros.until(lambda: self.guard._publisher.get_subscription_count() > 0)
        self.at(BEGIN_NS)

    def now(self) -> int:
        return int(self.guard.get_clock().now().nanoseconds)

    def at(self, t_ns: int) -> None:
        """It is this time now."""
        self.ros.tell_time(self.guard, t_ns)

    def measure(self, q: np.ndarray = HERE, **fields: Any) -> None:
        """Joint states of this time."""
        before = self.guard._heard_s.get("joint state")
        self.joints.publish(messages.joint_state_message(self.now(), NAMES, q, **fields))
        self.ros.until(lambda: self.guard._heard_s.get("joint state") != before)

    def command(self, q: np.ndarray = HERE, qd: tuple[float, ...] = (0.0, 0.0)) -> int:
        stamp = self.now()
        self.commands.publish(messages.trajectory_message(stamp, NAMES, q, np.array(qd), 4_000_000))
        return stamp

    def answer(self) -> Any:
        count = len(self.sent)
        self.ros.until(lambda: len(self.sent) > count)
        return self.sent[-1]


@pytest.fixture
def bench(ros: Any, overrides: Any) -> Bench:
    return Bench(ros, overrides, "arm_controller/joint_trajectory", JointTrajectory)


def test_for_ros2_control_trajectories_begin_as_they_come_and_end_at_rest(
    ros: Any, overrides: Any
) -> None:
    topic = "arm_controller/joint_trajectory"
    bench = Bench(ros, overrides, topic, JointTrajectory, start_now=True, end_velocity=False)
    bench.measure()
    bench.command(qd=(0.1, 0.1))
    out = bench.answer()
    assert messages.time_ns(out.header.stamp) == 0
    assert list(out.points[0].positions) == list(HERE)
    assert list(out.points[0].velocities) == []


def test_a_command_passes_with_its_stamp_and_time(bench: Bench) -> None:
    bench.measure()
    stamp = bench.command()
    out = bench.answer()
    assert messages.time_ns(out.header.stamp) == stamp
    assert out.joint_names == NAMES
    assert list(out.points[0].positions) == list(HERE)
    assert messages.duration_ns(out.points[0].time_from_start) == 4_000_000


def test_a_bad_command_is_replaced_by_a_hold_and_counted(bench: Bench) -> None:
    bench.measure()
    stamp = bench.command(np.array([np.nan, 0.0]))
    out = bench.answer()
    assert messages.time_ns(out.header.stamp) == stamp
    assert list(out.points[0].positions) == list(HERE)
    assert bench.guard.report().values["guard_not_finite"] == 1


def test_a_trajectory_of_several_points_is_refused(bench: Bench) -> None:
    bench.measure()
    message = messages.trajectory_message(bench.now(), NAMES, HERE, HERE, 4_000_000)
    message.points = list(message.points) * 2
    bench.commands.publish(message)
    bench.answer()
    assert bench.guard.report().values["guard_wrong_joints"] == 1


def test_positions_and_velocities_can_be_sent_instead(ros: Any, overrides: Any) -> None:
    bench = Bench(
        ros,
        overrides,
        "arm_velocity_controller/commands",
        Float64MultiArray,
        command_interface="velocity",
    )
    bench.measure()
    bench.command()
    assert list(bench.answer().data) == [0.0, 0.0]
    bench.measure()
    bench.command(HERE, (0.25, -0.25))
    assert list(bench.answer().data) == [0.25, -0.25]


def test_a_controller_that_falls_silent_stops_the_arm(ros: Any, overrides: Any) -> None:
    bench = Bench(
        ros,
        overrides,
        "arm_controller/joint_trajectory",
        JointTrajectory,
        joint_states_timeout_s=1.0,
    )
    bench.measure()
    bench.command()
    bench.answer()
    bench.at(BEGIN_NS + 60_000_000)
    bench.ros.until(lambda: len(bench.sent) == 2)
    out = bench.sent[-1]
    assert list(out.points[0].velocities) == [0.0, 0.0]
    assert bench.guard.report().values["guard_controller_stale"] == 1


def test_emergency_stop_and_release(bench: Bench) -> None:
    bench.measure()
    bench.command()
    bench.answer()
    assert bench.ros.call(Trigger, "guard/emergency_stop").success
    report = bench.guard.report()
    assert report.error
    assert report.values["stopped_because"] == "emergency_stop"
    released = bench.ros.call(Trigger, "guard/release")
    assert released.success
    assert "emergency_stop" in released.message
    again = bench.ros.call(Trigger, "guard/release")
    assert not again.success


def test_the_joints_are_given_time_for_the_way(ros: Any, overrides: Any) -> None:
    topic = "arm_controller/joint_trajectory"
    bench = Bench(
        ros, overrides, topic, JointTrajectory, velocity_scale=0.1, way_from_measured=True
    )
    bench.measure(HERE - 0.05)
    bench.command(HERE - 0.05)
    bench.answer()
    bench.at(BEGIN_NS + 10_000_000)
    bench.measure(HERE - 0.09)
    bench.command(HERE - 0.05)
    point = bench.answer().points[0]
    assert messages.duration_ns(point.time_from_start) == pytest.approx(200_000_000, abs=10)


def test_a_stop_that_sends_nothing_says_so(bench: Bench) -> None:
    answer = bench.ros.call(Trigger, "guard/emergency_stop")
    assert answer.success
    assert "without the arm's position, and sent no hold" in answer.message


def test_in_real_time_velocities_are_zero_until_a_command_passes(ros: Any, overrides: Any) -> None:
    topic = "arm_velocity_controller/commands"
    values = {**ARM, "command_interface": "velocity", "repeat_period_s": 0.01}
    guard = ros.add(GuardNode(parameter_overrides=overrides(**values)))
    sent = ros.listen_later(Float64MultiArray, topic, qos.COMMANDS)
    guard.start()
    ros.until(lambda: len(sent) > 2)
    assert all(list(message.data) == [0.0, 0.0] for message in sent)
    assert guard.report().values["stopped_because"] == "position_unknown"


def test_its_watch_and_its_holds_are_on_a_clock_that_nobody_sets(ros: Any, overrides: Any) -> None:
    guard = ros.add(GuardNode(parameter_overrides=overrides(**ARM)))
    guard.start()
    assert {timer.clock.clock_type for timer in guard.timers} == {ClockType.STEADY_TIME}


# What it says


def test_it_tells_what_it_does_not_hear(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.measure()
    assert bench.guard.report().message == "no command has come yet"
    bench.command()
    bench.answer()
    report = bench.guard.report()
    assert report.values["command_age_s"] >= 0.0
    assert report.values["joint_states_age_s"] >= report.values["command_age_s"]
    # The simulator dies, and its clock with it.
    later = time.monotonic() + 3.0
    monkeypatch.setattr(time, "monotonic", lambda: later)
    report = bench.guard.report()
    assert report.warning
    assert re.match(r"no joint state for [34]\.\d s, no command for [34]\.\d s", report.message)


def test_it_tells_of_two_controllers(bench: Bench) -> None:
    bench.measure()
    bench.command()
    bench.answer()
    bench.ros.publisher(JointTrajectory, "desired_trajectory", qos.COMMANDS)
    bench.ros.until(lambda: "2 nodes publish /desired_trajectory" in bench.guard.report().message)


def test_it_tells_of_a_publisher_that_it_cannot_hear(ros: Any, overrides: Any) -> None:
    guard = ros.add(GuardNode(parameter_overrides=overrides(**ARM)))
    guard.start()
    ros.probe.create_publisher(JointTrajectory, "desired_trajectory", qos.best_effort(1))
    guard.guard.joints(NAMES, HERE, [], 0, guard._now_ns())
    ros.until(lambda: "another QoS: RELIABILITY" in guard.report().message)


def test_it_tells_whether_efforts_are_watched(bench: Bench) -> None:
    bench.measure()
    assert bench.guard.report().values["effort_watched"] is False
    bench.measure(effort=np.zeros(2))
    assert bench.guard.report().values["effort_watched"] is True


# Stops and the lifecycle


def test_deactivated_it_holds_the_arm_and_lets_nothing_through(bench: Bench) -> None:
    bench.measure()
    bench.command()
    bench.answer()
    assert bench.guard.trigger_deactivate() is Result.SUCCESS
    held = bench.answer()
    assert list(held.points[0].velocities) == [0.0, 0.0]
    count = len(bench.sent)
    bench.command(HERE + 0.001)
    bench.ros.until(lambda: bench.guard.guard.counts["not_active"] == 1)
    assert len(bench.sent) == count


def test_every_transition(ros: Any, overrides: Any) -> None:
    guard = ros.add(GuardNode(parameter_overrides=overrides(**ARM)))

    def change(transition: int) -> bool:
        request = ChangeState.Request()
        request.transition.id = transition
        return ros.call(ChangeState, "guard/change_state", request).success

    def state() -> str:
        return ros.call(GetState, "guard/get_state").current_state.label

    assert state() == "unconfigured"
    for _ in range(2):
        assert change(Transition.TRANSITION_CONFIGURE)
        assert state() == "inactive"
        assert change(Transition.TRANSITION_ACTIVATE)
        assert state() == "active"
        assert guard.active
        assert change(Transition.TRANSITION_DEACTIVATE)
        assert state() == "inactive"
        assert not guard.active
        assert change(Transition.TRANSITION_CLEANUP)
        assert state() == "unconfigured"
    assert change(Transition.TRANSITION_CONFIGURE)
    assert change(Transition.TRANSITION_ACTIVATE)
    assert change(Transition.TRANSITION_ACTIVE_SHUTDOWN)
    assert state() == "finalized"


def test_what_has_to_be_released_outlives_a_clean_up(ros: Any, overrides: Any) -> None:
    values = {**ARM, "use_sim_time": True, "effort_time_s": 0.0}
    guard = ros.add(GuardNode(parameter_overrides=overrides(**values)))
    guard.start()
    ros.call(Trigger, "guard/emergency_stop")
    guard.guard.joints(NAMES, HERE, [13.0, 0.0], 0, 0)
    guard.trigger_deactivate()
    guard.trigger_cleanup()
    guard.start()
    latched = [reason.value for reason in guard.guard.latched]
    assert latched == ["emergency_stop", "effort_limit"]


def test_what_keeps_it_from_starting_is_told(ros: Any, overrides: Any) -> None:
    guard = ros.add(GuardNode(parameter_overrides=overrides(**{**ARM, "tip_link": "hand"})))
    with pytest.raises(StartError, match="hand"):
        guard.start()
    assert guard.lifecycle_state == "unconfigured"


def test_a_guard_that_may_not_run_in_real_time_does_not_start(
    ros: Any, overrides: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*arguments: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", denied)
    guard = ros.add(GuardNode(parameter_overrides=overrides(**ARM, realtime_priority=41)))
    with pytest.raises(StartError, match="real-time priority 41 is not permitted"):
        guard.start()
    assert guard.lifecycle_state == "unconfigured"


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("realtime_priority", 100, "from 0 to 99"),
        ("velocity_scale", 2.0, "from 0.0 to 1.0"),
        ("velocity_scale", 1, "decimal point"),
        ("command_interface", "torque", "joint_trajectory, position, velocity"),
        ("controller_timeout_s", 0.0, "controller_timeout_s"),
    ],
)
def test_wrong_parameters_are_refused_with_a_reason(
    ros: Any, overrides: Any, name: str, value: Any, why: str
) -> None:
    with pytest.raises(ParameterError, match=why) as caught:
        GuardNode(parameter_overrides=overrides(**{name: value}))
    assert name in str(caught.value)


def test_diagnostics_are_published_with_documented_keys(bench: Bench) -> None:
    heard = bench.ros.listen(DiagnosticArray, "/diagnostics")
    bench.ros.until(lambda: bool(heard))
    status = heard[0].status[0]
    assert status.name == "neuro_control: guard"
    keys = {pair.key for pair in status.values}
    assert {"interventions", "stopped_because", "guard_jump"} <= keys
    assert all(documented(key) for key in keys)
