# SPDX-License-Identifier: Apache-2.0
"""Codes of sampled signals: small cases by hand, and laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from neuro_control.encoding import (
    BensSpiker,
    BurstCode,
    FirstSpikeLatency,
    MovingWindow,
    PhaseCode,
    PoissonRate,
    PopulationCode,
    PopulationRate,
    RankOrder,
    RegularRate,
    SendOnDelta,
    StepForward,
    compressed,
    dense,
)

KERNEL = np.array([0.1, 0.3, 0.3, 0.2, 0.1])
CODES = {
    "send on delta": lambda: SendOnDelta(2, 0.1, 0.5),
    "step forward": lambda: StepForward(2, 0.1, 0.5),
    "moving window": lambda: MovingWindow(2, 0.1, 4, 0.5),
    "Ben's spiker": lambda: BensSpiker(2, KERNEL, 0.1),
    "regular rate": lambda: RegularRate(2, 10, 0.7),
    "Poisson rate": lambda: PoissonRate(2, 10),
    "latency": lambda: FirstSpikeLatency(2, 10),
    "phase": lambda: PhaseCode(2, 6),
    "burst": lambda: BurstCode(2, 20),
    "rank order": lambda: RankOrder(2),
    "population": lambda: PopulationRate(PopulationCode(2, 6, 0.0, 1.0), 1_000_000, 5, 0.01),
}

signals = st.integers(0, 2**32).map(
    lambda seed: np.random.default_rng(seed).uniform(0, 1, (24, 2)).round(3)
)


@pytest.mark.parametrize("make", CODES.values(), ids=CODES)
class TestEvery:
    @given(samples=signals, cuts=st.lists(st.integers(0, 24), max_size=4))
    def test_where_a_signal_is_cut_changes_no_spike(self, make, samples, cuts):
        indices, offsets = make().encode(samples)
        code, found, counts = make(), [], []
        for part in np.split(samples, sorted(cuts)):
            some, begins = code.encode(part)
            found += some.tolist()
            counts += np.diff(begins).tolist()
        assert found == indices.tolist()
        assert counts == np.diff(offsets).tolist()

    @given(samples=signals)
    def test_shapes_are_as_promised_and_a_reset_begins_again(self, make, samples):
        code = make()
        indices, offsets = code.encode(samples)
        assert (indices.dtype, offsets.dtype) == (np.int32, np.int64)
        assert len(offsets) == 24 * code.ticks_per_sample + 1
        assert code.reconstruct(indices, offsets).shape == (24, 2)
        code.reset()
        assert np.array_equal(code.encode(samples)[0], indices)

    def test_what_is_no_signal_is_refused(self, make):
        code = make()
        with pytest.raises(ValueError, match=r"samples: shape \(3,\), expected \(n, 2\)"):
            code.encode([1, 2, 3])
        with pytest.raises(ValueError, match=r"samples\[0, 1\]: nan must be finite"):
            code.encode([[0.5, np.nan]])


def rows(spikes, ticks: int, neurons: int) -> list[list[int]]:
    return [np.flatnonzero(row).tolist() for row in dense(*spikes, neurons)][:ticks]


def test_send_on_delta_compares_with_what_it_sent():
    code = SendOnDelta(1, 0.5)
    assert rows(code.encode([[0.4], [0.7], [1.1], [1.2], [0.6]]), 5, 2) == [[], [0], [], [0], [1]]


def test_a_step_forward_is_a_threshold_however_far_the_signal_goes():
    code = StepForward(1, 0.5)
    spikes = code.encode([[2.0], [2.0], [2.0], [2.0], [2.0], [-0.1]])
    assert rows(spikes, 6, 2) == [[0], [0], [0], [0], [], [1]]
    assert code.reconstruct(*spikes)[:, 0].tolist() == [0.5, 1.0, 1.5, 2.0, 2.0, 1.5]


def test_a_moving_window_gets_used_to_a_level():
    code = MovingWindow(1, 0.5, 2)
    assert rows(code.encode([[1.0], [1.0], [1.0], [0.0]]), 4, 2) == [[0], [0], [], [1]]


@given(
    steps=st.lists(st.floats(-1, 1), min_size=1, max_size=80), threshold=st.sampled_from([0.1, 0.5])
)
def test_a_slow_signal_is_followed_within_a_threshold(steps, threshold):
    signal = np.cumsum(np.array(steps) * 0.999 * threshold)[:, None]
    code = StepForward(1, threshold)
    error = code.reconstruct(*code.encode(signal)) - signal
    assert np.abs(error).max() < threshold + 1e-9


def test_bens_spiker_gives_back_a_sum_of_kernels():
    spikes = np.zeros((60, 1), bool)
    spikes[[5, 12, 19, 30, 31, 40]] = True
    signal = np.convolve(spikes[:, 0], KERNEL)[:60]
    code = BensSpiker(1, KERNEL, 0.955)
    found = code.encode(signal[:, None])
    delayed = np.flatnonzero(dense(*found, 1)[:, 0]) - code.delay
    assert delayed.tolist() == [5, 12, 19, 30, 31, 40]
    again = code.reconstruct(*found)[code.delay :, 0]
    np.testing.assert_allclose(again, signal[: len(again)], atol=1e-12)


@given(value=st.floats(0, 1), window=st.integers(1, 60))
def test_a_regular_rate_is_right_within_a_spike(value, window):
    code = RegularRate(1, window)
    indices, _ = code.encode([[value]] * 5)
    assert abs(len(indices) - 5 * window * value) <= 1.0 + 1e-9


@pytest.mark.parametrize("value", [0.0, 0.1, 0.5, 1.0])
def test_poisson_spikes_have_poissons_statistics(value):
    code = PoissonRate(1, 1000, most=0.4, seed=5)
    counts = dense(*code.encode([[value]] * 200), 1).reshape(200, 1000).sum(axis=1)
    p = 0.4 * value
    assert counts.mean() == pytest.approx(1000 * p, abs=4 * np.sqrt(1000 * p / 200) + 1e-9)
    assert counts.var() == pytest.approx(1000 * p * (1 - p), rel=0.4, abs=1e-9)


@given(a=st.floats(0, 1), b=st.floats(0, 1))
def test_a_larger_value_is_never_later(a, b):
    code = FirstSpikeLatency(2, 20)
    indices, offsets = code.encode([[max(a, b), min(a, b)]])
    first = dense(indices, offsets, 2)
    ticks = [np.flatnonzero(first[:, k]) for k in range(2)]
    assert all(len(found) <= 1 for found in ticks)
    assert len(ticks[0]) >= len(ticks[1])
    if len(ticks[1]):
        assert ticks[0][0] <= ticks[1][0]
    error = code.reconstruct(indices, offsets) - [[max(a, b), min(a, b)]]
    assert np.abs(error).max() <= 0.5 / 20 + 1e-12


def test_phase_is_the_binary_digits():
    code = PhaseCode(1, 4)
    assert rows(code.encode([[10.4 / 16]]), 4, 1) == [[0], [], [0], []]
    assert rows(code.encode([[1.0]]), 4, 1) == [[0]] * 4


@given(value=st.floats(0, 1), window=st.integers(1, 53))
@example(value=1.0, window=53)
def test_phase_is_right_to_half_its_last_digit(value, window):
    code = PhaseCode(1, window)
    found = code.reconstruct(*code.encode([[value]]))[0, 0]
    assert abs(found - value) <= 2.0 ** -(window + 1) + 2.0**-53


def test_a_burst_is_longer_and_closer_for_a_larger_value():
    code = BurstCode(1, 20, most=4, longest=5)
    assert [k for k, row in enumerate(rows(code.encode([[0.2]]), 20, 1)) if row] == [0]
    assert [k for k, row in enumerate(rows(code.encode([[0.5]]), 20, 1)) if row] == [0, 3]
    assert [k for k, row in enumerate(rows(code.encode([[1.0]]), 20, 1)) if row] == [0, 1, 2, 3]
    assert rows(code.encode([[0.0]]), 20, 1) == [[]] * 20


@given(value=st.floats(0, 1), most=st.integers(1, 8), longest=st.integers(1, 6))
def test_a_whole_burst_fits_its_window(value, most, longest):
    indices, _ = BurstCode(1, 1 + (most - 1) * longest, most, longest).encode([[value]])
    assert len(indices) == int(np.ceil(most * value))


@given(seed=st.integers(0, 2**32), power=st.floats(0.2, 5))
def test_ranks_do_not_ask_how_much_larger(seed, power):
    values = np.random.default_rng(seed).uniform(0.01, 1, (1, 8))
    code = RankOrder(8)
    indices, _ = code.encode(values)
    assert values[0, indices].tolist() == sorted(values[0].tolist(), reverse=True)
    assert code.encode(values**power)[0].tolist() == indices.tolist()


def test_equal_values_speak_by_their_number():
    assert RankOrder(3).encode([[0.5, 0.7, 0.5]])[0].tolist() == [1, 0, 2]


@given(seed=st.integers(0, 2**32))
def test_rows_are_compressed_and_back(seed):
    spikes = np.random.default_rng(seed).random((7, 5)) < 0.3
    assert np.array_equal(dense(*compressed(spikes), 5), spikes)


def test_rows_that_cannot_be_are_refused():
    one = np.array([3], np.int32)
    with pytest.raises(ValueError, match=r"indices: 3..3 must be 0..1"):
        dense(one, np.array([0, 1]), 2)
    with pytest.raises(ValueError, match="offsets must rise from 0 to 1"):
        dense(one, np.array([0, 2]), 4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SendOnDelta(0, 0.1), "values: 0 must be at least 1"),
        (lambda: StepForward(1, 0.0), "threshold: 0.0 must be positive"),
        (lambda: SendOnDelta(1, np.inf), "threshold: inf must be positive and finite"),
        (lambda: SendOnDelta(1, np.nan), "threshold: nan must be positive and finite"),
        (lambda: BensSpiker(1, KERNEL, np.inf), "threshold: inf must be at least 0, and finite"),
        (lambda: StepForward(1, 0.1, np.inf), "start: inf must be finite"),
        (lambda: MovingWindow(1, 0.1, 0), "window: 0 must be at least 1"),
        (lambda: BensSpiker(1, [0.0], 0.1), "kernel: .* sum above 0"),
        (lambda: BensSpiker(1, KERNEL, -1.0), "threshold: -1.0 must be at least 0"),
        (lambda: RegularRate(1, 10, 1.5), "most: 1.5 must be above 0 and at most 1"),
        (lambda: PoissonRate(1, 10, 0.0), "most: 0.0 must be above 0 and at most 1"),
        (lambda: BurstCode(1, 3, 5, 4), "window: 3 must be at least"),
        (lambda: PhaseCode(1, 54), "window: 54 must be at most 53, a float64's digits"),
        (lambda: RankOrder(3, 1.0), "modulation: 1.0 must be above 0 and below 1"),
        (lambda: PhaseCode(1, 4).encode([[1.1]]), "1.1 must be finite and 0 to 1"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
