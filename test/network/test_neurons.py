# SPDX-License-Identifier: Apache-2.0
"""Neurons are checked and broadcast when they are built."""

from __future__ import annotations

import numpy as np
import pytest

from neuro_control.network import IF, LIF, CubaLIF


def test_parameters_are_broadcast_to_the_shape_and_cannot_be_changed():
    neuron = LIF((2, 3), tau=0.01, v_threshold=[1, 2, 3])
    assert neuron.v_threshold.tolist() == [[1, 2, 3], [1, 2, 3]]
    assert neuron.tau.shape == (2, 3)
    with pytest.raises(ValueError, match="read-only"):
        neuron.tau[0, 0] = 1


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: LIF((0,), tau=0.01), "LIF: shape"),
        (lambda: LIF((2,), tau=-0.01), "LIF.tau must be positive"),
        (lambda: LIF((2,), tau=[1, 2, 3]), r"LIF.tau has shape \(3,\)"),
        (lambda: CubaLIF((2,), tau_syn=0, tau_mem=1), "CubaLIF.tau_syn must be positive"),
        (lambda: IF((2,), r=np.nan), "IF.r holds NaN"),
        (lambda: LIF((2,), tau=1, v_threshold=-1), "v_threshold is below v_leak"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(build, message: str):
    with pytest.raises(ValueError, match=message):
        build()


def test_unit_gain_means_that_a_spike_moves_the_membrane_by_its_weight():
    dt = 1e-3
    lif = LIF.with_unit_gain((1,), dt_s=dt, tau_s=0.02)
    assert (dt / lif.tau * lif.r).item() == pytest.approx(1)
    cuba = CubaLIF.with_unit_gain((1,), dt_s=dt, tau_mem_s=0.02, tau_syn_s=0.005)
    gain = dt / cuba.tau_syn * cuba.w_in * dt / cuba.tau_mem * cuba.r
    assert gain.item() == pytest.approx(1)
