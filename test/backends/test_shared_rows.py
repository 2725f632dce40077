# SPDX-License-Identifier: Apache-2.0
"""Rows kept once give back every synapse of every source."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.backends.shared_rows import SharedRows, chunked_rows, sampled_rows, share_rows
from neuro_control.network import LIF, Conv2d, FixedProjection, Input, Network, Output, quantize


def synapses(rows: SharedRows, source: int) -> list[tuple[int, int]]:
    """Targets and weights of a source; the zeros of a chunk are no synapses."""
    kind = rows.kind[source]
    entries = np.arange(rows.begin[kind], rows.begin[kind] + rows.count[kind])
    lanes = np.arange(rows.size)
    targets = rows.target[entries].astype(np.int64)[:, None] + lanes + rows.shift[source]
    weights = rows.weight.reshape(-1, rows.size)[entries]
    kept = (weights != 0) | (rows.size == 1)
    return list(zip(targets[kept].tolist(), weights[kept].tolist(), strict=True))


def of_projection(projection: FixedProjection) -> tuple[SharedRows, list[list[tuple[int, int]]]]:
    start, target, weight = projection.row_start, projection.target_index, projection.weight
    given = [
        list(zip(target[a:b].tolist(), weight[a:b].tolist(), strict=True))
        for a, b in pairwise(start)
    ]
    return share_rows(start, target, weight), given


@settings(max_examples=200)
@given(seed=st.integers(0, 2**32 - 1), density=st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_any_matrix_comes_back(seed, density):
    rng = np.random.default_rng(seed)
    matrix = rng.integers(-2, 3, rng.integers(1, 8, 2)) * (rng.random() < density)
    rows, given = of_projection(FixedProjection.from_matrix("a", "b", matrix))
    assert [synapses(rows, source) for source in range(matrix.shape[1])] == given


def test_a_convolution_comes_back_in_a_fraction_of_the_space():
    kernel = np.random.default_rng(0).normal(size=(4, 2, 5, 5))
    nodes = {
        "in": Input((2, 32, 32)),
        "conv": Conv2d(kernel, stride=2, padding=2),
        "n": LIF.with_unit_gain((4, 16, 16), dt_s=1e-3, tau_s=0.01),
        "out": Output((4, 16, 16)),
    }
    names = list(nodes)
    network = quantize(Network(nodes, list(pairwise(names)), 1e-3))
    (projection,) = network.projections
    rows, given = of_projection(projection)
    assert [synapses(rows, source) for source in range(projection.n_source)] == given
    # Inner pixels share 4 phases of the stride in 2 channels; borders have rows of their own.
    assert len(rows.weight) < len(projection.weight) / 20


def test_targets_may_come_in_any_order():
    start = np.array([0, 2, 4, 4])
    target = np.array([5, 3, 3, 5], np.int32)
    weight = np.array([1, 2, 2, 1], np.int16)
    rows = share_rows(start, target, weight)
    assert synapses(rows, 0) == [(5, 1), (3, 2)]
    assert synapses(rows, 1) == [(3, 2), (5, 1)]
    assert synapses(rows, 2) == []


@settings(max_examples=200)
@given(seed=st.integers(0, 2**32 - 1), size=st.sampled_from([2, 8]))
def test_chunks_hold_the_same_synapses_and_no_target_twice_in_a_chunk(seed, size):
    rng = np.random.default_rng(seed)
    count = rng.integers(0, 12, 6)
    start = np.concatenate([[0], np.cumsum(count)])
    target = rng.integers(0, 20, start[-1]).astype(np.int32)
    weight = (rng.integers(1, 9, start[-1]) * rng.choice([-1, 1], start[-1])).astype(np.int16)
    single = share_rows(start, target, weight)
    chunked = chunked_rows(single, size)
    assert chunked.size == size
    for source in range(6):
        assert sorted(synapses(chunked, source)) == sorted(synapses(single, source))
    np.testing.assert_array_equal(chunked.synapses[chunked.kind], count)
    assert chunked.entries <= single.entries == len(weight)


def test_a_chunk_of_a_convolution_with_channels_side_by_side_is_full():
    start = np.array([0, 16, 32])
    channels = np.arange(8)
    row = np.concatenate([channels, 80 + channels])
    target = np.concatenate([row, row + 8]).astype(np.int32)
    weight = np.tile(np.arange(1, 17), 2).astype(np.int16)
    chunked = chunked_rows(share_rows(start, target, weight), 8)
    assert chunked.target.tolist() == [0, 80]
    assert chunked.weight.tolist() == list(range(1, 17))
    assert chunked.shift.tolist() == [0, 8]


@pytest.mark.parametrize("n", [1, 2, 5, 100])
def test_a_sample_holds_whole_rows(n):
    rng = np.random.default_rng(0)
    rows, _ = of_projection(FixedProjection.from_matrix("a", "b", rng.integers(-2, 3, (7, 5))))
    sample = sampled_rows(rows, n)
    all_rows = [synapses(rows, source) for source in range(5)]
    lowest = [min((target for target, _ in row), default=0) for row in all_rows]
    relative = [[(t - low, w) for t, w in row] for row, low in zip(all_rows, lowest, strict=True)]
    assert len(sample.kind) == min(n, len(rows.count))
    assert all(synapses(sample, source) in relative for source in range(len(sample.kind)))


def test_a_sample_of_nothing_is_nothing():
    rows = share_rows(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int16))
    assert sampled_rows(rows, 5).entries == 0
