# SPDX-License-Identifier: Apache-2.0
"""Population code: values survive the way into spikes and back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.encoding import (
    PopulationCode,
    PopulationEncoder,
    PopulationRate,
    PopulationVectorDecoder,
)

MS = 1_000_000
CODE = PopulationCode(values=2, neurons=32, low=-2.0, high=2.0, rate_hz=200.0)


def test_a_neuron_fires_most_at_the_value_it_prefers() -> None:
    rates = CODE.rates_hz([CODE.preferred[10], CODE.preferred[20]])
    assert rates.shape == (64,)
    assert rates[10] == rates[32 + 20] == 200.0
    assert rates.argmax() in (10, 52)
    # One sigma away, which is one neighbour away at an overlap of one.
    assert rates[11] == pytest.approx(200.0 * math.exp(-0.5))


def test_values_beyond_the_range_count_as_its_end() -> None:
    assert (CODE.rates_hz([9.0, -9.0]) == CODE.rates_hz([2.0, -2.0])).all()


@given(st.floats(-2, 2), st.floats(-2, 2), st.integers(1, 300))
def test_spikes_keep_the_rates_within_one_spike(a: float, b: float, ticks: int) -> None:
    encoder = PopulationEncoder(CODE, MS, seed=3)
    indices, offsets = encoder.encode([a, b], ticks)
    counts = np.bincount(indices, minlength=64)
    assert offsets[-1] == indices.size
    assert np.abs(counts - CODE.rates_hz([a, b]) * ticks * 1e-3).max() <= 1.0


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.floats(-2, 2))
def test_the_same_spikes_whether_asked_at_once_or_in_pieces(parts: list[int], x: float) -> None:
    whole, _ = PopulationEncoder(CODE, MS).encode([x, -x], sum(parts))
    pieces = PopulationEncoder(CODE, MS)
    assert whole.tolist() == [i for n in parts for i in pieces.encode([x, -x], n)[0].tolist()]


@given(st.floats(-1.6, 1.6))
def test_what_is_encoded_is_decoded(x: float) -> None:
    indices, offsets = PopulationEncoder(CODE, MS).encode([x, 0.0], 300)
    decoder = PopulationVectorDecoder(CODE.preferred[:, None], tau_s=0.1, dt_ns=MS)
    decoded = decoder.decode(indices, offsets).value
    assert decoded is not None
    assert decoded[0] == pytest.approx(x, abs=0.05)


def test_the_second_value_is_read_at_its_own_neurons() -> None:
    indices, offsets = PopulationEncoder(CODE, MS).encode([-1.0, 1.5], 300)
    decoder = PopulationVectorDecoder(CODE.preferred[:, None], tau_s=0.1, dt_ns=MS)
    decoded = decoder.decode(indices, offsets, first=32).value
    assert decoded is not None
    assert decoded[0] == pytest.approx(1.5, abs=0.05)


def test_a_silent_population_has_no_value_and_activity_fades_with_the_kernel() -> None:
    decoder = PopulationVectorDecoder(np.eye(2), tau_s=0.010, dt_ns=MS, silence=1.0)
    assert decoder.read().value is None
    spikes = np.zeros(4, np.int32)
    loud = decoder.decode(spikes, np.array([0, 4]))
    assert loud.value is not None
    assert loud.value.tolist() == [1.0, 0.0]
    quiet = decoder.decode(np.zeros(0, np.int32), np.zeros(15, np.int64))
    assert quiet.value is None
    assert quiet.activity == pytest.approx(4 * math.exp(-1.4))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"values": 0}, "values"),
        ({"neurons": 1}, "neurons"),
        ({"low": 2.0}, "low"),
        ({"rate_hz": 0.0}, "rate_hz"),
        ({"high": math.inf}, "low: -2.0 must be below high, inf, and both finite"),
        ({"low": -math.inf}, "low: -inf must be below high"),
        ({"rate_hz": math.inf}, "rate_hz: inf must be positive and finite"),
        ({"overlap": math.inf}, "overlap: inf must be positive and finite"),
    ],
)
def test_codes_that_make_no_sense_are_refused_by_name(change: dict, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        PopulationCode(**({"values": 1, "neurons": 8, "low": -2.0, "high": 2.0} | change))


@pytest.mark.parametrize("value", [0.0, math.inf, math.nan])
@pytest.mark.parametrize("name", ["tau_s", "silence"])
def test_read_outs_that_make_no_sense_are_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name}: {value} must be positive and finite"):
        PopulationVectorDecoder(np.eye(2), **({"tau_s": 0.1, "dt_ns": MS} | {name: value}))


@given(st.lists(st.tuples(st.floats(-1.9, 1.9), st.floats(-1.9, 1.9)), min_size=1, max_size=5))
def test_held_samples_come_back_through_the_common_protocol(samples: list) -> None:
    rate = PopulationRate(CODE, MS, ticks_per_sample=100, tau_s=0.02)
    assert (rate.size, rate.ticks_per_sample) == (64, 100)
    found = rate.reconstruct(*rate.encode(samples))
    np.testing.assert_allclose(found, samples, atol=0.1)


def test_a_silent_population_says_what_it_said_last_and_at_first_the_middle() -> None:
    rate = PopulationRate(PopulationCode(1, 4, 0.0, 3.0, 1.0), MS, 10, 0.01, silence=0.5)
    nothing = np.zeros(0, np.int32)
    assert rate.reconstruct(nothing, np.zeros(21, np.int64))[:, 0].tolist() == [1.5, 1.5]
    one = np.repeat([0, 1], [10, 25])  # neuron 3 in the tenth tick; five ticks more than samples
    said = rate.reconstruct(np.array([3], np.int32), one)
    assert said[:, 0].tolist() == [3.0, 3.0, 3.0]


def test_spikes_of_no_neuron_of_the_population_are_refused() -> None:
    rate = PopulationRate(CODE, MS, 10, 0.01)
    with pytest.raises(ValueError, match=r"indices: 64\.\.64 must be 0\.\.63"):
        rate.reconstruct(np.array([64], np.int32), np.array([0, 1]))
    with pytest.raises(ValueError, match="ticks_per_sample: 0 must be at least 1"):
        PopulationRate(CODE, MS, 0, 0.01)
    with pytest.raises(ValueError, match="tau_s: inf must be positive and finite"):
        PopulationRate(CODE, MS, 10, math.inf)


def test_more_than_one_spike_a_tick_is_refused() -> None:
    with pytest.raises(ValueError, match="rate_hz"):
        PopulationEncoder(PopulationCode(1, 8, 0.0, 1.0, rate_hz=2000.0), MS)


def test_values_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        CODE.rates_hz([math.nan, 0.0])
    with pytest.raises(ValueError, match="shape"):
        CODE.rates_hz([0.0])
