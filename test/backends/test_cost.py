# SPDX-License-Identifier: Apache-2.0
"""The cost of a run is what the runner counted, told apart by projection and population."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuro_control.backends import CpuRunner, SynapticOperations, measure_cost, network_cost
from neuro_control.network import (
    LIF,
    Conv2d,
    FixedNetwork,
    FixedPopulation,
    FixedProjection,
    Input,
    Linear,
    Network,
    Output,
    Port,
    Scale,
    SumPool2d,
    quantize,
)

graphs = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(0, 3), st.integers(1, 4), st.integers(0, 8)
)
exactly = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def sample(n_inputs: int, ticks: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    active = [np.flatnonzero(rng.random(n_inputs) < rate) for rate in rng.random(ticks)]
    active = [np.concatenate([a, a[:2]]).astype(np.int32) for a in active]
    offsets = np.cumsum([0, *(len(a) for a in active)])
    return np.concatenate([np.zeros(0, np.int32), *active]), offsets


def test_a_payload_is_multiplied_once_a_synapse_however_large_it_is():
    graded = dataclasses.replace(relay(), inputs={"in": Port(0, 3, (3,), 4)})
    given = np.array([0, 0, 0, 0, 0, 2], np.int32)
    cost = measure_cost(CpuRunner(graded), [(given, np.array([0, 6, 6, 6]))])
    first, second = (projection.operations for projection in cost.projections)
    # Channel 0 has two synapses and 2 has none; what a neuron sends is accumulated.
    assert (first.effective_macs, first.effective_acs) == (2, 0)
    assert (second.effective_macs, second.effective_acs) == (0, 1)


def relay() -> FixedNetwork:
    """in (3) -> first (2) -> second (1): an active input 0 or 1 makes first 0 spike."""
    neurons = {"du": 4095, "dv": 0, "vth": 10, "bias_mantissa": 0}
    return FixedNetwork(
        (
            FixedPopulation("first", (2,), 0, **neurons),
            FixedPopulation("second", (1,), 2, **neurons),
        ),
        (
            FixedProjection.from_matrix("in", "first", [[16, 16, 0], [2, 0, 0]]),
            FixedProjection.from_matrix("first", "second", [[4, 0]]),
        ),
        {"in": Port(0, 3, (3,))},
        {"out": Port(0, 1, (1,))},
        {"out": "second"},
        1e-3,
    )


@exactly
@given(graph=graphs)
def test_the_parts_add_up_to_the_counters_of_the_runner(graph, fixed_network):
    network = fixed_network(*graph)
    n_inputs = sum(port.size for port in network.inputs.values())
    indices, offsets = sample(n_inputs, 20, graph[0])
    counted = CpuRunner(network)
    counted.run(indices, offsets)
    counters = counted.counters
    cost = measure_cost(CpuRunner(network), [(indices, offsets)])
    assert cost.ticks == counters.ticks
    assert cost.spikes == counters.spikes
    assert cost.operations.effective_acs == counters.synaptic_operations
    assert cost.neuron_updates == counters.membrane_updates
    assert cost.operations.effective_acs <= cost.operations.dense
    assert network.n_neurons <= cost.membrane_updates <= cost.neuron_updates


@exactly
@given(graph=graphs)
def test_samples_add_up_and_each_begins_at_rest(graph, fixed_network):
    network = fixed_network(*graph)
    n_inputs = sum(port.size for port in network.inputs.values())
    samples = [sample(n_inputs, 8, graph[0] + k) for k in range(3)]
    runner = CpuRunner(network)
    together = measure_cost(runner, samples)
    apart = [measure_cost(runner, [one]) for one in samples]
    assert (together.samples, together.ticks) == (3, 24)
    for name in ("spikes", "neuron_updates", "membrane_updates"):
        assert getattr(together, name) == sum(getattr(one, name) for one in apart)
    assert together.operations.effective_acs == sum(x.operations.effective_acs for x in apart)
    assert (
        together.footprint_bytes
        == apart[0].footprint_bytes
        == network_cost(network).footprint_bytes
    )


def test_a_relay_costs_what_is_counted_by_hand():
    # Input 0, given twice, in tick 0; input 2, which has no synapse, in tick 1; silence.
    cost = measure_cost(CpuRunner(relay()), [(np.array([0, 0, 2]), np.array([0, 2, 3, 3, 3]))])
    into_first, into_second = cost.projections
    assert (into_first.positions, into_first.synapses) == (6, 3)
    assert into_first.connection_sparsity == 0.5
    assert into_first.operations == SynapticOperations(4 * 6, 0, 2)
    assert into_second.operations == SynapticOperations(4 * 2, 0, 1)
    assert cost.operations == SynapticOperations(32, 0, 3)
    assert cost.connection_sparsity == 4 / 8
    first, second = cost.populations
    assert (first.spikes, second.spikes) == (1, 0)
    assert first.activation_sparsity == 7 / 8
    assert cost.activation_sparsity == 11 / 12
    # Tick 0 counts all; then first 1 changes once (first 0 is reset where it rose), second once.
    assert (first.membrane_updates, second.membrane_updates) == (2 + 1, 1 + 1)
    assert (first.neuron_updates, second.neuron_updates) == (8, 4)
    assert cost.neurobench() == {
        "Footprint": cost.footprint_bytes,
        "ConnectionSparsity": 0.5,
        "ActivationSparsity": 11 / 12,
        "SynapticOperations": {"Effective_MACs": 0.0, "Effective_ACs": 3.0, "Dense": 32.0},
        "MembraneUpdates": 5.0,
    }


def test_the_footprint_is_that_of_the_arrays_and_the_state():
    into_first, into_second = network_cost(relay()).projections
    # Row starts in 8 bytes, then target and weight of each synapse in 4 and 2.
    assert into_first.footprint_bytes == 4 * 8 + 3 * (4 + 2)
    assert into_second.footprint_bytes == 3 * 8 + 1 * (4 + 2)
    # Four parameters and three variables, each in 4 bytes.
    assert [p.footprint_bytes for p in network_cost(relay()).populations] == [2 * 28, 28]


@pytest.mark.parametrize("own", [{"refractory": 2}, {"threshold_step": 3, "threshold_decay": 40}])
def test_the_footprint_counts_what_own_spikes_leave_and_what_waits(own):
    first, second = relay().populations
    network = dataclasses.replace(
        relay(),
        populations=(first, dataclasses.replace(second, **own)),
        projections=tuple(dataclasses.replace(q, delay=3) for q in relay().projections),
    )
    found = [p.footprint_bytes for p in network_cost(network).populations]
    # Three ticks more that inputs wait in; three parameters and two variables.
    assert found == [2 * (28 + 3 * 4), 28 + 3 * 4 + 3 * 4 + 2 * 4]


def test_a_network_that_has_not_run_has_no_workload():
    cost = network_cost(relay())
    assert (cost.samples, cost.ticks, cost.spikes) == (0, 0, 0)
    assert cost.operations == SynapticOperations()
    assert cost.activation_sparsity == 0.0


def test_no_projection_costs_nothing(fixed_network):
    cost = measure_cost(CpuRunner(fixed_network(0, 1, 1, 0)), [sample(1, 3, 0)])
    assert (cost.operations, cost.connection_sparsity) == (SynapticOperations(), 0.0)


def lif(shape: tuple[int, ...]) -> LIF:
    n = np.ones(shape)
    return LIF(shape, 0.01 * n, n, 0 * n, n, 0 * n)


def image(weight: np.ndarray) -> Network:
    """A 6 x 6 image, its rows scaled, convolved, pooled: with zeros in kernel and scale."""
    scale = np.ones((1, 6, 6))
    scale[0, 0] = 0.0
    nodes = {
        "in": Input((1, 6, 6)),
        "scale": Scale(scale),
        "convolution": Conv2d(weight, padding=1),
        "hidden": lif((2, 6, 6)),
        "pool": SumPool2d((2, 2), (2, 2)),
        "output": lif((2, 3, 3)),
        "out": Output((2, 3, 3)),
    }
    order = list(nodes)
    return Network(nodes, list(itertools.pairwise(order)), 1e-3)


def test_positions_of_a_convolution_are_the_pairs_that_its_windows_join():
    weight = np.ones((2, 1, 3, 3))
    weight[:, :, 1] = 0.0
    description = image(weight)
    network = quantize(description)
    into_hidden, into_output = network_cost(network, description).projections
    # Along one axis of 6 pixels, a window of 3 joins 6 + 2 * 5 pairs.
    assert into_hidden.positions == 2 * 16 * 16
    # Of its three rows of taps the middle one is zero, and so is the image's first row.
    assert into_hidden.synapses == 2 * (5 + 4) * 16
    assert (into_output.positions, into_output.synapses) == (72, 72)
    assert network_cost(network).projections[0].positions == 36 * 72


def test_another_networks_description_is_refused():
    weight = np.ones((2, 1, 3, 3))
    with pytest.raises(ValueError, match="the description gives the projections"):
        network_cost(relay(), image(weight))


def test_a_description_leaves_dense_weights_as_they_are():
    nodes = {
        "in": Input((4,)),
        "dense": Linear(np.eye(3, 4)),
        "output": lif((3,)),
        "out": Output((3,)),
    }
    description = Network(nodes, [("in", "dense"), ("dense", "output"), ("output", "out")], 1e-3)
    network = quantize(description)
    assert network_cost(network, description).projections == network_cost(network).projections


def test_a_sample_that_does_not_fit_is_refused_before_any_is_run():
    runner = CpuRunner(relay())
    good = (np.array([0]), np.array([0, 1]))
    with pytest.raises(ValueError, match=r"inputs are 0\.\.2"):
        measure_cost(runner, [good, (np.array([3]), np.array([0, 1]))])
    assert runner.counters.ticks == 0


def test_a_cost_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        network_cost(relay()).samples = 1
