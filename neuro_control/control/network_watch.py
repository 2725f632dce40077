# SPDX-License-Identifier: Apache-2.0
"""What happens inside a network while it steers: spikes of every population, chosen membranes.

A runner gives only the network's outputs, and many ticks in one call. While somebody watches, the
same ticks are stepped one by one and every population is asked after each: the same spikes, at
some microseconds a tick more. While nobody does, a call passes straight through.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.runner import Indices, Runner
from neuro_control.control.probes import MOST_PROBES, Probe
from neuro_control.inspection.shown_spikes import ShowsSpikes
from neuro_control.network import FixedNetwork, Port
from neuro_control.network.fixed_network import FixedPopulation

Role = Literal["input", "hidden", "output"]
Offsets = NDArray[np.int64]

MOST_TICKS = 2000
"""Ticks that wait to be taken at most; the oldest are forgotten."""

# A step in the ticks' time beyond this, or back, is a time that began anew.
_LONGEST_PAUSE_NS = 1_000_000_000


@dataclass(frozen=True)
class Row:
    """An input or a population: one row of a raster.

    threshold: least and largest, in the units of membranes (`vth << 6`); None where there is none.
    seen: whether its spikes can be had from this backend.
    """

    name: str
    role: Role
    shape: tuple[int, ...]
    threshold: tuple[int, int] | None
    seen: bool

    @property
    def size(self) -> int:
        """Number of its neurons, or of an input's channels."""
        return int(np.prod(self.shape))


@dataclass(frozen=True, eq=False)
class WatchedTicks:
    """What a network did in some ticks.

    Attributes:
        t_ns: int64[ticks], when each tick began, sensor time.
        spikes: for every row in order, (tick int64[m], neuron int32[m]): number of the tick in
            `t_ns`, and of the neuron in its row; ascending. A graded input's spike with the payload
            k is there k times.
        probes: whose membranes are in `membrane`; in the last tick, as they can be changed.
        membrane, threshold, current: float64[ticks, probes], after each tick, NaN where a probe
            was not yet chosen; the membrane of a neuron that spikes reads 0 in its tick.
    """

    t_ns: NDArray[np.int64]
    spikes: tuple[tuple[NDArray[np.int64], Indices], ...]
    probes: tuple[Probe, ...]
    membrane: NDArray[np.float64]
    threshold: NDArray[np.float64]
    current: NDArray[np.float64]


class _Probed(NamedTuple):
    """Chosen neurons of one population after a tick, int64[m] each."""

    membrane: NDArray[np.int64]
    risen: NDArray[np.int64]
    current: NDArray[np.int64]


class _Tick(NamedTuple):
    """What is kept of a tick, as it came: to look closer has time until it is taken."""

    active: Indices
    populations: Sequence[Indices]
    probes: tuple[Probe, ...]
    membranes: tuple[_Probed, ...]


class _Group(NamedTuple):
    """The probes of one population: their numbers in it, and where each stands among all."""

    population: FixedPopulation
    neurons: NDArray[np.int64]
    columns: list[int]


class NetworkWatch:
    """Keeps what the ticks of a network did until it is taken; see the module.

    Ticks have a time only once the controller says when they were: `stamp`, after each step.
    """

    def __init__(self, network: FixedNetwork, runner: Runner) -> None:
        self.network = network
        outputs = set(network.output_populations.values())
        self._inside = isinstance(runner, ShowsSpikes)
        inputs = tuple(
            Row(name, "input", port.shape, None, True) for name, port in network.inputs.items()
        )
        populations = []
        for population in network.populations:
            role: Role = "output" if population.name in outputs else "hidden"
            vth = population.vth.astype(np.int64) << 6
            threshold = (int(vth.min()), int(vth.max())) if population.spiking else None
            seen = self._inside or role == "output"
            populations.append(Row(population.name, role, population.shape, threshold, seen))
        self.rows = (*inputs, *populations)
        self.spikes = self.membranes = False
        self._probes: tuple[Probe, ...] = ()
        self._groups: tuple[_Group, ...] = ()
        self._open: list[_Tick] = []
        self._kept: deque[tuple[int, _Tick]] = deque(maxlen=MOST_TICKS)

    @property
    def on(self) -> bool:
        """Whether anything is watched; set `spikes` and `membranes`."""
        return self.spikes or self.probing

    @property
    def probing(self) -> bool:
        """Whether membranes are watched, of neurons that were chosen."""
        return self.membranes and bool(self._probes)

    @property
    def probes(self) -> tuple[Probe, ...]:
        """The neurons whose membranes are watched."""
        return self._probes

    def choose(self, probes: Sequence[Probe]) -> None:
        """Watch these neurons' membranes from the next tick on.

        Raises:
            ValueError: too many, one that the network does not have, or a backend that shows none.
        """
        if len(probes) > MOST_PROBES:
            raise ValueError(f"{len(probes)} neurons are chosen; at most {MOST_PROBES} can be")
        if probes and not self._inside:
            raise ValueError("this backend runs in another process, which shows no membranes")
        groups: dict[str, list[int]] = {}
        for column, probe in enumerate(probes):
            size = self.network.population(probe.population).size
            if not 0 <= probe.neuron < size:
                raise ValueError(f"{probe}: {probe.population} has the neurons 0 to {size - 1}")
            groups.setdefault(probe.population, []).append(column)
        self._probes = tuple(probes)
        self._groups = tuple(
            _Group(
                self.network.population(name),
                np.array([probes[column].neuron for column in columns], np.int64),
                columns,
            )
            for name, columns in groups.items()
        )

    def look(self, active: Indices, runner: Runner) -> None:
        """Note what a tick has just done; for runners that show their populations."""
        populations: Sequence[Indices] = ()
        if self.spikes:
            populations = cast(ShowsSpikes, runner).all_spikes()
        membranes: tuple[_Probed, ...] = ()
        if self.membranes:
            # Of the chosen neurons alone: a state has every synaptic delay's worth of others.
            inside = cast(ShowsSpikes, runner)
            membranes = tuple(
                [
                    _Probed(
                        *inside.neurons(g.population.name, g.neurons),
                        inside.currents(g.population.name, g.neurons),
                    )
                    for g in self._groups
                ]
            )
        self._open.append(_Tick(active, populations, self._probes, membranes))

    def look_at_outputs(
        self, active: tuple[Indices, Offsets], outputs: tuple[Indices, Offsets]
    ) -> None:
        """Note what some ticks did, of a runner that shows its outputs only."""
        ports = {self.network.output_populations[n]: p for n, p in self.network.outputs.items()}
        nothing = np.zeros(0, np.int32)
        given, said = ticks_of(*active), ticks_of(*outputs)
        for one, out in zip(given, said, strict=True):
            populations = tuple(
                _of_port(out, ports[population.name]) if population.name in ports else nothing
                for population in self.network.populations
            )
            self._open.append(_Tick(one, populations, (), ()))

    def stamp(self, end_ns: int, dt_ns: int) -> None:
        """Say when the ticks since the last call were: the last one ended at end_ns."""
        ticks, self._open = self._open, []
        t_ns = end_ns - len(ticks) * dt_ns
        for tick in ticks:
            if self._kept and not 0 < t_ns - self._kept[-1][0] <= _LONGEST_PAUSE_NS:
                self._kept.clear()
            self._kept.append((t_ns, tick))
            t_ns += dt_ns

    @property
    def ticks(self) -> int:
        """How many ticks wait to be taken."""
        return len(self._kept)

    def forget(self) -> None:
        """Drop what waits."""
        self._open.clear()
        self._kept.clear()

    def take(self) -> WatchedTicks:
        """All that waits, and forget it."""
        kept = list(self._kept)
        self._kept.clear()
        ticks = [tick for _, tick in kept]
        trains = self._input_trains(ticks)
        none = np.zeros(0, np.int32)
        for number in range(len(self.network.populations)):
            trains.append(_train([t.populations[number] if t.populations else none for t in ticks]))
        t_ns = np.array([t for t, _ in kept], np.int64)
        probes = ticks[-1].probes if ticks else ()
        return WatchedTicks(t_ns, tuple(trains), probes, *self._membranes(ticks, probes))

    def _input_trains(self, ticks: list[_Tick]) -> list[tuple[NDArray[np.int64], Indices]]:
        """Each input's channels, tick by tick and ascending, each as often as it counts."""
        span = sum(port.size for port in self.network.inputs.values())
        active = [tick.active if tick.populations else tick.active[:0] for tick in ticks]
        number, channel = _train(active)
        key, counts = np.unique(number * max(span, 1) + channel, return_counts=True)
        number, channel = np.divmod(key, max(span, 1))
        trains = []
        for port in self.network.inputs.values():
            here = (channel >= port.offset) & (channel < port.offset + port.size)
            tick, own = number[here], (channel[here] - port.offset).astype(np.int32)
            if port.largest_payload > 1:
                times = np.minimum(counts[here], port.largest_payload)
                tick, own = np.repeat(tick, times), np.repeat(own, times)
            trains.append((tick, own))
        return trains

    def _membranes(
        self, ticks: list[_Tick], probes: tuple[Probe, ...]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        shape = (len(ticks), len(probes))
        membrane, threshold, current = (np.full(shape, np.nan) for _ in range(3))
        if probes != self._probes:
            return membrane, threshold, current  # chosen anew since, and not yet looked at
        for number, tick in enumerate(ticks):
            if tick.probes is not probes or not tick.membranes:
                continue
            for group, probed in zip(self._groups, tick.membranes, strict=True):
                population, neurons, columns = group
                membrane[number, columns] = probed.membrane
                current[number, columns] = probed.current
                if not population.spiking:
                    continue
                vth = population.vth[neurons].astype(np.int64) << 6
                threshold[number, columns] = vth + probed.risen
        return membrane, threshold, current


def ticks_of(indices: Indices, offsets: Offsets) -> list[Indices]:
    """The active indices of each tick."""
    return [indices[first:last] for first, last in pairwise(offsets.tolist())]


def _of_port(active: Indices, port: Port) -> Indices:
    inside = active[(active >= port.offset) & (active < port.offset + port.size)]
    return inside - np.int32(port.offset)


def _train(ticks: list[Indices]) -> tuple[NDArray[np.int64], Indices]:
    number = np.repeat(np.arange(len(ticks), dtype=np.int64), [len(tick) for tick in ticks])
    return number, np.concatenate([np.zeros(0, np.int32), *ticks])
