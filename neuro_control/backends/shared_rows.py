# SPDX-License-Identifier: Apache-2.0
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN202
"""Synapses of sources that reach the same weights at shifted targets, kept once.

All inner pixels of a convolution (of each channel, and each phase of its stride) have the same
weights at the same distances. Kept once, they stay in the processor's first cache, where the
unrolled matrix of an image does not fit into any.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.compiled import compiled


@dataclass(frozen=True, eq=False)
class SharedRows:
    """Source s has ``count[s]`` synapses: weight and target from ``begin[s]`` on.

    ``shift[s]`` is to be added to the targets. All int64[n_source], ``weight`` int16[n] and
    ``target`` uint32[n].
    """

    begin: NDArray[np.int64]
    count: NDArray[np.int64]
    shift: NDArray[np.int64]
    weight: NDArray[np.int16]
    target: NDArray[np.uint32]

    def table(self) -> NDArray[np.int64]:
        """Begin, count and shift of every source in turn, int64[3 n_source]."""
        return np.stack([self.begin, self.count, self.shift], axis=1).ravel()


def share_rows(
    row_start: NDArray[np.int64], target: NDArray[np.int32], weight: NDArray[np.int16]
) -> SharedRows:
    """Keep rows once that are the same but for a shift of their targets.

    Args:
        row_start: int64[n_source + 1], as in FixedProjection.
        target: int32[n].
        weight: int16[n].
    """
    count = np.diff(row_start)
    lowest, mark = _fingerprints(row_start, target, weight)
    _, first, kind = np.unique(mark, return_index=True, return_inverse=True)
    like = first[kind.ravel()]
    # Two rows of one fingerprint are nearly always the same; those that are not stay themselves.
    same = _are_alike(row_start, target, weight, lowest, like)
    like = np.where(same, like, np.arange(len(count)))
    own = like == np.arange(len(count))
    kept = np.repeat(own, count)
    begin = (np.cumsum(count * own) - count * own)[like]
    relative = target[kept] - np.repeat(lowest[own], count[own])
    return SharedRows(begin, count, lowest, weight[kept], relative.astype(np.uint32))


@compiled
def _fingerprints(row_start, target, weight):
    """Lowest target of every row (0 where it is empty), and a hash of the row relative to it."""
    n = len(row_start) - 1
    lowest = np.zeros(n, np.int64)
    mark = np.zeros(n, np.uint64)
    for s in range(n):
        begin, end = row_start[s], row_start[s + 1]
        if begin == end:
            continue
        least = target[begin]
        for k in range(begin, end):
            least = min(least, target[k])
        lowest[s] = least
        h = np.uint64(end - begin)
        for k in range(begin, end):
            # FNV-1a over (target, weight).
            h = (h ^ np.uint64(target[k] - least)) * np.uint64(1099511628211)
            h = (h ^ np.uint64(weight[k] + 65536)) * np.uint64(1099511628211)
        mark[s] = h
    return lowest, mark


@compiled
def _are_alike(row_start, target, weight, lowest, like):
    """Whether row s is row like[s] but for a shift, bool[n_source]."""
    n = len(like)
    same = np.ones(n, np.bool_)
    for s in range(n):
        other = like[s]
        begin, at = row_start[s], row_start[other]
        length = row_start[s + 1] - begin
        if length != row_start[other + 1] - at:
            same[s] = False
            continue
        for k in range(length):
            if (
                weight[begin + k] != weight[at + k]
                or target[begin + k] - lowest[s] != target[at + k] - lowest[other]
            ):
                same[s] = False
                break
    return same
