# SPDX-License-Identifier: Apache-2.0
"""Values as the activity of a population with Gaussian receptive fields."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuro_control.encoding.code import (
    Float,
    Spikes,
    at_least,
    checked,
    compressed,
    dense,
    positive,
)
from neuro_control.encoding.population_vector import PopulationVectorDecoder


@dataclass(frozen=True)
class PopulationCode:
    """For each of d values, n neurons with preferred values spread evenly over [low, high].

    A neuron with the preferred value c fires at ``rate_hz * exp(-(x - c)^2 / (2 sigma^2))``
    (Georgopoulos et al., Science 233, 1986, for the read-out; Gaussian tuning as in Pouget et
    al., Nature Reviews Neuroscience 1, 2000). Neuron i of value k has the index ``k * n + i``.

    Attributes:
        values: d, how many values are coded.
        neurons: n, neurons for each value, at least 2.
        low, high: range of the preferred values, in the value's unit.
        rate_hz: rate at the preferred value.
        overlap: sigma in units of the distance between neighbours; at 0.5 and above the read-out
            by the population vector is linear to 1.5 % of that distance, at 1.0 to 1e-6 of it.
    """

    values: int
    neurons: int
    low: float
    high: float
    rate_hz: float = 200.0
    overlap: float = 1.0

    def __post_init__(self) -> None:
        at_least("values", self.values, 1)
        at_least("neurons", self.neurons, 2)
        if not -math.inf < self.low < self.high < math.inf:
            raise ValueError(f"low: {self.low} must be below high, {self.high}, and both finite")
        positive("rate_hz", self.rate_hz)
        positive("overlap", self.overlap)

    @property
    def size(self) -> int:
        """Number of neurons in all."""
        return self.values * self.neurons

    @cached_property
    def preferred(self) -> Float:
        """Preferred values of one value's neurons, float64[n], read-only."""
        values = np.linspace(self.low, self.high, self.neurons)
        values.flags.writeable = False
        return values

    def rates_hz(self, x: ArrayLike) -> Float:
        """Firing rates float64[d * n] for x float64[d]; x beyond the range counts as its end.

        Raises:
            ValueError: `x` has another shape or is not finite.
        """
        value = np.asarray(x, dtype=np.float64)
        if value.shape != (self.values,):
            raise ValueError(f"x: shape {value.shape}, expected ({self.values},)")
        if not np.isfinite(value).all():
            raise ValueError(f"x: {value} must be finite")
        sigma = self.overlap * (self.high - self.low) / (self.neurons - 1)
        value = np.minimum(np.maximum(value, self.low), self.high)
        distance = (value[:, None] - self.preferred) / sigma
        rates: Float = (self.rate_hz * np.exp(-0.5 * distance**2)).ravel()
        return rates


class PopulationEncoder:
    """Regular spikes at a population code's rates.

    Each neuron integrates its rate and spikes when a whole spike is due, so n ticks at a constant
    rate r carry n * r * dt spikes, within one. The phases are seeded: neurons of like rates do
    not fire in step.
    """

    def __init__(self, code: PopulationCode, dt_ns: int, seed: int = 0) -> None:
        if dt_ns < 1:
            raise ValueError(f"dt_ns: {dt_ns} must be at least 1")
        if code.rate_hz * dt_ns > 1e9:
            raise ValueError(
                f"rate_hz: {code.rate_hz} is above one spike a tick, {1e9 / dt_ns} at this dt_ns"
            )
        self.code = code
        self._dt_s = dt_ns * 1e-9
        self._seed = seed
        self.reset()

    def reset(self) -> None:
        """Begin again, with the phases of the seed."""
        self._due = np.random.default_rng(self._seed).random(self.code.size)

    def encode(self, x: ArrayLike, ticks: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Spikes of `ticks` ticks with the values held at x float64[d].

        Returns:
            indices int32[n], offsets int64[ticks + 1].
        """
        if ticks < 1:
            raise ValueError(f"ticks: {ticks} must be at least 1")
        step = self.code.rates_hz(x) * self._dt_s
        due = self._due + step * np.arange(1, ticks + 1)[:, None]
        whole = np.floor(due)
        spikes = whole > np.concatenate([np.zeros_like(whole[:1]), whole[:-1]])
        self._due = due[-1] - whole[-1]
        return compressed(spikes)


class PopulationRate:
    """A population as a `Code`: so many ticks a sample, read by the population vector.

    A sample holds its values for its ticks (`PopulationEncoder`); values beyond the range count as
    its end. What the spikes until a sample's last tick say is its reconstruction
    (`PopulationVectorDecoder`); where the population is silent, that is what it said last, and
    before its first spike the middle of the range.

    Args:
        code: the population.
        dt_ns: length of a tick.
        ticks_per_sample: at least 1.
        tau_s: time constant of the read-out, above 0.
        seed: of the neurons' phases.
        silence: filtered spikes below which a population says nothing, above 0.

    Raises:
        ValueError: naming the parameter that is not right.
    """

    def __init__(
        self,
        code: PopulationCode,
        dt_ns: int,
        ticks_per_sample: int,
        tau_s: float,
        seed: int = 0,
        silence: float = 1e-3,
    ) -> None:
        at_least("ticks_per_sample", ticks_per_sample, 1)
        positive("tau_s", tau_s)
        positive("silence", silence)
        self._encoder = PopulationEncoder(code, dt_ns, seed)
        self.code, self._ticks = code, ticks_per_sample
        self._dt_ns, self._tau_s, self._silence = dt_ns, tau_s, silence

    @property
    def size(self) -> int:
        """Number of neurons: the code's, for each value."""
        return self.code.size

    @property
    def ticks_per_sample(self) -> int:
        """As was asked for."""
        return self._ticks

    def reset(self) -> None:
        """Begin again, with the phases of the seed."""
        self._encoder.reset()

    def encode(self, samples: ArrayLike) -> Spikes:
        """See `Code.encode`."""
        array = checked(samples, self.code.values, None, None)
        parts = [self._encoder.encode(x, self._ticks) for x in array]
        indices = [index for index, _ in parts]
        counts = [np.diff(offsets) for _, offsets in parts]
        ends = np.cumsum(np.concatenate([np.zeros(1, np.int64), *counts]))
        return np.concatenate([np.zeros(0, np.int32), *indices]), ends

    def reconstruct(self, indices: NDArray[np.int32], offsets: NDArray[np.int64]) -> Float:
        """See `Code.reconstruct`; ticks at the end that do not fill a sample are left out."""
        code, ticks = self.code, self._ticks
        dense(indices, offsets, self.size)  # refuses what are no rows
        samples = (len(offsets) - 1) // ticks
        values = np.empty((samples, code.values))
        for k in range(code.values):
            decoder = PopulationVectorDecoder(
                code.preferred[:, None],
                tau_s=self._tau_s,
                dt_ns=self._dt_ns,
                silence=self._silence,
            )
            last = (code.low + code.high) / 2.0
            for n in range(samples):
                window = offsets[n * ticks : (n + 1) * ticks + 1]
                some = indices[window[0] : window[-1]]
                said = decoder.decode(some, window - window[0], k * code.neurons).value
                last = last if said is None else float(said[0])
                values[n, k] = last
        return values
