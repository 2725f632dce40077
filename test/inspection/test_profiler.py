# SPDX-License-Identifier: Apache-2.0
"""A profile counts what the engine counts, and puts first what costs most."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.backends import CpuRunner, measure_cost
from neuro_control.inspection import plot_profile, profile
from neuro_control.inspection.profiler import STRETCH
from neuro_control.network import FixedNetwork, FixedPopulation, FixedProjection, Port

graphs = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 4), st.integers(1, 8)
)


def spikes_for(network: FixedNetwork, seed: int, ticks: int):
    rng = np.random.default_rng(seed)
    n = sum(port.size for port in network.inputs.values())
    parts = [rng.integers(0, n, rng.integers(0, n + 1)) for _ in range(ticks)]
    offsets = np.cumsum([0] + [len(part) for part in parts]).astype(np.int64)
    return np.concatenate(parts).astype(np.int32), offsets


@settings(max_examples=15)
@given(graph=graphs)
def test_spikes_and_operations_are_the_engines_own(graph, fixed_network):
    network = fixed_network(*graph)
    given_spikes = spikes_for(network, graph[0], 30)
    found = profile(network, *given_spikes, turns=1)
    runner = CpuRunner(network)
    runner.run(*given_spikes)
    assert found.counters == runner.counters
    assert found.spikes == runner.counters.spikes
    assert found.operations == runner.counters.synaptic_operations
    cost = measure_cost(CpuRunner(network), [given_spikes])
    by_population = {p.name: p.spikes for p in found.populations}
    assert by_population == {p.name: p.spikes for p in cost.populations}
    mine = sorted((q.name, q.operations) for p in found.populations for q in p.projections)
    assert mine == sorted((q.name, q.operations.effective_acs) for q in cost.projections)
    json.dumps(found.as_json())


def unequal() -> FixedNetwork:
    """A large population with many synapses beside a small one with few."""
    sizes = {"small": 10, "large": 20_000}
    rng = np.random.default_rng(0)
    populations, offset = [], 0
    for name, size in sizes.items():
        values = (np.full(size, v) for v in (100, 100, 100_000, 0))
        populations.append(FixedPopulation(name, (size,), offset, *values))
        offset += size
    projections = tuple(
        FixedProjection.from_matrix(
            "in", name, rng.integers(1, 100, (size, 20)) * (rng.random((size, 20)) < 0.3)
        )
        for name, size in sizes.items()
    )
    inputs = {"in": Port(0, 20, (20,))}
    return FixedNetwork(tuple(populations), projections, inputs, {}, {}, 1e-3)


def test_what_costs_most_comes_first_and_the_parts_explain_the_whole():
    network = unequal()
    found = profile(network, *spikes_for(network, 3, 3 * STRETCH + 7))
    assert [p.name for p in found.populations] == ["large", "small"]
    large, small = found.populations
    # Two thousand times the neurons and synapses: no noise makes up for that.
    assert large.us > 20 * small.us
    assert large.projections[0].us > 0
    assert large.us == pytest.approx(large.neurons_us + large.projections[0].us)
    # By itself a population is stepped as in the whole: the sum comes near it.
    assert 0.5 < found.coverage < 1.5
    assert found.sum_us == pytest.approx(found.overhead_us + large.us + small.us)


def test_the_picture_has_a_bar_for_every_population():
    network = unequal()
    found = profile(network, *spikes_for(network, 3, 20), turns=1)
    figure = plot_profile(found)
    times = figure.axes[0]
    labels = [text.get_text() for text in times.get_yticklabels()]
    assert labels == [f"{p.name} ({p.neurons:,})" for p in found.populations]


def test_runs_without_ticks_and_without_turns_are_refused():
    network = unequal()
    with pytest.raises(ValueError, match="turns 0"):
        profile(network, *spikes_for(network, 3, 20), turns=0)
    with pytest.raises(ValueError, match="without ticks"):
        profile(network, np.zeros(0, np.int32), np.zeros(1, np.int64))
