# SPDX-License-Identifier: Apache-2.0
"""Delays counted in logarithmic buckets: constant memory, percentiles of a whole run."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_PER_DECADE = 50
_DECADES = 8  # from 1 us to 100 s
_LOWEST_S = 1e-6
# The middle of a bucket is at most this far from what was counted in it.
RELATIVE_ERROR = 10 ** (0.5 / _PER_DECADE) - 1


@dataclass(frozen=True)
class LatencySummary:
    """median, p99 and max in ms; NaN if nothing was counted. count: how many there were."""

    count: int
    median_ms: float
    p99_ms: float
    max_ms: float


class LatencyHistogram:
    """Counts delays of the whole run and of a recent window.

    The window is made of slices; `next_slice` (called once a second, say) begins a new one and
    forgets the oldest. Percentiles are exact to 2.4 %, the largest value exactly.
    """

    def __init__(self, slices: int = 10) -> None:
        if slices < 1:
            raise ValueError(f"slices must be at least 1, got {slices}")
        self._run = np.zeros(_PER_DECADE * _DECADES + 2, np.int64)
        self._window = np.zeros((slices, len(self._run)), np.int64)
        self._run_max_ns = 0
        self._window_max_ns = [0] * slices
        self._slice = 0

    def add(self, delay_ns: int) -> None:
        """Count one delay (ns). A negative one, from a clock set back, counts as none at all."""
        ratio = delay_ns * 1e-9 / _LOWEST_S
        place = 0 if ratio < 1.0 else 1 + int(math.log10(ratio) * _PER_DECADE)
        place = min(place, len(self._run) - 1)
        self._run[place] += 1
        self._window[self._slice, place] += 1
        self._run_max_ns = max(self._run_max_ns, delay_ns)
        self._window_max_ns[self._slice] = max(self._window_max_ns[self._slice], delay_ns)

    def next_slice(self) -> None:
        """Begin a new slice of the window in place of the oldest."""
        self._slice = (self._slice + 1) % len(self._window_max_ns)
        self._window[self._slice] = 0
        self._window_max_ns[self._slice] = 0

    def run(self) -> LatencySummary:
        """Of everything counted since the beginning."""
        return _summary(self._run, self._run_max_ns)

    def window(self) -> LatencySummary:
        """Of the slices in the window."""
        return _summary(self._window.sum(axis=0), max(self._window_max_ns))

    def values(self) -> dict[str, float]:
        """Both, by their keys on /diagnostics."""
        run, recent = self.run(), self.window()
        return {
            "latency_ms_median": run.median_ms,
            "latency_ms_p99": run.p99_ms,
            "latency_ms_max": run.max_ms,
            "latency_recent_ms_median": recent.median_ms,
            "latency_recent_ms_p99": recent.p99_ms,
            "latency_recent_ms_max": recent.max_ms,
        }


def _summary(counts: npt.NDArray[np.int64], max_ns: int) -> LatencySummary:
    total = int(counts.sum())
    if total == 0:
        return LatencySummary(0, math.nan, math.nan, math.nan)
    cumulative = np.cumsum(counts)
    max_ms = max_ns * 1e-6

    def percentile_ms(part: float) -> float:
        rank = max(math.ceil(part * total), 1)
        place = int(np.searchsorted(cumulative, rank))
        middle_ms = _LOWEST_S * 1e3 * 10 ** ((place - 0.5) / _PER_DECADE)
        return min(middle_ms, max_ms)

    return LatencySummary(total, percentile_ms(0.5), percentile_ms(0.99), max_ms)
