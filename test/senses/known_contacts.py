# SPDX-License-Identifier: Apache-2.0
"""Pressures on a skin that is touched in known ways.

Times are in seconds, arrays of times give an array of values, and pressures are in kPa.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


@dataclass(frozen=True)
class PressAndRelease:
    """Up in a ramp, held, down in a ramp.

    peak_kpa: pressure of the hold. onset_s, release_s: when it begins to rise and to fall.
    ramp_s: how long each takes.
    """

    peak_kpa: float
    onset_s: float
    release_s: float
    ramp_s: float

    def pressure(self, t_s: Float) -> Float:
        """Pressure [kPa] at times float64[n]."""
        rise = np.clip((t_s - self.onset_s) / self.ramp_s, 0.0, 1.0)
        fall = np.clip((t_s - self.release_s) / self.ramp_s, 0.0, 1.0)
        return self.peak_kpa * (rise - fall)


def moving_texture(
    positions_m: Float, shift_m: Float, direction: Float, wavelength_m: float, depth: float
) -> NDArray[np.float64]:
    """What a ridged surface multiplies the pressure by: float64[n, taxels].

    1 + depth sin(2 pi (position along `direction` - shift) / wavelength): moving it changes
    what each taxel feels, and, over whole wavelengths, not their sum.

    Args:
        positions_m: float64[taxels, 3].
        shift_m: float64[n], how far the surface has slipped.
        direction: float64[3], unit vector of the slip.
        wavelength_m: between ridges.
        depth: 0 (smooth) to 1.
    """
    along = positions_m @ direction
    phase = 2.0 * np.pi * (along[None, :] - shift_m[:, None]) / wavelength_m
    return 1.0 + depth * np.sin(phase)
