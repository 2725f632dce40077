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
from neuro_control.backends.population_view import PopulationView
from neuro_control.backends.shared_rows import SharedRows
from neuro_control.backends.synapse_forms import choose_orders, dense_table
from neuro_control.network import FixedNetwork, FixedPopulation, FixedProjection

_ALIGNMENT = 64
_NARROW = 32767
"""Largest sum of the magnitudes of a neuron's weights whose sums cannot leave 16 bits."""


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
    largest_current: NDArray[np.float64]
    """Of each neuron, what the magnitude of its current never leaves, float64[n]."""


class _Parts:
    """Parts of the arena, placed one after the other."""

    def __init__(self, header: int) -> None:
        self.size = 0
        self._filled: list[tuple[int, NDArray[np.generic]]] = []
        self.plan = self.reserve(header * 8)

    def reserve(self, n_bytes: int) -> int:
        """Place of a new part, zero."""
        place = self.size
        self.size += -(-n_bytes // _ALIGNMENT) * _ALIGNMENT
        return place

    def put(self, values: NDArray[np.generic]) -> int:
        """Place of a new part that holds these values."""
        place = self.reserve(values.nbytes)
        self._filled.append((place, values))
        return place

    def arena(self) -> NDArray[np.uint8]:
        """All parts; each is forgotten as it is copied, so that little is held twice."""
        # Vectors may read or write a little beyond the last part.
        room = np.zeros(self.size + 3 * _ALIGNMENT, np.uint8)
        begin = -room.ctypes.data % _ALIGNMENT
        made = room[begin : begin + self.size + 2 * _ALIGNMENT]
        while self._filled:
            place, values = self._filled.pop()
            made[place : place + values.nbytes] = values.view(np.uint8).ravel()
        return made


def lay_out(network: FixedNetwork) -> Plan:
    """The plan of a network and its state at rest."""
    largest = largest_input(network)
    wide = not _fits_32_bits(network, largest)
    integer = np.dtype(np.int64 if wide else np.int32)
    orders, shared = choose_orders(network)
    n_rows = len(network.populations) * at.POPULATION + len(network.projections) * at.PROJECTION
    parts = _Parts(at.HEADER + n_rows + len(network.outputs) * at.OUTPUT)
    n_inputs = sum(port.size for port in network.inputs.values())
    n_shown = sum(port.size for port in network.outputs.values())
    tallies = parts.reserve(8 * (at.COUNTS + len(network.populations)))
    limits = _largest_payloads(network)
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
    projections = [
        _projection(network, projection, orders, shared.pop(i, None), parts, integer)
        for i, projection in enumerate(network.projections)
    ]
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
    counts = _view(arena, tallies, np.int64, at.COUNTS + len(rows))
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
    shown_outputs = _view(arena, outputs, np.int32, n_shown)
    reachable = _largest_current(network, largest)
    return Plan(arena, wide, slice(begin, end), counts, shown_outputs, views, reachable)


def _view(arena: NDArray[np.uint8], place: int, kind: np.dtype[Any] | type, n: int) -> Any:
    dtype = np.dtype(kind)
    return arena[place : place + n * dtype.itemsize].view(dtype)


def _padded(n: int) -> int:
    """Neurons of a population with those that fill its last vector, and room to write past it."""
    return -(-n // at.LANES) * at.LANES + at.LANES


def _parameters(
    population: FixedPopulation,
    order: NDArray[np.int32] | None,
    fits_16_bits: bool,
    parts: _Parts,
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
    parts: _Parts,
    integer: np.dtype[Any],
) -> list[int]:
    """A row of the plan; the population's state is placed."""
    n, padded = population.size, _padded(population.size)
    width = 2 if parameters[at.NARROW] else integer.itemsize
    stride = -(-padded * width // _ALIGNMENT) * _ALIGNMENT
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
    pending = _view(arena, row[at.INPUT], given, ring * stride).reshape(ring, stride)
    filtered = bool(row[at.FILTERED])
    own = _view(arena, row[at.HISTORY], integer, 6 * n).reshape(6, n) if row[at.HISTORY] else None
    return PopulationView(
        population,
        filtered,
        _view(arena, row[at.MEMBRANE], integer, n),
        _view(arena, row[at.CURRENT], integer if filtered else given, n),
        pending[:, :n],
        None if own is None else own[4:],
        _view(arena, row[at.AWAKE], np.int8, -(-n // at.BLOCK)),
        _view(arena, row[at.SPIKES], np.int32, n),
        count,
        order,
    )


def _projection(
    network: FixedNetwork,
    projection: FixedProjection,
    orders: Mapping[str, NDArray[np.int32]],
    shared: SharedRows | None,
    parts: _Parts,
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


def _largest_payloads(network: FixedNetwork) -> NDArray[np.int32]:
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


def _fits_32_bits(network: FixedNetwork, largest: NDArray[np.float64]) -> bool:
    """Whether no input whatever can bring a value beyond 32 bits: the current, and input on top."""
    held = _largest_current(network, largest)
    return bool((held + largest * 64 < 2.0**31 - 2.0**25).all())


def _largest_current(network: FixedNetwork, largest: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest magnitude of the current of each neuron after a tick, float64[n].

    A current is wrapped only once a tick, so that inputs beyond 2^18 can leave it beyond 24 bits:
    with A the largest input in the current's units and k what a tick keeps of it, it stays below
    max(2^23, (A - 2^24) / (1 - k)).
    """
    current = largest * 64
    lost = np.concatenate([population.du + 1 for population in network.populations]) / 4096
    return np.maximum(2.0**23, (current - 2.0**24) / lost)
