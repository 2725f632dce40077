# SPDX-License-Identifier: Apache-2.0
"""When a run stops: conditions on what one tick did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from neuro_control.backends.runner import Indices
from neuro_control.inspection.neuron_tick import NeuronTick
from neuro_control.network import FixedNetwork


@dataclass(frozen=True, eq=False)
class TickFacts:
    """What a condition is told of a tick.

    Attributes:
        network: the one that is stepped.
        spikes: population -> neurons that spiked, int32[m].
        quiet: population -> ticks since its last spike, this one included; from the beginning on
            where it has not spiked yet.
        counts: population -> spikes since tick 0.
        neurons: the values within the tick; None unless a condition `looks_inside`.
    """

    network: FixedNetwork
    spikes: Mapping[str, Indices]
    quiet: Mapping[str, int]
    counts: Mapping[str, int]
    neurons: NeuronTick | None


class BreakCondition(Protocol):
    """One condition. ``looks_inside``: it needs `TickFacts.neurons`, which cost a copy a tick."""

    @property
    def looks_inside(self) -> bool:
        """Whether it needs the values within the tick."""

    def why(self, facts: TickFacts) -> str:
        """Why the run stops here; "" if it goes on."""


@dataclass(frozen=True)
class Fires:
    """One of these neurons spikes (any of the population if none is named)."""

    population: str
    neurons: tuple[int, ...] = ()
    looks_inside = False

    def __str__(self) -> str:
        return f"{_named(self.population, self.neurons)} fires"

    def why(self, facts: TickFacts) -> str:
        """See `BreakCondition`."""
        fired = facts.spikes[self.population]
        if self.neurons:
            fired = fired[np.isin(fired, self.neurons)]
        return f"{_named(self.population, fired)} fired" if len(fired) else ""


@dataclass(frozen=True)
class Silent:
    """A population has not spiked for so many ticks; holds in the tick in which that is reached."""

    population: str
    ticks: int
    looks_inside = False

    def __str__(self) -> str:
        return f"{self.population} silent for {self.ticks} ticks"

    def why(self, facts: TickFacts) -> str:
        """See `BreakCondition`."""
        if facts.quiet[self.population] != self.ticks:
            return ""
        return f"{self.population} has been silent for {self.ticks} ticks"


@dataclass(frozen=True)
class Counted:
    """A population has reached so many spikes since tick 0."""

    population: str
    spikes: int
    looks_inside = False

    def __str__(self) -> str:
        return f"{self.population} reaches {self.spikes} spikes"

    def why(self, facts: TickFacts) -> str:
        """See `BreakCondition`."""
        now = facts.counts[self.population]
        before = now - len(facts.spikes[self.population])
        if not before < self.spikes <= now:
            return ""
        return f"{self.population} has spiked {now:,} times"


@dataclass(frozen=True)
class Overflows:
    """A current wraps or a membrane saturates, in a population or ("") anywhere."""

    population: str = ""
    looks_inside = True

    def __str__(self) -> str:
        return f"overflow in {self.population or 'any population'}"

    def why(self, facts: TickFacts) -> str:
        """See `BreakCondition`."""
        tick = _inside(facts)
        for population in facts.network.populations:
            if self.population not in ("", population.name):
                continue
            part = slice(population.offset, population.offset + population.size)
            for what, flags in (
                ("current wrapped", tick.wrapped),
                ("membrane saturated", tick.saturated),
            ):
                neurons = np.flatnonzero(flags[part])
                if len(neurons):
                    return f"{what} in {_named(population.name, neurons)}"
        return ""


@dataclass(frozen=True)
class Reaches:
    """A membrane, before its reset, is above a fraction of its threshold."""

    population: str
    neurons: tuple[int, ...]
    fraction: float
    looks_inside = True

    def __str__(self) -> str:
        what = _named(self.population, self.neurons)
        return f"a membrane of {what} is above {self.fraction:g} of its threshold"

    def why(self, facts: TickFacts) -> str:
        """See `BreakCondition`."""
        tick, population = _inside(facts), facts.network.population(self.population)
        chosen = np.array(self.neurons if self.neurons else np.arange(population.size), np.int64)
        index = chosen + population.offset
        above = chosen[tick.membrane[index] > self.fraction * tick.threshold[index]]
        if not len(above):
            return ""
        named = _named(self.population, above)
        return f"membrane of {named} is above {self.fraction:g} of its threshold"


def _inside(facts: TickFacts) -> NeuronTick:
    if facts.neurons is None:
        raise ValueError("the condition looks inside a tick, and was not given its values")
    return facts.neurons


def _named(population: str, neurons: tuple[int, ...] | Indices | np.ndarray) -> str:
    if not len(neurons):
        return population
    shown = ",".join(str(n) for n in neurons[:5])
    return f"{population}[{shown}{f',... {len(neurons)} in all' if len(neurons) > 5 else ''}]"
