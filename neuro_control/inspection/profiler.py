# SPDX-License-Identifier: Apache-2.0
"""What of a network costs how much: time, spikes and synaptic operations by node.

Spikes and operations are counted exactly, and add up to the runner's counters.

Time is measured, and attributed like this. Each population is stepped by itself, by the same
engine, in one call, with the spikes that its sources gave in the run: its neurons, and the
delivery into them, do what they do in the whole. So a population's time is that of a run of its
own, not a share of the whole's. The delivery of one projection is measured where nothing else
differs: into neurons that are kept awake by a bias, with these synapses and without. What is left
of a population's time is its neurons'. A step of an empty network (the call, the loop over ticks)
is measured as well and taken off each.

The sum over the populations is checked against the whole, measured in the same turns: ``coverage``
says what share of the whole's time it is. It is not 1: a population by itself finds its state
and its weights in caches that the whole has to share, and where it has several sources the engine
looks through all their spikes for each of them. Times are of the processor that the thread had,
not of a clock on the wall. The parts take turns, and of every stretch of ticks the least time
counts: what it takes while nothing else disturbs it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.cpu import CpuRunner
from neuro_control.backends.runner import Indices, RunCounters
from neuro_control.inspection.activity import (
    Activity,
    Isolated,
    isolate,
    operations_by_projection,
    record_activity,
)
from neuro_control.network import FixedNetwork, FixedPopulation, FixedProjection, Port

TURNS = 9
"""How often each part is timed; the least time counts."""
STRETCH = 50
"""Ticks that are timed together, in one call."""


@dataclass(frozen=True)
class ProjectionProfile:
    """One projection. ``us`` is the mean time of its delivery in a tick, microseconds."""

    name: str
    source: str
    target: str
    synapses: int
    operations: int
    us: float


@dataclass(frozen=True)
class PopulationProfile:
    """One population. ``us`` a tick, everything that flows into it included, microseconds.

    ``neurons_us`` is what is left of it for the neurons when the deliveries are taken off; noise
    can make it less than nothing, and then it says so.
    """

    name: str
    neurons: int
    spikes: int
    operations: int
    us: float
    neurons_us: float
    projections: tuple[ProjectionProfile, ...]


@dataclass(frozen=True)
class Profile:
    """A run of ``ticks`` ticks; the populations that take most time come first.

    ``whole_us`` is the whole network's time for a tick, ``overhead_us`` that of an empty one, which
    every engine call has and no node is charged with.
    """

    ticks: int
    counters: RunCounters
    whole_us: float
    overhead_us: float
    populations: tuple[PopulationProfile, ...]
    inputs: Mapping[str, int]

    @property
    def sum_us(self) -> float:
        """The populations' times together, and the overhead once."""
        return self.overhead_us + sum(population.us for population in self.populations)

    @property
    def coverage(self) -> float:
        """The sum over the whole: 1 where the parts explain it exactly."""
        return self.sum_us / self.whole_us if self.whole_us else 0.0

    @property
    def spikes(self) -> int:
        """Of all populations."""
        return sum(population.spikes for population in self.populations)

    @property
    def operations(self) -> int:
        """Of all projections."""
        return sum(population.operations for population in self.populations)

    def as_json(self) -> dict[str, Any]:
        """The same for `json.dumps`."""
        return asdict(self) | {"sum_us": self.sum_us, "coverage": self.coverage}


def profile(
    network: FixedNetwork,
    indices: Indices,
    offsets: NDArray[np.int64],
    *,
    turns: int = TURNS,
) -> Profile:
    """Count and time a run from rest.

    Args:
        network: what to run.
        indices: active inputs, int32[n].
        offsets: int64[ticks + 1], as `Runner.run` takes them.
        turns: how often each part is timed.

    Raises:
        ValueError: there is no tick, no turn, or the input does not fit the network.
    """
    if turns < 1:
        raise ValueError(f"turns {turns}: must be at least 1")
    activity = record_activity(network, indices, offsets)
    if not activity.ticks:
        raise ValueError("a run without ticks takes no time")
    parts: dict[Any, Isolated] = {"whole": Isolated(network, indices, offsets)}
    parts["empty"] = _sink(network, activity, None, 0)
    sizes = {population.size for population in network.populations}
    parts |= {("awake", size): _sink(network, activity, None, size) for size in sizes}
    for number, projection in enumerate(network.projections):
        parts["delivery", number] = _sink(network, activity, projection, projection.n_target)
    for population in network.populations:
        parts["population", population.name] = isolate(network, activity, population.name)
    us = time_parts(parts, turns)
    operations = operations_by_projection(network, activity)
    empty = us["empty"]
    found = []
    for population in network.populations:
        into = tuple(
            ProjectionProfile(
                q.name,
                q.source,
                q.target,
                len(q.weight),
                int(operations[number]),
                us["delivery", number] - us["awake", q.n_target],
            )
            for number, q in enumerate(network.projections)
            if q.target == population.name
        )
        own = us["population", population.name] - empty
        found.append(
            PopulationProfile(
                population.name,
                population.size,
                len(activity.trains[population.name].tick),
                sum(q.operations for q in into),
                own,
                own - sum(q.us for q in into),
                tuple(sorted(into, key=lambda q: -q.us)),
            )
        )
    found.sort(key=lambda p: -p.us)
    inputs = {name: len(activity.trains[name].tick) for name in network.inputs}
    return Profile(activity.ticks, activity.counters, us["whole"], empty, tuple(found), inputs)


def time_parts(parts: Mapping[Any, Isolated], turns: int) -> dict[Any, float]:
    """Mean time of a tick of each part, microseconds; the parts take turns."""
    runners = {key: CpuRunner(part.network) for key, part in parts.items()}
    stretches = {key: _stretches(part) for key, part in parts.items()}
    least = {key: np.full(len(cut), np.inf) for key, cut in stretches.items()}
    for runner in runners.values():
        runner.warm()
    for _ in range(turns):
        for key, cut in stretches.items():
            runner, own = runners[key], least[key]
            runner.reset()
            for number, (indices, offsets) in enumerate(cut):
                begin = time.thread_time_ns()
                runner.run(indices, offsets)
                own[number] = min(own[number], time.thread_time_ns() - begin)
    return {
        key: float(least[key].sum()) * 1e-3 / (len(part.offsets) - 1) for key, part in parts.items()
    }


def _stretches(part: Isolated) -> list[tuple[Indices, NDArray[np.int64]]]:
    """The input of a part in stretches of ticks, as `Runner.run` takes them."""
    found = []
    for begin in range(0, len(part.offsets) - 1, STRETCH):
        offsets = part.offsets[begin : begin + STRETCH + 1]
        found.append((part.indices[offsets[0] : offsets[-1]], offsets - offsets[0]))
    return found


def _sink(
    network: FixedNetwork, activity: Activity, projection: FixedProjection | None, size: int
) -> Isolated:
    """Neurons that never rest and never spike, with one projection's synapses or none.

    A size of 0 stands for one neuron: the least that a network can have.
    """
    n = max(size, 1)
    full, zero = np.full(n, 4095, np.int32), np.zeros(n, np.int32)
    population = FixedPopulation(
        "sink", (n,), 0, full, full, zero, np.ones_like(zero), spiking=False
    )
    nothing = Isolated(
        FixedNetwork((population,), (), {}, {}, {}, network.dt_s),
        np.zeros(0, np.int32),
        np.zeros(activity.ticks + 1, np.int64),
    )
    if projection is None:
        return nothing
    train = activity.trains[projection.source]
    port = network.inputs.get(projection.source)
    bits = 0 if port is None else port.message_bits
    alone = FixedNetwork(
        (population,),
        (replace(projection, source="source", target="sink"),),
        {"source": Port(0, train.n_neurons, (train.n_neurons,), bits)},
        {},
        {},
        network.dt_s,
    )
    offsets = np.searchsorted(train.tick, np.arange(activity.ticks + 1)).astype(np.int64)
    return Isolated(alone, train.neuron, offsets)
