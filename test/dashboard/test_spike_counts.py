# SPDX-License-Identifier: Apache-2.0
"""Spikes by bin and slice of time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.dashboard.spike_counts import SLICES, SpikeCounts
from neuro_control.events import Events

SLICE_NS = 1000


def spikes(rows: list[tuple[int, int, int]]) -> Events:
    """Of (t_ns, neuron, row), ascending in time."""
    t, x, y = (np.array(v) for v in zip(*sorted(rows), strict=True))
    return Events(
        t.astype(np.int64), x.astype(np.uint16), y.astype(np.uint16),
        np.ones(len(rows), np.uint8), 1000, 8,
    )  # fmt: skip


@given(
    st.lists(
        st.tuples(st.integers(0, SLICES * SLICE_NS - 1), st.integers(0, 99), st.integers(0, 1)),
        min_size=1,
        max_size=60,
    )
)
def test_every_spike_is_counted_once_in_its_bin_and_slice(rows: list[tuple[int, int, int]]) -> None:
    counts = SpikeCounts([100, 100], 10, SLICE_NS)
    counts.add(spikes(rows))
    wanted = np.zeros((20, SLICES), int)
    newest = max(t for t, _, _ in rows) // SLICE_NS
    for t, neuron, row in rows:
        wanted[row * 10 + neuron // 10, SLICES - 1 - (newest - t // SLICE_NS)] += 1
    np.testing.assert_array_equal(counts.columns(), wanted)
    per_neuron = wanted.reshape(2, 10, SLICES).sum(axis=(1, 2)) / 100
    np.testing.assert_allclose(counts.rates_hz(), per_neuron / (SLICES * SLICE_NS * 1e-9))


def test_batches_give_what_one_gives_and_old_slices_fall_out() -> None:
    rows = [(t, t % 7, 0) for t in range(0, 3 * SLICES * SLICE_NS, 777)]
    whole, parts = SpikeCounts([7], 7, SLICE_NS), SpikeCounts([7], 7, SLICE_NS)
    whole.add(spikes(rows))
    for start in range(0, len(rows), 13):
        parts.add(spikes(rows[start : start + 13]))
    np.testing.assert_array_equal(whole.columns(), parts.columns())


def test_time_goes_on_without_spikes() -> None:
    counts = SpikeCounts([4], 4, SLICE_NS)
    counts.add(spikes([(0, 1, 0)]))
    counts.advance(3)
    assert np.argwhere(counts.columns(5)).tolist() == [[1, 1]]
    counts.advance(2)  # time does not go back
    assert counts.newest_slice == 3
    counts.advance(SLICES + 3)
    assert not counts.columns().any()


def test_addresses_that_there_are_not_are_left_out() -> None:
    counts = SpikeCounts([4, 2], 4, SLICE_NS)
    counts.add(spikes([(0, 4, 0), (0, 2, 1), (0, 0, 5), (0, 1, 1)]))
    assert int(counts.columns().sum()) == 1


@pytest.mark.parametrize("neurons", [[], [3, 0]])
def test_a_row_needs_neurons(neurons: list[int]) -> None:
    with pytest.raises(ValueError, match="every row must have some"):
        SpikeCounts(neurons, 4, SLICE_NS)
