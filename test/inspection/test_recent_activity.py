# SPDX-License-Identifier: Apache-2.0
"""What of a running network is counted is what its engine counts, over the last ticks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.inspection import record_activity
from neuro_control.inspection.recent_activity import KEPT_TICKS, RecentActivity
from neuro_control.network import FixedNetwork


def some_input(network: FixedNetwork, seed: int, ticks: int):
    rng = np.random.default_rng(seed)
    n = sum(port.size for port in network.inputs.values())
    active = [np.flatnonzero(rng.random(n) < 0.4) for _ in range(ticks)]
    offsets = np.cumsum([0] + [len(part) for part in active]).astype(np.int64)
    return np.concatenate(active).astype(np.int32), offsets


def trains_of(network: FixedNetwork, activity, first: int, last: int):
    """The spikes of every row in some ticks, ticks counted from the first of them."""
    rows = [*network.inputs, *(p.name for p in network.populations)]
    found = []
    for name in rows:
        train = activity.trains[name]
        here = (train.tick >= first) & (train.tick < last)
        found.append((train.tick[here] - first, train.neuron[here]))
    return found


@settings(max_examples=15)
@given(
    graph=st.tuples(
        st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 4), st.integers(1, 8)
    ),
    cuts=st.lists(st.integers(1, 30), min_size=1, max_size=6),
)
def test_counts_and_input_are_those_of_the_run_however_it_is_cut(graph, cuts, fixed_network):
    network = fixed_network(*graph)
    ends = np.cumsum([0, *cuts])
    indices, offsets = some_input(network, graph[0], int(ends[-1]))
    activity = record_activity(network, indices, offsets)
    recent = RecentActivity(network, [True] * (len(network.inputs) + len(network.populations)))
    for first, last in pairwise(ends):
        recent.add(int(last - first), trains_of(network, activity, first, last))
    assert recent.ticks == ends[-1]
    counts = recent.counts()
    assert {n.name: n.spikes for n in counts} == {
        name: len(train.tick) for name, train in activity.trains.items()
    }
    operations = sum(n.all_operations for n in counts)
    assert operations == activity.counters.synaptic_operations
    for got, wanted in zip(recent.given().joined(), (indices, offsets), strict=True):
        np.testing.assert_array_equal(got, wanted)
        assert got.dtype == wanted.dtype


def test_what_is_long_ago_is_forgotten(fixed_network):
    network = fixed_network(0, 1, 1, 4)
    rows = len(network.inputs) + len(network.populations)
    recent = RecentActivity(network, [True] * rows)
    one = [(np.zeros(1, np.int64), np.zeros(1, np.int32))] * rows
    none = [(np.zeros(0, np.int64), np.zeros(0, np.int32))] * rows
    recent.add(300, one)
    for _ in range(4):
        recent.add(300, none)
    assert recent.ticks == 1200 >= KEPT_TICKS
    assert all(count.spikes == 0 for count in recent.counts())
    recent.forget()
    assert recent.ticks == 0


def test_what_a_backend_does_not_show_is_not_said_to_be_nothing(fixed_network):
    network = fixed_network(0, 1, 1, 4)
    (source,) = network.inputs
    recent = RecentActivity(network, [True, *[False] * len(network.populations)])
    rows = 1 + len(network.populations)
    recent.add(1, [(np.zeros(0, np.int64), np.zeros(0, np.int32))] * rows)
    counts = {count.name: count for count in recent.counts()}
    for population in network.populations:
        count = counts[population.name]
        assert count.spikes is None
        for q in network.projections:
            if q.target == population.name:
                wanted = 0 if q.source == source else None
                assert (q.name, wanted) in count.operations
