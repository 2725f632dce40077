# SPDX-License-Identifier: Apache-2.0
"""By what the controller answers: joint states that are missing or old, clocks that are set."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rclpy.clock import ClockType

from neuro_control.nodes import messages
from neuro_control.nodes.clock_watch import ClockWatch
from test.nodes.controller_bench import HERE, MS, NAMES, Bench


@pytest.fixture
def bench(ros: Any, overrides: Any) -> Bench:
    return Bench(ros, overrides)


def test_packets_before_the_first_joint_state_and_then_a_quiet_sensor(
    ros: Any, overrides: Any
) -> None:
    """The start of a real arm before a still scene: camera first, joint states second."""
    bench = Bench(ros, overrides)
    bench.see()
    ros.until(lambda: bench.node.tally.packets_without_joints == 1)
    bench.measure()
    bench.at(bench.now() + 30 * MS)
    ros.until(lambda: bool(bench.fake.steps))
    assert [count for _, count in bench.fake.steps] == [0]
    assert bench.fake.sizes == {(32, 32)}


def test_joint_states_without_velocities_steer_and_it_is_said_where_they_are_from(
    bench: Bench,
) -> None:
    for k, qd in enumerate((np.full(2, np.nan), np.full(2, np.nan), None)):
        bench.measure(100_000 * MS + k * 10 * MS, q=HERE + 0.01 * k, qd=qd)
        bench.see(100_000 * MS + k * 10 * MS)
        bench.answer()
        assert bench.fake.velocities[-1] == pytest.approx([1.0, 1.0] if k else [0.0, 0.0])
    values = bench.values()
    assert (values["joint_velocities"], values["no_data_because"]) == ("from positions", "")
    bench.measure(100_030 * MS)
    assert bench.values()["joint_velocities"] == "measured"


def test_joint_states_with_positions_that_are_no_numbers_are_told_as_such(bench: Bench) -> None:
    state = messages.joint_state_message(bench.now(), NAMES, np.array([0.1, np.nan]), 0 * HERE)
    bench.joints.publish(state)
    bench.see()
    bench.ros.until(lambda: bench.node.tally.packets_without_joints == 1)
    bench.ros.until(lambda: bench.node._joints._refused == 1)
    report = bench.node.report()
    assert report.message == "joint_states: position of joint j2 is nan"
    assert report.values["joint_states_refused"] == 1
    assert bench.sent == []


def test_nothing_is_answered_by_an_old_joint_state_and_with_new_ones_it_goes_on(
    ros: Any, overrides: Any
) -> None:
    bench = Bench(ros, overrides, joint_states_timeout_s=0.05)
    t_ns = 100_000 * MS
    bench.measure(t_ns)
    for after_ms in (0, 50):
        bench.see(t_ns + after_ms * MS)
        bench.answer()
    bench.see(t_ns + 51 * MS)
    ros.until(lambda: bench.node.tally.packets_without_joints == 1)
    assert "joint states" in bench.values()["no_data_because"]
    bench.see(t_ns + 2_000 * MS)
    ros.until(lambda: bench.node.tally.packets_without_joints == 2)
    assert bench.values()["no_data_because"].startswith("no joint states for ")
    assert len(bench.sent) == 2
    bench.measure(t_ns + 2_001 * MS)
    bench.see(t_ns + 2_002 * MS)
    assert messages.time_ns(bench.answer().header.stamp) == t_ns + 2_002 * MS
    assert bench.fake.joints[-1] == t_ns + 2_001 * MS
    report = bench.node.report()
    assert (report.values["no_data_because"], report.warning) == ("", False)


def test_no_time_passes_without_the_sensor_by_an_old_joint_state(ros: Any, overrides: Any) -> None:
    bench = Bench(ros, overrides, joint_states_timeout_s=0.05)
    stamp_ns = bench.now()
    bench.measure(stamp_ns)
    bench.see(stamp_ns)
    bench.answer()
    bench.at(stamp_ns + 50 * MS)
    ros.until(lambda: len(bench.fake.steps) == 2)
    bench.at(stamp_ns + 100 * MS)
    bench.node._on_idle()
    assert bench.fake.steps == [(stamp_ns, 4), (stamp_ns + 50 * MS, 0)]
    bench.measure()
    bench.at(stamp_ns + 130 * MS)
    ros.until(lambda: len(bench.fake.steps) == 3)


@pytest.mark.parametrize("by_ns", [-60_000 * MS, -500 * MS, 3_600_000 * MS])
def test_a_system_clock_that_is_set_stops_neither_what_comes_nor_what_passes_without_it(
    ros: Any, overrides: Any, by_ns: int
) -> None:
    values = {"use_sim_time": False, "idle_after_s": 0.002, "idle_period_s": 0.005}
    bench = Bench(ros, overrides, **values)
    # ROS's timers on the system's clock would wait for it to come where it was.
    kinds = {timer.clock.clock_type for timer in bench.node.timers}
    assert kinds == {ClockType.STEADY_TIME}
    set_ns = [0]

    def now_ns() -> int:
        return bench.now() + set_ns[0]

    def see() -> int:
        packet = replace(bench.packet(bench.now()), stamp_ns=now_ns())  # its own clock is not set
        bench.packets.publish(messages.packet_message(packet))
        return packet.stamp_ns

    bench.node._now_ns = now_ns
    bench.node._clock_watch = ClockWatch(now_ns)
    bench.measure(now_ns())
    see()
    ros.until(lambda: len(bench.fake.steps) >= 2)
    before, resets = len(bench.fake.steps), bench.fake.resets
    set_ns[0] = by_ns
    ros.until(lambda: bench.fake.resets > resets)
    # Joint states go on, and nothing else comes.
    bench.measure(now_ns())
    ros.until(lambda: len(bench.fake.steps) >= before + 3)
    times_ns = [t_ns for t_ns, _ in bench.fake.steps[-3:]]
    assert times_ns == sorted(times_ns)
    assert abs(times_ns[0] - now_ns()) < abs(by_ns) // 2, "by the clock as it is now"
    # Nor is a packet late that is stamped by it.
    stamp_ns = see()
    ros.until(lambda: any(count for _, count in bench.fake.steps[before:]))
    assert bench.fake.resets == resets + 1
    assert bench.node.tally.packets_late == 0
    assert stamp_ns <= bench.fake.steps[-1][0]


def test_an_answer_stamped_far_ahead_stops_no_time_without_the_sensor(bench: Bench) -> None:
    bench.measure()
    bench.see()
    bench.answer()
    resets = bench.fake.resets
    bench.node._answered_ns = bench.now() + 3_600_000 * MS
    bench.node._heard_ns = 0
    bench.node._on_idle()
    assert (len(bench.fake.steps), bench.fake.resets) == (2, resets + 1)


def test_in_lockstep_packets_that_wait_are_not_said_to_be_missing(ros: Any, overrides: Any) -> None:
    bench = Bench(ros, overrides, lockstep=True)
    bench.see(10 * MS)
    ros.until(lambda: len(bench.node._pending) == 1)
    assert bench.values()["no_data_because"] == "no joint states come"
    bench.measure(8 * MS)
    assert "1 packets wait for" in bench.values()["no_data_because"]
