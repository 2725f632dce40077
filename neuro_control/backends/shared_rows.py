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
    """Kinds of rows, and which kind each source has.

    A row of kind k has ``count[k]`` entries from ``begin[k]`` on, int64[n_kinds]. An entry is a
    ``target`` uint32[n] and ``size`` neighbouring weights for it and the targets after it,
    ``weight`` int16[n * size]. Source s has kind ``kind[s]``, with ``shift[s]`` to be added to its
    targets, int64[n_source]. ``synapses[k]`` is how many of a kind's weights are synapses.
    """

    kind: NDArray[np.int64]
    shift: NDArray[np.int64]
    begin: NDArray[np.int64]
    count: NDArray[np.int64]
    synapses: NDArray[np.int64]
    weight: NDArray[np.int16]
    target: NDArray[np.uint32]
    size: int = 1

    @property
    def entries(self) -> int:
        """Entries of all sources together."""
        return int(self.count[self.kind].sum())


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
    _, first, mark_kind = np.unique(mark, return_index=True, return_inverse=True)
    like = first[mark_kind.ravel()]
    # Two rows of one fingerprint are nearly always the same; those that are not stay themselves.
    same = _are_alike(row_start, target, weight, lowest, like)
    like = np.where(same, like, np.arange(len(count)))
    own = like == np.arange(len(count))
    kind = (np.cumsum(own) - 1)[like]
    kept = np.repeat(own, count)
    length = count[own]
    relative = target[kept]
    relative -= np.repeat(lowest[own].astype(np.int32), length)
    begin = np.cumsum(length) - length
    return SharedRows(kind, lowest, begin, length, length, weight[kept], relative.view(np.uint32))


def chunked_rows(rows: SharedRows, size: int) -> SharedRows:
    """The same rows with ``size`` neighbouring targets in an entry; weights are 0 in between."""
    order = np.lexsort((rows.target, np.repeat(np.arange(len(rows.count)), rows.count)))
    target, weight = rows.target[order], rows.weight[order]
    entry, lane, count = _chunks(rows.begin, rows.count, target, size)
    total = int(count.sum())
    weights = np.zeros((total, size), np.int16)
    weights[entry, lane] = weight
    first = np.zeros(total, np.uint32)
    first[entry[::-1]] = (target - lane)[::-1]
    begin = np.cumsum(count) - count
    return SharedRows(
        rows.kind, rows.shift, begin, count, rows.synapses, weights.ravel(), first, size
    )


def sampled_rows(rows: SharedRows, n: int) -> SharedRows:
    """At most n kinds of rows of single synapses, evenly spaced, each for one source."""
    kinds = np.unique(np.linspace(0, max(len(rows.count) - 1, 0), n).astype(np.int64))
    kinds = kinds[: len(rows.count)]
    count = rows.count[kinds]
    begin = np.cumsum(count) - count
    kept = np.arange(count.sum()) + np.repeat(rows.begin[kinds] - begin, count)
    number = np.arange(len(kinds))
    synapses = rows.synapses[kinds]
    weight, target = rows.weight[kept], rows.target[kept]
    return SharedRows(number, np.zeros_like(number), begin, count, synapses, weight, target)


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


@compiled
def _chunks(begin, count, target, size):
    """Entry and lane of every synapse of rows with ascending targets, and entries of each row.

    A target that comes twice in a row begins an entry of its own.
    """
    entry = np.empty(len(target), np.int64)
    lane = np.empty(len(target), np.uint32)
    made = np.zeros(len(count), np.int64)
    total = 0
    for r in range(len(count)):
        first = total
        start = np.int64(0)
        last = np.int64(-1)
        for k in range(begin[r], begin[r] + count[r]):
            t = np.int64(target[k])
            if total == first or t - start >= size or t == last:
                start = t
                total += 1
            entry[k] = total - 1
            lane[k] = t - start
            last = t
        made[r] = total - first
    return entry, lane, made
