# SPDX-License-Identifier: Apache-2.0
"""How a FixedNetwork is laid out in memory for the compiled heart of the CPU backend.

One array of bytes, the arena, holds everything, in parts that begin at multiples of 64 bytes: the
plan (a header, a row a population, a projection, an output; `cpu_kernels` names their columns),
tallies, scratch, synapses, parameters, and at its end the state.

Neurons of a population that convolutions reach lie with their channels side by side where that
joins more synapses into vectors. Their order outside the engine stays what it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends import cpu_kernels as at
from neuro_control.backends.arena import ALIGNMENT, ArenaParts, part_of
from neuro_control.backends.input_bounds import (
    fits_32_bits,
    largest_current,
    largest_input,
    largest_payloads,
)
from neuro_control.backends.population_view import PopulationView
from neuro_control.backends.shared_rows import SharedRows
from neuro_control.backends.synapse_forms import choose_orders, dense_table
from neuro_control.network import FixedNetwork, FixedPopulation, FixedProjection

_NARROW = 32767
"""Largest sum of the magnitudes of a neuron's weights whose sums cannot leave 16 bits."""


@dataclass(frozen=True)
class EngineMemory:
    """Bytes that the engine holds of a network: what neurons, synapses and all else take."""

    neurons: int
    synapses: int
    rest: int


@dataclass(frozen=True, eq=False)
class Plan:
    """The arena of a network at rest, and views into it."""

    arena: NDArray[np.uint8]
    wide: bool
    """Whether numbers need 64 bits."""
    state: slice
    """Where the arena keeps the state, bytes."""
    tallies: NDArray[np.int64]
    outputs: NDArray[np.int32]
    populations: dict[str, PopulationView]
    memory: EngineMemory
    largest_current: NDArray[np.float64]
    """Of each neuron, what the magnitude of its current never leaves, float64[n]."""


def lay_out(network: FixedNetwork) -> Plan:
    """The plan of a network and its state at rest."""
    largest = largest_input(network)
    wide = not fits_32_bits(network, largest)
    integer = np.dtype(np.int64 if wide else np.int32)
    orders, shared = choose_orders(network)
    n_rows = len(network.populations) * at.POPULATION + len(network.projections) * at.PROJECTION
    parts = ArenaParts(at.HEADER + n_rows + len(network.outputs) * at.OUTPUT)
    n_inputs = sum(port.size for port in network.inputs.values())
    n_shown = sum(port.size for port in network.outputs.values())
    tallies = parts.reserve(8 * (at.COUNTS + len(network.populations)))
    limits = largest_payloads(network)
    seen, most = parts.reserve(8 * n_inputs), parts.put(limits)
    # Room for what enters in a tick, and for what of it belongs to one input.
    entered, own = parts.reserve(4 * int(limits.sum())), parts.reserve(4 * int(limits.sum()))
    outputs = parts.reserve(4 * n_shown)
    bits = parts.reserve(max((p.size for p in network.populations), default=0) // 8 + 8)
    plan = [
        len(network.populations),
        len(network.projections),
        network.n_neurons,
        n_inputs,
        len(network.outputs),
        network.longest_delay + 1,
        tallies,
        seen,
        most,
        entered,
        own,
        outputs,
        bits,
    ]
    order_places = {name: parts.put(order) for name, order in orders.items()}
    before = parts.size
    projections = [
        _projection(network, projection, orders, shared.pop(i, None), parts, integer)
        for i, projection in enumerate(network.projections)
    ]
    synapses = parts.size - before
    fixed = [
        _parameters(
            population,
            orders.get(population.name),
            not wide and largest[population.offset :][: population.size].max() <= _NARROW,
            parts,
            integer,
        )
        for population in network.populations
    ]
    # The state comes last, so that one copy sets it to rest.
    begin = parts.size
    rows = []
    for population, parameters in zip(network.populations, fixed, strict=True):
        rows.append(_population(population, parameters, network, parts, integer))
    for row in [*rows, *projections]:
        plan += row
    for name, port in network.outputs.items():
        shown = network.output_populations[name]
        number = [p.name for p in network.populations].index(shown)
        plan += [port.offset, at.HEADER + number * at.POPULATION, order_places.get(shown, 0)]
    end = parts.size
    arena = parts.arena()
    arena[: 8 * len(plan)] = np.array(plan, np.int64).view(np.uint8)
    counts = part_of(arena, tallies, np.int64, at.COUNTS + len(rows))
    views = {
        population.name: _population_view(
            arena,
            population,
            row,
            integer,
            network.longest_delay + 1,
            counts[at.COUNTS + i : at.COUNTS + i + 1],
            orders.get(population.name),
        )
        for i, (population, row) in enumerate(zip(network.populations, rows, strict=True))
    }
    for view in views.values():
        view.awake[:] = 1
    shown_outputs = part_of(arena, outputs, np.int32, n_shown)
    reachable = largest_current(network, largest)
    neurons = end - before - synapses
    memory = EngineMemory(neurons, synapses, arena.nbytes - neurons - synapses)
    return Plan(arena, wide, slice(begin, end), counts, shown_outputs, views, memory, reachable)


def _padded(n: int) -> int:
    """Neurons of a population with those that fill its last vector, and room to write past it."""
    return -(-n // at.LANES) * at.LANES + at.LANES


def _parameters(
    population: FixedPopulation,
    order: NDArray[np.int32] | None,
    fits_16_bits: bool,
    parts: ArenaParts,
    integer: np.dtype[Any],
) -> dict[int, int]:
    """Columns of the parameters: places, or numbers where all neurons are alike.

    In the membrane's units. A neuron that does not spike has a threshold that no voltage reaches;
    so have those whose own spikes hold them or raise their threshold, since those are looked at one
    by one.
    """
    never = 1 << 23
    threshold = population.vth.astype(np.int64) << 6
    if not population.spiking:
        threshold = np.full_like(threshold, never)
    own = population.has_memory_of_spikes
    table = {
        at.KEEP_CURRENT: 4095 - population.du.astype(np.int64),
        at.KEEP_MEMBRANE: 4096 - population.dv.astype(np.int64),
        at.THRESHOLD: np.full_like(threshold, never) if own else threshold,
        at.BIAS: population.bias.astype(np.int64),
    }
    each = own or any((values != values[0]).any() for values in table.values())
    narrow = fits_16_bits and not each
    found = {
        at.EACH: int(each),
        at.NARROW: int(narrow),
        at.FILTERED: int(not narrow or table[at.KEEP_CURRENT][0] != 0),
        at.HISTORY: 0,
    }
    for column, values in table.items():
        if each:
            filled = np.zeros(_padded(len(values)), integer)
            filled[: len(values)] = values if order is None else values[order]
            found[column] = parts.put(filled)
        else:
            found[column] = int(values[0])
    # A few neurons are updated faster than looked at; a bias keeps its neuron moving.
    can_sleep = population.size > at.BLOCK and not own and not population.bias.any()
    return found | {at.CAN_SLEEP: int(can_sleep)}


def _population(
    population: FixedPopulation,
    parameters: Mapping[int, int],
    network: FixedNetwork,
    parts: ArenaParts,
    integer: np.dtype[Any],
) -> list[int]:
    """A row of the plan; the population's state is placed."""
    n, padded = population.size, _padded(population.size)
    width = 2 if parameters[at.NARROW] else integer.itemsize
    stride = -(-padded * width // ALIGNMENT) * ALIGNMENT
    columns = dict(parameters)
    columns |= {at.SIZE: n, at.INPUT_STRIDE: stride}
    columns[at.MEMBRANE] = parts.reserve(padded * integer.itemsize)
    columns[at.CURRENT] = parts.reserve(
        padded * (integer.itemsize if columns[at.FILTERED] else width)
    )
    columns[at.INPUT] = parts.reserve(stride * (network.longest_delay + 1))
    columns[at.AWAKE] = parts.reserve(-(-n // at.BLOCK))
    columns[at.SPIKES] = parts.reserve(4 * n)
    if population.has_memory_of_spikes:
        columns[at.HISTORY] = parts.put(_history(population).astype(integer))
    return [columns[column] for column in range(at.POPULATION)]


def _history(population: FixedPopulation) -> NDArray[np.int64]:
    """Threshold, ticks to hold, what a tick keeps of a risen threshold, its rise; state, zero."""
    table = np.zeros((6, population.size), np.int64)
    table[0] = population.vth.astype(np.int64) << 6 if population.spiking else 1 << 23
    table[1] = population.refractory
    table[2] = 4096 - np.asarray(population.threshold_decay, np.int64)
    table[3] = np.asarray(population.threshold_step, np.int64) << 6
    return table


def _population_view(
    arena: NDArray[np.uint8],
    population: FixedPopulation,
    row: list[int],
    integer: np.dtype[Any],
    ring: int,
    count: NDArray[np.int64],
    order: NDArray[np.int32] | None,
) -> PopulationView:
    n = population.size
    given = np.dtype(np.int16) if row[at.NARROW] else integer
    stride = row[at.INPUT_STRIDE] // given.itemsize
    pending = part_of(arena, row[at.INPUT], given, ring * stride).reshape(ring, stride)
    filtered = bool(row[at.FILTERED])
    own = part_of(arena, row[at.HISTORY], integer, 6 * n).reshape(6, n) if row[at.HISTORY] else None
    return PopulationView(
        population,
        filtered,
        part_of(arena, row[at.MEMBRANE], integer, n),
        part_of(arena, row[at.CURRENT], integer if filtered else given, n),
        pending[:, :n],
        None if own is None else own[4:],
        part_of(arena, row[at.AWAKE], np.int8, -(-n // at.BLOCK)),
        part_of(arena, row[at.SPIKES], np.int32, n),
        count,
        order,
    )


def _projection(
    network: FixedNetwork,
    projection: FixedProjection,
    orders: Mapping[str, NDArray[np.int32]],
    shared: SharedRows | None,
    parts: ArenaParts,
    integer: np.dtype[Any],
) -> list[int]:
    """A row of the plan; the projection's synapses are placed."""
    names = [population.name for population in network.populations]
    is_input = projection.source in network.inputs
    right = max(-projection.weight_exponent, 0)
    source_order = orders.get(projection.source)
    columns = dict.fromkeys(range(at.PROJECTION), 0)
    columns |= {
        at.SOURCE: -1 if is_input else names.index(projection.source),
        at.FIRST: network.inputs[projection.source].offset if is_input else 0,
        at.N_SOURCE: projection.n_source,
        at.TARGET: names.index(projection.target),
        at.RIGHT_SHIFT: right,
        at.DELAY: projection.delay,
    }
    if right:
        columns[at.PARTIAL] = parts.reserve(_padded(projection.n_target) * integer.itemsize)
    if shared is None:
        table, columns[at.LEFT_SHIFT] = dense_table(projection, orders)
        columns[at.FORM] = at.DENSE_8 if table.dtype == np.int8 else at.DENSE_16
        columns[at.WIDTH] = table.shape[1]
        columns[at.WEIGHTS] = parts.put(table)
        count = np.diff(projection.row_start).astype(np.int32)
        columns[at.ROWS] = parts.put(count if source_order is None else count[source_order])
    else:
        columns[at.FORM] = at.SINGLE if shared.size == 1 else at.CHUNKED
        rows = np.stack([shared.kind, shared.shift], axis=1).astype(np.int32)
        columns[at.ROWS] = parts.put(rows if source_order is None else rows[source_order])
        kinds = np.stack([shared.begin, shared.count, shared.synapses], axis=1)
        columns[at.KINDS] = parts.put(kinds)
        columns[at.WEIGHTS], columns[at.TARGETS] = (
            parts.put(shared.weight),
            parts.put(shared.target),
        )
    return [columns[column] for column in range(at.PROJECTION)]
