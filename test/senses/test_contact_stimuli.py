# SPDX-License-Identifier: Apache-2.0
"""Known contacts, and that the spikes of a fitted skin tell them apart."""

from __future__ import annotations

import numpy as np
import pytest

from neuro_control.senses.contact_stimuli import PressAndRelease, moving_texture, spread
from neuro_control.senses.fitted_afferents import Afferent
from neuro_control.senses.fitted_skin import FittedSkin, afferent_of
from neuro_control.senses.touch import Touch, TouchRule

MS = 1_000_000


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


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PressAndRelease(-1, 0, 1, 0.1), "peak_kpa: -1 must"),
        (lambda: PressAndRelease(1, 0, 1, 0.0), "ramp_s: 0.0 must"),
        (lambda: PressAndRelease(1, 0.5, 0.55, 0.1), "release_s: 0.55 is before"),
        (lambda: spread(np.zeros((1, 3)), np.zeros(3), 0.0, np.ones(1)), "radius_m: 0.0"),
        (lambda: moving_texture(np.zeros((1, 3)), np.ones(1), np.ones(3), 1, 2.0), "depth: 2.0"),
        (lambda: moving_texture(np.zeros((1, 3)), np.ones(1), np.ones(3), 0, 1.0), "wavelength_m"),
    ],
)
def test_a_stimulus_that_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
