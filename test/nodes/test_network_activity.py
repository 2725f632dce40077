# SPDX-License-Identifier: Apache-2.0
"""The controller shows what happens inside its network to whoever listens, and to nobody else."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from event_camera_msgs.msg import EventPacket
from rclpy.parameter import Parameter
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray, String

from neuro_control.backends import CpuRunner
from neuro_control.backends.recorder import record
from neuro_control.control.arm import ArmController, load_network
from neuro_control.control.network_watch import NetworkWatch, WatchedTicks
from neuro_control.control.probes import Probe
from neuro_control.control.watched_runner import watched
from neuro_control.events import Events, Packet, PacketStream, encode_mono
from neuro_control.nodes import messages, network_activity, qos
from neuro_control.nodes.controller import ControllerNode
from neuro_control.nodes.controller_settings import ControllerNodeSettings
from neuro_control.nodes.diagnostics import documented
from neuro_control.nodes.network_activity import MOST_SPIKES, NetworkActivity, describe
from neuro_control.nodes.parameters import ParameterError
from neuro_control.robots import ArmModel, arm_urdf

MS = 1_000_000
ARM = ArmModel.from_urdf(arm_urdf())
NETWORK = load_network("arm_tracker.nir")


class Bench:
    """A real controller, fed with the events of a spot."""

    def __init__(self, ros: Any, overrides: Any, make: Any = ArmController) -> None:
        self.ros = ros
        # Its clock stands: however long a step takes, no time passes without the sensor.
        parameters = overrides(backend="cpu", use_sim_time=True, activity_period_s=0.005)
        self.node = ros.add(ControllerNode(make, parameter_overrides=parameters))
        self.node.start()
        self.joints = ros.publisher(JointState, "joint_states")
        self.packets = ros.publisher(EventPacket, "event_camera/events", qos.reliable(64))
        self.seq = 0
        self.t_ns = 1_000 * MS

    def see(self, periods: int = 1) -> None:
        """A spot of events for some periods of 2 ms; each is answered before the next."""
        rng = np.random.default_rng(3)
        for _ in range(periods):
            commands = self.node.tally.commands
            self.joints.publish(
                messages.joint_state_message(self.t_ns, ARM.joint_names, ARM.home, 0 * ARM.home)
            )
            t = np.sort(rng.integers(self.t_ns - 2 * MS, self.t_ns, 200))
            x, y = (rng.integers(60, 70, 200).astype(np.uint16) for _ in range(2))
            events = Events(t, x, y, np.ones(200, np.uint8), 128, 128)
            payload, base = encode_mono(events)
            packet = Packet("", self.seq, base, self.t_ns, "mono", 128, 128, False, payload)
            self.ros.until(lambda: getattr(self.node._joints.newest, "t_ns", 0) == self.t_ns)
            self.packets.publish(messages.packet_message(packet))
            self.ros.until(lambda before=commands: self.node.tally.commands > before)
            self.seq += 1
            self.t_ns += 2 * MS

    def see_until(self, condition: Any) -> None:
        for _ in range(500):
            if condition():
                return
            self.see()
        raise AssertionError("what was waited for did not come")


@pytest.fixture
def bench(ros: Any, overrides: Any) -> Bench:
    return Bench(ros, overrides)


def decoded(heard: list[Any], about: dict[str, Any]) -> list[tuple[str, int, int]]:
    """Every spike as (row's name, neuron, time)."""
    stream = PacketStream(heard[0].width, heard[0].height, "mono")
    spikes = []
    for message in heard:
        events = stream.receive(messages.packet(message, ""))
        assert events is not None
        for t_ns, x, y in zip(events.t_ns, events.x, events.y, strict=True):
            row = about["rows"][int(y)]
            spikes.append((row["name"], int(x) * row["stride"], int(t_ns)))
    assert stream.counters.packets_lost == stream.counters.errors == 0
    return spikes


def test_whoever_comes_later_is_told_what_there_is(bench: Bench) -> None:
    heard: list[Any] = []
    bench.ros.probe.create_subscription(String, "network/description", heard.append, qos.LATCHED)
    bench.ros.until(lambda: bool(heard))
    about = json.loads(heard[0].data)
    assert (about["format"], about["file"], about["dt_s"]) == (1, "arm_tracker.nir", 1e-3)
    assert about["backend"] == "cpu"
    assert [row["row"] for row in about["rows"]] == list(range(8))
    field = next(row for row in about["rows"] if row["name"] == "field")
    assert field["role"] == "output"
    assert field["threshold"] == [4850 << 6, 4850 << 6]
    assert (field["shape"], field["shown"], field["stride"]) == ([1, 32, 32], 1024, 1)
    assert {row["name"] for row in about["rows"] if row["role"] == "input"} == {
        "events", "velocity",
    }  # fmt: skip
    assert {"from": "events", "to": "retina"}.items() <= about["projections"][0].items()


def test_the_spikes_are_those_of_the_network(ros: Any, overrides: Any) -> None:
    given: list[Any] = []

    class Listening(CpuRunner):
        def step(self, active: Any) -> Any:
            given.append(active.copy())
            return super().step(active)

    def make(settings: Any, arm: Any) -> ArmController:
        return ArmController(settings, arm, runner=Listening(NETWORK), network=NETWORK)

    bench = Bench(ros, overrides, make)
    node = bench.node
    heard = ros.listen(EventPacket, "network/spikes", qos.best_effort(64))
    ros.until(lambda: node._activity._spikes.get_subscription_count() > 0)
    bench.see()  # the subscription is seen after this one; the network rests until then
    node.controller.reset()
    given.clear()
    bench.see(40)
    node._activity._looked_ns = 0
    bench.see()
    ros.until(lambda: bool(heard) and heard[-1].seq == node._activity._seq - 1)
    spikes = decoded(heard, describe(node.controller.network_watch, "", {}))
    offsets = np.cumsum([0, *(len(active) for active in given)]).astype(np.int64)
    recorded = record(CpuRunner(NETWORK), np.concatenate(given), offsets)
    # The last message ends with the last tick.
    first_ns = messages.time_ns(heard[-1].header.stamp) - len(given) * MS
    for name in ("retina", "field"):
        train = recorded.spikes[name]
        wanted = {
            (int(n), first_ns + int(t) * MS) for t, n in zip(train.tick, train.neuron, strict=True)
        }
        assert wanted, f"{name} never fired: this test sees nothing"
        assert {(n, t) for row, n, t in spikes if row == name and t >= first_ns} == wanted


def test_while_nobody_listens_nothing_is_watched(bench: Bench) -> None:
    bench.see(30)
    watch = bench.node.controller.network_watch
    assert not watch.on
    assert watch.ticks == 0
    assert bench.node.report().values["activity_watched"] is False


def test_it_ceases_when_the_listener_goes(bench: Bench) -> None:
    node, probe = bench.node, bench.ros.probe
    heard: list[Any] = []
    listener = probe.create_subscription(
        EventPacket, "network/spikes", heard.append, qos.best_effort(64)
    )
    bench.see_until(lambda: bool(heard))
    assert node.report().values["activity_watched"] is True
    probe.destroy_subscription(listener)
    bench.see_until(lambda: not node.controller.network_watch.on)
    assert node.controller.network_watch.ticks == 0


def test_chosen_membranes_come_with_time_and_threshold(bench: Bench) -> None:
    heard = bench.ros.listen(Float64MultiArray, "network/membranes", qos.best_effort(64))
    changed = bench.node.set_parameters([Parameter("probe_neurons", value="field:528, retina:561")])
    assert changed[0].successful
    bench.see_until(lambda: len(heard) >= 3)
    ticks, columns = heard[-1].layout.dim
    assert columns.label.split(",") == [
        "time_s",
        "field:528", "field:528 threshold", "field:528 current",
        "retina:561", "retina:561 threshold", "retina:561 current",
    ]  # fmt: skip
    table = np.array(heard[-1].data).reshape(ticks.size, columns.size)
    values = np.concatenate([np.array(message.data).reshape(-1, 7) for message in heard])
    np.testing.assert_allclose(np.diff(table[:, 0]), 1e-3, rtol=1e-6)
    assert set(table[:, 2]) == {float(4850 << 6)}
    assert (values[:, 4] != 0).any(), "the retina's neuron at the spot's rim moves"
    assert (values[:, 4] <= 765 << 6).all()
    assert (values[:, 6] != 0).any(), "a current moves it"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("field", "population:neuron"),
        ("field:1024", "0 to 1023"),
        ("nowhere:1", "no population 'nowhere'"),
        ("field:1, field:1", "twice"),
    ],
)
def test_a_wrong_choice_is_refused_with_the_reason(bench: Bench, text: str, words: str) -> None:
    (result,) = bench.node.set_parameters([Parameter("probe_neurons", value=text)])
    assert not result.successful
    assert words in result.reason
    assert "probe_neurons" in result.reason
    assert bench.node.get_parameter("probe_neurons").value == ""
    assert bench.node.controller.network_watch.probes == ()


def test_a_wrong_choice_at_the_start_is_a_warning_and_the_robot_starts(
    ros: Any, overrides: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    node = ros.add(
        ControllerNode(parameter_overrides=overrides(backend="cpu", probe_neurons="field:9999"))
    )
    node.start()
    assert node.active
    assert node.controller.network_watch.probes == ()
    (told,) = [line for line in capfd.readouterr().err.splitlines() if "field:9999" in line]
    assert "[WARN]" in told
    assert "probe_neurons: field:9999: field has the neurons 0 to 1023" in told
    # While it runs there is somebody to be told, and the wrong one is refused.
    (result,) = node.set_parameters([Parameter("probe_neurons", value="field:9998")])
    assert not result.successful
    with pytest.raises(ParameterError, match="population:neuron"):
        ControllerNode(parameter_overrides=overrides(probe_neurons="field"))


def test_what_cannot_be_published_ends_the_watching_and_not_the_control(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    heard = bench.ros.listen(EventPacket, "network/spikes", qos.best_effort(64))
    bench.see_until(lambda: bool(heard))
    activity, watch = bench.node._activity, bench.node.controller.network_watch

    def broken(events: Events) -> Any:
        raise ValueError("no such packet")

    monkeypatch.setattr(network_activity, "encode_mono", broken)
    bench.see_until(lambda: activity._failed)
    bench.see(20)
    assert not watch.on
    assert watch.ticks == 0
    told = capfd.readouterr().err
    assert told.count("published no more: ValueError: no such packet") == 1, "it is told once"
    assert "Traceback" in told


def fake_node(sent: list[Any]) -> Any:
    """A node whose publishers keep what they are given."""
    publisher = SimpleNamespace(publish=sent.append, get_subscription_count=lambda: 1)
    return SimpleNamespace(add_publisher=lambda *arguments: publisher, get_logger=lambda: None)


def activity_of(watch: NetworkWatch, row: int, neurons: np.ndarray) -> WatchedTicks:
    nothing = (np.zeros(0, np.int64), np.zeros(0, np.int32))
    spikes = [nothing] * len(watch.rows)
    spikes[row] = (np.zeros(len(neurons), np.int64), neurons.astype(np.int32))
    none = np.zeros((1, 0))
    return WatchedTicks(np.array([5 * MS]), tuple(spikes), (), none, none, none)


def test_a_row_of_many_spikes_is_thinned_evenly_and_told_of() -> None:
    sent: list[Any] = []
    _, watch = watched(CpuRunner(NETWORK), NETWORK)
    activity = NetworkActivity(fake_node(sent), watch, ControllerNodeSettings(), {})
    activity._publish_spikes(activity_of(watch, 0, np.arange(32768)))
    events = PacketStream(sent[-1].width, sent[-1].height, "mono").receive(
        messages.packet(sent[-1], "")
    )
    assert events is not None
    assert len(events) == MOST_SPIKES
    assert activity.spikes_left_out == 32768 - MOST_SPIKES
    counts, _ = np.histogram(events.x, bins=8, range=(0, 32768))
    assert counts.min() > 0.9 * MOST_SPIKES / 8
    assert messages.time_ns(sent[-1].header.stamp) == 6 * MS


def test_ticks_of_more_time_than_a_packet_holds_come_in_several() -> None:
    sent: list[Any] = []
    _, watch = watched(CpuRunner(NETWORK), NETWORK)
    activity = NetworkActivity(fake_node(sent), watch, ControllerNodeSettings(), {})
    sent.clear()
    ticks = np.arange(20)
    nothing = (np.zeros(0, np.int64), np.zeros(0, np.int32))
    spikes = [(ticks, ticks.astype(np.int32)), *[nothing] * (len(watch.rows) - 1)]
    t_ns = 5 * MS + ticks * 900 * MS
    none = np.zeros((20, 0))
    activity._publish_spikes(WatchedTicks(t_ns, tuple(spikes), (), none, none, none))
    assert len(sent) > 1
    stream = PacketStream(sent[0].width, sent[0].height, "mono")
    parts = [stream.receive(messages.packet(message, "")) for message in sent]
    assert stream.counters.packets_lost == stream.counters.errors == 0
    assert [t for part in parts for t in part.t_ns.tolist()] == t_ns.tolist()
    assert [x for part in parts for x in part.x.tolist()] == ticks.tolist()
    stamps = [messages.time_ns(message.header.stamp) for message in sent]
    assert stamps == [int(part.t_ns[-1]) + MS for part in parts]


def test_of_more_neurons_than_an_address_holds_every_so_manieth_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(network_activity, "LARGEST_WIDTH", 10_000)
    sent: list[Any] = []
    _, watch = watched(CpuRunner(NETWORK), NETWORK)
    activity = NetworkActivity(fake_node(sent), watch, ControllerNodeSettings(), {})
    about = json.loads(sent[0].data)["rows"][0]
    assert (about["size"], about["stride"], about["shown"]) == (32768, 4, 8192)
    activity._publish_spikes(activity_of(watch, 0, np.array([0, 1, 4, 32764])))
    assert sent[-1].width == 8192
    events = PacketStream(8192, 8, "mono").receive(messages.packet(sent[-1], ""))
    assert events is not None
    assert events.x.tolist() == [0, 1, 8191]


def test_probes_are_written_as_population_and_neuron() -> None:
    assert str(Probe("field", 3)) == "field:3"


def test_its_keys_are_documented(bench: Bench) -> None:
    assert [key for key in bench.node.report().values if not documented(key)] == []
