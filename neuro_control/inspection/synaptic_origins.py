# SPDX-License-Identifier: Apache-2.0
"""Which synapses brought a neuron its input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuro_control.backends.runner import Indices
from neuro_control.inspection.moment import TickSpikes
from neuro_control.network import FixedNetwork, FixedProjection


@dataclass(frozen=True)
class SynapticOrigin:
    """One synapse that a spike passed: the source's neuron (or channel) and the weight as stored.

    The weight counts ``weight * 2**exponent`` of its projection.
    """

    source_neuron: int
    weight: int


@dataclass(frozen=True)
class ProjectionInput:
    """What one projection brought a neuron in one tick.

    Attributes:
        projection, source: names.
        spike_tick: the tick in which its sources spiked.
        delay: ticks, on top of the one that every synapse takes.
        weight_exponent: of all its weights.
        synapses: those whose source spiked, ascending.
        arrived: what they add to the neuron's input: their sum, shifted by the exponent.
    """

    projection: str
    source: str
    spike_tick: int
    delay: int
    weight_exponent: int
    synapses: tuple[SynapticOrigin, ...]
    arrived: int


def synaptic_origins(
    network: FixedNetwork,
    recent: Sequence[TickSpikes],
    tick: int,
    population: str,
    neuron: int,
) -> tuple[ProjectionInput, ...]:
    """What arrived at a neuron in a tick, by projection; only those that brought something.

    Args:
        network: the network.
        recent: who was active, as many ticks back as the longest delay needs.
        tick: the tick in which it arrived.
        population: whose neuron it is.
        neuron: its number in the population.
    """
    by_tick = {seen.tick: seen for seen in recent}
    found = []
    for projection in network.projections:
        spike_tick = tick - 1 - projection.delay
        if projection.target != population or spike_tick not in by_tick:
            continue
        active = active_sources(network, projection, by_tick[spike_tick])
        sources, weights = _synapses_onto(projection, active, neuron)
        if not len(sources):
            continue
        total, exponent = int(weights.sum()), projection.weight_exponent
        found.append(
            ProjectionInput(
                projection.name,
                projection.source,
                spike_tick,
                projection.delay,
                exponent,
                tuple(
                    SynapticOrigin(int(s), int(w)) for s, w in zip(sources, weights, strict=True)
                ),
                total << exponent if exponent > 0 else total >> -exponent,
            )
        )
    return tuple(found)


def active_sources(network: FixedNetwork, projection: FixedProjection, seen: TickSpikes) -> Indices:
    """Sources of a projection that were active in a tick, in its own numbers, ascending."""
    port = network.inputs.get(projection.source)
    if port is None:
        names = [p.name for p in network.populations]
        return seen.spikes[names.index(projection.source)]
    inside = (seen.inputs >= port.offset) & (seen.inputs < port.offset + port.size)
    own: Indices = seen.inputs[inside] - np.int32(port.offset)
    return own


def _synapses_onto(
    projection: FixedProjection, active: Indices, neuron: int
) -> tuple[np.ndarray, np.ndarray]:
    """Source and weight of the synapses of active sources that end in one neuron."""
    begin, end = projection.row_start[active], projection.row_start[active + 1]
    counts = end - begin
    first = np.cumsum(counts) - counts
    entry = np.arange(counts.sum()) + np.repeat(begin - first, counts)
    mine = projection.target_index[entry] == neuron
    return np.repeat(active, counts)[mine], projection.weight[entry][mine].astype(np.int64)
