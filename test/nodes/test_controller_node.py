# SPDX-License-Identifier: Apache-2.0
"""The controller node: packets and joint states in, commands out, and what it says of itself."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from event_camera_msgs.msg import EventPacket
from geometry_msgs.msg import Vector3Stamped
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from std_msgs.msg import String

from neuro_control.events import Events
from neuro_control.nodes import messages, qos
from neuro_control.nodes.controller import ControllerNode
from neuro_control.nodes.diagnostics import documented
from neuro_control.nodes.parameters import ParameterError
from neuro_control.nodes.spin import StartError
from test.nodes.controller_bench import ARM, HERE, MS, NAMES, Bench, FakeController


@pytest.fixture
def bench(ros: Any, overrides: Any) -> Bench:
    return Bench(ros, overrides)


def test_each_packet_is_answered_with_its_stamp(bench: Bench) -> None:
    bench.measure()
    for _ in range(3):
        stamp = bench.see()
        out = bench.answer()
        assert messages.time_ns(out.header.stamp) == stamp
        assert out.joint_names == NAMES
        assert list(out.points[0].positions) == list(HERE)
        assert messages.duration_ns(out.points[0].time_from_start) == 4_000_000
    assert [count for _, count in bench.fake.steps] == [4, 4, 4]


def test_the_targets_direction_is_published(bench: Bench) -> None:
    heard = bench.ros.listen(Vector3Stamped, "target_direction", qos.best_effort(1))
    bench.ros.until(lambda: bench.node._outputs.direction.get_subscription_count() > 0)
    bench.measure()
    bench.see()
    bench.ros.until(lambda: bool(heard))
    vector = heard[0].vector
    assert (vector.x, vector.y, vector.z) == (0.1, -0.2, 1.0)
    assert heard[0].header.frame_id == "hand_camera_optical_frame"


def test_without_joint_states_there_is_no_command(bench: Bench) -> None:
    bench.see()
    bench.ros.until(lambda: bench.node.tally.packets_without_joints == 1)
    assert bench.sent == []
    assert bench.values()["no_data_because"] == "no joint states come"


def test_without_packets_time_passes_by_the_nodes_clock(ros: Any, overrides: Any) -> None:
    bench = Bench(ros, overrides, idle_after_s=0.01, idle_period_s=0.005)
    bench.measure()
    steps = [(bench.see(), 4)]
    bench.answer()
    for _ in range(3):
        bench.at(bench.now() + 20 * MS)
        steps.append((bench.now(), 0))
        bench.ros.until(lambda: len(bench.fake.steps) >= len(steps))
    assert bench.fake.steps == steps


def test_a_packet_from_before_the_last_step_without_the_sensor_is_taken_in_at_that_steps_time(
    bench: Bench,
) -> None:
    """What begins a movement after a silence is in the first packet, which took time to come."""
    bench.measure()
    first = bench.see()
    bench.answer()
    joints, node = bench.node._joints.newest, bench.node
    idle_ns = first + 50 * MS
    node._step(Events.empty(32, 32), joints, idle_ns)
    for behind_ns in (5 * MS, 3 * MS):
        bench.see(idle_ns - behind_ns)
        assert messages.time_ns(bench.answer().header.stamp) == idle_ns
    bench.see(idle_ns + MS)
    bench.ros.until(lambda: len(bench.fake.steps) == 5)
    assert bench.fake.steps == [
        (first, 4), (idle_ns, 0), (idle_ns, 4), (idle_ns, 4), (idle_ns + MS, 4),
    ]  # fmt: skip
    assert node.tally.packets_late == 0
    # One that is older than a packet that was taken is late as ever.
    stamp = idle_ns - 4 * MS
    bench.packets.publish(messages.packet_message(replace(bench.packet(stamp, 0), stamp_ns=stamp)))
    bench.ros.until(lambda: node.tally.packets_late == 1)
    assert len(bench.fake.steps) == 5


def test_a_controller_whose_node_cannot_be_configured_is_closed(
    ros: Any, overrides: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its backend's process would stay behind at every try."""
    made: list[FakeController] = []

    def make(settings: Any, arm: Any) -> FakeController:
        made.append(FakeController(settings, arm))
        return made[-1]

    def broken(*arguments: Any, **options: Any) -> None:
        raise ValueError("no such topic")

    node = ros.add(ControllerNode(make, parameter_overrides=overrides(**ARM)))
    monkeypatch.setattr(node, "add_subscription", broken)
    for tries in (1, 2):
        with pytest.raises(StartError, match="no such topic"):
            node.start()
        assert len(made) == tries
        assert made[-1].closed
        assert node.lifecycle_state == "unconfigured"


def test_packets_that_have_waited_long_are_answered_together(ros: Any, overrides: Any) -> None:
    bench = Bench(ros, overrides)
    bench.measure()
    stamp = bench.now()
    first, last = bench.packet(stamp), bench.packet(stamp + 2 * MS)
    waited = {"source_timestamp": 1, "received_timestamp": 1}  # since 1970
    bench.node._on_packet(messages.packet_message(first), waited)
    bench.node._on_packet(messages.packet_message(last), waited)
    assert bench.fake.steps == []
    assert messages.time_ns(bench.answer().header.stamp) == stamp + 2 * MS
    assert bench.fake.steps == [(stamp + 2 * MS, 8)]


OLD = {"source_timestamp": 1, "received_timestamp": 1}  # since 1970
FRESH = {"source_timestamp": 1, "received_timestamp": 2**62}  # not yet
UNKNOWN = {"source_timestamp": 1, "received_timestamp": 0}


@pytest.mark.parametrize("info", [OLD, UNKNOWN])
def test_in_a_storm_the_newest_is_answered_and_what_is_older_is_shed_and_counted(
    ros: Any, overrides: Any, info: dict[str, Any]
) -> None:
    bench = Bench(ros, overrides, most_events=10)
    bench.measure()
    stamp = bench.now()
    bench.node._on_packet(messages.packet_message(bench.packet(stamp)), FRESH)
    assert bench.fake.steps == [(stamp, 4)], "nothing waits behind a fresh one"
    for k in range(1, 6):
        bench.node._on_packet(messages.packet_message(bench.packet(stamp + k * MS)), info)
    assert len(bench.fake.steps) == 1
    ros.until(lambda: len(bench.fake.steps) == 2)
    assert bench.fake.steps[1] == (stamp + 5 * MS, 8)
    report = bench.node.report()
    assert report.values["packets_shed"] == report.values["dropped_shed"] == 3
    assert report.values["packets"] == 6
    assert report.values["packets_lost"] == 0
    assert report.values["events"] == 12
    assert report.warning
    assert "3 packets" in report.message


def test_of_a_packet_that_is_larger_than_expected_the_newest_events_are_taken(
    ros: Any, overrides: Any
) -> None:
    bench = Bench(ros, overrides, most_events=10)
    bench.measure()
    stamp = bench.now()
    bench.node._on_packet(messages.packet_message(bench.packet(stamp)), OLD)
    bench.node._on_packet(messages.packet_message(bench.packet(stamp + MS, 50)), OLD)
    ros.until(lambda: bool(bench.fake.steps))
    assert bench.fake.steps == [(stamp + MS, 10)]
    values = bench.values()
    assert values["events_shed"] == 44
    assert values["events"] == 10


def test_a_large_packet_that_nothing_waits_behind_is_taken_whole(ros: Any, overrides: Any) -> None:
    bench = Bench(ros, overrides, most_events=10)
    bench.measure()
    stamp = bench.now()
    bench.node._on_packet(messages.packet_message(bench.packet(stamp, 50)), FRESH)
    assert bench.fake.steps == [(stamp, 50)]


def test_a_sensor_whose_packets_are_shed_is_not_silent(ros: Any, overrides: Any) -> None:
    bench = Bench(ros, overrides, most_events=1)
    bench.measure()
    stamp = bench.now() - 100 * MS
    bench.node._on_packet(messages.packet_message(bench.packet(stamp)), OLD)
    assert bench.fake.steps == []
    bench.node._on_idle()
    assert bench.fake.steps == [(stamp, 4)], "no time passes without what waits"


def test_a_late_packet_is_counted_and_not_answered(bench: Bench) -> None:
    bench.measure()
    stamp = bench.see()
    bench.answer()
    bench.packets.publish(
        messages.packet_message(replace(bench.packet(stamp - 5 * MS, 0), stamp_ns=stamp - 5 * MS))
    )
    bench.ros.until(lambda: bench.node.tally.packets_late == 1)
    assert len(bench.fake.steps) == 1


def test_a_time_that_begins_anew_resets_the_controller(bench: Bench) -> None:
    bench.measure()
    stamp = bench.see()
    bench.answer()
    before, rested = bench.fake.resets, []
    bench.node._activity = SimpleNamespace(
        rest=lambda: rested.append(True), publish=lambda: None, close=lambda: None
    )
    bench.packets.publish(
        messages.packet_message(bench.packet(stamp - 3_000 * MS, 0), stamp_ns=stamp - 3_000 * MS)
    )
    bench.answer()
    assert bench.fake.resets == before + 1
    assert rested == [True], "what was seen of the network is of another time"


def test_in_lockstep_a_packet_waits_for_the_joint_state_of_its_stamp(
    ros: Any, overrides: Any
) -> None:
    bench = Bench(ros, overrides, lockstep=True)
    bench.measure(8 * MS)
    bench.see(10 * MS)
    ros.until(lambda: len(bench.node._pending) == 1)
    assert bench.fake.steps == []
    bench.measure(10 * MS)
    ros.until(lambda: bool(bench.sent))
    assert bench.fake.joints == [10 * MS]
    assert messages.time_ns(bench.sent[0].header.stamp) == 10 * MS


def test_in_lockstep_a_packet_sent_again_is_answered_again(ros: Any, overrides: Any) -> None:
    bench = Bench(ros, overrides, lockstep=True)
    bench.measure(10 * MS)
    packet = bench.packet(10 * MS)
    bench.packets.publish(messages.packet_message(packet))
    first = bench.answer()
    bench.packets.publish(messages.packet_message(packet))
    assert bench.answer() == first
    assert len(bench.fake.steps) == 1


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"width": 64}, "dropped_size"),
        ({"encoding": "evt3"}, "dropped_encoding"),
        ({"is_bigendian": True, "payload": np.zeros(9, np.uint8)}, "dropped_byte_order"),
    ],
)
def test_a_packet_that_is_not_of_the_stream_is_dropped(
    bench: Bench, changes: dict[str, Any], key: str
) -> None:
    bench.measure()
    bench.see()
    bench.answer()
    bench.values()
    bench.see(**changes)
    bench.ros.until(lambda: bench.node._intake.input.packets == 2)
    values = bench.values()
    assert values[key] == 1
    assert "is dropped" in values["no_data_because"]
    assert len(bench.fake.steps) == 1


def test_an_encoding_that_is_not_supported_is_told_and_never_moves(bench: Bench) -> None:
    bench.measure()
    bench.see(encoding="jpeg")
    bench.ros.until(lambda: bench.node._intake.input.packets == 1)
    assert "jpeg" in bench.values()["no_data_because"]
    assert bench.fake.steps == []


def test_it_says_that_nobody_publishes(ros: Any, overrides: Any) -> None:
    node = ros.add(ControllerNode(FakeController, parameter_overrides=overrides(**ARM)))
    node.start()
    assert node.report().values["no_data_because"] == "no publisher on /event_camera/events"


def test_it_says_that_the_qos_does_not_match(ros: Any, overrides: Any) -> None:
    node = ros.add(
        ControllerNode(FakeController, parameter_overrides=overrides(**ARM, lockstep=True))
    )
    node.start()
    ros.probe.create_publisher(EventPacket, "event_camera/events", qos.best_effort(1))
    ros.until(lambda: bool(node.incompatible_qos))
    assert "RELIABILITY" in node.report().values["no_data_because"]


def test_it_says_that_the_sensor_is_idle(bench: Bench) -> None:
    bench.measure()
    bench.packets.publish(messages.packet_message(bench.packet(bench.now(), 0)))
    bench.answer()
    assert "idle" in bench.values()["no_data_because"]


def test_it_measures_the_delay_of_its_answers(bench: Bench) -> None:
    bench.measure()
    bench.see()
    bench.answer()
    values = bench.values()
    assert 0.0 < values["latency_ms_median"] <= values["latency_ms_max"] < 10_000.0
    assert values["tick_us_median"] == pytest.approx(5.0, rel=0.03)


def test_every_transition(ros: Any, overrides: Any) -> None:
    node = ros.add(ControllerNode(FakeController, parameter_overrides=overrides(**ARM)))

    def change(transition: int) -> bool:
        request = ChangeState.Request()
        request.transition.id = transition
        return ros.call(ChangeState, "controller/change_state", request).success

    def state() -> str:
        return ros.call(GetState, "controller/get_state").current_state.label

    assert state() == "unconfigured"
    for _ in range(2):
        assert change(Transition.TRANSITION_CONFIGURE)
        assert state() == "inactive"
        assert change(Transition.TRANSITION_ACTIVATE)
        assert state() == "active"
        assert change(Transition.TRANSITION_DEACTIVATE)
        assert change(Transition.TRANSITION_CLEANUP)
        assert state() == "unconfigured"
        assert node.count_subscribers("joint_states") == 0
    assert change(Transition.TRANSITION_CONFIGURE)
    assert change(Transition.TRANSITION_INACTIVE_SHUTDOWN)
    assert state() == "finalized"


def test_inactive_it_sends_nothing_and_activated_again_it_begins_anew(bench: Bench) -> None:
    bench.measure()
    bench.see()
    bench.answer()
    bench.node.trigger_deactivate()
    before = len(bench.sent)
    bench.see()
    bench.measure()  # what was sent before it has been heard with it
    bench.node.trigger_activate()
    bench.measure()
    stamp = bench.see()
    out = bench.answer()
    assert len(bench.sent) == before + 1
    assert messages.time_ns(out.header.stamp) == stamp


def test_a_network_that_cannot_be_had_keeps_it_unconfigured(ros: Any, overrides: Any) -> None:
    node = ros.add(ControllerNode(parameter_overrides=overrides(network="nowhere.nir")))
    with pytest.raises(StartError, match=r"nowhere\.nir"):
        node.start()
    assert node.lifecycle_state == "unconfigured"


def test_wrong_parameters_are_refused_with_a_reason(ros: Any, overrides: Any) -> None:
    with pytest.raises(ParameterError, match=r"gaze_gain: expected .* from 0 to 100") as caught:
        ControllerNode(FakeController, parameter_overrides=overrides(gaze_gain=-1.0, damping="x"))
    assert "damping" in str(caught.value)


def test_diagnostics_are_published_with_documented_keys(bench: Bench) -> None:
    heard = bench.ros.listen(DiagnosticArray, "/diagnostics")
    bench.ros.until(lambda: bool(heard))
    keys = {pair.key for pair in heard[0].status[0].values}
    assert {"spikes_per_second", "latency_ms_p99", "packets_lost", "backend"} <= keys
    assert [key for key in keys if not documented(key)] == []


def test_another_type_on_the_topic_is_told() -> None:
    from neuro_control.nodes.input_health import InputFacts, no_data_because

    facts = InputFacts("/e", "event_camera_msgs/msg/EventPacket", [String.__name__])
    assert "another type: String" in no_data_because(facts)


def test_a_clock_that_leaps_begins_a_new_time(ros: Any, overrides: Any) -> None:
    bench = Bench(ros, overrides)
    tell = bench.at
    tell(100_000 * MS)
    bench.measure(100_000 * MS)
    bench.see(100_000 * MS)
    bench.answer()
    before = bench.fake.resets
    for t_ns in (100_004 * MS, 100_500 * MS):
        tell(t_ns)
    assert bench.fake.resets == before, "time that goes on is no new time"
    # Back by less than what would be a new time by the packets' stamps.
    for count, t_ns in enumerate((100_100 * MS, 200_000 * MS), start=1):
        tell(t_ns)
        assert bench.fake.resets == before + count
        bench.measure(t_ns)
        bench.see(t_ns)
        assert messages.time_ns(bench.answer().header.stamp) == t_ns
    assert bench.node.tally.packets_late == 0
    bench.node.trigger_deactivate()
    bench.node.trigger_cleanup()
    tell(1_000 * MS)
