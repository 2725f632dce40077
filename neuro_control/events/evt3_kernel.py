# SPDX-License-Identifier: Apache-2.0
"""The compiled loop over EVT 3.0 words, and the state that it keeps in one int64 array."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Positions in the state array: what is known of the sensor ...
HIGH = 0  # last believed upper 12 bits of the time, -1 before the first
HIGHS = 1  # the same without roll-over: units of 4096 us
LOW = 2  # lower 12 bits of the time, us
CANDIDATE = 3  # upper time bits that jumped and wait to be confirmed, or -1
TIME_KNOWN = 4  # 1 when the time can be trusted
LAST_US = 5  # latest time given out, us
ROW = 6  # y, or -1 when it is not known
BASE = 7  # x of the next vector, or -1 when it is not known
POLARITY = 8  # of the vectors
TRIGGER_WORD = 9  # last external trigger's word, or -1
TRIGGER_T_NS = 10
# ... and what is counted.
EVENTS_ON = 11
EVENTS_OFF = 12
TRIGGERS = 13
OUTSIDE = 14
MALFORMED = 15
UNREFERENCED = 16
REVERSALS = 17
STATE_SIZE = 18

# Upper time words come every 4.096 ms at the latest: a step of more than 16 of them (65 ms)
# without a reported loss is damage until the next one confirms it.
_LARGEST_STEP = 16


def initial_state() -> NDArray[np.int64]:
    """State of a decoder that has seen nothing: int64[STATE_SIZE]."""
    state = np.zeros(STATE_SIZE, np.int64)
    state[TRIGGER_WORD] = -1
    forget(state)
    return state


def distrust(state: NDArray[np.int64]) -> None:
    """After a loss: time, row and vector base must be said again; the clock's history stays."""
    state[TIME_KNOWN] = 0
    state[CANDIDATE] = -1
    state[ROW] = -1
    state[BASE] = -1


def forget(state: NDArray[np.int64]) -> None:
    """After a restart: the clock begins anew; only the counters stay."""
    distrust(state)
    state[HIGH] = -1
    state[HIGHS] = 0
    state[LOW] = 0
    state[LAST_US] = 0


@njit(cache=True, nogil=True)
def most_events(words: NDArray[np.uint16]) -> int:
    """Upper bound of the events in words (uint16[n]): one per single, set bits per vector."""
    total = 0
    for i in range(words.shape[0]):
        word = np.int64(words[i])
        code = word >> 12
        bits = (word & 0xFFF) if code == 4 else (word & 0xFF)
        # Count the set bits in parallel: pairs, nibbles, then the sum of the nibbles.
        bits = bits - ((bits >> 1) & 0x555)
        bits = (bits & 0x333) + ((bits >> 2) & 0x333)
        bits = (bits & 0xF) + ((bits >> 4) & 0xF) + (bits >> 8)
        if code == 2:
            total += 1
        elif code in (4, 5):
            total += bits
    return total


@njit(cache=True, nogil=True)
def _upper_time(high: int, state: NDArray[np.int64]) -> None:
    """Take a word with the upper 12 bits of the time: roll-over, jumps and damage."""
    last = state[HIGH]
    if last < 0:
        state[HIGHS] = high
    else:
        step = (high - last) & 0xFFF
        if step == 0:
            state[CANDIDATE] = -1
            state[TIME_KNOWN] = 1
            return
        if step >= 0x1000 - _LARGEST_STEP:
            # A little backwards: keep the later time, the sensor will catch up.
            state[REVERSALS] += 1
            state[CANDIDATE] = -1
            state[TIME_KNOWN] = 1
            return
        if step > _LARGEST_STEP and state[TIME_KNOWN] == 1:
            candidate = state[CANDIDATE]
            if candidate < 0 or (high - candidate) & 0xFFF > _LARGEST_STEP:
                state[CANDIDATE] = high
                state[MALFORMED] += 1
                return
            if step >= 0x800:
                # Confirmed backwards: the sensor's clock began anew; ours goes on.
                state[REVERSALS] += 1
                step = 1
        state[HIGHS] += step
    state[HIGH] = high
    # The lower bits of the new period follow; the old ones would point into its future.
    state[LOW] = 0
    state[CANDIDATE] = -1
    state[TIME_KNOWN] = 1


@njit(cache=True, nogil=True)
def decode(  # noqa: C901, PLR0912, PLR0915 - one pass over the words is the point
    words: NDArray[np.uint16],
    state: NDArray[np.int64],
    width: int,
    height: int,
    t_ns: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.uint8],
) -> int:
    """Decode words (uint16[n]) into the four arrays, which hold at least `most_events(words)`.

    Updates `state` and returns the number of events written.
    """
    n = 0
    n_on = 0
    row = state[ROW]
    base = state[BASE]
    polarity = state[POLARITY]
    known = state[TIME_KNOWN] == 1
    highs_us = state[HIGHS] << 12
    low = state[LOW]
    now_us = state[LAST_US]
    for i in range(words.shape[0]):
        word = np.int64(words[i])
        code = word >> 12
        if code == 0x2:
            column = word & 0x7FF
            if not known or row < 0:
                state[UNREFERENCED] += 1
            elif column >= width or row >= height:
                state[OUTSIDE] += 1
            else:
                sign = (word >> 11) & 1
                t_ns[n] = now_us * 1000
                x[n] = column
                y[n] = row
                p[n] = sign
                n += 1
                n_on += sign
        elif code == 0x0:
            # Bit 11 tells the second camera of a stereo pair; both have their own stream here.
            row = word & 0x7FF
        elif code == 0x6:
            if known and (word & 0xFFF) < low:
                state[REVERSALS] += 1
            low = word & 0xFFF
            now_us = max(now_us, highs_us | low)
        elif code in (0x4, 0x5):
            size = 12 if code == 0x4 else 8
            bits = (word & 0xFFF) if code == 0x4 else (word & 0xFF)
            column = base
            while bits:
                if bits & 1:
                    if not known or row < 0 or base < 0:
                        state[UNREFERENCED] += 1
                    elif column >= width or row >= height:
                        state[OUTSIDE] += 1
                    else:
                        t_ns[n] = now_us * 1000
                        x[n] = column
                        y[n] = row
                        p[n] = polarity
                        n += 1
                        n_on += polarity
                bits >>= 1
                column += 1
            if base >= 0:
                base += size
        elif code == 0x3:
            base = word & 0x7FF
            polarity = (word >> 11) & 1
        elif code == 0x8:
            state[LOW] = low
            _upper_time(word & 0xFFF, state)
            known = state[TIME_KNOWN] == 1
            highs_us = state[HIGHS] << 12
            low = state[LOW]
            now_us = max(now_us, highs_us | low)
        elif code == 0xA:
            state[TRIGGERS] += 1
            state[TRIGGER_WORD] = word
            state[TRIGGER_T_NS] = now_us * 1000
        elif code in (0x1, 0xB, 0xC, 0xD):
            state[MALFORMED] += 1
        # 0x7, 0xE, 0xF continue or extend other words, 0x9 is reserved and sent: nothing for us.
    state[LOW] = low
    state[LAST_US] = now_us
    state[ROW] = row
    state[BASE] = base
    state[POLARITY] = polarity
    state[EVENTS_ON] += n_on
    state[EVENTS_OFF] += n - n_on
    return n
