# SPDX-License-Identifier: Apache-2.0
"""Samples of a run of any length: all of them up to a bound, then evenly thinned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.demo.samples import MOST_SAMPLES, Samples


@given(st.integers(0, 400), st.integers(1, 9).map(lambda n: 2 * n))
def test_what_is_kept_is_bounded_and_lies_evenly_over_all(count: int, most: int) -> None:
    samples = Samples(2, most)
    for k in range(count):
        samples.add(10 * k, k, -k)
    assert len(samples) <= most
    assert samples.heard == count
    wanted = np.arange(0, count, samples.stride)
    np.testing.assert_array_equal(samples.t_ns, 10 * wanted)
    np.testing.assert_array_equal(samples.values, np.stack([wanted, -wanted], axis=1))
    assert samples.stride == 1 or len(samples) >= most // 2
    assert samples.last == (None if not count else (10 * (count - 1), (count - 1, 1 - count)))


def test_up_to_the_bound_nothing_is_left_out() -> None:
    samples = Samples(1, 100)
    for k in range(100):
        samples.add(k, k)
    assert (samples.stride, len(samples)) == (1, 100)
    samples.add(100, 100)
    assert (samples.stride, len(samples)) == (2, 51)
    assert MOST_SAMPLES > 3600 * 500, "an hour of 500 samples a second is exact"


def test_the_newest_are_the_last_that_are_kept() -> None:
    samples = Samples(1)
    assert samples.newest(3)[1].shape == (0, 1)
    for k in range(5):
        samples.add(k, 2.0 * k)
    t_ns, values = samples.newest(3)
    assert t_ns.tolist() == [2, 3, 4]
    assert values[:, 0].tolist() == [4.0, 6.0, 8.0]


def test_percentiles_of_a_thinned_run_are_close_to_those_of_all() -> None:
    rng = np.random.default_rng(1)
    values = np.abs(rng.normal(size=40_000))
    samples = Samples(1, 4096)
    for k, value in enumerate(values):
        samples.add(k, float(value))
    kept = samples.values[:, 0]
    for q in (50, 95):
        assert np.percentile(kept, q) == pytest.approx(np.percentile(values, q), rel=0.05)
