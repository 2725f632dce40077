# SPDX-License-Identifier: Apache-2.0
"""A source is heard later and softer the farther it is, at each ear by itself."""

from __future__ import annotations

import numpy as np
import pytest

from neuro_control.sim.sound_field import SPEED_OF_SOUND_M_S, SoundField, hum

RATE = 16_000.0
LEFT = (np.array([0.0, 0.08, 0.0]), np.array([0.0, 1.0, 0.0]))
RIGHT = (np.array([0.0, -0.08, 0.0]), np.array([0.0, -1.0, 0.0]))


def heard(source: list[float], seconds: float = 1.0, block_s: float = 0.01) -> np.ndarray:
    field = SoundField([LEFT, RIGHT], RATE, loudness=0.5)
    place = np.array(source)
    blocks = [field.hear(place, t) for t in np.arange(1, round(seconds / block_s) + 1) * block_s]
    return np.concatenate(blocks).astype(np.float64) / 32767.0


def test_it_is_the_hum_at_the_distance() -> None:
    sound = heard([3.0, 0.0, 0.0])
    assert sound.shape == (16_000, 2)
    t = np.arange(16_000) / RATE
    distance = np.hypot(3.0, 0.08)
    ahead = -0.08 / distance  # of each ear, which points away from the other
    gain = 0.5 / distance * (0.5 + 0.25 * (1.0 + ahead))
    wanted = gain * hum(t - distance / SPEED_OF_SOUND_M_S)
    np.testing.assert_allclose(sound, np.stack([wanted, wanted], 1), atol=1 / 32767)


@pytest.mark.parametrize("block_s", [0.001, 0.002, 0.05])
def test_blocks_change_nothing_of_a_source_at_rest(block_s: float) -> None:
    np.testing.assert_array_equal(heard([1.0, 0.5, 0.2], block_s=block_s), heard([1.0, 0.5, 0.2]))


def test_from_the_left_it_comes_to_the_left_ear_earlier_and_louder() -> None:
    sound = heard([0.0, 2.0, 0.0])
    assert np.abs(sound[:, 0]).max() > 1.5 * np.abs(sound[:, 1]).max()
    wanted = round(0.16 / SPEED_OF_SOUND_M_S * RATE)
    left, right = (column - column.mean() for column in sound.T)
    lags = np.arange(-20, 21)
    match = [float(left[100:-100] @ np.roll(right, -lag)[100:-100]) for lag in lags]
    assert lags[int(np.argmax(match))] == wanted


def test_twice_as_far_is_half_as_loud() -> None:
    near, far = heard([2.0, 0.0, 0.0]), heard([4.0, 0.0, 0.0])
    assert near.std() / far.std() == pytest.approx(2.0, rel=0.02)


def test_the_hum_never_exceeds_its_peak() -> None:
    sound = hum(np.linspace(0.0, 2.0, 400_001))
    assert 0.5 < np.abs(sound).max() <= 1.0
    assert np.isfinite(sound).all()
