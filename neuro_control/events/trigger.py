# SPDX-License-Identifier: Apache-2.0
"""What a sensor's external trigger input says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Trigger:
    """An edge at the sensor's external trigger input.

    t_ns: sensor time; channel: which input, 0 to 31; rising: the edge's direction.
    """

    t_ns: int
    channel: int
    rising: bool


@dataclass(frozen=True, eq=False)
class Triggers:
    """A run of edges at the external trigger inputs, as a struct of arrays.

    t_ns: int64[n], sensor time in nanoseconds, ascending.
    channel: uint8[n], which input, 0 to 31.
    value: uint8[n], what the input is from then on: 1 after a rising edge, 0 after a falling one.
    """

    t_ns: NDArray[np.int64]
    channel: NDArray[np.uint8]
    value: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.t_ns)

    @classmethod
    def empty(cls) -> Triggers:
        """No edges."""
        return cls.of_pairs(np.empty(0, np.int64))

    @classmethod
    def of_pairs(cls, pairs: NDArray[np.int64]) -> Triggers:
        """What a decoder's loop has written, int64[2 n]: time in ns, 2 x channel + value."""
        edge = pairs[1::2]
        return cls(pairs[::2].copy(), (edge >> 1).astype(np.uint8), (edge & 1).astype(np.uint8))

    @classmethod
    def concatenate(cls, parts: Sequence[Triggers]) -> Triggers:
        """The edges of all parts, in the order given; of no parts at all none."""
        parts = [cls.empty(), *parts]
        return cls(
            np.concatenate([part.t_ns for part in parts]),
            np.concatenate([part.channel for part in parts]),
            np.concatenate([part.value for part in parts]),
        )
