# SPDX-License-Identifier: Apache-2.0
"""What the inputs, currents and payloads of a network can never exceed, whatever it is given.

Where numbers fit into 16 or 32 bits, the CPU backend keeps them there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuro_control.network import FixedNetwork


def largest_payloads(network: FixedNetwork) -> NDArray[np.int32]:
    """Of each input channel, the largest payload of a spike, int32[n]; 1 where it is binary."""
    ports = network.inputs.values()
    sizes = [port.size for port in ports]
    return np.repeat([port.largest_payload for port in ports], sizes).astype(np.int32)


def largest_input(network: FixedNetwork) -> NDArray[np.float64]:
    """The largest magnitude that the sum of a neuron's inputs can have in a tick, float64[n]."""
    largest = np.zeros(network.n_neurons)
    for projection in network.projections:
        offset = network.population(projection.target).offset
        magnitude = np.abs(projection.weight.astype(np.float64))
        # A sum is held before a negative exponent shifts it.
        magnitude *= 2.0 ** max(projection.weight_exponent, 0)
        if projection.source in network.inputs:
            magnitude *= network.inputs[projection.source].largest_payload
        total = np.bincount(projection.target_index, magnitude, minlength=projection.n_target)
        largest[offset : offset + projection.n_target] += total
    return largest


def fits_32_bits(network: FixedNetwork, largest: NDArray[np.float64]) -> bool:
    """Whether no input whatever can bring a value beyond 32 bits: the current, and input on top."""
    held = largest_current(network, largest)
    return bool((held + largest * 64 < 2.0**31 - 2.0**25).all())


def largest_current(network: FixedNetwork, largest: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest magnitude of the current of each neuron after a tick, float64[n].

    A current is wrapped only once a tick, so that inputs beyond 2^18 can leave it beyond 24 bits:
    with A the largest input in the current's units and k what a tick keeps of it, it stays below
    max(2^23, (A - 2^24) / (1 - k)).
    """
    current = largest * 64
    lost = np.concatenate([population.du + 1 for population in network.populations]) / 4096
    return np.maximum(2.0**23, (current - 2.0**24) / lost)
