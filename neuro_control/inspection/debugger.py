# SPDX-License-Identifier: Apache-2.0
"""Step a network tick by tick, forwards and backwards, and look at everything in it.

A debugger stands *after* so many ticks (``tick``); the last one done has the number ``tick - 1``.
What is given in tick t reaches a membrane in tick t + 1. The engine steps at its own speed; the
values within a tick are worked out when they are looked at. To go back, the nearest moment that
was kept is restored, and the ticks from there are done again: the engine is deterministic.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.cpu import CpuRunner
from neuro_control.backends.recorder import RecordableRunner, check_trains
from neuro_control.backends.runner import Indices, RunnerState, entering
from neuro_control.inspection.break_conditions import BreakCondition, TickFacts
from neuro_control.inspection.moment import Moment, TickSpikes
from neuro_control.inspection.neuron_tick import NeuronParameters, NeuronTick, neuron_tick
from neuro_control.inspection.synaptic_origins import ProjectionInput, synaptic_origins
from neuro_control.network import FixedNetwork

FIRST_INTERVAL = 64
"""Ticks between two moments that are kept, as long as memory allows it."""


@dataclass(frozen=True)
class Stop:
    """Where a run stopped: after how many ticks in all, and why ("" at the end of what was asked).

    ``ended``: the input is over.
    """

    tick: int
    why: str = ""
    ended: bool = False


class Debugger:
    """A run of a network over given spikes. Nothing here changes the network or the input."""

    def __init__(
        self,
        network: FixedNetwork,
        indices: Indices,
        offsets: NDArray[np.int64],
        *,
        runner: RecordableRunner | None = None,
        most_bytes: int = 256 << 20,
    ) -> None:
        """Begin at rest, before tick 0.

        Args:
            network: what to step.
            indices: active inputs of all ticks, int32[n].
            offsets: tick t is given ``indices[offsets[t]:offsets[t + 1]]``, int64[ticks + 1].
            runner: who steps it; the CPU engine by default. It is reset.
            most_bytes: memory for the moments that going back starts from.

        Raises:
            ValueError: the input does not fit the network.
        """
        self.network = network
        self._runner = CpuRunner(network) if runner is None else runner
        self._indices, self._offsets = check_trains(self._runner, indices, offsets)
        self._parameters = NeuronParameters.of(network)
        self._names = [population.name for population in network.populations]
        self._most_bytes = most_bytes
        self._inside: NeuronTick | None = None
        self._runner.reset()
        none = np.zeros(len(self._names), np.int64)
        self._go_on_from(Moment(0, self._runner.state(), none, none, ()))
        self._forget_other_moments()

    @property
    def tick(self) -> int:
        """Ticks that have been done."""
        return self._tick

    @property
    def ticks(self) -> int:
        """Ticks that the input has."""
        return len(self._offsets) - 1

    @property
    def first_tick(self) -> int:
        """The earliest tick to go back to: 0, or that of a state that was restored."""
        return self._kept[0].tick

    @property
    def counts(self) -> dict[str, int]:
        """Spikes of each population since tick 0."""
        return dict(zip(self._names, self._counts.tolist(), strict=True))

    @property
    def spikes(self) -> dict[str, Indices]:
        """Neurons of each population that spiked in the last tick; none before tick 0."""
        nothing = (np.zeros(0, np.int32),) * len(self._names)
        last = self._recent[-1].spikes if self._recent else nothing
        return dict(zip(self._names, last, strict=True))

    def inputs(self, tick: int) -> Indices:
        """Active inputs of a tick, ascending, each as often as it counts.

        None where the input has no such tick.
        """
        if not 0 <= tick < self.ticks:
            return np.zeros(0, np.int32)
        given = self._indices[self._offsets[tick] : self._offsets[tick + 1]]
        return entering(given, self._runner.input_ports)

    def state(self) -> RunnerState:
        """A copy of the engine's state."""
        return self._runner.state()

    def last_tick(self) -> NeuronTick | None:
        """The values within the last tick; None where no tick has been done since the first."""
        if self._tick <= self.first_tick:
            return None
        if self._inside is None:
            here = self._tick
            self.go_to(here - 1)
            before = self._runner.state()
            self._step()
            self._inside = neuron_tick(self._parameters, before)
        return self._inside

    def next_tick(self) -> NeuronTick:
        """The values within the tick that comes next."""
        return neuron_tick(self._parameters, self._runner.state())

    def origins(self, population: str, neuron: int) -> tuple[ProjectionInput, ...] | None:
        """What brought a neuron the input that arrived in the last tick, by projection.

        None where no tick has been done. Their ``arrived`` add up to the neuron's input exactly.

        Raises:
            ValueError: there is no such population or neuron.
        """
        size = self.network.population(population).size
        if not 0 <= neuron < size:
            raise ValueError(f"{population!r} has the neurons 0..{size - 1}, not {neuron}")
        if not self._recent:
            return None
        return synaptic_origins(
            self.network, list(self._recent), self._tick - 1, population, neuron
        )

    def step(self, ticks: int = 1) -> Stop:
        """Do so many ticks, whatever happens, or as many as the input still has."""
        if ticks < 0:
            raise ValueError(f"cannot do {ticks} ticks; go_to goes back")
        for _ in range(min(ticks, self.ticks - self._tick)):
            self._step()
        return Stop(self._tick, ended=self._tick == self.ticks)

    def run(self, conditions: Sequence[BreakCondition] = (), most: int | None = None) -> Stop:
        """Go on until a condition holds, ``most`` ticks are done, or the input is over."""
        looks_inside = any(condition.looks_inside for condition in conditions)
        end = self.ticks if most is None else min(self.ticks, self._tick + most)
        while self._tick < end:
            before = self._runner.state() if looks_inside else None
            self._step()
            if not conditions:
                continue
            if before is not None:
                self._inside = neuron_tick(self._parameters, before)
            facts = TickFacts(
                self.network,
                self.spikes,
                dict(zip(self._names, self._quiet.tolist(), strict=True)),
                self.counts,
                self._inside,
            )
            reasons = [why for condition in conditions if (why := condition.why(facts))]
            if reasons:
                return Stop(self._tick, "; ".join(reasons), self._tick == self.ticks)
        return Stop(self._tick, ended=self._tick == self.ticks)

    def go_to(self, tick: int) -> None:
        """Go forwards or back, to where so many ticks have been done.

        Raises:
            ValueError: there is no such tick.
        """
        if not self.first_tick <= tick <= self.ticks:
            raise ValueError(f"tick {tick}: there are {self.first_tick} to {self.ticks}")
        at = bisect_right([moment.tick for moment in self._kept], tick) - 1
        nearest = self._kept[at]
        if tick < self._tick or nearest.tick > self._tick:
            self._go_on_from(nearest)
        while self._tick < tick:
            self._step()

    def moment(self) -> Moment:
        """Everything that is needed to go on from here."""
        return Moment(
            self._tick,
            self._runner.state(),
            self._counts.copy(),
            self._quiet.copy(),
            tuple(self._recent),
        )

    def restore(self, moment: Moment) -> None:
        """Go on from a moment, with the input from its tick on; what was before is forgotten.

        Raises:
            ValueError: it belongs to another network, or lies behind the end of the input.
        """
        if moment.tick > self.ticks:
            raise ValueError(
                f"the state is of tick {moment.tick}, but the input has {self.ticks} ticks"
            )
        moment.check(self.network)
        self._go_on_from(moment)
        self._forget_other_moments()

    def _go_on_from(self, moment: Moment) -> None:
        self._runner.restore(moment.state)
        self._tick = moment.tick
        self._counts, self._quiet = moment.counts.copy(), moment.quiet.copy()
        self._recent: deque[TickSpikes] = deque(moment.recent, self.network.longest_delay + 2)
        self._inside = None

    def _forget_other_moments(self) -> None:
        self._kept = [self.moment()]
        self._interval = FIRST_INTERVAL

    def _step(self) -> None:
        active = self.inputs(self._tick)
        self._runner.step(active)
        spikes = tuple(self._runner.spikes(name) for name in self._names)
        fired = np.array([len(part) for part in spikes], np.int64)
        self._counts += fired
        self._quiet = np.where(fired > 0, 0, self._quiet + 1)
        self._recent.append(TickSpikes(self._tick, active, spikes))
        self._tick += 1
        self._inside = None
        last = self._kept[-1].tick
        if self._tick > last and self._tick - last >= self._interval:
            self._kept.append(self.moment())
            self._thin_out()

    def _thin_out(self) -> None:
        """Half as many moments, twice as far apart, where they take more memory than allowed."""
        while len(self._kept) > 2 and _bytes(self._kept) > self._most_bytes:
            self._kept = self._kept[::2]
            self._interval *= 2


def _bytes(moments: Iterable[Moment]) -> int:
    return sum(moment.nbytes for moment in moments)
