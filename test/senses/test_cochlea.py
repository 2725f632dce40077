# SPDX-License-Identifier: Apache-2.0
"""The ear: its filters by their equations, its spikes by what they must carry."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import signal

from benchmarks.ear import clicks, delayed, speech_like
from neuro_control.events import Events
from neuro_control.senses.cochlea import Cochlea, CochleaSettings
from neuro_control.senses.filter_bank import (
    erb_hz,
    erb_rate,
    erb_spaced_hz,
    gammatone_bank,
)
from neuro_control.senses.interaural import interaural_differences, interaural_time_difference_ns

RATE = 16000.0


def tone(frequency_hz: float, seconds: float, level: float = 0.3) -> np.ndarray:
    return level * np.sin(2 * np.pi * frequency_hz * np.arange(int(seconds * RATE)) / RATE)


def same(a: Events, b: Events) -> bool:
    pairs = ((a.t_ns, b.t_ns), (a.x, b.x), (a.y, b.y), (a.p, b.p))
    return all(np.array_equal(one, other) for one, other in pairs)


# Filters


def test_the_scale_has_its_published_values():
    # Glasberg and Moore (1990): 132.6 Hz at 1 kHz; 15.6 bandwidths below it.
    assert float(erb_hz(1000.0)) == pytest.approx(132.6, abs=0.1)
    assert float(erb_rate(1000.0)) == pytest.approx(15.62, abs=0.01)
    centres = erb_spaced_hz(100.0, 6000.0, 64)
    assert centres[[0, -1]].tolist() == pytest.approx([100.0, 6000.0])
    assert np.diff(erb_rate(centres)).tolist() == pytest.approx(
        [np.diff(erb_rate(centres))[0]] * 63
    )


def test_a_filter_passes_its_centre_whole_and_a_bandwidth_around_it():
    bank = gammatone_bank(RATE, 32, 200.0, 5000.0)
    frequencies = np.linspace(1.0, RATE / 2 - 1, 8000)
    power = np.abs(2 * bank.response(frequencies, RATE)) ** 2
    at_centre = np.abs(2 * bank.response(bank.centre_hz, RATE)).diagonal() ** 2
    np.testing.assert_allclose(at_centre / 4, 1.0, rtol=1e-6)
    width = power.sum(axis=1) * (frequencies[1] - frequencies[0]) / power.max(axis=1)
    np.testing.assert_allclose(width[:24], erb_hz(bank.centre_hz)[:24], rtol=0.03)


@pytest.mark.parametrize("channel", [0, 10, 20])
def test_a_filter_is_the_gammatone_of_the_textbook(channel):
    bank = gammatone_bank(RATE, 32, 200.0, 5000.0)
    centre = bank.centre_hz[channel]
    b, a = signal.gammatone(centre, "iir", fs=RATE)
    near = np.linspace(centre * 0.8, centre * 1.2, 50)
    _, theirs = signal.freqz(b, a, near, fs=RATE)
    ours = 2 * np.abs(bank.response(near, RATE)[channel]) / 2
    np.testing.assert_allclose(ours / ours.max(), np.abs(theirs) / np.abs(theirs).max(), atol=0.03)


def test_frequencies_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"high_hz 9000; they must rise .* half the sample rate"):
        gammatone_bank(RATE, 32, 200.0, 9000.0)
    with pytest.raises(ValueError, match="half the sample rate, inf"):
        gammatone_bank(np.inf, 32, 200.0, 9000.0)
    with pytest.raises(ValidationError, match="half the sample rate, 4000"):
        CochleaSettings(sample_rate_hz=8000.0)


# Spikes


@pytest.mark.parametrize("kind", ["leaky", "delta"])
@pytest.mark.parametrize("frequency_hz", [300.0, 1000.0, 3000.0])
def test_a_tone_is_loudest_in_its_own_channel(kind, frequency_hz):
    cochlea = Cochlea(CochleaSettings(spikes=kind), ears=1)
    events = cochlea.hear(tone(frequency_hz, 0.5, 0.05))
    counts = np.bincount(events.x, minlength=64)
    spread = np.flatnonzero(counts >= 0.95 * counts.max())
    nearest = int(np.abs(cochlea.bank.centre_hz - frequency_hz).argmin())
    assert spread.min() - 2 <= nearest <= spread.max() + 2
    assert counts[nearest] > 2 * counts[max(0, nearest - 25) : max(1, nearest - 20)].max()


def test_louder_is_faster_and_silence_is_silent():
    rates = []
    for level in (0.0, 0.001, 0.01, 0.1, 1.0):
        events = Cochlea(ears=1).hear(tone(1000.0, 0.5, level))
        rates.append(len(events))
    assert rates[0] == 0
    assert all(a < b for a, b in pairwise(rates[1:]))


def test_spikes_keep_to_the_phase_of_low_tones_and_not_of_high_ones():
    def vector_strength(frequency_hz: float) -> float:
        cochlea = Cochlea(ears=1)
        events = cochlea.hear(tone(frequency_hz, 1.0, 0.1))
        nearest = int(np.abs(cochlea.bank.centre_hz - frequency_hz).argmin())
        mine = events.t_ns[(events.x == nearest) & (events.t_ns > 100_000_000)]
        return float(np.abs(np.exp(2j * np.pi * frequency_hz * mine * 1e-9).mean()))

    assert vector_strength(200.0) > 0.7
    assert vector_strength(500.0) > vector_strength(5000.0)


def test_a_refractory_neuron_has_a_highest_rate():
    made = CochleaSettings(refractory_s=0.01, drive=900.0)
    events = Cochlea(made, ears=1).hear(tone(1000.0, 1.0, 1.0))
    for channel in range(64):
        assert (np.diff(events.t_ns[events.x == channel]) >= 10_000_000).all()


@pytest.mark.parametrize("kind", ["leaky", "delta"])
@settings(max_examples=20)
@given(cuts=st.lists(st.integers(0, 1600), max_size=6), seed=st.integers(0, 1000))
def test_where_sound_is_cut_into_blocks_changes_no_spike(kind, cuts, seed):
    sound = np.random.default_rng(seed).normal(0, 0.2, (1600, 2))
    made = CochleaSettings(spikes=kind, channels=16)
    whole = Cochlea(made).hear(sound)
    cochlea = Cochlea(made)
    parts = [cochlea.hear(part) for part in np.split(sound, sorted(cuts))]
    joined = Events.concatenate(parts)
    joined.check()
    assert same(joined, whole)
    assert len(whole) > 0
    assert cochlea.samples == 1600


@pytest.mark.parametrize(
    "said", [{}, {"compression": "none"}, {"spikes": "delta", "delta": 1e-9}], ids=str
)
def test_silence_leaves_no_number_too_small_to_reckon_with(said):
    sound = np.zeros((16_000, 1))
    sound[:1600] = np.random.default_rng(0).normal(0, 0.2, (1600, 1))
    sound[12_000] = 0.1
    made = CochleaSettings(channels=16, low_hz=500.0, **said)
    cochlea, parts = Cochlea(made, ears=1), []
    for number, block in enumerate(np.split(sound, 200)):
        parts.append(cochlea.hear(block))
        for state in (cochlea._z, cochlea._smooth, cochlea._membrane):
            assert not ((state != 0.0) & (np.abs(state) < np.finfo(float).tiny)).any(), number
    assert same(Events.concatenate(parts), Cochlea(made, ears=1).hear(sound))
    silence = np.zeros((1600, 1))
    for _ in range(60):
        cochlea.hear(silence)
    assert not cochlea._z.any()
    assert not cochlea._smooth.any()
    assert not cochlea._membrane.any()


def test_integers_are_the_same_sound_and_too_loud_is_clipped():
    sound = tone(700.0, 0.2, 0.5)
    as_int16 = np.round(sound * 32768).astype(np.int16)
    of_float = Cochlea(ears=1).hear(as_int16 / 32768)
    assert same(Cochlea(ears=1).hear(as_int16), of_float)
    assert same(Cochlea(ears=1).hear(as_int16.astype(np.int32) * 65536), of_float)
    square = np.sign(sound)
    assert same(Cochlea(ears=1).hear(5 * square), Cochlea(ears=1).hear(square))


def test_time_begins_where_it_is_said_and_goes_on_with_the_samples():
    cochlea = Cochlea(ears=1, start_ns=5_000_000_000)
    events = cochlea.hear(tone(1000.0, 0.1))
    assert 5_000_000_000 <= events.t_ns[0] < events.t_ns[-1] <= 5_100_000_000
    assert cochlea.now_ns == 5_100_000_000
    cochlea.reset(7)
    assert cochlea.now_ns == 7


@pytest.mark.parametrize(
    ("sound", "message"),
    [
        (np.zeros((5, 3)), r"shape \(5, 3\); it must be \(n, 2\)"),
        (np.zeros(5), r"shape \(5,\); it must be \(n, 2\)"),
        (np.zeros((5, 2), np.uint8), "sound is uint8; it must be int16"),
        (np.full((5, 2), np.nan), "no finite numbers"),
    ],
)
def test_what_is_no_sound_is_refused_and_nothing_heard(sound, message):
    cochlea = Cochlea()
    with pytest.raises(ValueError, match=message):
        cochlea.hear(sound)
    assert cochlea.samples == 0


# Two ears


@pytest.mark.parametrize("itd_us", [-600, -230, -10, 0, 45, 310, 700])
@pytest.mark.parametrize("what", ["clicks", "speech"])
def test_the_difference_between_the_ears_survives(what, itd_us):
    sound = clicks() if what == "clicks" else speech_like(3)
    both = np.stack([delayed(sound, itd_us * 1e-6), sound], axis=1)
    found = interaural_time_difference_ns(Cochlea().hear(both))
    assert found == pytest.approx(itd_us * 1000, abs=20_000)


def test_ears_that_hear_nothing_have_no_difference():
    assert interaural_time_difference_ns(Cochlea().hear(np.zeros((100, 2)))) is None
    with pytest.raises(ValueError, match="events are of 1 ears; two are needed"):
        interaural_differences(Events.empty(64, 1))
