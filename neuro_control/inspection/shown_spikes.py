# SPDX-License-Identifier: Apache-2.0
"""What a runner in this process shows of its populations between two ticks."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.runner import Indices

Neurons = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Membranes of some neurons, and by how much their thresholds have risen, int64[n] each."""


@runtime_checkable
class ShowsSpikes(Protocol):
    """A runner that shows what every population did in the last tick, outputs or not."""

    def spikes(self, name: str) -> Indices:
        """Neurons of a population that spiked in the last tick, int32[m], ascending."""

    def all_spikes(self) -> list[Indices]:
        """`spikes` of every population of the network, in its order."""

    def neurons(self, name: str, chosen: NDArray[np.int64] | None = None) -> Neurons:
        """Membranes of some neurons, and by how much their thresholds have risen."""

    def currents(self, name: str, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Currents of some neurons, int64[n]."""
