# SPDX-License-Identifier: Apache-2.0
"""Spikes counted by place and slice of time: the raster of a network, and what the ears hear.

Rows (populations, ears) of many neurons are drawn in bands of a few bins each, so that a frame is
as small for a million neurons as for a thousand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_control.events import Events

Array = Any  # numba infers the types; numpy's generics say nothing to it

SLICES = 128
"""Slices of time that are kept; a page that misses a few frames misses nothing."""


class SpikeCounts:
    """Counts uint8[bins, SLICES] of the newest slices of time.

    Args:
        neurons: of each row; neuron x of row y has the address (x, y).
        most_bins: of a row; neurons x share bin x * bins // neurons where they are more.
        slice_ns: length of a slice (ns).

    Raises ValueError without rows, or for a row without neurons.
    """

    def __init__(self, neurons: Sequence[int], most_bins: int, slice_ns: int) -> None:
        self.neurons = np.array(neurons, np.int64)
        if len(self.neurons) == 0 or int(self.neurons.min()) < 1:
            raise ValueError(f"neurons is {list(neurons)}; every row must have some")
        self.bins = np.minimum(self.neurons, most_bins)
        self.slice_ns = slice_ns
        self.newest_slice = -1
        self._first = np.concatenate([[0], np.cumsum(self.bins)])
        self._counts = np.zeros((int(self._first[-1]), SLICES), np.uint8)
        self._totals = np.zeros((len(self.neurons), SLICES), np.int64)

    def add(self, events: Events) -> None:
        """Take in spikes, ascending in time; those of addresses that there are not are left out."""
        if len(events) == 0:
            return
        slices = events.t_ns // self.slice_ns
        self.advance(int(slices[-1]))
        _count(
            events.x, events.y, slices, self.newest_slice - SLICES, SLICES,
            self.neurons, self.bins, self._first, self._counts, self._totals,
        )  # fmt: skip

    def advance(self, newest_slice: int) -> None:
        """Time has come to this slice, with or without spikes."""
        fresh = newest_slice - self.newest_slice
        if fresh <= 0:
            return
        if self.newest_slice < 0 or fresh >= SLICES:
            self._clear()
        else:
            places = np.arange(self.newest_slice + 1, newest_slice + 1) % SLICES
            self._counts[:, places] = 0
            self._totals[:, places] = 0
        self.newest_slice = newest_slice

    def reset(self) -> None:
        """Forget everything: the sensor's time began anew."""
        self._clear()
        self.newest_slice = -1

    def _clear(self) -> None:
        self._counts.fill(0)
        self._totals.fill(0)

    def columns(self, count: int = SLICES) -> NDArray[np.uint8]:
        """Counts in order of time, uint8[bins, count]; the last column is slice newest_slice."""
        return self._counts[:, (self.newest_slice + 1 - count + np.arange(count)) % SLICES]

    def rates_hz(self, count: int = SLICES) -> NDArray[np.float64]:
        """Mean firing rate of a neuron of each row over the `count` newest slices (1/s)."""
        places = (self.newest_slice + 1 - count + np.arange(count)) % SLICES
        spikes = self._totals[:, places].sum(axis=1)
        return spikes / (self.neurons * (count * self.slice_ns * 1e-9))


@njit(cache=True, nogil=True)
def _count(
    x: Array, y: Array, slices: Array, oldest: int, kept: int, neurons: Array, bins: Array,
    first: Array, counts: Array, totals: Array,
) -> None:  # fmt: skip
    for i in range(x.size):
        row = np.int64(y[i])
        column = np.int64(x[i])
        if slices[i] <= oldest or row >= neurons.size or column >= neurons[row]:
            continue
        place = slices[i] % kept
        totals[row, place] += 1
        at = first[row] + column * bins[row] // neurons[row]
        if counts[at, place] < 255:
            counts[at, place] += 1
