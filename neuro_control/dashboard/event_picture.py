# SPDX-License-Identifier: Apache-2.0
"""What an event sensor saw last, one byte a cell: how long ago, and with which polarity.

From that one byte the page draws the polarity image of any window and the time surface of any
decay, so that every open page is served the same bytes whatever it shows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_control.events import Events

Array = Any  # numba infers the types; numpy's generics say nothing to it

NEWEST_NS = 100_000
"""Age (ns) of the code 127."""

OLDEST_NS = 10_000_000_000
"""Age (ns) of the code 1; what is older is code 0, nothing."""

LARGEST_SIDE = 352
"""Cells along the longer side at most: more than a panel of the page can show."""

_NEVER = np.int64(-(1 << 62))
_PER_E_FOLD = 126.0 / math.log(OLDEST_NS / NEWEST_NS)


class EventPicture:
    """The newest event of every cell of a sensor of width x height pixels.

    A cell is a square of `binning` x `binning` pixels. Raises ValueError for an empty sensor.
    """

    def __init__(self, width: int, height: int, largest_side: int = LARGEST_SIDE) -> None:
        if width < 1 or height < 1:
            raise ValueError(f"a sensor of {width} x {height} pixels has no picture")
        self.width = width
        self.height = height
        self.binning = -(-max(width, height) // largest_side)
        self.columns = -(-width // self.binning)
        self.rows = -(-height // self.binning)
        self.newest_ns = int(_NEVER)
        self._last_ns = np.full((self.rows, self.columns), _NEVER, np.int64)
        self._on = np.zeros((self.rows, self.columns), np.uint8)

    def add(self, events: Events) -> None:
        """Take in events of this sensor, ascending in time."""
        if len(events):
            _add(events.t_ns, events.x, events.y, events.p, self.binning, self._last_ns, self._on)
            self.newest_ns = max(self.newest_ns, int(events.t_ns[-1]))

    def reset(self) -> None:
        """Forget everything: the sensor's time began anew."""
        self._last_ns.fill(_NEVER)
        self.newest_ns = int(_NEVER)

    def codes(self, now_ns: int) -> NDArray[np.uint8]:
        """The cells at a time, uint8[rows, columns].

        0: nothing in the last `OLDEST_NS`. Else the low seven bits are 127 for an age of
        `NEWEST_NS` or less and fall by one with every 9.6 % more, and the high bit is the
        polarity (set: ON).
        """
        codes = np.empty((self.rows, self.columns), np.uint8)
        _encode(self._last_ns, self._on, now_ns, codes)
        return codes


@njit(cache=True, nogil=True)
def _add(
    t_ns: Array, x: Array, y: Array, p: Array, binning: int, last_ns: Array, on: Array
) -> None:
    for i in range(t_ns.size):
        row, column = y[i] // binning, x[i] // binning
        if t_ns[i] >= last_ns[row, column]:
            last_ns[row, column] = t_ns[i]
            on[row, column] = p[i]


@njit(cache=True, nogil=True)
def _encode(last_ns: Array, on: Array, now_ns: int, codes: Array) -> None:
    for row in range(codes.shape[0]):
        for column in range(codes.shape[1]):
            age = now_ns - last_ns[row, column]
            code = 0
            if age <= NEWEST_NS:
                code = 127
            elif age < OLDEST_NS:
                code = max(127 - int(math.log(age / NEWEST_NS) * _PER_E_FOLD + 0.5), 1)
            if code and on[row, column]:
                code |= 128
            codes[row, column] = code
