# SPDX-License-Identifier: Apache-2.0
"""What the arena of the CPU backend holds of a population, as numpy arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuro_control.network import FixedPopulation

Integers = NDArray[np.signedinteger]


@dataclass(frozen=True, eq=False)
class PopulationView:
    """A population's part of the arena.

    membrane, current int[size]; pending int[ring, size]. Where ``filtered`` is False, current
    holds the last input. own: int[2, size], what thresholds have risen by and ticks still held,
    None where its own spikes leave no trace. count: int64[1], spikes of the last tick; spikes
    int32[size]. ``order`` int32[size] is the documented number of each neuron here, None where they
    lie in that order.
    """

    population: FixedPopulation
    filtered: bool
    membrane: Integers
    current: Integers
    pending: Integers
    own: Integers | None
    awake: NDArray[np.int8]
    spikes: NDArray[np.int32]
    count: NDArray[np.int64]
    order: NDArray[np.int32] | None

    @property
    def place(self) -> slice:
        """Its neurons among those of the network."""
        return slice(self.population.offset, self.population.offset + self.population.size)

    def last_spikes(self, count: int) -> NDArray[np.int32]:
        """The so many neurons that spiked last, a copy, ascending in their documented order."""
        fired = self.spikes[:count]
        return fired.copy() if self.order is None else np.sort(self.order[fired])

    def shown_current(self) -> NDArray[np.int64]:
        """Currents in their documented order."""
        return self._wrapped(self.outside(self.current))

    def current_at(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Currents of the neurons at these places of the arena."""
        return self._wrapped(self.current[places].astype(np.int64))

    def _wrapped(self, current: NDArray[np.int64]) -> NDArray[np.int64]:
        if not self.filtered:
            current <<= 6
            current -= (current > 1 << 23) * (1 << 24)
            current += (current <= -(1 << 23)) * (1 << 24)
        return current

    def stored_current(self, current: NDArray[np.int64]) -> NDArray[np.int64]:
        """What the arena holds for currents in their documented order."""
        return current if self.filtered else current >> 6

    def outside(self, values: NDArray[np.generic]) -> NDArray[np.int64]:
        """Values of neurons (along the last axis) in their documented order."""
        made = np.empty(values.shape, np.int64)
        made[..., slice(None) if self.order is None else self.order] = values
        return made

    def inside(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Values of neurons (along the last axis) in the order of the arena."""
        return values if self.order is None else values[..., self.order]
