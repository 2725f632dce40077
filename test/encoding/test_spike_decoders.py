# SPDX-License-Identifier: Apache-2.0
"""Rates and decisions out of spikes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.encoding import (
    Decision,
    FirstSpikeDecoder,
    RateDecoder,
    TimeSurface,
    WinnerDecoder,
    compressed,
)
from neuro_control.events import Events

MS = 1_000_000


def test_a_steady_train_reads_as_its_rate():
    train = np.zeros((2000, 2), bool)
    train[::10, 1] = True
    rates = RateDecoder(2, 0.1, MS).decode(*compressed(train))
    assert rates[-500:, 1].mean() == pytest.approx(100.0, rel=0.01)
    assert not rates[:, 0].any()


def test_a_rate_decays_with_its_time_constant():
    decoder = RateDecoder(1, 0.05, MS)
    decoder.decode(*compressed(np.ones((1, 1), bool)))
    after = decoder.decode(*compressed(np.zeros((50, 1), bool)))
    assert after[49, 0] / after[0, 0] == pytest.approx(np.exp(-49 / 50))


@given(st.integers(0, 2**32), st.lists(st.integers(0, 40), max_size=4))
def test_where_spikes_are_cut_does_not_matter(seed, cuts):
    spikes = np.random.default_rng(seed).random((40, 3)) < 0.1
    whole, parts = RateDecoder(3, 0.02, MS), RateDecoder(3, 0.02, MS)
    pieces = [parts.decode(*compressed(part)) for part in np.split(spikes, sorted(cuts))]
    np.testing.assert_array_equal(np.concatenate(pieces), whole.decode(*compressed(spikes)))
    first, again = FirstSpikeDecoder(3), FirstSpikeDecoder(3)
    expected = first.decode(*compressed(spikes))
    found = [again.decode(*compressed(part)) for part in np.split(spikes, sorted(cuts))]
    assert found[-1] == expected


def test_the_first_to_spike_decides_until_the_reset():
    decoder = FirstSpikeDecoder(3)
    assert decoder.decode(*compressed(np.zeros((5, 3), bool))) is None
    spikes = np.zeros((4, 3), bool)
    spikes[2, [1, 2]] = True
    spikes[3, 0] = True
    assert decoder.decode(*compressed(spikes)) == Decision(1, 7)
    assert decoder.decode(*compressed(spikes)) == Decision(1, 7)
    decoder.reset()
    assert decoder.decode(*compressed(spikes)) == Decision(1, 2)


def test_the_winner_leads_within_the_window():
    decoder = WinnerDecoder(3, window=4, lead=2)
    one = np.zeros((1, 3), bool)
    one[0, 2] = True
    assert decoder.decode(*compressed(one)) is None
    assert decoder.decode(*compressed(one)) == 2
    assert decoder.decode(*compressed(np.zeros((4, 3), bool))) is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RateDecoder(0, 0.1, MS), "neurons: 0 must be at least 1"),
        (lambda: RateDecoder(1, 0.0, MS), "tau_s: 0.0 must be positive"),
        (lambda: RateDecoder(1, np.inf, MS), "tau_s: inf must be positive and finite"),
        (lambda: RateDecoder(1, 0.1, 0), "dt_ns: 0 must be at least 1"),
        (lambda: WinnerDecoder(1, 0), "window: 0 must be at least 1"),
        (lambda: TimeSurface(0, 1, 1, "linear"), "width: 0 must be at least 1"),
        (lambda: TimeSurface(1, 1, 1, "square"), "decay: 'square' must be 'exponential'"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def events(*rows) -> Events:
    t, x, y, p = (np.array([row[k] for row in rows]) for k in range(4))
    kinds = (np.int64, np.uint16, np.uint16, np.uint8)
    return Events(*(a.astype(kind) for a, kind in zip((t, x, y, p), kinds, strict=True)), 3, 2)


def test_a_time_surface_fades_from_each_pixels_last_event():
    surface = TimeSurface(3, 2, 10 * MS, "exponential")
    surface.add(events((0, 1, 0, 1), (5 * MS, 1, 0, 1), (6 * MS, 2, 1, 0)))
    at = surface.at(15 * MS)
    assert at.shape == (2, 2, 3)
    assert at[1, 0, 1] == pytest.approx(np.exp(-1.0))
    assert at[0, 1, 2] == pytest.approx(np.exp(-0.9))
    assert np.count_nonzero(at) == 2
    linear = TimeSurface(3, 2, 10 * MS, "linear")
    linear.add(events((0, 0, 0, 1)))
    assert linear.at(4 * MS)[1, 0, 0] == pytest.approx(0.6)
    assert linear.at(40 * MS).max() == 0
    with pytest.raises(ValueError, match="of a sensor of 4x4, expected 3x2"):
        surface.add(Events.empty(4, 4))
