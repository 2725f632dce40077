# SPDX-License-Identifier: Apache-2.0
"""A silent population of a run, by itself: what the search for its cause begins with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neuro_control.backends.float_cpu import FloatRunner
from neuro_control.inspection.activity import Activity, Isolated, isolate
from neuro_control.inspection.first_spike import Factor, Peak, peak, weight_factor
from neuro_control.inspection.synapse_loss import ScaleOnPath, scales_on_paths
from neuro_control.inspection.units import Units
from neuro_control.network import FixedNetwork, FixedProjection, Network


@dataclass(frozen=True, eq=False)
class Run:
    """A network, what it was given and what it did; the description it was quantised from."""

    network: FixedNetwork
    indices: np.ndarray
    offsets: np.ndarray
    activity: Activity
    description: Network | None = None

    @cached_property
    def float_spikes(self) -> set[str]:
        """Populations that spike in float32 on the same input; none without a description."""
        if self.description is None:
            return set()
        runner, found = FloatRunner(self.description), set()
        for tick in range(len(self.offsets) - 1):
            runner.step(self.indices[self.offsets[tick] : self.offsets[tick + 1]])
            found |= {p.name for p in self.network.populations if len(runner.spikes(p.name))}
        return found


@dataclass(frozen=True)
class Arrivals:
    """What one projection brought, counted in synapses that a spike passed.

    ``passed``: in all. ``in_time``: those that arrive before the run is over. ``exciting``: those
    of them whose weight is above 0. ``first_tick``: in which anything arrives.
    """

    passed: int
    in_time: int
    exciting: int
    first_tick: int | None


class SilentPopulation:
    """One silent population of a run, some source of which spikes (or whose bias drives it)."""

    def __init__(self, run: Run, name: str) -> None:
        self.run, self.name = run, name
        self.population = run.network.population(name)
        self.into = [q for q in run.network.projections if q.target == name]
        self.units = Units.of(run.network, run.description)

    @cached_property
    def alone(self) -> Isolated:
        """By itself, with what its sources gave."""
        return isolate(self.run.network, self.run.activity, self.name)

    @cached_property
    def peak(self) -> Peak:
        """Who came nearest to its threshold."""
        return peak(self.alone)

    @cached_property
    def weight_factor(self) -> Factor | None:
        """What the weights into it must be multiplied by for its first spike."""
        return weight_factor(self.alone)

    @cached_property
    def arrivals(self) -> list[Arrivals]:
        """What each projection into it brought, in their order."""
        return [self._arrivals(q) for q in self.into]

    def scales(self) -> list[ScaleOnPath]:
        """Scale nodes between it and sources that spike."""
        live = {s for s, train in self.run.activity.trains.items() if len(train.tick)}
        return scales_on_paths(self.run.description, self.name, live)

    def active_channels(self) -> dict[str, np.ndarray]:
        """Source -> its channels that spiked, for the sources that did."""
        trains = {q.source: self.run.activity.trains[q.source] for q in self.into}
        return {name: np.unique(t.neuron) for name, t in trains.items() if len(t.neuron)}

    def reached(self) -> str:
        """How near it came, in words."""
        nearest = self.peak
        values = f"{nearest.membrane:,} of {nearest.threshold:,}"
        if self.units.knows(self.name):
            at = np.array([nearest.neuron])
            membrane, threshold = (
                self.units.voltage(self.name, np.array([value]), at)[0]
                for value in (nearest.membrane, nearest.threshold)
            )
            values += f", {membrane:.4g} of {threshold:.4g} in its own units"
        return (
            f"the membrane of {self.name}[{nearest.neuron}] comes nearest, in tick {nearest.tick}: "
            f"{nearest.ratio:.1%} of its threshold ({values})"
        )

    def _arrivals(self, projection: FixedProjection) -> Arrivals:
        train = self.run.activity.trains[projection.source]
        count = np.diff(projection.row_start)
        exciting = np.concatenate([[0], np.cumsum(projection.weight > 0)])
        exciting = exciting[projection.row_start[1:]] - exciting[projection.row_start[:-1]]
        arrival = train.tick + 1 + projection.delay
        in_time = arrival < self.run.activity.ticks
        passing = count[train.neuron] > 0
        return Arrivals(
            int(count[train.neuron].sum()),
            int(count[train.neuron][in_time].sum()),
            int(exciting[train.neuron][in_time].sum()),
            int(arrival[passing].min()) if passing.any() else None,
        )
