# SPDX-License-Identifier: Apache-2.0
"""Codes of change: a spike says that a signal has risen or fallen by a threshold.

Neuron k speaks of value k rising, neuron values + k of it falling; each at most once a sample.
Definitions as compared in Petro, Kasabov, Kiss, "Selection and optimization of temporal spike
encoding methods for spiking neural networks", IEEE Trans. Neural Networks and Learning Systems 31,
2020; send-on-delta: Miskowicz, "Send-on-delta concept", Sensors 6, 2006.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

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


class _ChangeCode(ABC):
    """What these codes have in common.

    Args:
        values: how many signals.
        threshold: change that a spike stands for, in the signal's unit.
        start: the signal's value before the first sample, known to whoever reconstructs.

    Raises:
        ValueError: naming the parameter that is not right.
    """

    def __init__(self, values: int, threshold: float, start: float = 0.0) -> None:
        at_least("values", values, 1)
        positive("threshold", threshold)
        if not np.isfinite(start):
            raise ValueError(f"start: {start} must be finite")
        self.values, self.threshold, self.start = values, threshold, start
        self.reset()

    @property
    def size(self) -> int:
        """Number of neurons: two for each value."""
        return 2 * self.values

    @property
    def ticks_per_sample(self) -> int:
        """One."""
        return 1

    def encode(self, samples: ArrayLike) -> Spikes:
        """See `Code.encode`."""
        array = checked(samples, self.values, None, None)
        signs = np.zeros(array.shape, np.int8)
        for n, sample in enumerate(array):
            signs[n] = self._sign(sample)
        return compressed(np.concatenate([signs > 0, signs < 0], axis=1))

    def reconstruct(self, indices: NDArray[np.int32], offsets: NDArray[np.int64]) -> Float:
        """See `Code.reconstruct`: the start and a threshold more or less with every spike."""
        spikes = dense(indices, offsets, self.size).astype(np.float64)
        steps = spikes[:, : self.values] - spikes[:, self.values :]
        return self.start + self.threshold * np.cumsum(steps, axis=0)

    @abstractmethod
    def reset(self) -> None:
        """Begin again."""

    @abstractmethod
    def _sign(self, sample: Float) -> NDArray[np.int8]:
        """+1 where a value is said to rise, -1 where it is said to fall; moves the state."""


class SendOnDelta(_ChangeCode):
    """A spike when the signal has moved by the threshold since the value at the last spike.

    What goes beyond the threshold is lost to the reconstruction, which therefore drifts where the
    signal is fast.
    """

    def reset(self) -> None:
        """Begin again."""
        self._sent = np.full(self.values, self.start)

    def _sign(self, sample: Float) -> NDArray[np.int8]:
        change = sample - self._sent
        speaks = np.abs(change) >= self.threshold
        self._sent = np.where(speaks, sample, self._sent)
        return (np.sign(change) * speaks).astype(np.int8)


class StepForward(_ChangeCode):
    """A spike when the signal is a threshold away from a baseline, which then moves by that much.

    The baseline is the reconstruction: where the signal moves by less than a threshold a sample,
    it stays within one threshold.
    """

    def reset(self) -> None:
        """Begin again."""
        self._baseline = np.full(self.values, self.start)

    def _sign(self, sample: Float) -> NDArray[np.int8]:
        gap = sample - self._baseline
        sign = np.sign(gap) * (np.abs(gap) >= self.threshold)
        self._baseline = self._baseline + self.threshold * sign
        return sign.astype(np.int8)


class MovingWindow(_ChangeCode):
    """A spike when the signal is a threshold away from the mean of the samples before it.

    Args:
        values, threshold, start: as for every code of change.
        window: samples of the mean, at least 1.
    """

    def __init__(self, values: int, threshold: float, window: int, start: float = 0.0) -> None:
        at_least("window", window, 1)
        self.window = window
        super().__init__(values, threshold, start)

    def reset(self) -> None:
        """Begin again."""
        self._past = np.full((self.window, self.values), self.start)

    def _sign(self, sample: Float) -> NDArray[np.int8]:
        gap = sample - self._past.mean(axis=0)
        self._past = np.concatenate([self._past[1:], sample[None]])
        return (np.sign(gap) * (np.abs(gap) >= self.threshold)).astype(np.int8)
