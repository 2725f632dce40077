# SPDX-License-Identifier: Apache-2.0
"""The compiled loops over libcaer's events, plain and compressed."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Positions in the state array: what the compressed form keeps from word to word ...
COLUMN = 0  # x, or -1 when it is not known
ROW = 1  # y of the next vector, or -1
POLARITY = 2  # of the vectors
# ... and what is counted.
EVENTS_ON = 3
EVENTS_OFF = 4
OUTSIDE = 5
MALFORMED = 6
UNREFERENCED = 7
REVERSALS = 8
STATE_SIZE = 9

_ROLL_OVER_US = 1 << 31


def initial_state() -> NDArray[np.int64]:
    """State of a decoder that has seen nothing: int64[STATE_SIZE]."""
    state = np.zeros(STATE_SIZE, np.int64)
    distrust(state)
    return state


def distrust(state: NDArray[np.int64]) -> None:
    """After a loss: addresses must be said again."""
    state[COLUMN] = -1
    state[ROW] = -1


@njit(cache=True, nogil=True)
def decode_plain(
    words: NDArray[np.uint32],
    base_ns: int,
    state: NDArray[np.int64],
    width: int,
    height: int,
    t_ns: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.uint8],
) -> int:
    """Decode pairs of words (uint32[2 n]: address, time) into arrays of n; returns how many."""
    n = 0
    n_on = 0
    turns_us = np.int64(0)
    last_us = np.int64(-1)
    for i in range(words.shape[0] // 2):
        address = np.int64(words[2 * i])
        time_us = np.int64(words[2 * i + 1])
        if address & 1 == 0 or time_us >= _ROLL_OVER_US:
            # Marked as invalid by a filter of libcaer, or a negative time.
            state[MALFORMED] += 1
            continue
        column = address >> 17
        row = (address >> 2) & 0x7FFF
        if column >= width or row >= height:
            state[OUTSIDE] += 1
            continue
        if time_us + turns_us < last_us:
            if last_us - turns_us - time_us > _ROLL_OVER_US // 2:
                turns_us += _ROLL_OVER_US
                last_us = time_us + turns_us
            else:
                state[REVERSALS] += 1
        else:
            last_us = time_us + turns_us
        sign = (address >> 1) & 1
        t_ns[n] = base_ns + last_us * 1000
        x[n] = column
        y[n] = row
        p[n] = sign
        n += 1
        n_on += sign
    state[EVENTS_ON] += n_on
    state[EVENTS_OFF] += n - n_on
    return n


@njit(cache=True, nogil=True)
def decode_compressed(  # noqa: C901, PLR0912, PLR0915 - one pass over the words is the point
    words: NDArray[np.uint16],
    base_ns: int,
    state: NDArray[np.int64],
    width: int,
    height: int,
    t_ns: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.uint8],
) -> int:
    """Decode words (uint16[n]) into four arrays, which hold 8 n; returns how many.

    The time is that of the last upper and the last lower word, whichever came alone. It is looked
    at when events come: between an upper word and a lower one behind it, it may lie ahead.
    """
    n = 0
    n_on = 0
    column = state[COLUMN]
    row = state[ROW]
    polarity = state[POLARITY]
    high = np.int64(0)
    low = np.int64(0)
    now_us = np.int64(0)
    changed = False
    for i in range(words.shape[0]):
        word = np.int64(words[i])
        code = word >> 12
        if code == 0:
            high = (word & 0xFFF) << 12
            changed = True
        elif code == 1:
            low = word & 0xFFF
            changed = True
        elif code == 2:
            column = word & 0x7FF
        elif code in (3, 5):
            if changed:
                changed = False
                if high | low < now_us:
                    state[REVERSALS] += 1
                now_us = max(now_us, high | low)
            if code == 3:
                bits = np.int64(1)
                first = word & 0x7FF
                sign = (word >> 11) & 1
            else:
                bits = word & 0xFF
                first = row
                sign = polarity
            unknown = column < 0 or first < 0
            at = first
            while bits:
                if bits & 1:
                    if unknown:
                        state[UNREFERENCED] += 1
                    elif column >= width or at >= height:
                        state[OUTSIDE] += 1
                    else:
                        t_ns[n] = base_ns + now_us * 1000
                        x[n] = column
                        y[n] = at
                        p[n] = sign
                        n += 1
                        n_on += sign
                bits >>= 1
                at += 1
            if code == 5 and row >= 0:
                row += 8
        elif code == 4:
            row = word & 0x7FF
            polarity = (word >> 11) & 1
        else:
            state[MALFORMED] += 1
    state[COLUMN] = column
    state[ROW] = row
    state[POLARITY] = polarity
    state[EVENTS_ON] += n_on
    state[EVENTS_OFF] += n - n_on
    return n
