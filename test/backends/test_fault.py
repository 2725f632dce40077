# SPDX-License-Identifier: Apache-2.0
"""Two outputs are the same where every tick has the same spikes, and not for being as many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.backends.fault import FaultKind, divergence, same
from neuro_control.backends.primary import Outputs
from neuro_control.network import Port

PORTS = {"left": Port(0, 3, (3,)), "right": Port(3, 3, (3,))}
TICKS = st.lists(st.sets(st.integers(0, 5), max_size=3), min_size=1, max_size=3)


def outputs(ticks: list[set[int]], kind: type = np.int32) -> Outputs:
    indices = np.array([neuron for tick in ticks for neuron in sorted(tick)], kind)
    return indices, np.cumsum([0, *map(len, ticks)]).astype(np.int64)


@given(TICKS, TICKS, st.sampled_from([np.int32, np.int64]))
def test_they_are_the_same_only_spike_by_spike(one, other, kind) -> None:
    assert same(outputs(one), outputs(other, kind)) == (one == other)


@given(TICKS, st.sampled_from([np.int32, np.int64]))
def test_what_is_the_same_is_so_in_whatever_integers(ticks, kind) -> None:
    assert same(outputs(ticks), outputs(ticks, kind))


@pytest.mark.parametrize(
    ("answer", "twin", "tick", "output", "neuron", "spiked"),
    [
        ([{1}, {4}], [{1}, {5}], 11, "right", 1, 1),  # as many, of another neuron
        ([{1}, set()], [set(), {1}], 10, "left", 1, 1),  # the same one, a tick too soon
        ([{0, 2}], [{0, 1}], 10, "left", 1, 0),
    ],
)
def test_as_many_spikes_elsewhere_differ_and_the_first_is_named(
    answer, twin, tick, output, neuron, spiked
) -> None:
    assert not same(outputs(answer), outputs(twin))
    differing, fault = divergence(10, outputs(answer), outputs(twin), PORTS)
    assert differing == 2
    assert fault.kind is FaultKind.DIVERGENCE
    assert (fault.tick, fault.output, fault.neuron) == (tick, output, neuron)
    assert (fault.primary, fault.twin) == (spiked, 1 - spiked)
