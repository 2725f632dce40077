# SPDX-License-Identifier: Apache-2.0
"""Populations without spikes: a voltage that follows its equation, and goes nowhere but out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.backends import CpuRunner
from neuro_control.network import (
    LI,
    LIF,
    CubaLI,
    Flatten,
    I,
    Input,
    Linear,
    Network,
    Output,
    quantize,
)

DT = 1e-3
NODES = {
    "LI": LI((2,), tau=0.02, r=5.0, v_leak=0.1),
    "CubaLI": CubaLI((2,), tau_syn=0.005, tau_mem=0.02, r=5.0, w_in=2.0),
    "I": I((2,), r=0.5),
}


def readout(node, weight) -> Network:
    nodes = {"in": Input((3,)), "w": Linear(weight), "v": node, "out": Output((2,))}
    return Network(nodes, list(pairwise(nodes)), DT)


def exact(node, weight: np.ndarray, spikes: np.ndarray) -> np.ndarray:
    """The equation by Euler's forward steps in float, a tick behind the spikes: [ticks, 2]."""
    rest = getattr(node, "v_leak", np.zeros(2))
    v, current, voltages = rest.copy(), np.zeros(2), []
    for arriving in np.vstack([np.zeros(3), spikes[:-1]]) @ weight.T:
        if isinstance(node, I):
            v = v + node.r * arriving
        elif isinstance(node, LI):
            v = v + DT / node.tau * (rest - v + node.r * arriving)
        else:
            current = current + DT / node.tau_syn * (-current + node.w_in * arriving)
            v = v + DT / node.tau_mem * (rest - v + node.r * current)
        voltages.append(v)
    return np.array(voltages)


@settings(max_examples=20)
@pytest.mark.parametrize("kind", list(NODES))
@given(seed=st.integers(0, 10_000))
def test_the_voltage_is_that_of_the_equation(kind: str, seed: int):
    rng = np.random.default_rng(seed)
    node, weight = NODES[kind], rng.normal(size=(2, 3))
    spikes = (rng.random((150, 3)) < 0.3).astype(float)
    network = quantize(readout(node, weight))
    engine = CpuRunner(network)
    voltages = []
    for row in spikes:
        assert len(engine.step(np.flatnonzero(row).astype(np.int32))) == 0
        voltages.append(network.voltage("v", engine.membrane("v")))
    expected = exact(node, weight, spikes)
    # Of a voltage that never decays the error of a weight adds up with every spike.
    tolerance = (0.04 if kind == "I" else 0.02) * np.abs(expected).max()
    np.testing.assert_allclose(voltages, expected, atol=tolerance)


def test_it_saturates_and_does_not_spike():
    network = quantize(readout(NODES["I"], np.ones((2, 3))))
    engine = CpuRunner(network)
    everything = np.arange(3, dtype=np.int32)
    for _ in range(2000):
        assert len(engine.step(everything)) == 0
    assert engine.membrane("v").tolist() == [2**23 - 1] * 2
    assert engine.counters.spikes == 0


@pytest.mark.parametrize("kind", list(NODES))
def test_nothing_but_an_output_follows_it(kind: str):
    nodes = {
        "in": Input((2,)),
        "v": NODES[kind],
        "flat": Flatten(),
        "w": Linear(np.ones((1, 2))),
        "n": LIF((1,), tau=0.02),
        "out": Output((1,)),
    }
    with pytest.raises(ValueError, match=rf"node 'v' \({kind}\) does not spike.*'w' cannot"):
        Network(nodes, list(pairwise(nodes)), DT)


def test_an_unknown_population_has_no_voltage():
    network = quantize(readout(NODES["I"], np.ones((2, 3))))
    with pytest.raises(ValueError, match="no population 'x'"):
        network.voltage("x", np.zeros(2, np.int64))
