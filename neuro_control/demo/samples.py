# SPDX-License-Identifier: Apache-2.0
"""Numbers with a time, as many as memory may hold of a run of any length."""

from __future__ import annotations

from array import array

import numpy as np

from neuro_control.demo.figures import FloatArray, IntArray

MOST_SAMPLES = 1 << 21
"""Samples that are kept: more than an hour of 500 a second."""


class Samples:
    """Rows of a time (ns) and some numbers. Up to `most` all are kept, in order of arrival.

    When there are more, every second is dropped, and from then on only every second is taken, and
    so on: what is kept lies evenly over the run. It depends on nothing but the number of samples.

    Attributes:
        stride: of so many samples one is kept; 1 while all are.
        heard: how many there were.
        last: time and numbers of the newest one, kept or not; None before the first.
    """

    def __init__(self, columns: int, most: int = MOST_SAMPLES) -> None:
        self._columns, self._most = columns, most
        self._t = array("q")
        self._values = array("d")
        self.stride = 1
        self.heard = 0
        self.last: tuple[int, tuple[float, ...]] | None = None

    def add(self, t_ns: int, *values: float) -> None:
        """Take one."""
        self.last = t_ns, values
        self.heard += 1
        if (self.heard - 1) % self.stride:
            return
        if len(self._t) == self._most:
            self._thin()
            if (self.heard - 1) % self.stride:
                return
        self._t.append(t_ns)
        self._values.extend(values)

    def _thin(self) -> None:
        self.stride *= 2
        t_ns, values = self.t_ns[::2], self.values[::2]
        self._t, self._values = array("q"), array("d")
        self._t.frombytes(t_ns.tobytes())
        self._values.frombytes(values.tobytes())

    def __len__(self) -> int:
        return len(self._t)

    @property
    def t_ns(self) -> IntArray:
        """Times of those that are kept, int64[n], a copy."""
        return np.array(self._t, np.int64)

    @property
    def values(self) -> FloatArray:
        """Their numbers, float64[n, columns], a copy."""
        return np.array(self._values, np.float64).reshape(-1, self._columns)

    def newest(self, count: int) -> tuple[IntArray, FloatArray]:
        """Times and numbers of the last ones that are kept, `count` at most."""
        first = max(len(self._t) - count, 0)
        values = np.array(self._values[first * self._columns :], np.float64)
        return np.array(self._t[first:], np.int64), values.reshape(-1, self._columns)
