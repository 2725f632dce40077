# SPDX-License-Identifier: Apache-2.0
"""What quantisation does to firing rates, on spikes that are given."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.cpu import CpuRunner
from neuro_control.backends.recorder import record
from neuro_control.backends.runner import Indices
from neuro_control.network import FixedNetwork, Network
from neuro_control.network.euler import EulerNetwork


@dataclass(frozen=True)
class RateChange:
    """Mean rates of a population, and the largest difference of one of its neurons."""

    name: str
    float_hz: float
    fixed_hz: float
    worst_neuron_hz: float

    @property
    def relative_change(self) -> float:
        """Of the mean rate; 0 where nothing fires, infinite where only the integers do."""
        if self.float_hz == self.fixed_hz:
            return 0.0
        return self.fixed_hz / self.float_hz - 1 if self.float_hz else np.inf


def rate_changes(
    network: Network, fixed: FixedNetwork, indices: Indices, offsets: NDArray[np.int64]
) -> tuple[RateChange, ...]:
    """Run the float equations and the integers on the same spikes.

    Args:
        network: the description.
        fixed: its integers (or those of a noisy or coarser copy).
        indices: active inputs, int32[n].
        offsets: int64[ticks + 1], as `Runner.run` takes them.

    Returns:
        One a spiking population, in order.
    """
    recording = record(CpuRunner(fixed), indices, offsets)
    counts = {p.name: np.zeros(p.size) for p in fixed.populations if p.spiking}
    euler = EulerNetwork(network)
    for begin, end in pairwise(offsets):
        for name, neurons in euler.step(indices[begin:end]).items():
            if name in counts:
                counts[name][neurons] += 1
    seconds = max(len(offsets) - 1, 1) * network.dt_s
    found = []
    for name, count in counts.items():
        own = np.bincount(recording.spikes[name].neuron, minlength=len(count))
        rates = count / seconds, own / seconds
        worst = float(np.abs(rates[1] - rates[0]).max())
        found.append(RateChange(name, float(rates[0].mean()), float(rates[1].mean()), worst))
    return tuple(found)
