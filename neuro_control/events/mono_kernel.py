# SPDX-License-Identifier: Apache-2.0
"""The compiled loop over `mono` events."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def decode_mono(
    words: NDArray[np.uint64],
    time_base_ns: int,
    width: int,
    height: int,
    t_ns: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.uint8],
) -> tuple[int, int, int]:
    """Unpack words (uint64[n]) into the four arrays, which hold n, in the order given.

    Returns how many events are inside the sensor, which are those written; how many of them are
    ON; and how many are before their predecessor.
    """
    u = np.uint64
    n = 0
    on = u(0)
    backwards = 0
    last = u(0)
    columns = u(width)
    rows = u(height)
    for i in range(words.shape[0]):
        word = u(words[i])
        column = (word >> u(32)) & u(0xFFFF)
        row = (word >> u(48)) & u(0x7FFF)
        sign = word >> u(63)
        offset = word & u(0xFFFFFFFF)
        # Written in any case, and kept if it is inside: a branch that cannot be foreseen costs
        # more than what is written.
        inside = (column < columns) & (row < rows)
        t_ns[n] = time_base_ns + np.int64(offset)
        x[n] = column
        y[n] = row
        p[n] = sign
        n += inside
        on += sign & u(inside)
        backwards += inside & (offset < last)
        last = offset if inside else last
    return n, np.int64(on), backwards
