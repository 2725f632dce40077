# SPDX-License-Identifier: Apache-2.0
"""What happens inside a network while it steers: spikes of every population, chosen membranes.

A runner gives only the network's outputs, and many ticks in one call. While somebody watches, the
same ticks are stepped one by one and every population is asked after each: the same spikes, at
some microseconds a tick more. While nobody does, a call passes straight through.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.runner import Indices, Runner
from neuro_control.network import FixedNetwork, Port

Role = Literal["input", "hidden", "output"]
Offsets = NDArray[np.int64]

MOST_TICKS = 2000
"""Ticks that wait to be taken at most; the oldest are forgotten."""

MOST_PROBES = 32
"""Neurons whose membranes can be watched at once: each population of theirs is copied a tick."""

# A step in the ticks' time beyond this, or back, is a time that began anew.
_LONGEST_PAUSE_NS = 1_000_000_000


@runtime_checkable
class ShowsSpikes(Protocol):
    """A runner that shows what populations that are no output did in the last tick."""

    def spikes(self, name: str) -> Indices:
        """Neurons of a population that spiked in the last tick, int32[m], ascending."""


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


@dataclass(frozen=True)
class Probe:
    """A neuron whose membrane is watched: its number in a population."""

    population: str
    neuron: int

    def __str__(self) -> str:
        return f"{self.population}:{self.neuron}"


def parse_probes(text: str) -> tuple[Probe, ...]:
    """Probes written as "field:528, retina:10"; none for an empty text.

    Raises:
        ValueError: a part is not of the form population:neuron, or comes twice.
    """
    probes: list[Probe] = []
    for part in (word.strip() for word in text.split(",")):
        if not part:
            continue
        population, _, number = part.rpartition(":")
        if not (population and number.isdecimal()):
            raise ValueError(f"{part!r} is not of the form population:neuron, as in field:528")
        probe = Probe(population, int(number))
        if probe in probes:
            raise ValueError(f"{probe} is chosen twice")
        probes.append(probe)
    return tuple(probes)


@dataclass(frozen=True, eq=False)
class Activity:
    """What a network did in some ticks.

    Attributes:
        t_ns: int64[ticks], when each tick began, sensor time.
        spikes: for every row in order, (tick int64[m], neuron int32[m]): number of the tick in
            `t_ns`, and of the neuron in its row; ascending.
        probes: whose membranes are in `membrane`; in the last tick, as they can be changed.
        membrane, threshold: float64[ticks, probes], after each tick, NaN where a probe was not
            yet chosen; a neuron that spikes reads 0 in its tick.
    """

    t_ns: NDArray[np.int64]
    spikes: tuple[tuple[NDArray[np.int64], Indices], ...]
    probes: tuple[Probe, ...]
    membrane: NDArray[np.float64]
    threshold: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Tick:
    active: Indices
    populations: tuple[Indices, ...]
    probes: tuple[Probe, ...]
    membrane: NDArray[np.float64]
    threshold: NDArray[np.float64]
    t_ns: int = 0


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
        self._open: list[_Tick] = []
        self._kept: deque[_Tick] = deque(maxlen=MOST_TICKS)

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
        for probe in probes:
            size = self.network.population(probe.population).size
            if not 0 <= probe.neuron < size:
                raise ValueError(f"{probe}: {probe.population} has the neurons 0 to {size - 1}")
        self._probes = tuple(probes)

    def look(self, active: Indices, runner: Runner) -> None:
        """Note what a tick has just done; for runners that show their populations."""
        membrane, threshold = self._membranes(runner)
        shows = cast(ShowsSpikes, runner)
        names = self.network.populations if self.spikes else ()
        populations = tuple(shows.spikes(population.name) for population in names)
        active = active if self.spikes else active[:0]
        self._open.append(_Tick(active, populations, self._probes, membrane, threshold))

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
            self._open.append(_Tick(one, populations, (), np.zeros(0), np.zeros(0)))

    def stamp(self, end_ns: int, dt_ns: int) -> None:
        """Say when the ticks since the last call were: the last one ended at end_ns."""
        ticks, self._open = self._open, []
        for number, tick in enumerate(ticks):
            t_ns = end_ns - (len(ticks) - number) * dt_ns
            if self._kept and not 0 < t_ns - self._kept[-1].t_ns <= _LONGEST_PAUSE_NS:
                self._kept.clear()
            self._kept.append(replace(tick, t_ns=t_ns))

    @property
    def ticks(self) -> int:
        """How many ticks wait to be taken."""
        return len(self._kept)

    def forget(self) -> None:
        """Drop what waits."""
        self._open.clear()
        self._kept.clear()

    def take(self) -> Activity:
        """All that waits, and forget it."""
        ticks = list(self._kept)
        self._kept.clear()
        probes = ticks[-1].probes if ticks else ()
        shape = (len(ticks), len(probes))
        membrane, threshold = np.full(shape, np.nan), np.full(shape, np.nan)
        for number, tick in enumerate(ticks):
            if tick.probes == probes:
                membrane[number], threshold[number] = tick.membrane, tick.threshold
        none = np.zeros(0, np.int32)
        trains = [
            _train([np.unique(_of_port(tick.active, port)) for tick in ticks])
            for port in self.network.inputs.values()
        ]
        for number in range(len(self.network.populations)):
            trains.append(_train([t.populations[number] if t.populations else none for t in ticks]))
        t_ns = np.array([tick.t_ns for tick in ticks], np.int64)
        return Activity(t_ns, tuple(trains), probes, membrane, threshold)

    def _membranes(self, runner: Runner) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        probes = self._probes
        membrane, threshold = np.full(len(probes), np.nan), np.full(len(probes), np.nan)
        if not self.membranes:
            return membrane, threshold
        found: dict[str, NDArray[np.int64]] = {}
        adaptation: NDArray[np.int64] | None = None
        for number, probe in enumerate(probes):
            population = self.network.population(probe.population)
            if probe.population not in found:
                found[probe.population] = runner.membrane(probe.population).ravel()
            membrane[number] = found[probe.population][probe.neuron]
            if not population.spiking:
                continue
            threshold[number] = int(population.vth[probe.neuron]) << 6
            if np.any(population.threshold_step):
                if adaptation is None:
                    adaptation = runner.state().adaptation
                threshold[number] += adaptation[population.offset + probe.neuron]
        return membrane, threshold


def ticks_of(indices: Indices, offsets: Offsets) -> list[Indices]:
    """The active indices of each tick."""
    return [indices[first:last] for first, last in pairwise(offsets.tolist())]


def _of_port(active: Indices, port: Port) -> Indices:
    inside = active[(active >= port.offset) & (active < port.offset + port.size)]
    return inside - np.int32(port.offset)


def _train(ticks: list[Indices]) -> tuple[NDArray[np.int64], Indices]:
    number = np.repeat(np.arange(len(ticks), dtype=np.int64), [len(tick) for tick in ticks])
    return number, np.concatenate([np.zeros(0, np.int32), *ticks])
