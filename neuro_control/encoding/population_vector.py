# SPDX-License-Identifier: Apache-2.0
"""Values from the spikes of a population: each spike votes for what its neuron prefers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from neuro_control.encoding.code import Float, at_least, positive


@dataclass(frozen=True)
class PopulationVector:
    """What a population says.

    value: float64[d], mean preferred value of the recent spikes; None if it is silent.
    activity: number of spikes, weighted with the exponential kernel.
    """

    value: Float | None
    activity: float


class PopulationVectorDecoder:
    """Mean of the preferred values, weighted with an exponential kernel in time.

    ``value = sum_i c_i a_i / sum_i a_i`` with a_i neuron i's spikes filtered by ``exp(-t / tau)``
    (the population vector of Georgopoulos et al., Science 233, 1986). Below `silence` filtered
    spikes the population is silent and has no value.
    """

    def __init__(
        self, preferred: ArrayLike, *, tau_s: float, dt_ns: int, silence: float = 1.0
    ) -> None:
        """preferred: float64[n, d], the value that each neuron votes for."""
        self.preferred = np.ascontiguousarray(preferred, dtype=np.float64)
        if self.preferred.ndim != 2 or not np.isfinite(self.preferred).all():
            raise ValueError(
                f"preferred: shape {self.preferred.shape} must be (neurons, values) and finite"
            )
        positive("tau_s", tau_s)
        at_least("dt_ns", dt_ns, 1)
        positive("silence", silence)
        self.silence = silence
        self._keep = math.exp(-dt_ns * 1e-9 / tau_s)
        self.reset()

    def reset(self) -> None:
        """Forget every spike."""
        # The votes for each value, and behind them the number of spikes.
        self._votes = np.zeros(self.preferred.shape[1] + 1)

    def decode(
        self, indices: NDArray[np.int32], offsets: NDArray[np.int64], first: int = 0
    ) -> PopulationVector:
        """Take the spikes of some ticks; indices of neurons that are not ours are passed over.

        Args:
            indices: int32, active indices of all ticks.
            offsets: int64[ticks + 1].
            first: index of this population's first neuron.
        """
        _vote(self._votes, self.preferred, self._keep, indices, offsets, first)
        return self.read()

    def read(self) -> PopulationVector:
        """What the population says now."""
        activity = float(self._votes[-1])
        if activity < self.silence:
            return PopulationVector(None, activity)
        return PopulationVector(self._votes[:-1] / activity, activity)


@njit(cache=True, nogil=True)
def _vote(
    votes: Float,
    preferred: Float,
    keep: float,
    indices: NDArray[np.int32],
    offsets: NDArray[np.int64],
    first: int,
) -> None:
    neurons, values = preferred.shape
    for tick in range(offsets.size - 1):
        for k in range(values + 1):
            votes[k] *= keep
        for i in range(offsets[tick], offsets[tick + 1]):
            neuron = indices[i] - first
            if 0 <= neuron < neurons:
                for k in range(values):
                    votes[k] += preferred[neuron, k]
                votes[values] += 1.0
