# SPDX-License-Identifier: Apache-2.0
"""A recording shows every spike and voltage that happened inside, and changes none of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuro_control.backends import CpuRunner, record
from neuro_control.network import FixedNetwork, FixedPopulation, FixedProjection, Port

graphs = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(0, 3), st.integers(1, 4), st.integers(0, 8)
)
exactly = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def trains(network: FixedNetwork, ticks: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Silence, floods, and indices that come twice."""
    rng = np.random.default_rng(seed)
    n = sum(port.size for port in network.inputs.values())
    active = [np.flatnonzero(rng.random(n) < rate) for rate in rng.choice([0.0, 0.2, 1.0], ticks)]
    active = [np.concatenate([a, a[:2]]).astype(np.int32) for a in active]
    offsets = np.cumsum([0, *(len(a) for a in active)])
    return np.concatenate([np.zeros(0, np.int32), *active]), offsets


def chain() -> FixedNetwork:
    """in (2) -> first (2) -> second (2), every spike hands on in the next tick."""
    neurons = {"du": 4095, "dv": 0, "vth": 10, "bias_mantissa": 0}
    return FixedNetwork(
        (
            FixedPopulation("first", (2,), 0, **neurons),
            FixedPopulation("second", (2,), 2, **neurons),
        ),
        (
            FixedProjection.from_matrix("in", "first", np.diag([16, 6])),
            FixedProjection.from_matrix("first", "second", np.diag([16, 16])),
        ),
        {"in": Port(0, 2, (2,))},
        {"out": Port(0, 2, (2,))},
        {"out": "second"},
        0.002,
    )


@exactly
@given(graph=graphs)
def test_hidden_spikes_and_voltages_are_those_of_the_dense_equations(
    graph, fixed_network, dense_reference
):
    network = fixed_network(*graph)
    indices, offsets = trains(network, 25, graph[0])
    chosen = {p.name: np.arange(p.size)[::-1] for p in network.populations}
    seen = record(CpuRunner(network), indices, offsets, traces=chosen)
    reference = dense_reference(network)
    for tick in range(25):
        reference.step(indices[offsets[tick] : offsets[tick + 1]])
        for p in network.populations:
            train, traces = seen.spikes[p.name], seen.traces[p.name]
            np.testing.assert_array_equal(
                train.neuron[train.tick == tick], reference.spikes[p.name]
            )
            np.testing.assert_array_equal(traces.membrane[tick], reference.v[p.name][::-1])
            np.testing.assert_array_equal(traces.current[tick], reference.u[p.name][::-1])


@exactly
@given(graph=graphs)
def test_a_recorded_run_is_the_run(graph, fixed_network):
    network = fixed_network(*graph)
    indices, offsets = trains(network, 20, graph[0])
    plain, recorded = CpuRunner(network), CpuRunner(network)
    outputs, starts = plain.run(indices, offsets)
    seen = record(recorded, indices, offsets)
    assert recorded.state() == plain.state()
    assert recorded.counters == plain.counters
    assert sum(len(train.tick) for train in seen.spikes.values()) == plain.counters.spikes
    for name, port in network.outputs.items():
        train = seen.spikes[network.output_populations[name]]
        tick = np.repeat(np.arange(20), np.diff(starts))
        own = (outputs >= port.offset) & (outputs < port.offset + port.size)
        np.testing.assert_array_equal(train.tick, tick[own])
        np.testing.assert_array_equal(train.neuron, outputs[own] - port.offset)


def test_a_spike_is_seen_in_each_population_in_its_tick():
    seen = record(CpuRunner(chain()), np.array([0, 1]), np.array([0, 2, 2, 2]), traces={"first": 1})
    assert (seen.dt_s, seen.n_ticks) == (0.002, 3)
    first, second = seen.spikes["first"], seen.spikes["second"]
    assert (first.tick.tolist(), first.neuron.tolist()) == ([1], [0])
    assert (second.tick.tolist(), second.neuron.tolist()) == ([2], [0])
    assert (first.tick.dtype, first.neuron.dtype, first.n_neurons) == (np.int64, np.int32, 2)
    traces = seen.traces["first"]
    assert traces.membrane.tolist() == [[0], [6 * 64], [6 * 64]]
    assert traces.current.tolist() == [[0], [6 * 64], [0]]
    assert traces.threshold.tolist() == [640]


def test_only_what_is_named_is_recorded():
    seen = record(CpuRunner(chain()), np.array([0]), np.array([0, 1, 1]), spikes=["second"])
    assert list(seen.spikes) == ["second"]
    assert not seen.traces


def test_no_tick_is_a_recording_too():
    nothing = np.zeros(0, np.int32)
    seen = record(CpuRunner(chain()), nothing, np.zeros(1, int), traces={"first": [0, 1]})
    assert seen.n_ticks == len(seen.spikes["first"].tick) == 0
    assert seen.traces["first"].membrane.shape == (0, 2)


def test_a_recording_cannot_be_changed():
    seen = record(CpuRunner(chain()), np.zeros(0, int), np.zeros(3, int))
    with pytest.raises(dataclasses.FrozenInstanceError):
        seen.n_ticks = 1
    with pytest.raises(TypeError):
        seen.spikes["first"] = None


@pytest.mark.parametrize(
    ("indices", "offsets", "asked", "message"),
    [
        ([2], [0, 1], {}, r"indices hold 2\.\.2, but the network's 2 inputs are 0\.\.1"),
        ([0], [0, 2], {}, "offsets must rise from 0 to 1"),
        ([0], [], {}, "offsets must rise from 0 to 1"),
        ([0.5], [0, 1], {}, r"indices must be a one-dimensional array of integers, not float64"),
        ([0], [0, 1], {"spikes": ["third"]}, r"no population 'third'"),
        ([0], [0, 1], {"traces": {"third": [0]}}, r"no population 'third'"),
        ([0], [0, 1], {"traces": {"first": [2]}}, r"'first' ask for neurons 2\.\.2; it has 0\.\.1"),
        ([0], [0, 1], {"traces": {"first": [0.5]}}, r"'first' must be numbers of neurons"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_first_tick(indices, offsets, asked, message):
    runner = CpuRunner(chain())
    with pytest.raises(ValueError, match=message):
        record(runner, np.array(indices), np.array(offsets), **asked)
    assert runner.counters.ticks == 0


def test_an_input_to_a_network_without_inputs_is_refused(fixed_network):
    with pytest.raises(ValueError, match="the network has no input"):
        record(CpuRunner(fixed_network(0, 0, 1, 0)), np.array([0]), np.array([0, 1]))


def fired() -> CpuRunner:
    runner = CpuRunner(chain())
    runner.run(np.array([0], np.int32), np.array([0, 1, 1]))
    assert runner.spikes("first").tolist() == [0]
    return runner


def test_the_last_spikes_outlive_a_warming():
    runner = fired()
    runner.warm()
    assert runner.spikes("first").tolist() == [0]


def test_spikes_are_a_copy():
    runner = fired()
    runner.spikes("first")[:] = 1
    runner.all_spikes()[0][:] = 1
    assert runner.spikes("first").tolist() == [0]


def test_no_spikes_are_known_after_a_reset_or_a_restore():
    runner = fired()
    state = runner.state()
    runner.restore(state)
    assert runner.spikes("first").tolist() == []
    runner = fired()
    runner.reset()
    assert runner.spikes("first").tolist() == []
    with pytest.raises(ValueError, match="no population 'third'"):
        runner.spikes("third")
