# SPDX-License-Identifier: Apache-2.0
"""By what factor the weights or the thresholds of a silent population miss its first spike.

Found by search on the engine, not from a formula: each factor comes with the nearest one that was
stepped too and stays silent. A population's first spike depends on its sources alone, so that it
is searched for with the population by itself (`neuro_control.inspection.activity`), which makes it
cheap in a large network.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.cpu import CpuRunner
from neuro_control.inspection.activity import Isolated
from neuro_control.network import FixedNetwork, FixedPopulation, FixedProjection
from neuro_control.network.fixed_network import (
    BIAS_MANTISSA_RANGE,
    WEIGHT_EXPONENT_RANGE,
    weight_step,
)

LARGEST_FACTOR = 2.0**24
"""Weights are not tried beyond: a threshold of 17 bits is then less than the least weight."""
RESOLUTION = 1.001
"""The search for the weights' factor ends when spikes and silence are this close."""


@dataclass(frozen=True)
class Factor:
    """``value`` brings the first spike; ``silent_at``, the nearest tried, does not."""

    value: float
    silent_at: float


@dataclass(frozen=True)
class Peak:
    """The neuron of a silent population that came nearest to its threshold.

    ``membrane`` and ``threshold`` in Loihi's integers (``vth << 6``), ``tick`` when.
    """

    neuron: int
    tick: int
    membrane: int
    threshold: int

    @property
    def ratio(self) -> float:
        """Membrane over threshold; the membrane itself where the threshold is 0."""
        return self.membrane / max(self.threshold, 1)


def spikes(alone: Isolated) -> bool:
    """Whether the population spikes at all."""
    return len(CpuRunner(alone.network).run(alone.indices, alone.offsets)[0]) > 0


def highest_membranes(alone: Isolated) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The highest membrane of every neuron, and its tick: int64[n].

    Of a silent population: one that spikes is reset, and its highest is not seen.
    """
    name = alone.network.populations[0].name
    runner = CpuRunner(alone.network)
    size = alone.network.n_neurons
    highest, when = np.full(size, -(1 << 24), np.int64), np.zeros(size, np.int64)
    for tick in range(len(alone.offsets) - 1):
        runner.step(alone.indices[alone.offsets[tick] : alone.offsets[tick + 1]])
        membrane = runner.membrane(name).ravel()
        higher = membrane > highest
        highest[higher], when[higher] = membrane[higher], tick
    return highest, when


def peak(alone: Isolated) -> Peak:
    """Who came nearest to its threshold, in a run of one tick or more."""
    highest, when = highest_membranes(alone)
    threshold = alone.network.populations[0].vth.astype(np.int64) << 6
    nearest = int(np.argmax(highest / np.maximum(threshold, 1)))
    return Peak(nearest, int(when[nearest]), int(highest[nearest]), int(threshold[nearest]))


def threshold_factor(alone: Isolated) -> Factor | None:
    """What the thresholds must be multiplied by; None where none above zero would do.

    As long as a neuron is silent its membrane does not depend on its threshold: the largest that
    its highest membrane exceeds is known exactly. The engine confirms both sides.
    """
    highest, _ = highest_membranes(alone)
    population = alone.network.populations[0]
    able = (highest >= 1) & (population.vth > 0)
    if not able.any():
        return None
    enough = (highest[able] - 1) >> 6
    vth = population.vth[able]
    factor = Factor(float((enough / vth).max()), float(((enough + 1) / vth).max()))
    if not spikes(_with_threshold(alone, factor.value)):
        raise RuntimeError(f"{population.name}: silent at its computed threshold; report this")
    if spikes(_with_threshold(alone, factor.silent_at)):
        raise RuntimeError(f"{population.name}: spikes above its computed threshold; report this")
    return factor


def weight_factor(alone: Isolated, *, smaller: bool = False) -> Factor | None:
    """What the weights into a population must be multiplied by; None where none was found.

    Doubled until it spikes, then halved in between to a thousandth. ``smaller`` looks for weights
    that are too large instead, whose current wraps.
    """
    step = 0.5 if smaller else 2.0
    silent, found = 1.0, step
    while not spikes(with_weights(alone, found)):
        silent, found = found, found * step
        if not 1 / LARGEST_FACTOR < found < LARGEST_FACTOR:
            return None
    while max(found, silent) / min(found, silent) > RESOLUTION:
        middle = float(np.sqrt(silent * found))
        if spikes(with_weights(alone, middle)):
            found = middle
        else:
            silent = middle
    return Factor(found, silent)


def with_weights(alone: Isolated, factor: float) -> Isolated:
    """The same with all weights times a factor, in the integers that hold them best.

    Where exponents do not go that far, thresholds and biases are divided by a power of two
    instead, as quantisation would choose another common scale.
    """
    network = scaled_weights(alone.network, alone.network.populations[0].name, factor)
    return replace(alone, network=network)


def scaled_weights(network: FixedNetwork, name: str, factor: float) -> FixedNetwork:
    """A network whose weights into one population are multiplied by a factor."""
    if factor == 1.0:
        return network  # not rounded anew, which may already bring a spike
    into = [q for q in network.projections if q.target == name]
    exponents = [_exponent(q, factor) for q in into]
    excess = max([0, *(e - WEIGHT_EXPONENT_RANGE[1] for e in exponents)])
    projections = {
        id(q): _scaled(q, factor / 2.0**excess, max(e - excess, WEIGHT_EXPONENT_RANGE[0]))
        for q, e in zip(into, exponents, strict=True)
    }
    return replace(
        network,
        populations=tuple(
            _divided(p, excess) if p.name == name else p for p in network.populations
        ),
        projections=tuple(projections.get(id(q), q) for q in network.projections),
    )


def scaled_thresholds(network: FixedNetwork, name: str, factor: float) -> FixedNetwork:
    """A network whose thresholds in one population are multiplied by a factor and rounded."""
    return replace(
        network,
        populations=tuple(
            replace(p, vth=np.rint(p.vth * factor).astype(np.int32)) if p.name == name else p
            for p in network.populations
        ),
    )


def _with_threshold(alone: Isolated, factor: float) -> Isolated:
    network = alone.network
    return replace(alone, network=scaled_thresholds(network, network.populations[0].name, factor))


def _limit(projection: FixedProjection) -> tuple[int, int]:
    step = weight_step(projection.sign_mode, projection.num_weight_bits)
    return step, 255 // step * step


def _exponent(projection: FixedProjection, factor: float) -> int:
    """The least exponent at which the scaled weights fit their bits."""
    largest = np.abs(projection.weight.astype(np.float64)).max(initial=0.0)
    if not largest:
        return projection.weight_exponent
    ratio = largest * factor * 2.0**projection.weight_exponent / _limit(projection)[1]
    return max(int(np.ceil(np.log2(ratio) - 1e-9)), WEIGHT_EXPONENT_RANGE[0])


def _scaled(projection: FixedProjection, factor: float, exponent: int) -> FixedProjection:
    step, limit = _limit(projection)
    exact = projection.weight * (factor * 2.0 ** (projection.weight_exponent - exponent))
    weight = np.clip(np.rint(exact / step) * step, -limit, limit).astype(np.int16)
    return replace(projection, weight=weight, weight_exponent=exponent)


def _divided(population: FixedPopulation, octaves: int) -> FixedPopulation:
    if not octaves:
        return population
    bias = np.rint(population.bias / 2.0**octaves)
    exponent = 0
    while np.abs(bias / 2**exponent).max() > BIAS_MANTISSA_RANGE[1]:
        exponent += 1
    return replace(
        population,
        vth=np.rint(population.vth / 2.0**octaves).astype(np.int32),
        bias_mantissa=np.rint(bias / 2**exponent).astype(np.int32),
        bias_exponent=exponent,
    )
