# SPDX-License-Identifier: Apache-2.0
"""Synapses that a description has and the integers have not: rounded, scaled away, dead."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuro_control.network import FixedNetwork, Network, QuantizedNetwork, Scale
from neuro_control.network.fixed_network import weight_step
from neuro_control.network.fixed_neurons import gain_of
from neuro_control.network.lowering import Lowering
from neuro_control.network.neurons import NEURONS


@dataclass(frozen=True)
class ScaleOnPath:
    """A Scale node between live sources and a population; ``largest`` is its largest |scale|."""

    name: str
    largest: float


def scales_on_paths(
    description: Network | None, population: str, live: Set[str]
) -> list[ScaleOnPath]:
    """The Scale nodes on the paths into a population from sources that spike, smallest first."""
    if description is None:
        return []
    names = {
        name
        for path in Lowering(description).into(population)
        if path.source in live
        for name in path.via
        if isinstance(description.nodes[name], Scale)
    }
    found = []
    for name in sorted(names):
        node = description.nodes[name]
        if isinstance(node, Scale):
            found.append(ScaleOnPath(name, float(np.abs(node.scale).max())))
    return sorted(found, key=lambda scale: scale.largest)


def rounded_to_zero(
    network: FixedNetwork,
    description: Network | None,
    population: str,
    active: Mapping[str, np.ndarray] | None,
) -> dict[str, Any] | None:
    """Weights of a population's inputs that the integers round to 0, where all of them are.

    Args:
        network: the integers.
        description: what they were made from; None says nothing.
        population: whose inputs.
        active: source -> the channels that count; every channel of every source by default.

    Returns:
        What is lost: ``projection``, its ``largest`` weight that is lost, the ``least_kept`` that
        would not be, their ratio ``factor``, the largest of all (``full``), and ``bits``. None
        where something is kept, or nothing was there.
    """
    if description is None or not isinstance(network, QuantizedNetwork):
        return None
    neuron = description.nodes[population]
    if not isinstance(neuron, NEURONS):
        return None
    gain = gain_of(neuron, description.dt_s)
    scale = next(r.scale for r in network.report.populations if r.name == population)
    projections = [q for q in network.projections if q.target == population]
    found: dict[str, Any] | None = None
    for q, path in zip(projections, Lowering(description).into(population), strict=True):
        sources = path.map.sources()
        if active is None:
            counted = np.ones(len(sources), np.bool_)
        else:
            counted = np.isin(sources, active.get(path.source, np.zeros(0, np.int64)))
        lost = np.abs(path.map.weight[counted])
        if not len(lost):
            continue
        if active is None and q.weight.any():
            return None
        step = weight_step(q.sign_mode, q.num_weight_bits)
        least = 0.5 * step * 2.0**q.weight_exponent / scale / gain[path.map.target[counted]]
        at = int(np.argmax(lost / least))
        if found is not None and found["factor"] <= least[at] / lost[at]:
            continue
        found = {
            "projection": q.name,
            "largest": float(lost[at]),
            "least_kept": float(least[at]),
            "factor": float(least[at] / lost[at]),
            "full": float(np.abs(path.map.weight).max()),
            "bits": q.num_weight_bits,
        }
    return found


def dead_channels(network: FixedNetwork, population: str) -> list[int]:
    """Channels of an image-shaped population without any synapse other than 0 and without bias.

    Empty where it is no image, has a single channel, or nothing projects to it.
    """
    found = network.population(population)
    into = [q for q in network.projections if q.target == population]
    if len(found.shape) != 3 or found.shape[0] < 2 or not into:
        return []
    reached = found.bias > 0
    for q in into:
        reached = reached | (np.bincount(q.target_index, q.weight != 0, found.size) > 0)
    alive = reached.reshape(found.shape[0], -1).any(axis=1)
    return [int(channel) for channel in np.flatnonzero(~alive)]
