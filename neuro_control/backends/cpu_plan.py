# SPDX-License-Identifier: Apache-2.0
"""How a FixedNetwork is laid out in memory for the compiled heart of the CPU backend.

``plan`` int64: a header, a row a population, a row a projection, (offset, population) an output,
then three numbers a source of every projection. ``memory`` holds current and membrane of all
neurons, their pending inputs (a ring of as many ticks as the longest delay needs), a partial sum
for each projection with a negative exponent, a mark for each block of neurons that is awake, the
parameters, and the history of populations whose own spikes hold them or raise their threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.shared_rows import share_rows
from neuro_control.network import FixedNetwork, FixedPopulation, FixedProjection

# Header of the plan.
N_POPULATIONS, N_PROJECTIONS, N_NEURONS, N_INPUTS, N_OUTPUTS, RING, HEADER = range(7)
# Columns of a population.
OFFSET, SIZE, EACH, PARAMETERS, CAN_SLEEP, AWAKE, HISTORY, POPULATION = range(8)
# Columns of a projection: SOURCE is -1 for an input, and FIRST then its offset; PARTIAL is where
# its partial sum lies and has no meaning without SHIFT; OFFSET_OF_TARGET counts neurons.
SOURCE, FIRST, N_SOURCE, N_TARGET, DENSE, ROWS, WEIGHTS, TARGETS = range(8)
PARTIAL, OFFSET_OF_TARGET, SHIFT, DELAY, PROJECTION = range(8, 13)
# Of a source in a projection: where its synapses begin, how many, by what their targets shift.
BEGIN, COUNT, SHIFTED, ROW = range(4)
# Tallies: totals, then the spikes of each population, then a stamp for each input.
TICKS, SPIKES, OPERATIONS, UPDATES, STAMP, TALLIES = range(6)
BLOCK, LANES = 256, 32
"""Neurons that sleep and wake together, and those of them that are searched for spikes at once."""


@dataclass(frozen=True, eq=False)
class Plan:
    """The arrays of a network; ``memory`` is the state at rest, all blocks awake."""

    plan: NDArray[np.int64]
    weights: NDArray[np.int16]
    targets: NDArray[np.uint32]
    memory: NDArray[np.int32] | NDArray[np.int64]
    n_inputs: int
    n_output_channels: int
    history: dict[str, slice]
    """Where ``memory`` keeps what thresholds have risen by, then the ticks that are still held."""
    awake: slice
    """Where ``memory`` marks the blocks of neurons that are awake."""


def lay_out(network: FixedNetwork) -> Plan:
    """The plan of a network and its state at rest."""
    n_neurons = network.n_neurons
    populations = {p.name: i for i, p in enumerate(network.populations)}
    partial = [q for q in network.projections if q.weight_exponent < 0]
    ring = network.longest_delay + 1
    first_partial = (2 + ring) * n_neurons
    parameters: list[NDArray[np.int64]] = []
    first_mark = next_mark = first_partial + sum(q.n_target for q in partial)
    next_parameter = first_mark + sum(_blocks(population) for population in network.populations)
    awake = slice(first_mark, next_parameter)
    history: dict[str, slice] = {}
    rows: list[int] = []
    for population in network.populations:
        values, each = _parameters(population)
        # A few neurons are updated faster than looked at; a bias keeps its neuron moving.
        own = population.has_memory_of_spikes
        can_sleep = population.size > BLOCK and not own and not population.bias.any()
        rows += [population.offset, population.size, int(each), next_parameter]
        parameters.append(values)
        next_parameter += len(values)
        rows += [int(can_sleep), next_mark, next_parameter if own else 0]
        if own:
            kept = _history(population)
            state = next_parameter + len(kept) - 2 * population.size
            history[population.name] = slice(state, next_parameter + len(kept))
            parameters.append(kept)
            next_parameter += len(kept)
        next_mark += _blocks(population)

    starts: list[NDArray[np.int64]] = []
    weights: list[NDArray[np.int16]] = []
    targets: list[NDArray[np.uint32]] = []
    n_fixed = HEADER + len(rows) + PROJECTION * len(network.projections) + 2 * len(network.outputs)
    n_start = n_weight = n_target_index = 0
    for projection in network.projections:
        shift = max(-projection.weight_exponent, 0)
        is_input = projection.source in network.inputs
        weight, target, table, dense = _synapses(projection)
        rows += [
            -1 if is_input else populations[projection.source],
            network.inputs[projection.source].offset if is_input else 0,
            projection.n_source,
            projection.n_target,
            int(dense),
            n_fixed + n_start,
            n_weight,
            n_target_index,
            first_partial,
            network.population(projection.target).offset,
            shift,
            projection.delay,
        ]
        first_partial += projection.n_target if shift else 0
        starts.append(table)
        weights.append(weight)
        targets.append(target)
        n_start += len(table)
        n_weight += len(weight)
        n_target_index += len(target)
    for name, port in network.outputs.items():
        rows += [port.offset, populations[network.output_populations[name]]]

    n_inputs = sum(port.size for port in network.inputs.values())
    header = [
        len(network.populations),
        len(network.projections),
        n_neurons,
        n_inputs,
        len(network.outputs),
        ring,
    ]
    safe = fits_32_bits(network)
    memory = np.zeros(next_parameter, np.int32 if safe else np.int64)
    at_parameters = next_parameter - sum(len(values) for values in parameters)
    memory[at_parameters:] = np.concatenate(parameters)
    memory[awake] = 1
    return Plan(
        np.concatenate([np.array(header + rows, np.int64), *starts]),
        np.concatenate([np.zeros(0, np.int16), *weights]),
        np.concatenate([np.zeros(0, np.uint32), *targets]),
        memory,
        n_inputs,
        sum(port.size for port in network.outputs.values()),
        history,
        awake,
    )


def _history(population: FixedPopulation) -> NDArray[np.int64]:
    """Ticks to hold, what a tick keeps of a risen threshold, its rise; then the state, zero."""
    size = population.size
    table = np.zeros((5, size), np.int64)
    table[0] = population.refractory
    table[1] = 4096 - np.asarray(population.threshold_decay, np.int64)
    table[2] = np.asarray(population.threshold_step, np.int64) << 6
    return table.ravel()


def _blocks(population: FixedPopulation) -> int:
    return -(-population.size // BLOCK)


def fits_32_bits(network: FixedNetwork) -> bool:
    """Whether no input whatever can bring a value beyond 32 bits.

    A current is wrapped only once a tick, so that inputs beyond 2^18 can leave it beyond 24 bits:
    with A the largest input in the current's units and k what a tick keeps of it, it stays below
    max(2^23, (A - 2^24) / (1 - k)), and A is added to that.
    """
    largest = np.zeros(network.n_neurons)
    for projection in network.projections:
        offset = network.population(projection.target).offset
        magnitude = np.abs(projection.weight.astype(np.float64))
        # A sum is held before a negative exponent shifts it.
        magnitude *= 2.0 ** max(projection.weight_exponent, 0)
        total = np.bincount(projection.target_index, magnitude, minlength=projection.n_target)
        largest[offset : offset + projection.n_target] += total
    current = largest * 64
    lost = np.concatenate([population.du + 1 for population in network.populations]) / 4096
    held = np.maximum(2.0**23, (current - 2.0**24) / lost)
    return bool((held + current < 2.0**31 - 2.0**25).all())


def _parameters(population: FixedPopulation) -> tuple[NDArray[np.int64], bool]:
    """Parameters in the membrane's units, one of each where all neurons are alike.

    In order: what a step keeps of current and membrane (in 1/4096), threshold, bias.
    """
    threshold = population.vth.astype(np.int64) << 6
    if not population.spiking:
        threshold = np.full_like(threshold, 1 << 23)  # voltages end below it
    table = np.stack(
        [
            4095 - population.du.astype(np.int64),
            4096 - population.dv.astype(np.int64),
            threshold,
            population.bias.astype(np.int64),
        ]
    )
    each = bool((table != table[:, :1]).any())
    return (table if each else table[:, :1]).ravel(), each


def _synapses(
    projection: FixedProjection,
) -> tuple[NDArray[np.int16], NDArray[np.uint32], NDArray[np.int64], bool]:
    """Weights, shifted by a positive exponent (16 bits hold that), their targets, their rows.

    Where half of all pairs are joined, a full table without targets: rows in order are added
    in vectors.
    """
    shifted = projection.weight << np.int16(max(projection.weight_exponent, 0))
    if 2 * len(projection.weight) < projection.n_source * projection.n_target:
        kept = share_rows(projection.row_start, projection.target_index, shifted)
        return kept.weight, kept.target, kept.table(), False
    table = np.zeros((projection.n_source, projection.n_target), np.int16)
    count = np.diff(projection.row_start)
    sources = np.repeat(np.arange(projection.n_source), count)
    table[sources, projection.target_index] = shifted
    begin = np.arange(projection.n_source) * projection.n_target
    rows = np.stack([begin, count, np.zeros_like(begin)], axis=1).ravel()
    return table.ravel(), np.zeros(0, np.uint32), rows, True
