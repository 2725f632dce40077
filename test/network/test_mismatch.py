# SPDX-License-Identifier: Apache-2.0
"""Imperfect copies of a network: of the spread that was asked for, and repeatable."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from neuro_control.backends import CpuRunner, rate_changes
from neuro_control.network import (
    LI,
    LIF,
    Input,
    Linear,
    Network,
    Output,
    quantize,
    with_threshold_mismatch,
    with_weight_noise,
)

MODELS = [with_weight_noise, with_threshold_mismatch]


def description(n: int = 60) -> Network:
    rng = np.random.default_rng(0)
    nodes = {
        "in": Input((n,)),
        "w": Linear(rng.uniform(0.1, 0.5, (n, n)) * rng.choice([1, -1], (n, n), p=[0.6, 0.4])),
        "n": LIF.with_unit_gain((n,), dt_s=1e-3, tau_s=0.02, v_threshold=1.0),
        "read": Linear(np.ones((2, n))),
        "v": LI((2,), tau=0.02),
        "out": Output((2,)),
    }
    return Network(nodes, list(pairwise(nodes)), 1e-3)


@pytest.mark.parametrize("model", MODELS)
def test_without_spread_nothing_changes_and_a_seed_is_repeatable(model):
    fixed = quantize(description())
    assert model(fixed, 0.0, 1).fingerprint() == fixed.fingerprint()
    assert model(fixed, 0.2, 1).fingerprint() == model(fixed, 0.2, 1).fingerprint()
    assert model(fixed, 0.2, 1).fingerprint() != model(fixed, 0.2, 2).fingerprint()


def test_weights_have_the_spread_that_was_asked_for_and_keep_their_sign():
    fixed = quantize(description())
    before, after = fixed.projections[0], with_weight_noise(fixed, 0.1, 3).projections[0]
    assert (np.sign(before.weight) * after.weight >= 0).all()
    # Far from the limit of 254 and from the grid of 2.
    middle = (np.abs(before.weight) > 60) & (np.abs(before.weight) < 180)
    ratio = after.weight[middle] / before.weight[middle]
    assert ratio.mean() == pytest.approx(1.0, abs=0.01)
    assert ratio.std() == pytest.approx(0.1, rel=0.1)


def test_thresholds_have_the_spread_that_was_asked_for_and_integrators_have_none():
    fixed = quantize(description(2000 // 4))
    again = with_threshold_mismatch(fixed, 0.1, 3)
    ratio = again.population("n").vth / fixed.population("n").vth
    assert ratio.std() == pytest.approx(0.1, rel=0.1)
    assert np.array_equal(again.population("v").vth, fixed.population("v").vth)


@pytest.mark.parametrize("model", MODELS)
def test_more_spread_moves_rates_further_and_the_engine_runs_what_comes_of_it(model):
    network = description()
    fixed, rng = quantize(network), np.random.default_rng(1)
    trains = [np.flatnonzero(rng.random(60) < 0.1).astype(np.int32) for _ in range(1000)]
    given = np.concatenate(trains), np.cumsum([0, *map(len, trains)])
    worst = [
        rate_changes(network, model(fixed, spread, 5), *given)[0].worst_neuron_hz
        for spread in (0.0, 0.1, 0.4)
    ]
    assert worst[0] < worst[1] < worst[2]
    CpuRunner(model(fixed, 5.0, 5)).run(*given)


@pytest.mark.parametrize("spread", [-0.1, np.nan, np.inf])
def test_a_spread_that_cannot_be_is_refused(spread: float):
    with pytest.raises(ValueError, match="relative_std must be 0 or more, not"):
        with_weight_noise(quantize(description(4)), spread, 0)


def test_equal_weights_have_a_spread_too():
    nodes = {
        "in": Input((40,)),
        "w": Linear(np.full((40, 40), 0.3)),
        "n": LIF((40,), tau=0.02, r=20.0),
        "out": Output((40,)),
    }
    fixed = quantize(Network(nodes, list(pairwise(nodes)), 1e-3))
    noisy = with_weight_noise(fixed, 0.1, 0).projections[0].weight
    assert len(set(noisy.tolist())) > 20
