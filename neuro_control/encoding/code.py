# SPDX-License-Identifier: Apache-2.0
"""What every code does with a sampled signal, and spikes as compressed rows.

A code's encoder takes samples float64[n, values] and keeps its state from call to call: where a
signal is cut changes no spike. One sample takes `ticks_per_sample` ticks.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float = NDArray[np.float64]
Spikes = tuple[NDArray[np.int32], NDArray[np.int64]]
"""Active indices of all ticks one behind the other, and where each tick begins."""


class Code(Protocol):
    """A way from samples to spikes, and back where there is one."""

    @property
    def size(self) -> int:
        """Number of neurons."""

    @property
    def ticks_per_sample(self) -> int:
        """Ticks that one sample takes."""

    def encode(self, samples: ArrayLike) -> Spikes:
        """Spikes of samples float64[n, values].

        Raises:
            ValueError: another shape, or values that are not finite or beyond the code's range;
                the state is then unchanged.
        """

    def reconstruct(self, indices: NDArray[np.int32], offsets: NDArray[np.int64]) -> Float:
        """The samples float64[n, values] that these spikes, from the beginning on, stand for."""

    def reset(self) -> None:
        """Begin again."""


def compressed(spikes: NDArray[np.bool_]) -> Spikes:
    """Compressed rows of spikes bool[ticks, neurons]."""
    tick, index = np.nonzero(spikes)
    offsets = np.searchsorted(tick, np.arange(len(spikes) + 1)).astype(np.int64)
    return index.astype(np.int32), offsets


def dense(
    indices: NDArray[np.int32], offsets: NDArray[np.int64], neurons: int
) -> NDArray[np.bool_]:
    """Spikes bool[ticks, neurons] of compressed rows.

    Raises:
        ValueError: the offsets do not rise from 0 to the number of indices, or an index lies
            outside the neurons.
    """
    indices, offsets = np.asarray(indices), np.asarray(offsets)
    rises = len(offsets) > 0 and offsets[0] == 0 and (np.diff(offsets) >= 0).all()
    if not rises or offsets[-1] != len(indices):
        raise ValueError(f"offsets must rise from 0 to {len(indices)}, the number of indices")
    if len(indices) and not 0 <= indices.min() <= indices.max() < neurons:
        raise ValueError(f"indices: {indices.min()}..{indices.max()} must be 0..{neurons - 1}")
    spikes = np.zeros((len(offsets) - 1, neurons), np.bool_)
    spikes[np.repeat(np.arange(len(spikes)), np.diff(offsets)), indices] = True
    return spikes


def checked(samples: ArrayLike, values: int, low: float | None, high: float | None) -> Float:
    """Samples as float64[n, values] within a range.

    Raises:
        ValueError: naming the shape or the first value that is not right.
    """
    array = np.asarray(samples, np.float64)
    if array.ndim != 2 or array.shape[1] != values:
        raise ValueError(f"samples: shape {array.shape}, expected (n, {values})")
    right = np.isfinite(array)
    if low is not None:
        right &= array >= low
    if high is not None:
        right &= array <= high
    if not right.all():
        where = np.argwhere(~right)[0]
        span = "finite" if low is None else f"finite and {low:g} to {high:g}"
        raise ValueError(f"samples{where.tolist()}: {array[tuple(where)]} must be {span}")
    return array


def positive(name: str, value: float) -> None:
    """Raise ValueError where a parameter is not above zero, or not finite."""
    if not 0 < value < math.inf:
        raise ValueError(f"{name}: {value} must be positive and finite")


def at_least(name: str, value: int, least: int) -> None:
    """Raise ValueError where a number is below the least."""
    if value < least:
        raise ValueError(f"{name}: {value} must be at least {least}")
