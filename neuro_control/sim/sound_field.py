# SPDX-License-Identifier: Apache-2.0
"""What ears hear of a sounding source that moves: later and softer with distance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]

SPEED_OF_SOUND_M_S = 343.0
# A hum of many harmonics, so that every part of a cochlea hears it, four times a second.
_PITCH_HZ = 180.0
_HARMONICS = 24
_BURSTS_HZ = 4.0
# Part of the loudness that an ear loses for what lies behind it.
_SHADOW = 0.5


class SoundField:
    """A point source in open air and some ears, block by block.

    An ear at distance d hears at time t what the source said at t - d / c, at 1 / d of its
    loudness at 1 m, times a cardioid about where the ear points. Where the sound is cut into
    blocks changes a sample only by the source's path, taken as straight within a block.

    Args:
        ears: position float64[3] [m] and direction (unit vector) of each.
        sample_rate_hz: of what is heard.
        loudness: peak of the sound at 1 m, full scale being 1.
    """

    def __init__(
        self, ears: Sequence[tuple[Float, Float]], sample_rate_hz: float, loudness: float = 0.1
    ) -> None:
        self._places = np.array([place for place, _ in ears])
        self._directions = np.array([direction for _, direction in ears])
        self._rate = sample_rate_hz
        self._loudness = loudness
        self._samples = 0
        self._last: Float | None = None

    def hear(self, source: Float, t_s: float) -> NDArray[np.int16]:
        """The samples up to time t_s [s] (exclusive), int16[n, ears]; full scale is 32767.

        source: float64[3] [m], where the source is at t_s.
        """
        end = int(np.floor(t_s * self._rate))
        n = max(end - self._samples, 0)
        begin = source if self._last is None else self._last
        self._last = np.array(source, np.float64)
        share = (np.arange(n) + 1.0) / max(n, 1)
        place = begin + share[:, None] * (source - begin)
        when = (self._samples + np.arange(n)) / self._rate
        self._samples += n
        gap = place[:, None, :] - self._places  # [n, ears, 3]
        distance = np.maximum(np.linalg.norm(gap, axis=2), 0.05)
        ahead = np.einsum("nek,ek->ne", gap, self._directions) / distance
        gain = self._loudness / distance * (1.0 - _SHADOW + _SHADOW * 0.5 * (1.0 + ahead))
        sound = gain * hum(when[:, None] - distance / SPEED_OF_SOUND_M_S)
        return np.rint(np.clip(sound, -1.0, 1.0) * 32767.0).astype(np.int16)


def hum(t_s: Float) -> Float:
    """The source's sound at times t_s [s], peak 1 at most: bursts of a hum."""
    phase = 2.0 * np.pi * _PITCH_HZ * t_s
    envelope = 0.5 - 0.5 * np.cos(2.0 * np.pi * _BURSTS_HZ * t_s)
    # The sum of sin(k phase) over k = 1..n, in closed form (Lagrange's identity).
    half = np.sin(0.5 * phase)
    with np.errstate(divide="ignore", invalid="ignore"):
        tone = np.sin(0.5 * _HARMONICS * phase) * np.sin(0.5 * (_HARMONICS + 1) * phase) / half
    tone = np.where(np.abs(half) < 1e-9, 0.0, tone)
    return envelope * tone / _HARMONICS
