# SPDX-License-Identifier: Apache-2.0
"""Pressures on a skin that are touched in known ways, to see what its afferents say of them.

Times are in seconds, arrays of times give an array of values, and pressures are in kPa.
"""

from __future__ import annotations

import math
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

    def __post_init__(self) -> None:
        if not 0.0 <= self.peak_kpa < math.inf:
            raise ValueError(f"peak_kpa: {self.peak_kpa} must be 0 or more")
        if not self.ramp_s > 0.0:
            raise ValueError(f"ramp_s: {self.ramp_s} must be above 0")
        if not self.release_s >= self.onset_s + self.ramp_s:
            raise ValueError(
                f"release_s: {self.release_s} is before the ramp's end,"
                f" {self.onset_s + self.ramp_s:g} s"
            )

    def pressure(self, t_s: Float) -> Float:
        """Pressure [kPa] at times float64[n]."""
        rise = np.clip((t_s - self.onset_s) / self.ramp_s, 0.0, 1.0)
        fall = np.clip((t_s - self.release_s) / self.ramp_s, 0.0, 1.0)
        return self.peak_kpa * (rise - fall)


def spread(
    positions_m: Float, centre_m: Float, radius_m: float, pressure_kpa: Float
) -> NDArray[np.float64]:
    """A round contact: float64[n, taxels], Gaussian about `centre_m` with std `radius_m`.

    Args:
        positions_m: float64[taxels, 3].
        centre_m: float64[3].
        radius_m: standard deviation, above 0.
        pressure_kpa: float64[n], at the centre.

    Raises:
        ValueError: `radius_m` is not above 0.
    """
    if not radius_m > 0.0:
        raise ValueError(f"radius_m: {radius_m} must be above 0")
    square = ((positions_m - centre_m) ** 2).sum(axis=1)
    return np.multiply.outer(pressure_kpa, np.exp(-square / (2.0 * radius_m**2)))


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

    Raises:
        ValueError: `depth` or `wavelength_m` is outside its range.
    """
    if not 0.0 <= depth <= 1.0:
        raise ValueError(f"depth: {depth} must be 0 to 1")
    if not wavelength_m > 0.0:
        raise ValueError(f"wavelength_m: {wavelength_m} must be above 0")
    along = positions_m @ direction
    phase = 2.0 * np.pi * (along[None, :] - shift_m[:, None]) / wavelength_m
    return 1.0 + depth * np.sin(phase)
