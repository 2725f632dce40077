# SPDX-License-Identifier: Apache-2.0
"""The fitted afferents follow their equations, and speak of what recorded ones speak of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, lfilter

from neuro_control.events import Events
from neuro_control.senses.afferents import Afferent, afferent_of
from neuro_control.senses.contact_wrench import spread
from neuro_control.senses.fitted_afferents import (
    FA1,
    FA2,
    HISTORY_STEPS,
    SA1,
    STEP_NS,
    AfferentConstants,
    after_current,
    low_pass,
)
from neuro_control.senses.fitted_skin import FittedSkin, FittedSkinSettings
from neuro_control.senses.touch import Touch, TouchRule
from test.senses.known_contacts import PressAndRelease, moving_texture

MS = 1_000_000
KINDS = (SA1, FA1, FA2)


def of(events: Events, kind: Afferent) -> Events:
    kept = afferent_of(events) == kind
    columns = (events.t_ns[kept], events.x[kept], events.y[kept], events.p[kept])
    return Events(*columns, events.width, events.height)


def feel(pressure_kpa, skin: FittedSkin | None = None, period_ns: int = MS) -> Events:
    """Events of one taxel [time] or of many [time, rows, columns], a sample a period."""
    pressure = np.asarray(pressure_kpa, np.float64)
    if pressure.ndim == 1:
        pressure = pressure[:, None, None]
    skin = skin or FittedSkin(*pressure.shape[1:])
    events, _ = skin.run(pressure, np.arange(len(pressure)) * period_ns)
    events.check()
    return events


def times_s(seconds: float) -> np.ndarray:
    return np.arange(round(seconds * 1000)) * 1e-3


# Equations


@pytest.mark.parametrize("cut_off_hz", [20.0, 101.317, 369.968, 1500.0])
def test_the_low_pass_is_scipys_butterworth(cut_off_hz):
    b, a = butter(3, cut_off_hz, fs=5000.0)
    np.testing.assert_allclose(low_pass(cut_off_hz), [*b, *a[1:]], rtol=1e-9, atol=1e-12)


def test_after_currents_begin_and_peak_where_the_source_says():
    first = after_current(AfferentConstants(100, (0, 0), (0, 0), (0, 0), 0, 0, 10, (1.0, 0.0)))
    second = after_current(AfferentConstants(100, (0, 0), (0, 0), (0, 0), 0, 0, 10, (0.0, 1.0)))
    # Figures of the published basis: its second value, and where both are (1 - sqrt(1/2)) / 2.
    assert first[0] == pytest.approx(1.0)
    assert first[1] == pytest.approx(0.962259, abs=1e-6)
    assert first[10] == pytest.approx(second[10]) == pytest.approx(0.146447, abs=1e-6)
    assert not first[17:].any()
    assert int(second.argmax()) == 40
    assert not second[:6].any()
    assert second[-1] < 1e-4


def spikes_by_the_equations(constants: AfferentConstants, s_mpa: np.ndarray) -> list[int]:
    """Steps of the spikes for a stress at every step: the module's equations, word for word."""
    b, a = butter(3, constants.cut_off_hz, fs=5000.0)
    s = lfilter(b, a, s_mpa)
    rate = np.diff(s, prepend=0.0) * 5000.0
    change = np.diff(rate, prepend=0.0)
    current = np.zeros(len(s))
    for term, weights in (
        (s, constants.pressure),
        (rate, constants.rate),
        (change, constants.change),
    ):
        current += np.where(term >= 0, weights[0] * term, -weights[1] * term)
    if constants.saturation:
        current *= constants.saturation / (constants.saturation + np.abs(current))
    after, v, since, spikes = after_current(constants), 0.0, 10**6, []
    for k in range(len(s)):
        v += -v / constants.tau_steps + current[k]
        if since < HISTORY_STEPS:
            v += after[since]
        since += 1
        if v > 1.0 and since >= 6:
            spikes.append(k)
            v, since = 0.0, 0
    return spikes


@pytest.mark.parametrize("kind", list(Afferent))
@pytest.mark.parametrize("seed", [0, 1])
def test_spikes_fall_in_the_steps_that_the_equations_name(kind, seed):
    rng = np.random.default_rng(seed)
    pressure_kpa = np.convolve(rng.uniform(0, 60, 3000), np.ones(25) / 25, "same")
    pressure_kpa[0] = 0.0
    events = of(feel(pressure_kpa, period_ns=STEP_NS), kind)
    expected = spikes_by_the_equations(KINDS[kind], pressure_kpa * 1e-3)
    assert len(expected) > 10
    # A stamp lies within the step that ends at the named time.
    assert (-(-events.t_ns // STEP_NS)).tolist() == expected


# What each kind speaks of


def test_without_contact_nobody_speaks_noise_or_not():
    for noise in (False, True):
        skin = FittedSkin(4, 4, FittedSkinSettings(noise=noise))
        assert len(feel(np.zeros((500, 4, 4)), skin)) == 0


def test_sa1_goes_on_under_a_hold_and_is_faster_under_more_pressure():
    t = times_s(1.0)
    counts = [
        len(
            of(feel(PressAndRelease(peak, 0.1, 0.8, 0.05).pressure(t)), Afferent.SA1).window(
                300 * MS, 800 * MS
            )
        )
        for peak in (5.0, 10.0, 20.0, 50.0, 100.0)
    ]
    assert counts[0] == 0  # threshold 1 / (tau w+) = 8.2 kPa
    assert counts[1:] == sorted(set(counts[1:]))
    assert 20 <= counts[4] / 0.5 <= 150


def test_fa1_speaks_at_onset_and_release_only_and_tells_them_apart():
    contact = PressAndRelease(20.0, 0.1, 0.8, 0.05)
    events = of(feel(contact.pressure(times_s(1.2))), Afferent.FA1)
    onset, release = events.window(100 * MS, 160 * MS), events.window(800 * MS, 860 * MS)
    assert min(len(onset), len(release)) >= 2
    assert len(onset) + len(release) == len(events)
    assert onset.p.all()
    assert not release.p.any()


def test_fa2_locks_to_a_small_vibration_at_250_hz():
    t = times_s(1.0)
    # From 0.1 kPa a spike a cycle; from 1 kPa one for each of its two turns.
    for amplitude_kpa, per_cycle in ((0.1, 1), (1.0, 2)):
        shaking = 20.0 + amplitude_kpa * np.sin(2 * np.pi * 250 * t) * (t > 0.2)
        events = of(feel(shaking), Afferent.FA2).window(300 * MS, 1000 * MS)
        assert len(events) == pytest.approx(0.7 * 250 * per_cycle, abs=2)
        rhythm_hz = 250 * per_cycle
        assert abs(np.exp(2j * np.pi * rhythm_hz * events.t_ns * 1e-9).mean()) > 0.95
    # 0.1 kPa at 30 Hz is nothing to it.
    slow = of(feel(20.0 + 0.1 * np.sin(2 * np.pi * 30 * t)), Afferent.FA2)
    assert len(slow.window(50 * MS, 1000 * MS)) == 0


def test_neither_fast_kind_speaks_during_a_slow_ramp():
    events = feel(PressAndRelease(20.0, 0.1, 2.0, 1.0).pressure(times_s(1.1)))
    fast = afferent_of(events) != Afferent.SA1
    assert (afferent_of(events) == Afferent.SA1).any()
    assert not (fast & (events.t_ns > 110 * MS) & (events.t_ns < 1090 * MS)).any()


def test_a_constant_pressure_from_the_start_is_no_onset():
    events = feel(np.full(300, 40.0))
    assert set(afferent_of(events).tolist()) == {Afferent.SA1}


# Laws of the stream


@settings(max_examples=25)
@given(st.integers(0, 1000), st.integers(1, 79), st.booleans(), st.integers(100_000, 7_000_000))
def test_a_stream_may_be_cut_anywhere(seed, cut, noise, period_ns):
    rng = np.random.default_rng(seed)
    pressure = rng.uniform(0, 60, (80, 2, 3)) * (rng.random((80, 1, 1)) < 0.7)
    t_ns = np.cumsum(rng.integers(1, period_ns, 80))
    skin = FittedSkin(2, 3, FittedSkinSettings(noise=noise, mismatch_sigma=0.1))
    whole, _ = skin.run(pressure, t_ns)
    first, state = skin.run(pressure[:cut], t_ns[:cut])
    second, _ = skin.run(pressure[cut:], t_ns[cut:], state)
    both = Events.concatenate([first, second])
    for name in ("t_ns", "x", "y", "p"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(both, name))
    whole.check()


def test_a_state_can_be_used_twice():
    skin = FittedSkin(1, 1)
    state = skin.start([[0.0]], 0)
    once, _ = skin.advance(state, [[80.0]], 50 * MS)
    again, _ = skin.advance(state, [[80.0]], 50 * MS)
    assert len(once) > 0
    assert once.t_ns.tolist() == again.t_ns.tolist()


def test_spikes_are_timed_between_samples():
    pressure = PressAndRelease(60.0, 0.1, 0.8, 0.1).pressure(np.arange(100) * 0.01)
    coarse = of(feel(pressure, period_ns=10 * MS), Afferent.SA1)
    fine = of(feel(PressAndRelease(60.0, 0.1, 0.8, 0.1).pressure(times_s(1.0))), Afferent.SA1)
    assert len(coarse) > 10
    np.testing.assert_allclose(coarse.t_ns[:10], fine.t_ns[:10], atol=1000)
    assert len(set((coarse.t_ns % STEP_NS).tolist())) > 5


def test_noise_and_mismatch_follow_their_seed():
    contact = np.repeat(PressAndRelease(30.0, 0.1, 0.8, 0.05).pressure(times_s(0.5)), 6)
    pressure = contact.reshape(-1, 2, 3)

    def times(**said) -> list[int]:
        return feel(pressure, FittedSkin(2, 3, FittedSkinSettings(**said))).t_ns.tolist()

    for said in ({"noise": True}, {"mismatch_sigma": 0.2}):
        assert times(**said) == times(**said)
        assert times(**said) != times(**said, seed=1)
        assert times(**said) != times()


def test_addresses_are_bands_of_rows_and_a_gain_of_0_silences_a_kind():
    pressure = np.zeros((400, 4, 6))
    pressure[10:, 2, 5] = 80.0
    events = feel(pressure)
    assert (events.width, events.height) == (6, 12)
    assert set(events.x.tolist()) == {5}
    assert set(events.y.tolist()) == {2, 6, 10}
    for kind, name in zip(Afferent, ("sa1_gain", "fa1_gain", "fa2_gain"), strict=True):
        silenced = feel(pressure, FittedSkin(4, 6, FittedSkinSettings(**{name: 0.0})))
        assert set(afferent_of(silenced).tolist()) == set(Afferent) - {kind}


def test_below_zero_counts_as_zero():
    """A tared sensor's offset lies on either side of zero."""
    pressure = PressAndRelease(40.0, 0.1, 0.3, 0.05).pressure(times_s(0.5))
    tared = np.where(pressure > 0.0, pressure, -1e-4)
    assert feel(tared).t_ns.tolist() == feel(pressure).t_ns.tolist() != []
    state = FittedSkin(1, 1).start([[-20.0]], 0)
    assert state.stress_mpa.tolist() == [0.0]


# Refusals


@pytest.mark.parametrize(
    ("pressure", "t_ns", "message"),
    [
        (np.zeros((3, 2)), MS, r"pressure_kpa: shape \(3, 2\), expected \(2, 3\)"),
        (np.full((2, 3), np.nan), MS, r"pressure_kpa: taxel \[0, 0\] has nan"),
        (np.full((2, 3), np.inf), MS, r"taxel \[0, 0\] has inf; it must be finite"),
        (np.full((2, 3), -np.inf), MS, r"taxel \[0, 0\] has -inf; it must be finite"),
        (np.zeros((2, 3)), 5, "t_ns: 5 is not after the last sample's 5"),
        (np.zeros((2, 3)), 4, "t_ns: 4 is not after the last sample's 5"),
        (np.zeros((2, 3)), 3000 * MS, r"t_ns: 3000000000 is 3 s after .* start anew"),
    ],
)
def test_what_is_no_sample_is_refused_by_name(pressure, t_ns, message):
    skin = FittedSkin(2, 3)
    state = skin.start(np.zeros((2, 3)), 5)
    with pytest.raises(ValueError, match=message):
        skin.advance(state, pressure, t_ns)


def test_a_skin_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="rows is 0 and columns 3"):
        FittedSkin(0, 3)
    with pytest.raises(ValueError, match="height is 90000"):
        FittedSkin(30_000, 1)
    with pytest.raises(ValueError, match="t_ns: -1 must be 0 or more"):
        FittedSkin(1, 1).start([[0.0]], -1)
    with pytest.raises(ValueError, match=r"give \(n, 1, 1\) and \(n,\)"):
        FittedSkin(1, 1).run(np.zeros((3, 1, 1)), [0, 1])
    with pytest.raises(ValueError, match="height: 4 is not a multiple of 3"):
        afferent_of(Events.empty(2, 4))
    with pytest.raises(ValueError, match=r"tau_steps: 0\.5 must be at least 1"):
        AfferentConstants(100, (0, 0), (0, 0), (0, 0), 0, 0, 0.5, (0, 0))
    with pytest.raises(ValueError, match=r"tau_steps: inf must be at least 1, and finite"):
        AfferentConstants(100, (0, 0), (0, 0), (0, 0), 0, 0, np.inf, (0, 0))
    with pytest.raises(ValueError, match="gain: -1 must be 0 or more"):
        SA1.with_gain(-1)


def test_onset_hold_release_and_slip_are_told_apart():
    t = np.arange(1600) * 1e-3
    y, x = np.divmod(np.arange(24), 6)
    positions_m = np.stack([x, y, 0 * x], axis=1) * 0.002
    contact = PressAndRelease(40.0, 0.1, 1.4, 0.05).pressure(t)
    pad = spread(positions_m, positions_m.mean(axis=0), 0.01, contact)
    slipped_m = np.clip(t - 0.7, 0.0, 0.3) * 0.04
    ridges = moving_texture(positions_m, slipped_m, np.array([1.0, 0.0, 0.0]), 0.006, 0.5)
    events, _ = FittedSkin(4, 6).run((pad * ridges).reshape(-1, 4, 6), np.arange(1600) * MS)
    rule = TouchRule()
    said = {
        begin: rule.judge(events.window(begin * MS, (begin + 50) * MS))
        for begin in (30, 100, 500, 750, 850, 1200, 1400, 1500)
    }
    assert said == {
        30: Touch.NOTHING,
        100: Touch.ONSET,
        500: Touch.HOLD,
        750: Touch.SLIP,
        850: Touch.SLIP,
        1200: Touch.HOLD,
        1400: Touch.RELEASE,
        1500: Touch.NOTHING,
    }
    # The slip changes who speaks, not how much is pressed.
    slow_ns = events.t_ns[afferent_of(events) == Afferent.SA1]
    held, slipping = (
        np.count_nonzero((slow_ns >= b * MS) & (slow_ns < (b + 250) * MS)) for b in (400, 720)
    )
    assert slipping == pytest.approx(held, rel=0.25)
