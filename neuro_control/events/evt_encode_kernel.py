# SPDX-License-Identifier: Apache-2.0
"""The compiled loops that write events as EVT 2.0 and EVT 3.0 words."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Positions in the state array: what the words so far have said; -1 is nothing.
HIGHS = 0  # upper time bits, without roll-over
LOW = 1
ROW = 2
BASE = 3
POLARITY = 4
STATE_SIZE = 5

EVT2_FILL = 1 << 14
EVT3_FILL = 16
"""Upper time bits step by no more than this, so that a decoder takes no pause for damage."""


def initial_state() -> NDArray[np.int64]:
    """State of an encoder that has said nothing: int64[STATE_SIZE]."""
    return np.full(STATE_SIZE, -1, np.int64)


@njit(cache=True, nogil=True)
def encode_evt2(
    t_ns: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.uint8],
    state: NDArray[np.int64],
    words: NDArray[np.uint32],
) -> int:
    """Write events (n) as words, of which there is room enough; returns how many."""
    n = 0
    highs = state[HIGHS]
    for i in range(t_ns.shape[0]):
        time_us = t_ns[i] // 1000
        high = time_us >> 6
        if high != highs:
            while highs >= 0 and high - highs > EVT2_FILL:
                highs += EVT2_FILL
                words[n] = 0x80000000 | (highs & 0x0FFFFFFF)
                n += 1
            words[n] = 0x80000000 | (high & 0x0FFFFFFF)
            n += 1
            highs = high
        address = (np.int64(x[i]) << 11) | np.int64(y[i])
        words[n] = (np.int64(p[i]) << 28) | ((time_us & 0x3F) << 22) | address
        n += 1
    state[HIGHS] = highs
    return n


@njit(cache=True, nogil=True)
def encode_evt3(  # noqa: PLR0915 - one pass over the events is the point
    t_ns: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.uint8],
    state: NDArray[np.int64],
    words: NDArray[np.uint16],
) -> int:
    """Write events (n) as words, of which there is room enough; returns how many."""
    n = 0
    highs = state[HIGHS]
    low = state[LOW]
    row = state[ROW]
    base = state[BASE]
    polarity = state[POLARITY]
    i = 0
    while i < t_ns.shape[0]:
        time_us = t_ns[i] // 1000
        if time_us >> 12 != highs:
            while highs >= 0 and (time_us >> 12) - highs > EVT3_FILL:
                highs += EVT3_FILL
                words[n] = 0x8000 | (highs & 0xFFF)
                n += 1
            highs = time_us >> 12
            words[n] = 0x8000 | (highs & 0xFFF)
            n += 1
            low = -1
        if time_us & 0xFFF != low:
            low = time_us & 0xFFF
            words[n] = 0x6000 | low
            n += 1
        if y[i] != row:
            row = np.int64(y[i])
            words[n] = row
            n += 1
        column = np.int64(x[i])
        sign = np.int64(p[i])
        continues = base >= 0 and polarity == sign and base <= column < base + 12
        origin = base if continues else column
        bits = np.int64(1) << (column - origin)
        end = i + 1
        while (
            end < t_ns.shape[0]
            and t_ns[end] // 1000 == time_us
            and y[end] == row
            and p[end] == sign
            and x[end] > x[end - 1]
            and x[end] < origin + 12
        ):
            bits |= np.int64(1) << (np.int64(x[end]) - origin)
            end += 1
        if end - i > (1 if continues else 2):
            if not continues:
                words[n] = 0x3000 | (sign << 11) | origin
                n += 1
            words[n] = 0x4000 | bits
            n += 1
            base = origin + 12 if origin + 12 < 0x800 else np.int64(-1)
            polarity = sign
            i = end
        else:
            words[n] = 0x2000 | (sign << 11) | column
            n += 1
            i += 1
    state[HIGHS] = highs
    state[LOW] = low
    state[ROW] = row
    state[BASE] = base
    state[POLARITY] = polarity
    return n


# The time words once more, for triggers: numba makes slower loops of the ones above where they
# share a function with these.


@njit(cache=True, nogil=True)
def encode_triggers_evt2(
    trigger_us: NDArray[np.int64],
    edge: NDArray[np.int64],
    state: NDArray[np.int64],
    words: NDArray[np.uint32],
) -> int:
    """Write triggers (n; edge: 2 x channel + 1 if rising) as words; returns how many."""
    n = 0
    highs = state[HIGHS]
    for i in range(trigger_us.shape[0]):
        high = trigger_us[i] >> 6
        while highs >= 0 and high - highs > EVT2_FILL:
            highs += EVT2_FILL
            words[n] = 0x80000000 | (highs & 0x0FFFFFFF)
            n += 1
        if high != highs:
            highs = high
            words[n] = 0x80000000 | (highs & 0x0FFFFFFF)
            n += 1
        said = (edge[i] >> 1) << 8 | (edge[i] & 1)
        words[n] = 0xA0000000 | ((trigger_us[i] & 0x3F) << 22) | said
        n += 1
    state[HIGHS] = highs
    return n


@njit(cache=True, nogil=True)
def encode_triggers_evt3(
    trigger_us: NDArray[np.int64],
    edge: NDArray[np.int64],
    state: NDArray[np.int64],
    words: NDArray[np.uint16],
) -> int:
    """Write triggers (n; edge: 2 x channel + 1 if rising) as words; returns how many."""
    n = 0
    highs = state[HIGHS]
    low = state[LOW]
    for i in range(trigger_us.shape[0]):
        high = trigger_us[i] >> 12
        while highs >= 0 and high - highs > EVT3_FILL:
            highs += EVT3_FILL
            words[n] = 0x8000 | (highs & 0xFFF)
            n += 1
        if high != highs:
            highs = high
            words[n] = 0x8000 | (highs & 0xFFF)
            n += 1
            low = -1
        if trigger_us[i] & 0xFFF != low:
            low = trigger_us[i] & 0xFFF
            words[n] = 0x6000 | low
            n += 1
        words[n] = 0xA000 | (edge[i] >> 1) << 8 | (edge[i] & 1)
        n += 1
    state[HIGHS] = highs
    state[LOW] = low
    return n
