# SPDX-License-Identifier: Apache-2.0
"""Seeded textures, uint8[rows, columns, 3]: a natural background and a checkered ball."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Float = NDArray[np.float64]

LUMINANCE_WEIGHTS = (0.2126, 0.7152, 0.0722)
"""Share of red, green and blue in luminance (ITU-R BT.709)."""


def smooth_noise(
    rng: np.random.Generator, rows: int, columns: int, finest: float, coarsest: float
) -> Float:
    """Periodic noise of unit variance with a 1/f spectrum, as natural scenes have.

    The result is float64[rows, columns]; `finest` and `coarsest` are the shortest and the longest
    wavelength [texels].
    """
    fy = np.fft.fftfreq(rows)[:, None]
    fx = np.fft.rfftfreq(columns)[None, :]
    frequency = np.maximum(np.hypot(fy, fx), 1e-9)
    band = np.exp(-((frequency * finest) ** 2)) * (1.0 - np.exp(-((frequency * coarsest) ** 2)))
    spectrum = np.fft.rfft2(rng.standard_normal((rows, columns))) * band / frequency
    noise = np.fft.irfft2(spectrum, s=(rows, columns))
    scaled: Float = (noise - noise.mean()) / noise.std()
    return scaled


def painted(log_contrast: Float, brightness: float, tint: tuple[float, float, float]) -> Pixels:
    """Colour with the given log contrast about `brightness` (0 to 1), tinted."""
    colour = brightness * np.exp(log_contrast)[:, :, None] * np.asarray(tint)
    return np.asarray(np.clip(np.rint(colour * 255.0), 12, 250), dtype=np.uint8)


def wall(
    rng: np.random.Generator, strength: float = 1.0, rows: int = 192, columns: int = 256
) -> Pixels:
    """Plaster with soft patches and a few pictures that have real edges.

    Here and below, `strength` multiplies the log contrast.
    """
    contrast = 0.17 * smooth_noise(rng, rows, columns, finest=6.0, coarsest=90.0)
    for _ in range(9):
        height = int(rng.integers(rows // 12, rows // 5))
        width = int(rng.integers(columns // 16, columns // 7))
        top, left = rng.integers(0, rows - height), rng.integers(0, columns - width)
        picture = 0.20 * smooth_noise(rng, height, width, finest=5.0, coarsest=40.0)
        tone = rng.choice([-0.55, -0.4, 0.3])
        contrast[top : top + height, left : left + width] = tone + picture
    return painted(strength * contrast, 0.52, (1.04, 1.0, 0.92))


def wood(
    rng: np.random.Generator, strength: float = 1.0, rows: int = 128, columns: int = 256
) -> Pixels:
    """Table top: soft grain along the columns."""
    grain = smooth_noise(rng, rows, columns // 4, finest=5.0, coarsest=60.0)
    contrast = 0.13 * np.repeat(grain, 4, axis=1)
    contrast += 0.07 * smooth_noise(rng, rows, columns, finest=8.0, coarsest=90.0)
    return painted(strength * contrast, 0.40, (1.30, 0.97, 0.62))


def stone(
    rng: np.random.Generator, strength: float = 1.0, rows: int = 256, columns: int = 256
) -> Pixels:
    """Floor: soft patches."""
    contrast = 0.20 * smooth_noise(rng, rows, columns, finest=6.0, coarsest=90.0)
    return painted(strength * contrast, 0.33, (0.97, 1.0, 1.08))


def checkered_ball(checks: int = 4, texels: int = 4) -> Pixels:
    """Six faces of a cube texture, stacked: bright and dark checks, uint8[6 w, w, 3]."""
    width = checks * texels
    cell = np.arange(width) // texels
    even = (cell[:, None] + cell[None, :]) % 2 == 0
    faces = []
    for face in range(6):
        # Faces differ a little in tint, not in contrast, so that a person can see the spin.
        bright = (250, 222, 120) if face % 2 == 0 else (250, 214, 150)
        faces.append(np.where(even[:, :, None], bright, (66, 20, 24)))
    return np.asarray(np.concatenate(faces), dtype=np.uint8)
