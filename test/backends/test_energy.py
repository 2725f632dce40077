# SPDX-License-Identifier: Apache-2.0
"""An energy is an estimate from counts and published constants, and says so."""

from __future__ import annotations

import dataclasses

import pytest

from neuro_control.backends import (
    DEVICES,
    Cost,
    EnergyModel,
    PopulationCost,
    ProjectionCost,
    SynapticOperations,
    estimate_energy,
)


def cost(samples: int = 2) -> Cost:
    return Cost(
        (ProjectionCost("a -> b", "a", "b", 100, 50, 0, SynapticOperations(1000, 0, 30)),),
        (PopulationCost("b", 10, 0, neuron_updates=200, membrane_updates=90, spikes=5),),
        samples,
        20,
    )


@pytest.mark.parametrize(
    ("device", "joules"),
    [
        ("loihi", 30 * 23.6e-12 + 200 * 81e-12 + 5 * 1.7e-12),
        ("cpu", (30 + 200) * 8.6e-9),
        ("gpu", (1000 + 200) * 0.3e-9),
    ],
)
def test_an_estimate_is_counts_times_constants(device, joules):
    estimate = estimate_energy(cost(), device)
    assert estimate.total_j == pytest.approx(joules)
    assert estimate.per_sample_j == pytest.approx(joules / 2)


@pytest.mark.parametrize("device", DEVICES)
def test_an_estimate_says_that_it_is_one_and_on_what_it_stands(device):
    text = str(estimate_energy(cost(), device))
    assert text.startswith("estimate, not measured: ")
    for part in (DEVICES[device].source, DEVICES[device].evidence, DEVICES[device].operations):
        assert part in text


def test_a_model_of_ones_own_can_be_given():
    model = EnergyModel("board", "effective", 1.0, 0.0, 0.0, "a paper", "measured on silicon")
    assert estimate_energy(cost(), model).synaptic_j == 30.0
    dense = dataclasses.replace(model, operations="dense")
    assert estimate_energy(cost(), dense).synaptic_j == 1000.0


def test_what_cannot_be_estimated_is_refused():
    with pytest.raises(
        ValueError, match=r"device must be one of \['cpu', 'gpu', 'loihi'\], not 'x'"
    ):
        estimate_energy(cost(), "x")
    with pytest.raises(ValueError, match=r"device must be .*, or an EnergyModel, not None"):
        estimate_energy(cost(), None)
    with pytest.raises(ValueError, match="the cost has no samples"):
        estimate_energy(cost(samples=0), "cpu")
