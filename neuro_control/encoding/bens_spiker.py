# SPDX-License-Identifier: Apache-2.0
"""Ben's spiker algorithm: spikes whose sum through a filter is the signal.

Schrauwen and Van Campenhout, "BSA, a fast and accurate spike train encoding scheme", IJCNN 2003.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuro_control.encoding.code import Float, Spikes, at_least, checked, compressed, dense


class BensSpiker:
    """A spike where taking the filter off the signal leaves less than not taking it off.

    At sample t: with e1 = sum |s(t + k) - h(k)| and e2 = sum |s(t + k)|, a spike if e1 <= e2 -
    threshold, and h is then taken off s. The samples to come must be known, so that a spike comes
    `delay` samples after the one that it stands for. The signal is 0 to 1.

    Args:
        values: how many signals.
        kernel: h float64[taps], not negative, sum above 0: what a spike stands for.
        threshold: at least 0; just below the kernel's sum (1 in the paper, with 0.955) it asks for
            the whole kernel, less lets spikes come earlier and denser.

    Raises:
        ValueError: naming the parameter that is not right.
    """

    def __init__(self, values: int, kernel: ArrayLike, threshold: float) -> None:
        at_least("values", values, 1)
        self.kernel = np.array(kernel, np.float64)
        taps = self.kernel
        if taps.ndim != 1 or not (np.isfinite(taps) & (taps >= 0)).all() or not taps.sum() > 0:
            raise ValueError(f"kernel: {taps} must be one dimension, from 0 on, its sum above 0")
        if not 0 <= threshold < math.inf:
            raise ValueError(f"threshold: {threshold} must be at least 0, and finite")
        self.values, self.threshold = values, threshold
        self.reset()

    @property
    def size(self) -> int:
        """Number of neurons: one for each value."""
        return self.values

    @property
    def ticks_per_sample(self) -> int:
        """One."""
        return 1

    @property
    def delay(self) -> int:
        """Samples by which spikes come late."""
        return len(self.kernel) - 1

    def reset(self) -> None:
        """Begin again."""
        self._rest = np.zeros((len(self.kernel), self.values))

    def encode(self, samples: ArrayLike) -> Spikes:
        """See `Code.encode`."""
        array = checked(samples, self.values, 0.0, 1.0)
        spikes = np.zeros(array.shape, np.bool_)
        for n, sample in enumerate(array):
            rest = np.concatenate([self._rest[1:], sample[None]])
            without = np.abs(rest - self.kernel[:, None]).sum(axis=0)
            spikes[n] = without <= np.abs(rest).sum(axis=0) - self.threshold
            self._rest = rest - self.kernel[:, None] * spikes[n]
        return compressed(spikes)

    def reconstruct(self, indices: NDArray[np.int32], offsets: NDArray[np.int64]) -> Float:
        """See `Code.reconstruct`; late by `delay` samples, as the spikes are."""
        spikes = dense(indices, offsets, self.size).astype(np.float64)
        parts = [np.convolve(column, self.kernel)[: len(spikes)] for column in spikes.T]
        return np.stack(parts, axis=1) if len(spikes) else np.zeros((0, self.values))
