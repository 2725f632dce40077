# SPDX-License-Identifier: Apache-2.0
"""What every neuron did within one tick: the values that a reset hides from the state after it.

The state of a runner is what a tick leaves behind: a neuron that spiked reads 0, and nothing says
that a current has wrapped. From the state *before* a tick everything within it follows, by the
equations of `neuro_control.network.fixed_network`, in whole arrays and without another step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.runner import RunnerState
from neuro_control.network import FixedNetwork

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

CURRENT_LIMIT = 1 << 23
"""A current beyond it changes its sign: it wraps round 24 bits, once a tick."""
MEMBRANE_LIMIT = (1 << 23) - 1
"""Where a membrane saturates, above and below zero."""


@dataclass(frozen=True, eq=False)
class NeuronParameters:
    """The parameters of all populations in order, int64[n]; ``spiking`` is bool[n].

    ``threshold`` is in the membrane's units (``vth << 6``). Of populations that do not spike it
    is 2^23, which no membrane reaches.
    """

    du: Integers
    dv: Integers
    threshold: Integers
    bias: Integers
    spiking: Flags
    refractory: Integers
    threshold_decay: Integers
    threshold_step: Integers

    @classmethod
    def of(cls, network: FixedNetwork) -> NeuronParameters:
        """Those of a network."""

        def joined(name: str) -> Integers:
            parts = [np.asarray(getattr(p, name), np.int64) for p in network.populations]
            return np.concatenate([np.zeros(0, np.int64), *parts])

        sizes = [p.size for p in network.populations]
        spiking = np.repeat(np.array([p.spiking for p in network.populations], np.bool_), sizes)
        threshold = np.where(spiking, joined("vth") << 6, CURRENT_LIMIT)
        names = ("refractory", "threshold_decay", "threshold_step")
        return cls(
            joined("du"), joined("dv"), threshold, joined("bias"), spiking, *map(joined, names)
        )


@dataclass(frozen=True, eq=False)
class NeuronTick:
    """One tick of all neurons, each array over all populations in order.

    Attributes:
        arrived: int64[n], the buffered input that arrived (``a``).
        current: int64[n], after the tick (``u``).
        membrane: int64[n], before the reset: what was compared with the threshold (``v``).
        threshold: int64[n], with what adaptation has added to it.
        held: bool[n], refractory: the membrane was kept at 0.
        wrapped: bool[n], the current left 24 bits and changed its sign.
        saturated: bool[n], the membrane was cut off at its limit.
        spiked: bool[n].
    """

    arrived: Integers
    current: Integers
    membrane: Integers
    threshold: Integers
    held: Flags
    wrapped: Flags
    saturated: Flags
    spiked: Flags


def neuron_tick(parameters: NeuronParameters, before: RunnerState) -> NeuronTick:
    """What the tick that follows a state does to every neuron."""
    p = parameters
    arrived = before.pending[0]
    raw = decayed(before.current, p.du + 1) + (arrived << 6)
    above, below = raw > CURRENT_LIMIT, raw <= -CURRENT_LIMIT
    current = raw - (above * np.int64(1 << 24)) + (below * np.int64(1 << 24))
    summed = decayed(before.membrane, p.dv) + current + p.bias
    membrane = np.clip(summed, -MEMBRANE_LIMIT, MEMBRANE_LIMIT)
    held = before.refractory > 0
    membrane[held] = 0
    threshold = p.threshold + decayed(before.adaptation, p.threshold_decay)
    return NeuronTick(
        arrived,
        current,
        membrane,
        threshold,
        held,
        above | below,
        (np.abs(summed) > MEMBRANE_LIMIT) & ~held,
        (membrane > threshold) & p.spiking & ~held,
    )


def decayed(values: Integers, decay: Integers) -> Integers:
    """``sign(z) * ((|z| * (4096 - d)) >> 12)``: decay rounds towards zero."""
    kept: Integers = np.sign(values) * ((np.abs(values) * (4096 - decay)) >> 12)
    return kept
