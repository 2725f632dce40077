# SPDX-License-Identifier: Apache-2.0
"""The basilar membrane: gammatone filters on the ERB scale.

Each channel is four one-pole filters with the same complex pole, one behind the other, whose real
part is a gammatone of fourth order: Hohmann, "Frequency analysis and synthesis using a Gammatone
filterbank", Acta Acustica 88, 2002. Bandwidths: Glasberg and Moore, "Derivation of auditory filter
shapes from notched-noise data", Hearing Research 47, 1990.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ORDER = 4
FloatArray = NDArray[np.float64]


def erb_hz(frequency_hz: FloatArray | float) -> FloatArray:
    """Equivalent rectangular bandwidth at a frequency, Hz (Glasberg and Moore, 1990)."""
    return 24.7 * (4.37e-3 * np.asarray(frequency_hz) + 1.0)


def erb_rate(frequency_hz: FloatArray | float) -> FloatArray:
    """The frequency on the ERB-rate scale: how many bandwidths lie below it."""
    return 21.4 * np.log10(4.37e-3 * np.asarray(frequency_hz) + 1.0)


def erb_spaced_hz(low_hz: float, high_hz: float, channels: int) -> FloatArray:
    """Centre frequencies at equal distances on the ERB-rate scale, ascending, float64[channels]."""
    rates = np.linspace(float(erb_rate(low_hz)), float(erb_rate(high_hz)), channels)
    return np.asarray((10.0 ** (rates / 21.4) - 1.0) / 4.37e-3, np.float64)


@dataclass(frozen=True, eq=False)
class FilterBank:
    """Coefficients of a bank.

    centre_hz: float64[channels], ascending. pole: complex128[channels], of each of the four
    stages. gain: float64[channels], that makes the response 1 at the centre.
    """

    centre_hz: FloatArray
    pole: NDArray[np.complex128]
    gain: FloatArray

    def response(self, frequency_hz: FloatArray, sample_rate_hz: float) -> NDArray[np.complex128]:
        """Response of the complex filters at frequencies (Hz), complex128[channels, n]."""
        z = np.exp(-2j * np.pi * np.asarray(frequency_hz) / sample_rate_hz)
        stages = 1.0 / (1.0 - self.pole[:, None] * z[None, :])
        return np.asarray(self.gain[:, None] * stages**ORDER / 2.0, np.complex128)


def gammatone_bank(
    sample_rate_hz: float, channels: int, low_hz: float, high_hz: float
) -> FilterBank:
    """A bank of gammatone filters from low_hz to high_hz.

    Raises:
        ValueError: the frequencies do not rise, or lie beyond half the sample rate.
    """
    if not 0.0 < low_hz < high_hz < sample_rate_hz / 2.0 < math.inf:
        raise ValueError(
            f"low_hz is {low_hz:g} and high_hz {high_hz:g}; they must rise from above 0 to below"
            f" half the sample rate, {sample_rate_hz / 2.0:g}"
        )
    centre_hz = erb_spaced_hz(low_hz, high_hz, channels)
    # Of a gammatone of order n the equivalent rectangular bandwidth is a times its decay rate.
    n = ORDER
    a = math.pi * math.factorial(2 * n - 2) * 2.0 ** (2 - 2 * n) / math.factorial(n - 1) ** 2
    decay = np.exp(-2.0 * np.pi * erb_hz(centre_hz) / (a * sample_rate_hz))
    pole = decay * np.exp(2j * np.pi * centre_hz / sample_rate_hz)
    return FilterBank(centre_hz, pole, 2.0 * (1.0 - decay) ** ORDER)
