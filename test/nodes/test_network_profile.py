# SPDX-License-Identifier: Apache-2.0
"""The controller tells by node what its network costs, and why it is silent, to whoever listens."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from std_msgs.msg import String

from neuro_control.backends import CpuRunner
from neuro_control.control.arm import ArmController, load_network
from neuro_control.control.network_watch import NetworkWatch, WatchedTicks
from neuro_control.dashboard.profile_panel import read_profile
from neuro_control.inspection import SilenceReport, find_silence, profile_process
from neuro_control.nodes import network_profile, qos
from neuro_control.nodes.network_profile import NetworkProfile
from test.inspection.test_running import chain
from test.nodes.test_network_activity import Bench, fake_node

MS = 1_000_000
S = 1_000_000_000
MISSES = chain((60, 1, 60))  # of its populations a, b, c the second hears too little
NETWORK = load_network("arm_tracker.nir")


class Profiled:
    """A profile of a known network in a node that only keeps what is published."""

    def __init__(self, network: Any = MISSES) -> None:
        self.network = network
        self.sent: list[Any] = []
        self.watch = NetworkWatch(network, CpuRunner(network))
        self.profile = NetworkProfile(fake_node(self.sent), self.watch)
        self.now_ns = 100 * S

    def run(self, ticks: int, given: Any = None) -> None:
        """Step with all four inputs, or those given, and look."""
        runner = CpuRunner(self.network)
        self.watch.spikes = True
        for tick in range(ticks):
            active = np.arange(4, dtype=np.int32) if given is None else given
            runner.step(active)
            self.watch.look(active, runner)
            self.watch.stamp((tick + 1) * MS, MS)
        self.profile.add(self.watch.take())

    def said(self) -> dict[str, Any]:
        self.now_ns += S
        self.profile.publish(self.now_ns)
        return json.loads(self.sent[-1].data)


@pytest.fixture
def profiled() -> Any:
    made = Profiled()
    yield made
    made.profile.close()


def test_counts_are_the_engines_and_the_node_with_most_operations_comes_first(
    profiled: Profiled,
) -> None:
    profiled.run(90)  # too few to ask the process
    runner = CpuRunner(MISSES)
    for _ in range(90):
        runner.step(np.arange(4, dtype=np.int32))
    said = profiled.said()
    nodes = {node["name"]: node for node in said["nodes"]}
    assert (said["format"], said["ticks"], said["dt_s"], said["times"]) == (1, 90, 1e-3, None)
    assert nodes["a"]["operations"] == 90 * 4 * 4  # every input excites all four
    spikes = sum(nodes[name]["spikes"] for name in "abc")
    assert spikes == runner.counters.spikes > 0
    operations = sum(nodes[name]["operations"] for name in "abc")
    assert operations == runner.counters.synaptic_operations
    assert nodes["in"] == {
        "name": "in", "role": "input", "neurons": 4, "spikes": 360, "rate_hz": 1000.0,
        "operations": None, "us": None, "into": [],
    }  # fmt: skip
    assert nodes["b"]["into"] == [
        {"name": "a -> b", "operations": nodes["b"]["operations"], "us": None}
    ]
    assert [node["operations"] or 0 for node in said["nodes"]] == sorted(
        (node["operations"] or 0 for node in said["nodes"]), reverse=True
    )


def test_times_and_the_factor_that_weights_miss_are_told_when_they_are_known(
    profiled: Profiled,
) -> None:
    profiled.run(200)
    assert profiled.said()["times"] is None
    asked = profiled.profile._process._asked
    assert asked is not None
    asked.result(60.0)
    said = profiled.said()
    us = [node["us"] for node in said["nodes"] if node["us"] is not None]
    assert len(us) == 3
    assert us == sorted(us, reverse=True), "what takes most time comes first"
    assert said["times"]["ticks"] == 200
    assert said["times"]["whole_us"] > 0
    indices, offsets = profiled.profile._recent.given().joined()
    (wanted,) = find_silence(MISSES, indices, offsets).as_json()["findings"]
    (found,) = said["silence"]["findings"]
    assert found == wanted
    assert (found["node"], found["figures"]["weight_factor"] > 1) == ("b", True)
    assert said["silence"]["silent_because"] == {"c": ["b"]}
    assert SilenceReport.from_json(said["silence"]).findings[0].figures == wanted["figures"]
    assert read_profile(profiled.sent[-1].data) == said, "the page can draw it"


def test_a_figure_without_bounds_is_null_which_is_json(profiled: Profiled) -> None:
    profiled.run(90)
    figures = {"weight_factor": np.inf, "threshold_factor": 0.5}
    silence = {"findings": [{"node": "b", "text": "", "figures": figures}]}
    profiled.profile._found = {"times": None, "silence": silence, "processor_s": np.nan}
    profiled.said()
    said = json.loads(profiled.sent[-1].data, parse_constant=pytest.fail)
    (found,) = said["silence"]["findings"]
    assert found["figures"] == {"weight_factor": None, "threshold_factor": 0.5}


class Oracle:
    """Stands for the process, and notes what happens to it."""

    refusal = ""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.busy = self.closed = False

    def ask(self, question: Any) -> None:
        self.asked.append(question)

    def take(self) -> None:
        return None

    def close(self) -> None:
        self.closed = True


def test_it_is_said_once_a_second_and_asked_seldom(profiled: Profiled) -> None:
    oracle = profiled.profile._process = Oracle()
    profiled.run(200)
    profiled.said()
    profiled.profile.publish(profiled.now_ns + S // 2)
    assert len(profiled.sent) == 1
    profiled.said()
    assert len(oracle.asked) == 1, "the next question is not due"
    profiled.now_ns += network_profile.ASKED_NS
    oracle.busy = True
    profiled.said()
    assert len(oracle.asked) == 1, "the last one has not been answered"
    oracle.busy = False
    profiled.said()
    assert [question().silent for question in oracle.asked] == [True, True]


def test_what_takes_long_is_asked_less_often(profiled: Profiled) -> None:
    oracle = profiled.profile._process = Oracle()
    profiled.run(600)
    profiled.said()
    profiled.profile._found = {"times": None, "silence": None, "processor_s": 3.0}
    profiled.now_ns += network_profile.ASKED_NS
    profiled.said()
    assert len(oracle.asked) == 1, "three seconds of a core are a tenth of thirty"
    profiled.now_ns += 19 * S
    profiled.said()
    assert len(oracle.asked) == 2


def test_when_the_listener_goes_the_process_ends(profiled: Profiled) -> None:
    oracle = profiled.profile._process = Oracle()
    profiled.run(200)
    profiled.said()
    profiled.profile.rest()
    assert oracle.closed
    assert profiled.profile._recent.ticks == 0


def test_where_everything_spikes_no_silence_is_searched_for() -> None:
    profiled = Profiled(chain((60, 60, 60)))
    oracle = profiled.profile._process = Oracle()
    profiled.run(200)
    profiled.said()
    assert [question().silent for question in oracle.asked] == [False]


def test_of_a_network_that_is_too_large_it_says_why_there_are_no_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(profile_process, "MOST_SYNAPSES", 1)
    profiled = Profiled()
    profiled.run(200)
    said = profiled.said()
    assert "of more than 1 no times are taken" in said["times_missing"]
    assert profiled.profile._process._process is None


def test_what_another_process_does_not_show_is_null() -> None:
    watch = NetworkWatch(MISSES, object())  # type: ignore[arg-type]
    sent: list[Any] = []
    profile = NetworkProfile(fake_node(sent), watch)
    nothing = (np.zeros(0, np.int64), np.zeros(0, np.int32))
    none = np.zeros((1, 0))
    profile.add(WatchedTicks(np.zeros(1, np.int64), (nothing,) * 4, (), none, none, none))
    profile.publish(100 * S)
    nodes = {node["name"]: node for node in json.loads(sent[-1].data)["nodes"]}
    assert (nodes["a"]["spikes"], nodes["a"]["operations"]) == (None, 0)
    assert (nodes["c"]["spikes"], nodes["c"]["operations"]) == (0, None)


def test_the_controller_publishes_it_while_somebody_listens_and_not_else(
    ros: Any, overrides: Any
) -> None:
    def make(settings: Any, arm: Any) -> ArmController:
        return ArmController(settings, arm, runner=CpuRunner(NETWORK), network=NETWORK)

    bench = Bench(ros, overrides, make)
    activity, watch = bench.node._activity, bench.node.controller.network_watch
    heard: list[Any] = []
    listener = ros.probe.create_subscription(
        String, "network/profile", heard.append, qos.best_effort(4)
    )
    bench.see_until(lambda: bool(heard))
    said = json.loads(heard[0].data)
    by_name = {node["name"]: node for node in said["nodes"]}
    assert by_name["retina"]["spikes"] > 0
    assert by_name["events"]["spikes"] > 0
    assert activity._spikes.get_subscription_count() == 0, "nobody needs the spikes themselves"
    own, oracle = activity._profile._process, Oracle()
    activity._profile._process = oracle
    bench.node.deactivate()
    assert oracle.closed, "it waits for no step that does not come"
    assert activity._profile._recent.ticks == 0
    activity._profile._process = own
    own.close()
    ros.probe.destroy_subscription(listener)
    bench.see_until(lambda: not watch.on)
    assert activity._profile._process._process is None
