# SPDX-License-Identifier: Apache-2.0
"""What the debugger shows, as lines: Loihi's integers, and the network's own units beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends import Indices
from neuro_control.inspection import Debugger, ProjectionInput, Units
from neuro_control.network import FixedNetwork, FixedPopulation

MOST_NEURONS = 12
"""Neurons of a population that are shown where none are named."""
MOST_SYNAPSES = 20
MOST_LISTED = 24

Integers = NDArray[np.int64]


def parse_neurons(network: FixedNetwork, text: str) -> tuple[FixedPopulation, tuple[int, ...]]:
    """A population and the neurons named: ``NAME`` (none named), ``NAME[3]``, ``NAME[1,4:8]``.

    Raises:
        ValueError: there is no such population or neuron.
    """
    name, bracket, rest = text.partition("[")
    population = network.population(name.strip())
    if not bracket:
        return population, ()
    inside, closed, after = rest.partition("]")
    if not closed or after.strip():
        raise ValueError(f"{text!r}: write NAME, NAME[3] or NAME[1,4:8]")
    found: list[int] = []
    for part in inside.split(","):
        first, colon, last = part.partition(":")
        try:
            begin = int(first) if first.strip() or not colon else 0
            end = (int(last) if last.strip() else population.size) if colon else begin + 1
        except ValueError:
            raise ValueError(f"{text!r}: {part!r} is no number of a neuron or range") from None
        if not 0 <= begin < end <= population.size:
            raise ValueError(
                f"{text!r}: {population.name} has the neurons 0 to {population.size - 1}"
            )
        found += range(begin, end)
    return population, tuple(found)


def where(debugger: Debugger) -> str:
    """Where it stands, and who spiked in the last tick."""
    if debugger.tick == debugger.first_tick:
        return f"before tick {debugger.tick} of {debugger.ticks}"
    fired = [f"{name} {len(s):,}" for name, s in debugger.spikes.items() if len(s)]
    return (
        f"tick {debugger.tick - 1} of 0..{debugger.ticks - 1} done: "
        f"{', '.join(fired) + ' spiked' if fired else 'nobody spiked'}"
    )


def population_table(
    debugger: Debugger, units: Units, population: FixedPopulation, neurons: Sequence[int]
) -> str:
    """Input, current, membrane, threshold and pending input of neurons in the last tick.

    The membrane is that which was compared with the threshold, before a reset. Without neurons
    named, those that spiked and those nearest to their threshold are chosen.
    """
    inside = debugger.last_tick()
    state = debugger.state()
    part = slice(population.offset, population.offset + population.size)
    if inside is None:
        zero = np.zeros(population.size, np.int64)
        threshold = (population.vth.astype(np.int64) << 6) + state.adaptation[part]
        arrived, current, membrane = zero, state.current[part], state.membrane[part]
        flags = dict.fromkeys(("spiked", "refractory", "wrapped", "saturated"), zero > 0)
    else:
        arrived, current = inside.arrived[part], inside.current[part]
        membrane, threshold = inside.membrane[part], inside.threshold[part]
        flags = {
            "spiked": inside.spiked[part],
            "refractory": inside.held[part],
            "wrapped": inside.wrapped[part],
            "saturated": inside.saturated[part],
        }
    index = np.array(neurons, np.int64)
    if not len(index):
        index = _most_active(membrane, threshold, flags["spiked"])
    columns: list[tuple[str, Integers, Callable[[str, Integers, Integers], NDArray[np.float64]]]]
    columns = [
        ("input", arrived[index], units.arrived),
        ("current", current[index], units.current),
        ("membrane", membrane[index], units.voltage),
    ]
    cells = [["neuron", *(str(n) for n in index)]]
    for title, values, own in columns:
        cells.append([title, *_cells(units, population.name, values, index, own)])
    if population.spiking:
        shown = _cells(units, population.name, threshold[index], index, units.voltage)
    else:
        shown = ["none"] * len(index)
    cells.append(["threshold", *shown])
    cells.append(["pending", *(_pending(state.pending[:, part][:, n]) for n in index)])
    cells.append(["", *(" ".join(f for f, flag in flags.items() if flag[n]) for n in index)])
    what = "integers | own units" if units.knows(population.name) else "integers"
    head = f"{population.name}: {len(index):,} of {population.size:,} neurons, {what}; "
    return "\n".join([head + where(debugger), *_table(cells)])


def inputs_text(debugger: Debugger) -> str:
    """Active inputs of the last tick, which arrive next, and of the next."""
    lines = []
    for tick, what in ((debugger.tick - 1, "given last"), (debugger.tick, "given next")):
        if not 0 <= tick < debugger.ticks:
            continue
        active = debugger.inputs(tick)
        lines.append(f"tick {tick}, {what}: {len(active):,} active channels")
        for name, port in debugger.network.inputs.items():
            own = active[(active >= port.offset) & (active < port.offset + port.size)]
            if len(own):
                lines.append(f"  {name}: {listed(own - port.offset)}")
    return "\n".join(lines)


def spikes_text(debugger: Debugger) -> str:
    """Who spiked in the last tick, and how often so far."""
    counts = debugger.counts
    width = max(len(name) for name in counts)
    lines = [where(debugger)]
    for name, neurons in debugger.spikes.items():
        lines.append(
            f"  {name:<{width}}  {counts[name]:>9,} so far"
            + (f"; now {listed(neurons)}" if len(neurons) else "")
        )
    return "\n".join(lines)


def origins_text(
    debugger: Debugger,
    units: Units,
    population: str,
    neuron: int,
    found: tuple[ProjectionInput, ...],
) -> str:
    """The synapses that brought a neuron its input of the last tick, strongest first."""
    at = np.array([neuron])

    def both(value: float) -> str:
        if not units.knows(population):
            return f"{value:+,g}"
        return f"{value:+,g} | {units.arrived(population, np.array([value]), at)[0]:+.4g}"

    total = sum(part.arrived for part in found)
    tick = debugger.tick - 1
    lines = [
        f"{population}[{neuron}] was given {both(total)} in tick {tick} by "
        f"{sum(len(part.synapses) for part in found):,} synapses"
    ]
    for part in found:
        delay = f", delay {part.delay}" if part.delay else ""
        lines.append(
            f"  {part.projection}: {both(part.arrived)} by {len(part.synapses):,} synapses of "
            f"{part.source}, which spiked in tick {part.spike_tick}{delay}; weights count "
            f"2^{part.weight_exponent}"
        )
        strongest = sorted(part.synapses, key=lambda s: -abs(s.weight))
        for synapse in strongest[:MOST_SYNAPSES]:
            weight = both(synapse.weight * 2.0**part.weight_exponent)
            lines.append(
                f"    {part.source}[{synapse.source_neuron}]  weight {synapse.weight:+d}: {weight}"
            )
        if len(strongest) > MOST_SYNAPSES:
            lines.append(f"    ... and {len(strongest) - MOST_SYNAPSES:,} weaker ones")
    return "\n".join(lines)


def listed(numbers: Indices) -> str:
    """Numbers with commas, the first of many."""
    shown = ", ".join(str(n) for n in numbers[:MOST_LISTED])
    more = len(numbers) - MOST_LISTED
    return f"{shown}, ... and {more:,} more" if more > 0 else shown


def _most_active(membrane: Integers, threshold: Integers, spiked: NDArray[np.bool_]) -> Integers:
    ratio = membrane / np.maximum(threshold, 1) + 1e9 * spiked
    order = np.argsort(-ratio, kind="stable")[:MOST_NEURONS]
    return np.sort(order)


def _cells(
    units: Units,
    name: str,
    values: Integers,
    neurons: Integers,
    own: Callable[[str, Integers, Integers], NDArray[np.float64]],
) -> list[str]:
    if not units.knows(name):
        return [f"{value:,}" for value in values]
    pairs = zip(values, own(name, values, neurons), strict=True)
    return [f"{value:,} | {converted:.4g}" for value, converted in pairs]


def _pending(rows: Integers) -> str:
    """What waits: for the next tick, and for how many ticks later what else."""
    later = [f"+{k}: {value:,}" for k, value in enumerate(rows) if k and value]
    return ", ".join([f"{rows[0]:,}", *later[:4], *(["..."] if len(later) > 4 else [])])


def _table(columns: list[list[str]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in columns]
    rows = zip(*columns, strict=True)
    return [
        "  "
        + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
