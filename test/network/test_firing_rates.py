# SPDX-License-Identifier: Apache-2.0
"""The rate of every spiking neuron against a constant current (its F-I curve), in the integers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from neuro_control.backends import CpuRunner, record
from neuro_control.network import (
    IF,
    LIF,
    AdaptiveLIF,
    Affine,
    CubaLIF,
    Input,
    Network,
    Output,
    Threshold,
    quantize,
)

DT = 1e-3
CURRENTS = np.array([0.5, 0.9, 1.05, 1.2, 1.5, 2.0, 3.0, 5.0])
TAU = 0.02
N = (len(CURRENTS),)


def spike_ticks(neuron, currents: np.ndarray = CURRENTS, ticks: int = 2000) -> list[np.ndarray]:
    """When each neuron spikes, given a constant current each."""
    n = len(currents)
    drive = Affine(np.zeros((n, 1)), currents)
    nodes = {"in": Input((1,)), "drive": drive, "n": neuron, "out": Output((n,))}
    runner = CpuRunner(quantize(Network(nodes, list(pairwise(nodes)), DT)))
    train = record(runner, np.zeros(0, np.int32), np.zeros(ticks + 1, np.int64)).spikes["n"]
    return [train.tick[train.neuron == i] for i in range(n)]


def intervals(ticks: np.ndarray) -> float:
    """Mean ticks between spikes, infinite for silence."""
    return float(np.diff(ticks).mean()) if len(ticks) > 1 else np.inf


def leaky_interval(current: np.ndarray) -> np.ndarray:
    """Ticks of Euler's steps to the threshold 1 and over it; infinite below it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.floor(np.log(1 - 1 / current) / np.log(1 - DT / TAU)) + 1
    return np.where(current > 1, steps, np.inf)


@pytest.mark.parametrize(
    "neuron",
    [
        LIF(N, tau=TAU),
        LIF(N, tau=TAU, r=2.0, v_threshold=2.0),
        LIF(N, tau=TAU, v_leak=-0.5, v_reset=-0.5, v_threshold=0.5),
        CubaLIF(N, tau_syn=0.005, tau_mem=TAU),
        CubaLIF(N, tau_syn=0.005, tau_mem=TAU, w_in=4.0, r=0.25),
    ],
    ids=["LIF", "gain", "leak", "CubaLIF", "CubaLIF gain"],
)
def test_a_leaky_neuron_is_silent_below_its_threshold_and_follows_the_logarithm_above(neuron):
    found = [intervals(ticks) for ticks in spike_ticks(neuron)]
    # Rounding the decay to 1/4096 moves long intervals by a tick.
    np.testing.assert_allclose(found, leaky_interval(CURRENTS), rtol=0.02, atol=1.0)


def test_an_integrator_without_leak_has_a_rate_in_proportion_to_its_current():
    currents = np.array([0.01, 0.02, 0.05, 0.1, 0.3])
    found = [intervals(ticks) for ticks in spike_ticks(IF((5,)), currents)]
    np.testing.assert_allclose(found, np.floor(1 / currents + 1e-9) + 1, rtol=0.02, atol=1.0)


@pytest.mark.parametrize("kind", ["LIF", "CubaLIF", "IF"])
def test_refractory_time_is_added_to_every_interval(kind: str):
    parameters = {
        "LIF": {"tau": TAU},
        "CubaLIF": {"tau_syn": 0.005, "tau_mem": TAU},
        "IF": {"r": 0.05},
    }[kind]
    build = {"LIF": LIF, "CubaLIF": CubaLIF, "IF": IF}[kind]
    plain = spike_ticks(build(N, **parameters))
    held = spike_ticks(build(N, **parameters, refractory=0.007))
    assert sum(len(ticks) > 1 for ticks in plain) >= 5
    for without, with_it in zip(plain, held, strict=True):
        assert without[:1].tolist() == with_it[:1].tolist()
        if len(without) > 1:
            assert intervals(with_it) == intervals(without) + 7


def test_adaptation_slows_a_neuron_to_the_rate_at_which_rise_and_decay_balance():
    tau_adaptation, rise = 0.2, 0.1
    plain = spike_ticks(LIF(N, tau=TAU))
    adaptive = AdaptiveLIF(N, tau=TAU, tau_adaptation=tau_adaptation, adaptation=rise)
    seen = 0
    for current, without, with_it in zip(CURRENTS, plain, spike_ticks(adaptive), strict=True):
        assert without[:1].tolist() == with_it[:1].tolist()
        if len(without) < 2:
            assert len(with_it) == len(without)
            continue
        t = float(np.diff(with_it)[-20:].mean()) * DT
        assert t > intervals(without) * DT
        left = np.exp(-t / tau_adaptation)
        reached = current * (1 - np.exp(-t / TAU))
        assert reached == pytest.approx(1 + rise * left / (1 - left), rel=0.06)
        seen += 1
    assert seen == 6


def test_a_threshold_spikes_in_every_tick_with_enough_input_and_in_no_other():
    found = spike_ticks(Threshold(N, threshold=1.0), ticks=50)
    assert [len(ticks) for ticks in found] == [0, 0, 50, 50, 50, 50, 50, 50]


def test_times_that_the_integers_cannot_hold_are_refused_by_name():
    def refused(neuron, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            spike_ticks(neuron, ticks=1)

    refused(LIF(N, tau=TAU, refractory=0.063), "'n': refractory 0.063 s is 63 ticks")
    refused(
        AdaptiveLIF(N, tau=TAU, tau_adaptation=10.0, adaptation=1.0),
        "'n': tau_adaptation 10..10 s must be from 0.001 to 8.192 s",
    )
    refused(
        AdaptiveLIF(N, tau=TAU, tau_adaptation=0.1, adaptation=1e6), "'n': adaptation 1e.06 is too"
    )
    with pytest.raises(ValueError, match=r"LIF\.refractory must be 0 or more"):
        LIF(N, tau=TAU, refractory=-1e-3)
