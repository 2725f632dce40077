# SPDX-License-Identifier: Apache-2.0
"""Delays in logarithmic buckets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.nodes.latency import RELATIVE_ERROR, LatencyHistogram


@given(st.lists(st.integers(1_000, 10**11 - 1), min_size=1, max_size=300))
def test_percentiles_are_those_of_the_values_to_the_width_of_a_bucket(delays: list[int]) -> None:
    histogram = LatencyHistogram()
    for delay in delays:
        histogram.add(delay)
    summary = histogram.run()
    exact = np.sort(np.array(delays)) * 1e-6
    for part, found in ((0.5, summary.median_ms), (0.99, summary.p99_ms)):
        true = exact[max(math.ceil(part * len(exact)), 1) - 1]
        assert found == pytest.approx(true, rel=RELATIVE_ERROR + 1e-9)
    assert summary.max_ms == exact[-1]
    assert summary.count == len(delays)


def test_nothing_counted_is_not_a_number() -> None:
    summary = LatencyHistogram().run()
    assert summary.count == 0
    assert math.isnan(summary.median_ms)


def test_the_window_forgets_and_the_run_does_not() -> None:
    histogram = LatencyHistogram(slices=2)
    histogram.add(50_000_000)
    for _ in range(2):
        histogram.next_slice()
        histogram.add(1_000_000)
    assert histogram.window().max_ms == pytest.approx(1.0)
    assert histogram.window().count == 2
    assert histogram.run().max_ms == pytest.approx(50.0)


def test_a_clock_that_was_set_back_does_no_harm() -> None:
    histogram = LatencyHistogram()
    histogram.add(-5)
    histogram.add(10**15)
    assert histogram.run().count == 2


def test_a_window_has_slices() -> None:
    with pytest.raises(ValueError, match="slices"):
        LatencyHistogram(slices=0)
