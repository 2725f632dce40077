# SPDX-License-Identifier: Apache-2.0
"""What a sensor's external trigger input says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LARGEST_CHANNEL = 31
"""External trigger inputs that five bits name."""


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

    Raises ValueError naming the array that has another dtype or shape; `check` looks at the values.
    """

    t_ns: NDArray[np.int64]
    channel: NDArray[np.uint8]
    value: NDArray[np.uint8]

    def __post_init__(self) -> None:
        for name, dtype in (("t_ns", np.int64), ("channel", np.uint8), ("value", np.uint8)):
            array = getattr(self, name)
            if not isinstance(array, np.ndarray):
                raise ValueError(f"{name} is a {type(array).__name__}; give a numpy array")
            n = self.t_ns.size
            if array.dtype != dtype or array.shape != (n,):
                right = f"{np.dtype(dtype)}({n},)"
                raise ValueError(f"{name} is {array.dtype}{array.shape}; give {right}")

    def check(self) -> None:
        """Look at every value, for triggers that no decoder of this room has made.

        Raises ValueError naming the first that cannot be.
        """
        for name, wrong, right in (
            ("t_ns", self.t_ns < 0, "not negative"),
            ("channel", self.channel > LARGEST_CHANNEL, f"0 to {LARGEST_CHANNEL}"),
            ("value", self.value > 1, "0 or 1"),
            ("t_ns", np.diff(self.t_ns, prepend=self.t_ns[:1]) < 0, "ascending"),
        ):
            if wrong.any():
                index = int(wrong.argmax())
                value = getattr(self, name)[index]
                raise ValueError(f"{name}[{index}] is {value}; it must be {right}")

    def __getitem__(self, part: slice) -> Triggers:
        """The edges at a slice of positions (views, no copy)."""
        return Triggers(self.t_ns[part], self.channel[part], self.value[part])

    def __len__(self) -> int:
        return len(self.t_ns)

    @classmethod
    def empty(cls) -> Triggers:
        """No edges; always the same, since there is nothing in it that could be changed."""
        return _NONE

    @classmethod
    def of_pairs(cls, pairs: NDArray[np.int64]) -> Triggers:
        """What a decoder's loop has written, int64[2 n]: time in ns, 2 x channel + value."""
        if len(pairs) == 0:
            return _NONE
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


_NONE = Triggers(np.empty(0, np.int64), np.empty(0, np.uint8), np.empty(0, np.uint8))
