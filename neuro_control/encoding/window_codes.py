# SPDX-License-Identifier: Apache-2.0
"""Codes that take a window of ticks for every sample; samples are 0 to 1.

Rates: Adrian, 1926; time to first spike: Thorpe, Delorme, Van Rullen, "Spike-based strategies for
rapid processing", Neural Networks 14, 2001; rank order: Thorpe and Gautrais, "Rank order coding",
Computational Neuroscience: Trends in Research, 1998; phase: Kim, Kim, Huh, Lee, Choi, "Deep neural
networks with weighted spikes", Neurocomputing 311, 2018; bursts: as compared in Guo, Fouda,
Eltawil, Salama, "Neural coding in spiking neural networks", Frontiers in Neuroscience 15, 2021.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuro_control.encoding.code import Float, Spikes, at_least, checked, compressed, dense

MOST_DIGITS = 53
"""Binary digits of a float64, and so of a phase code."""


class _WindowCode(ABC):
    """What these codes have in common.

    Args:
        values: how many signals; neuron k speaks of value k.
        window: ticks of a sample.

    Raises:
        ValueError: naming the parameter that is not right.
    """

    def __init__(self, values: int, window: int) -> None:
        at_least("values", values, 1)
        at_least("window", window, 1)
        self.values, self.window = values, window
        self.reset()

    @property
    def size(self) -> int:
        """Number of neurons: one for each value."""
        return self.values

    @property
    def ticks_per_sample(self) -> int:
        """The window."""
        return self.window

    def reset(self) -> None:
        """Begin again."""
        self._forget()

    def encode(self, samples: ArrayLike) -> Spikes:
        """See `Code.encode`."""
        array = checked(samples, self.values, 0.0, 1.0)
        return compressed(self._windows(array).reshape(-1, self.values))

    def reconstruct(self, indices: NDArray[np.int32], offsets: NDArray[np.int64]) -> Float:
        """See `Code.reconstruct`; ticks at the end that do not fill a window are left out."""
        spikes = dense(indices, offsets, self.size)
        n = len(spikes) // self.window
        return self._values(spikes[: n * self.window].reshape(n, self.window, self.values))

    def _forget(self) -> None:  # noqa: B027 - most of these codes remember nothing
        """Drop what is kept from window to window."""

    @abstractmethod
    def _windows(self, samples: Float) -> NDArray[np.bool_]:
        """Spikes bool[n, window, values]."""

    @abstractmethod
    def _values(self, spikes: NDArray[np.bool_]) -> Float:
        """Samples float64[n, values] of spikes bool[n, window, values]."""


class RegularRate(_WindowCode):
    """Spikes at equal distances, `most` of the ticks at a value of 1; phases go on over windows.

    Args:
        values, window: as for every code with a window.
        most: share of the ticks with a spike at 1, above 0 and at most 1.
    """

    def __init__(self, values: int, window: int, most: float = 1.0) -> None:
        if not 0.0 < most <= 1.0:
            raise ValueError(f"most: {most} must be above 0 and at most 1")
        self.most = most
        super().__init__(values, window)

    def _forget(self) -> None:
        self._due = np.zeros(self.values)

    def _windows(self, samples: Float) -> NDArray[np.bool_]:
        spikes = np.zeros((len(samples), self.window, self.values), np.bool_)
        ticks = np.arange(1, self.window + 1)[:, None]
        for n, sample in enumerate(samples):
            due = self._due + self.most * sample * ticks
            whole = np.floor(due)
            spikes[n] = np.diff(whole, axis=0, prepend=0.0) > 0.0
            self._due = due[-1] - whole[-1]
        return spikes

    def _values(self, spikes: NDArray[np.bool_]) -> Float:
        return np.asarray(spikes.mean(axis=1) / self.most, np.float64)


class PoissonRate(_WindowCode):
    """Every tick has a spike with probability `most` times the value, independent of all others.

    Args:
        values, window: as for every code with a window.
        most: probability at 1, above 0 and at most 1.
        seed: of the spikes.
    """

    def __init__(self, values: int, window: int, most: float = 0.5, seed: int = 0) -> None:
        if not 0.0 < most <= 1.0:
            raise ValueError(f"most: {most} must be above 0 and at most 1")
        self.most, self.seed = most, seed
        super().__init__(values, window)

    def _forget(self) -> None:
        self._rng = np.random.default_rng(self.seed)

    def _windows(self, samples: Float) -> NDArray[np.bool_]:
        chance = self._rng.random((len(samples), self.window, self.values))
        return np.asarray(chance < self.most * samples[:, None, :], np.bool_)

    def _values(self, spikes: NDArray[np.bool_]) -> Float:
        return np.asarray(spikes.mean(axis=1) / self.most, np.float64)


class FirstSpikeLatency(_WindowCode):
    """One spike a window, the sooner the larger the value; none below half a step above zero."""

    def _windows(self, samples: Float) -> NDArray[np.bool_]:
        steps = np.rint(samples * self.window).astype(np.int64)
        tick = self.window - steps
        return np.asarray(np.arange(self.window)[None, :, None] == tick[:, None, :], np.bool_)

    def _values(self, spikes: NDArray[np.bool_]) -> Float:
        first = spikes.argmax(axis=1)
        return np.where(spikes.any(axis=1), (self.window - first) / self.window, 0.0)


class PhaseCode(_WindowCode):
    """The value's binary digits, the highest first: a spike in tick k stands for 2^-(k + 1).

    Args:
        values: as for every code with a window.
        window: digits, at most the 53 that a float64 has.
    """

    def __init__(self, values: int, window: int) -> None:
        if window > MOST_DIGITS:
            raise ValueError(f"window: {window} must be at most {MOST_DIGITS}, a float64's digits")
        super().__init__(values, window)

    def _windows(self, samples: Float) -> NDArray[np.bool_]:
        whole = np.minimum(samples * 2.0**self.window, 2.0**self.window - 1).astype(np.int64)
        digit = self.window - 1 - np.arange(self.window)
        return np.asarray(whole[:, None, :] >> digit[None, :, None] & 1, np.bool_)

    def _values(self, spikes: NDArray[np.bool_]) -> Float:
        weight = 2.0 ** -(1.0 + np.arange(self.window))
        # A value lies in the middle of what the digits leave open.
        half = 2.0 ** -(1.0 + self.window)
        return np.asarray(np.einsum("nwv,w->nv", spikes, weight) + half, np.float64)


class BurstCode(_WindowCode):
    """More spikes, closer together, for a larger value.

    ceil(most x) spikes at distances of ceil(longest - (longest - 1) x) ticks, from the window's
    beginning on. The window must hold the longest burst.

    Args:
        values, window: as for every code with a window.
        most: spikes at a value of 1, at least 1.
        longest: ticks between the spikes of a small value, at least 1.
    """

    def __init__(self, values: int, window: int, most: int = 5, longest: int = 4) -> None:
        at_least("most", most, 1)
        at_least("longest", longest, 1)
        self.most, self.longest = most, longest
        # A burst of n spikes is longest at the smallest value that has so many.
        needed = 1 + max((n - 1) * self._distance((n - 1) / most) for n in range(1, most + 1))
        at_least("window", window, needed)
        super().__init__(values, window)

    def _distance(self, value: float) -> int:
        return int(np.ceil(self.longest - (self.longest - 1) * value))

    def _windows(self, samples: Float) -> NDArray[np.bool_]:
        count = np.ceil(self.most * samples).astype(np.int64)
        distance = np.ceil(self.longest - (self.longest - 1) * samples).astype(np.int64)
        number, off = np.divmod(np.arange(self.window)[None, :, None], distance[:, None, :])
        return np.asarray((off == 0) & (number < count[:, None, :]), np.bool_)

    def _values(self, spikes: NDArray[np.bool_]) -> Float:
        count = spikes.sum(axis=1)
        return np.where(count > 0, (count - 0.5) / self.most, 0.0)


class RankOrder(_WindowCode):
    """Neurons speak one after the other, the largest value first; equal ones by their number.

    Only the order is kept: the reconstruction gives the r-th neuron `modulation` to the power r.

    Args:
        values: how many signals, which is the window too.
        modulation: above 0 and below 1.
    """

    def __init__(self, values: int, modulation: float = 0.9) -> None:
        if not 0.0 < modulation < 1.0:
            raise ValueError(f"modulation: {modulation} must be above 0 and below 1")
        self.modulation = modulation
        super().__init__(values, values)

    def _windows(self, samples: Float) -> NDArray[np.bool_]:
        order = np.argsort(-samples, axis=1, kind="stable")
        return np.asarray(order[:, :, None] == np.arange(self.values), np.bool_)

    def _values(self, spikes: NDArray[np.bool_]) -> Float:
        rank = spikes.argmax(axis=1)
        return np.where(spikes.any(axis=1), self.modulation**rank, 0.0)
