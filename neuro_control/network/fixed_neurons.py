# SPDX-License-Identifier: Apache-2.0
"""What a neuron's physical constants are on the way to Loihi's integers."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from neuro_control.network.fixed_network import DECAY_MAX, REFRACTORY_MAX, VTH_MAX
from neuro_control.network.neurons import (
    IF,
    INTEGRATORS,
    LI,
    LIF,
    AdaptiveLIF,
    CubaLI,
    CubaLIF,
    FloatArray,
    I,
    Neuron,
    Threshold,
    size_of,
)

IntArray = NDArray[np.int32]


def gain_of(neuron: Neuron, dt_s: float) -> FloatArray:
    """Membrane voltage per unit of input in the tick that it arrives, flat."""
    if isinstance(neuron, Threshold):
        return np.ones(size_of(neuron.shape))
    if isinstance(neuron, (IF, I)):
        return neuron.r.ravel()
    if isinstance(neuron, (LIF, AdaptiveLIF, LI)):
        return (dt_s / neuron.tau * neuron.r).ravel()
    return (dt_s / neuron.tau_syn * neuron.w_in * dt_s / neuron.tau_mem * neuron.r).ravel()


def bias_gain(neuron: Neuron, dt_s: float) -> FloatArray:
    """Membrane voltage per tick and unit of constant input, flat.

    The current of a current-based neuron has settled: Loihi adds a bias to the membrane, past the
    synaptic filter.
    """
    if isinstance(neuron, (CubaLIF, CubaLI)):
        return (neuron.w_in * dt_s / neuron.tau_mem * neuron.r).ravel()
    return gain_of(neuron, dt_s)


def decays(name: str, neuron: Neuron, dt_s: float) -> tuple[FloatArray, FloatArray, float]:
    """Integer du and dv as float arrays, and the largest relative error of a decay."""

    def rounded(tau: FloatArray, parameter: str) -> tuple[FloatArray, float]:
        exact = 4096 * dt_s / tau.ravel()
        steps = np.rint(exact)
        if steps.max() > 4096:
            raise ValueError(
                f"node {name!r}: {parameter} {tau.min():g} s is below the time step of {dt_s:g} s; "
                "take a shorter dt_s or a longer time constant"
            )
        if steps.min() < 1:
            raise ValueError(
                f"node {name!r}: {parameter} {tau.max():g} s decays by less than 1/8192 in a step "
                f"of {dt_s:g} s; take a longer dt_s, a shorter time constant, or no decay (IF)"
            )
        return steps, float(np.abs(steps / exact - 1).max())

    size = size_of(neuron.shape)
    if isinstance(neuron, (IF, I)):
        return np.full(size, float(DECAY_MAX)), np.zeros(size), 0.0
    if isinstance(neuron, Threshold):
        # To forget everything takes 4096; 4095 leaves 1/4096, and the report says so.
        return np.full(size, float(DECAY_MAX)), np.full(size, float(DECAY_MAX)), 1 / 4096
    if isinstance(neuron, (LIF, AdaptiveLIF, LI)):
        dv, error = rounded(neuron.tau, "tau")
    else:
        dv, error = rounded(neuron.tau_mem, "tau_mem")
    if (dv > DECAY_MAX).any():
        dv, error = np.minimum(dv, DECAY_MAX), max(error, 1 / 4096)
    if isinstance(neuron, (LIF, AdaptiveLIF, LI)):
        return np.full(size, float(DECAY_MAX)), dv, error
    du, du_error = rounded(neuron.tau_syn, "tau_syn")
    return du - 1, dv, max(error, du_error)


def resting(neuron: Neuron) -> FloatArray:
    """The voltage that is zero in Loihi's integers, in the population's shape."""
    return cast(FloatArray, getattr(neuron, "v_leak", np.zeros(neuron.shape)))


def threshold_above_rest(name: str, neuron: Neuron) -> FloatArray:
    """Threshold above the resting potential, flat; zeros where there is none."""
    if isinstance(neuron, INTEGRATORS):
        return np.zeros(size_of(neuron.shape))
    if not np.array_equal(resting(neuron), neuron.v_reset):
        raise ValueError(
            f"node {name!r}: v_reset must equal v_leak (0 for an IF), because Loihi resets to the "
            "resting potential"
        )
    return cast(FloatArray, (neuron.v_threshold - resting(neuron)).ravel())


def refractory_ticks(name: str, neuron: Neuron, dt_s: float) -> IntArray:
    """Ticks that a membrane is held for after a spike, flat; zeros where it is not."""
    seconds = getattr(neuron, "refractory", np.zeros(neuron.shape))
    ticks = np.rint(seconds.ravel() / dt_s)
    if ((ticks < 1) & (seconds.ravel() > 0)).any():
        raise ValueError(
            f"node {name!r}: refractory {seconds[seconds > 0].min():g} s is less than half a tick"
            f" of {dt_s:g} s; take a shorter dt_s, a longer one of these, or none"
        )
    if ticks.max() > REFRACTORY_MAX:
        raise ValueError(
            f"node {name!r}: refractory {seconds.max():g} s is {ticks.max():.0f} ticks of {dt_s:g} "
            f"s, and at most {REFRACTORY_MAX} fit; take a longer dt_s or a shorter one of these"
        )
    return cast(IntArray, ticks.astype(np.int32))


def threshold_adaptation(
    name: str, neuron: Neuron, dt_s: float, scale: float
) -> tuple[IntArray, IntArray]:
    """Decay of what a threshold has risen by, and the rise with a spike, flat; zeros without."""
    size = size_of(neuron.shape)
    if not isinstance(neuron, AdaptiveLIF):
        return np.zeros(size, np.int32), np.zeros(size, np.int32)
    decay = np.rint(4096 * dt_s / neuron.tau_adaptation.ravel())
    step = np.rint(neuron.adaptation.ravel() * scale)
    if decay.min() < 1 or decay.max() > DECAY_MAX:
        raise ValueError(
            f"node {name!r}: tau_adaptation {neuron.tau_adaptation.min():g}.."
            f"{neuron.tau_adaptation.max():g} s must be from {dt_s:g} to {8192 * dt_s:g} s at "
            f"this time step"
        )
    if ((step < 1) & (neuron.adaptation.ravel() > 0)).any():
        raise ValueError(
            f"node {name!r}: adaptation {neuron.adaptation.min():g} is too small beside the"
            f" threshold: it rounds to zero; at least {0.5 / scale:g} is kept"
        )
    if step.max() > VTH_MAX:
        raise ValueError(
            f"node {name!r}: adaptation {neuron.adaptation.max():g} is too large beside the "
            f"threshold; at most {VTH_MAX / scale:g} fits"
        )
    return decay.astype(np.int32), step.astype(np.int32)
