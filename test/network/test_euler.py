# SPDX-License-Identifier: Apache-2.0
"""The float yardstick computes the equations, and the integers come close to it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from neuro_control.backends import rate_changes
from neuro_control.network import (
    IF,
    LI,
    LIF,
    AdaptiveLIF,
    CubaLIF,
    Delay,
    Input,
    Linear,
    Network,
    Output,
    quantize,
)
from neuro_control.network.euler import EulerNetwork

DT = 1e-3


def chain(*steps) -> Network:
    nodes = {f"n{i}": node for i, node in enumerate(steps)}
    return Network(nodes, list(pairwise(nodes)), DT)


def test_a_leaky_integrator_by_hand():
    network = chain(Input((1,)), Linear([[0.4]]), LI((1,), tau=0.01, r=10.0), Output((1,)))
    euler, voltages = EulerNetwork(network), []
    for active in ([0], [], [0], [], []):
        euler.step(np.array(active, np.int32))
        voltages.append(float(euler.voltage("n2")[0]))
    assert voltages == pytest.approx([0.0, 0.4, 0.36, 0.724, 0.6516])


def test_a_delayed_spike_arrives_late_and_a_refractory_neuron_misses_it():
    held = IF((1,), refractory=0.003)
    network = chain(Input((1,)), Delay(0.002), Linear([[2.0]]), held, Output((1,)))
    euler = EulerNetwork(network)
    given = {0: [0], 1: [0], 4: [0], 5: [0]}
    fired = [
        tick for tick in range(12) if len(euler.step(np.array(given.get(tick, []), np.int32))["n3"])
    ]
    assert fired == [3, 7]


@pytest.mark.parametrize(
    "neuron",
    [
        LIF.with_unit_gain((20,), dt_s=DT, tau_s=0.02),
        CubaLIF.with_unit_gain((20,), dt_s=DT, tau_mem_s=0.02, tau_syn_s=0.005, v_threshold=3.0),
        AdaptiveLIF((20,), tau=0.02, r=20.0, tau_adaptation=0.1, adaptation=0.2),
        IF((20,), refractory=0.002),
    ],
    ids=lambda node: type(node).__name__,
)
def test_eight_bits_change_a_rate_by_little_and_three_bits_by_more(neuron):
    rng = np.random.default_rng(0)
    weights = Linear(rng.normal(0.05, 0.2, (20, 30)))
    network = chain(Input((30,)), weights, neuron, Output((20,)))
    trains = [np.flatnonzero(rng.random(30) < 0.15).astype(np.int32) for _ in range(2000)]
    offsets = np.cumsum([0, *map(len, trains)])
    (fine,) = rate_changes(network, quantize(network), np.concatenate(trains), offsets)
    (coarse,) = rate_changes(network, quantize(network, 3), np.concatenate(trains), offsets)
    assert fine.name == coarse.name == "n2"
    assert fine.float_hz > 10
    assert abs(fine.relative_change) < 0.02
    assert fine.worst_neuron_hz < coarse.worst_neuron_hz
