# SPDX-License-Identifier: Apache-2.0
"""Three kinds of afferents with constants fitted to recordings of single nerve fibres.

A leaky integrate-and-fire neuron is driven by the pressure, its rate of change and the change of
that rate, each with one weight for either sign, behind a third-order Butterworth low-pass:
Dong et al., Journal of Neurophysiology 109, 2013, with the constants that Saal et al. (PNAS 114,
2017: TouchSim) fitted to recordings of single afferents of macaques.

    I    = w+ s or -w- s  +  u+ s' or -u- s'  +  a+ ds' or -a- ds'     (by the sign of each term)
    I   += sigma n                                n normal, where noise is on
    I   := I k / (k + |I|)                        where the afferent saturates, k > 0
    v   += -v / tau + I + b1 h1(m) + b2 h2(m)     m steps after the last spike

in steps of 0.2 ms, the rate of the fits; s in MPa, s' in MPa/s, ds' its change in a step. A spike
where v > 1, no sooner than 6 steps after the one before; v then is 0. h1 and h2 are raised cosines
on a logarithmic time axis (Pillow et al., Nature 454, 2008).

Two liberties. The stress at the receptor is taken to be the taxel's pressure, which it is under
the middle of a contact; and so is its rate, for which the fits' mechanics give 0.4 (FA-II) to 0.6
(FA-I) of that under a pin of 0.5 mm radius: `gain` makes up for what a skin does otherwise.
TouchSim's delays (1 to 8 ms, of the nerve mostly) are left out: a robot's wires are fast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]

STEP_NS = 200_000
"""The fits' sampling period, 5 kHz."""

HISTORY_STEPS = 190
"""The after-currents are over by then: 38 ms after a spike."""


@dataclass(frozen=True)
class AfferentConstants:
    """One afferent, in the units of this module's equations.

    cut_off_hz: of the low-pass.
    pressure, rate, change: weights (rising, falling) of s [1/MPa], s' [s/MPa], ds' [s/MPa].
    saturation: k, or 0 for none.
    noise_std: sigma of a step.
    tau_steps: of the leak.
    after: b1 and b2, currents after a spike.
    gain: factor on the pressure before all else; 0 silences the kind.
    """

    cut_off_hz: float
    pressure: tuple[float, float]
    rate: tuple[float, float]
    change: tuple[float, float]
    saturation: float
    noise_std: float
    tau_steps: float
    after: tuple[float, float]
    gain: float = 1.0

    def __post_init__(self) -> None:
        if not 1.0 <= self.cut_off_hz <= 2000.0:
            raise ValueError(f"cut_off_hz: {self.cut_off_hz} must be 1 to 2000")
        if not 1.0 <= self.tau_steps < math.inf:
            raise ValueError(f"tau_steps: {self.tau_steps} must be at least 1, and finite")
        for name in ("saturation", "noise_std", "gain"):
            value = getattr(self, name)
            if not 0.0 <= value < math.inf:
                raise ValueError(f"{name}: {value} must be 0 or more")

    def with_gain(self, gain: float) -> AfferentConstants:
        """The same behind another gain."""
        return replace(self, gain=gain)


# One fitted afferent of each kind, with the source's figures to six digits. Of nine FA-I and four
# FA-II, those that answer press and release alike and whose rate weights keep them quiet on ramps.
SA1 = AfferentConstants(
    cut_off_hz=101.317,
    pressure=(0.434648, -0.318310),
    rate=(0.00580181, -0.00396896),
    change=(0.0, 0.0),
    saturation=0.0,
    noise_std=0.0156250,
    tau_steps=281.207,
    after=(-0.277023, -7.37607e-6),
)
FA1 = AfferentConstants(
    cut_off_hz=105.215,
    pressure=(0.0, 0.0),
    rate=(0.225598, 0.244580),
    change=(0.0722434, -0.540572),
    saturation=923.250,
    noise_std=0.0449934,
    tau_steps=28.4312,
    after=(-2.30488, -0.0538330),
)
FA2 = AfferentConstants(
    cut_off_hz=369.968,
    pressure=(0.0, 0.0),
    rate=(-35.3981, -22.6539),
    change=(157.580, 174.772),
    saturation=4.88204,
    noise_std=0.0500000,
    tau_steps=4.55758,
    after=(-4.54800, -0.920062),
)


def after_current(constants: AfferentConstants) -> Float:
    """Current in the steps after a spike, float64[HISTORY_STEPS].

    h(m) = (1 + cos(a (ln(m + 5) - ln c))) / 2 within its first period, a = 3 pi / (4 ln 3), with
    c = 5 (h1, highest at once) and 45 (h2, highest after 40 steps).
    """
    steps = np.log(np.arange(HISTORY_STEPS) + 5.0)
    scale = 0.75 * np.pi / np.log(3.0)
    current = np.zeros(HISTORY_STEPS)
    for weight, centre in zip(constants.after, (5.0, 45.0), strict=True):
        angle = np.clip(scale * (steps - np.log(centre)), -np.pi, np.pi)
        current += weight * 0.5 * (1.0 + np.cos(angle))
    return current


def low_pass(cut_off_hz: float) -> Float:
    """Third-order Butterworth at 5 kHz: float64[7], b0 to b3 and a1 to a3 (a0 = 1).

    The analogue 1 / ((p + 1)(p^2 + p + 1)), p = s / omega, by the bilinear transform with the
    cut-off prewarped (Oppenheim and Schafer, Discrete-Time Signal Processing).
    """
    k = math.tan(math.pi * cut_off_hz * STEP_NS * 1e-9)
    first = np.array([1.0 + k, k - 1.0])
    second = np.array([1.0 + k + k * k, 2.0 * (k * k - 1.0), 1.0 - k + k * k])
    a = np.convolve(first, second)
    b = k**3 * np.array([1.0, 3.0, 3.0, 1.0])
    return np.concatenate((b, a[1:])) / a[0]
