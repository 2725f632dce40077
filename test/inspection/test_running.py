# SPDX-License-Identifier: Apache-2.0
"""What is said of a network that runs, from its state and who spiked of late."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import wait

import numpy as np
import pytest

from neuro_control.backends import CpuRunner
from neuro_control.inspection import (
    Cause,
    RecentSpikes,
    SilenceReport,
    Wiring,
    network_snapshot,
    recent_spikes,
    record_activity,
    silent_front,
    where_activity_dies,
    why_silent_now,
)
from neuro_control.inspection.recent_spikes import LEAST_LOOKS, STEPS_A_LOOK
from neuro_control.network import FixedNetwork, FixedPopulation, FixedProjection, Port


def chain(weights: tuple[int, ...] = (60, 60, 60), *, vth: int = 100) -> FixedNetwork:
    """An input and as many populations of four neurons as there are weights, in a row."""
    names = ["in", *"abcdef"[: len(weights)]]
    populations = tuple(
        FixedPopulation(name, (4,), 4 * i, *(np.full(4, v) for v in (4095, 400, vth, 0)))
        for i, name in enumerate(names[1:])
    )
    projections = tuple(
        FixedProjection.from_matrix(source, target, np.full((4, 4), weight))
        for source, target, weight in zip(names[:-1], names[1:], weights, strict=True)
    )
    last = names[-1]
    return FixedNetwork(
        populations,
        projections,
        {"in": Port(0, 4, (4,))},
        {"out": Port(0, 4, (4,))},
        {"out": last},
        1e-3,
    )


def run(network: FixedNetwork, ticks: int = 50):
    """Its state after a run with all inputs active every fifth tick, and its spikes by name."""
    parts = [np.arange(4) if tick % 5 == 0 else np.zeros(0, int) for tick in range(ticks)]
    offsets = np.cumsum([0] + [len(part) for part in parts]).astype(np.int64)
    indices = np.concatenate(parts).astype(np.int32)
    runner = CpuRunner(network)
    runner.run(indices, offsets)
    trains = record_activity(network, indices, offsets).trains
    return runner.state(), {name: len(train.tick) for name, train in trains.items()}


def test_a_snapshot_shows_who_is_nearest_to_its_threshold():
    network = chain((60, 3, 60))
    state, spikes = run(network)
    found = network_snapshot(network, state, 50, spikes)
    assert found.inputs == {"in": 40}
    a, b, c = found.populations
    assert a.spikes == spikes["a"] > 0
    assert a.rate_hz == pytest.approx(spikes["a"] / 4 / 0.05)
    assert 0 < b.ratio < 1
    assert b.membrane == state.membrane[4 + b.nearest] == b.membrane_most
    assert b.threshold == 6400
    assert (c.spikes, c.ratio) == (0, 0.0)
    json.dumps(found.as_json())


def test_activity_dies_where_weights_are_small():
    network = chain((60, 3, 60))
    state, spikes = run(network)
    report = why_silent_now(network, 50, spikes, state)
    (finding,) = report.findings
    assert (finding.node, finding.cause) == ("b", Cause.WEIGHTS_MISS)
    assert "b is silent although a spikes: the membrane of b[" in where_activity_dies(report)
    assert report.silent_because == {"c": ("b",)}
    assert SilenceReport.from_json(json.loads(json.dumps(report.as_json()))) == report


def test_nothing_is_said_of_a_network_that_is_well():
    network = chain()
    state, spikes = run(network)
    report = why_silent_now(network, 50, spikes, state)
    assert report.healthy
    assert where_activity_dies(report) == ""


@pytest.mark.parametrize(
    ("network", "cause"),
    [
        (chain((60, 0, 60)), Cause.NO_SYNAPSES),
        (chain((60, -60, 60)), Cause.ONLY_INHIBITION),
        (chain((60, 3, 60), vth=100), Cause.WEIGHTS_MISS),
        (chain((255, 1, 255), vth=900), Cause.OUT_OF_REACH),
    ],
)
def test_causes_that_the_structure_shows(network: FixedNetwork, cause: Cause):
    state, spikes = run(network)
    (finding,) = why_silent_now(network, 50, spikes, state).findings
    assert (finding.node, finding.cause) == ("b", cause)


def test_an_input_without_spikes_is_where_activity_dies():
    report = why_silent_now(chain(), 50, {"in": 0, "a": 0, "b": 0, "c": 0})
    (finding,) = report.findings
    assert (finding.node, finding.cause) == ("in", Cause.NO_INPUT)
    assert set(report.silent_because) == {"a", "b", "c"}


def test_what_is_not_known_is_taken_for_alive():
    """A controller knows that events come and that nothing spikes; another input it may not."""
    report = why_silent_now(chain((3, 60)), 50, {"a": 0, "b": 0})
    (finding,) = report.findings
    assert finding.node == "a"
    assert why_silent_now(chain(), 50, {}).healthy


def test_a_published_description_is_wired_as_the_network_is():
    network = chain()
    description = {
        "rows": [
            {"name": "in", "role": "input"},
            {"name": "a", "role": "hidden"},
            {"name": "b", "role": "hidden"},
            {"name": "c", "role": "output"},
        ],
        "projections": [{"from": q.source, "to": q.target} for q in network.projections],
    }
    wiring = Wiring.from_description(description)
    assert wiring == Wiring.of(network)
    front = silent_front(wiring, {"in", "a"})
    assert (front.inputs, front.populations, front.behind) == ((), ("b",), {"c": ("b",)})
    with pytest.raises(ValueError, match="not a network description"):
        Wiring.from_description({"rows": []})


def found(recent: RecentSpikes) -> str:
    """What is said when the search that is under way has ended."""
    recent.where_activity_dies()
    search = recent._search
    if search is not None:
        wait([search], timeout=30.0)
    return recent.where_activity_dies()


def stepping(recent: RecentSpikes, runner: CpuRunner) -> Callable[[int, int], None]:
    def step(looks: int, given: int) -> None:
        for _ in range(looks * STEPS_A_LOOK):
            runner.step(np.arange(given, dtype=np.int32))
            recent.stepped(given)

    return step


def test_a_sample_of_spikes_says_where_they_end():
    network = chain((60, 0, 60))
    runner = CpuRunner(network)
    recent = RecentSpikes(network, runner, "in")
    step = stepping(recent, runner)
    step(LEAST_LOOKS - 1, 4)
    assert found(recent) == ""
    step(1, 4)
    assert found(recent) == "b is silent: it has no synapse from a"
    step(LEAST_LOOKS - 1, 0)
    # What was said holds until enough has been seen again.
    assert found(recent) == "b is silent: it has no synapse from a"
    step(1, 0)
    assert found(recent) == "input in was given no spike in the last 100 ticks"
    recent.close()


def test_a_membrane_is_looked_at_as_it_was_when_the_question_came():
    network = chain((60, 3, 60))
    runner = CpuRunner(network)
    recent = RecentSpikes(network, runner, "in")
    for tick in range(LEAST_LOOKS * STEPS_A_LOOK):
        runner.step(np.arange(0 if tick % 5 else 4, dtype=np.int32))
        recent.stepped(4)
    spikes = {"in": 4, "a": 1, "b": 0, "c": 0}
    wanted = where_activity_dies(why_silent_now(network, LEAST_LOOKS, spikes, runner.state()))
    assert "the membrane of b[" in wanted
    recent.where_activity_dies()
    runner.reset()
    assert found(recent) == wanted
    recent.close()


def test_whoever_steers_never_waits_for_a_search_and_one_is_under_way_at_most(monkeypatch):
    network = chain((60, 0, 60))
    runner = CpuRunner(network)
    recent = RecentSpikes(network, runner, "in")
    step = stepping(recent, runner)
    asked, goes_on = threading.Semaphore(0), threading.Event()

    def search(*arguments: object, **others: object) -> SilenceReport:
        asked.release()
        assert goes_on.wait(30.0)
        return why_silent_now(*arguments, **others)

    monkeypatch.setattr(recent_spikes, "why_silent_now", search)
    for _ in range(3):
        step(LEAST_LOOKS, 4)
        # It would never come back if the search were its own.
        assert recent.where_activity_dies() == ""
    assert asked.acquire(timeout=30.0)
    assert not asked.acquire(blocking=False)
    goes_on.set()
    assert found(recent) == "b is silent: it has no synapse from a"
    recent.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("silence search")]


def test_a_search_that_fails_is_told_and_stops_nothing(monkeypatch):
    network = chain((60, 0, 60))
    runner = CpuRunner(network)
    recent = RecentSpikes(network, runner, "in")
    monkeypatch.setattr(recent_spikes, "why_silent_now", lambda *_, **__: {}["b"])
    stepping(recent, runner)(LEAST_LOOKS, 4)
    assert found(recent) == "not known: KeyError: 'b'"
    recent.close()


def test_closed_it_searches_no_more():
    network = chain((60, 0, 60))
    runner = CpuRunner(network)
    recent = RecentSpikes(network, runner, "in")
    stepping(recent, runner)(LEAST_LOOKS, 4)
    recent.close()
    assert found(recent) == ""


def test_of_a_runner_that_shows_no_spikes_nothing_is_said():
    network = chain((60, 0, 60))
    recent = RecentSpikes(network, object(), "in")
    for _ in range(10 * LEAST_LOOKS * STEPS_A_LOOK):
        recent.stepped(1)
    assert recent.where_activity_dies() == ""


def test_a_state_of_another_size_is_refused():
    state, spikes = run(chain((60, 60)))
    with pytest.raises(ValueError, match="the network 12"):
        network_snapshot(chain(), state, 50, spikes)
