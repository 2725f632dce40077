# SPDX-License-Identifier: Apache-2.0
"""The compiled loops over EVT 2.0 and EVT 2.1 words, and the state that both keep."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Positions in the state array: what is known of the sensor ...
HIGH = 0  # last believed upper 28 bits of the time, -1 before the first
HIGHS = 1  # the same without roll-over: units of 64 us
CANDIDATE = 2  # upper time bits that jumped and wait to be confirmed, or -1
TIME_KNOWN = 3  # 1 when the time can be trusted
LAST_US = 4  # latest time given out, us
TRIGGER_CHANNEL = 5  # of the last external trigger, or -1
TRIGGER_VALUE = 6
TRIGGER_T_NS = 7
# ... and what is counted.
EVENTS_ON = 8
EVENTS_OFF = 9
TRIGGERS = 10
OUTSIDE = 11
MALFORMED = 12
UNREFERENCED = 13
REVERSALS = 14
STATE_SIZE = 15

LARGEST_STEP = 1 << 14
"""Upper time bits that step by more (1.05 s) are damage until the next ones confirm them."""

_HIGH_MASK = (1 << 28) - 1


def initial_state() -> NDArray[np.int64]:
    """State of a decoder that has seen nothing: int64[STATE_SIZE]."""
    state = np.zeros(STATE_SIZE, np.int64)
    state[TRIGGER_CHANNEL] = -1
    forget(state)
    return state


def distrust(state: NDArray[np.int64]) -> None:
    """After a loss: the time must be said again; the clock's history stays."""
    state[TIME_KNOWN] = 0
    state[CANDIDATE] = -1


def forget(state: NDArray[np.int64]) -> None:
    """After a restart: the clock begins anew; only the counters stay."""
    distrust(state)
    state[HIGH] = -1
    state[HIGHS] = 0
    state[LAST_US] = 0


@njit(cache=True, nogil=True)
def _upper_time(high: int, state: NDArray[np.int64]) -> None:
    """Take a word with the upper 28 bits of the time: roll-over, jumps and damage."""
    last = state[HIGH]
    if last < 0:
        state[HIGHS] = high
    else:
        step = (high - last) & _HIGH_MASK
        if step > _HIGH_MASK - LARGEST_STEP:
            # A little backwards: keep the later time, the sensor will catch up.
            state[REVERSALS] += 1
            state[CANDIDATE] = -1
            state[TIME_KNOWN] = 1
            return
        if step > LARGEST_STEP and state[TIME_KNOWN] == 1:
            candidate = state[CANDIDATE]
            if candidate < 0 or (high - candidate) & _HIGH_MASK > LARGEST_STEP:
                state[CANDIDATE] = high
                state[MALFORMED] += 1
                return
            if step >= 1 << 27:
                # Confirmed backwards: the sensor's clock began anew; ours goes on.
                state[REVERSALS] += 1
                step = 1
        state[HIGHS] += step
    state[HIGH] = high
    state[CANDIDATE] = -1
    state[TIME_KNOWN] = 1


@njit(cache=True, nogil=True)
def _trigger(channel: int, value: int, time_us: int, state: NDArray[np.int64]) -> None:
    state[TRIGGERS] += 1
    state[TRIGGER_CHANNEL] = channel
    state[TRIGGER_VALUE] = value
    state[TRIGGER_T_NS] = time_us * 1000


@njit(cache=True, nogil=True)
def decode_evt2(
    words: NDArray[np.uint32],
    state: NDArray[np.int64],
    width: int,
    height: int,
    t_ns: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.uint8],
) -> int:
    """Decode words (uint32[n]) into four arrays of n; returns the number of events written.

    Numbers are unsigned, for an index that could be negative costs time.
    """
    u = np.uint64
    n = u(0)
    n_on = u(0)
    columns = u(width)
    rows = u(height)
    # The columns of events whose time is known.
    timed = columns if state[TIME_KNOWN] == 1 else u(0)
    highs_us = u(state[HIGHS]) << u(6)
    now_us = u(state[LAST_US])
    for i in range(words.shape[0]):
        word = u(words[i])
        code = word >> u(28)
        time_us = highs_us | ((word >> u(22)) & u(0x3F))
        if code <= u(1):
            column = (word >> u(11)) & u(0x7FF)
            row = word & u(0x7FF)
            if (column < timed) & (row < rows):
                if time_us < now_us:
                    state[REVERSALS] += 1
                else:
                    now_us = time_us
                t_ns[n] = now_us * u(1000)
                x[n] = column
                y[n] = row
                p[n] = code
                n += u(1)
                n_on += code
            elif state[TIME_KNOWN] == 1:
                state[OUTSIDE] += 1
            else:
                state[UNREFERENCED] += 1
        elif code == 0x8:
            _upper_time(np.int64(word & u(_HIGH_MASK)), state)
            timed = columns if state[TIME_KNOWN] == 1 else u(0)
            highs_us = u(state[HIGHS]) << u(6)
        elif code == 0xA:
            _trigger((word >> u(8)) & u(0x1F), word & u(1), time_us, state)
        elif code not in (0xE, 0xF):
            state[MALFORMED] += 1
    state[LAST_US] = now_us
    state[EVENTS_ON] += n_on
    state[EVENTS_OFF] += n - n_on
    return np.int64(n)


@njit(cache=True, nogil=True)
def most_events_evt21(words: NDArray[np.int64]) -> int:
    """Upper bound of the events in words (int64[n]): the set bits of every vector."""
    total = 0
    for i in range(words.shape[0]):
        if (words[i] >> 60) & 0xE == 0:
            bits = words[i] & 0xFFFFFFFF
            bits = bits - ((bits >> 1) & 0x55555555)
            bits = (bits & 0x33333333) + ((bits >> 2) & 0x33333333)
            bits = (bits + (bits >> 4)) & 0x0F0F0F0F
            total += ((bits * 0x01010101) >> 24) & 0xFF
    return total


@njit(cache=True, nogil=True)
def decode_evt21(  # noqa: PLR0912 - one pass over the words is the point
    words: NDArray[np.int64],
    state: NDArray[np.int64],
    width: int,
    height: int,
    t_ns: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.uint8],
) -> int:
    """Decode words (int64[n]) into four arrays, which hold at least `most_events_evt21(words)`."""
    n = 0
    n_on = 0
    known = state[TIME_KNOWN] == 1
    highs_us = state[HIGHS] << 6
    now_us = state[LAST_US]
    for i in range(words.shape[0]):
        word = words[i]
        code = (word >> 60) & 0xF
        if code <= 1:
            time_us = highs_us | ((word >> 54) & 0x3F)
            column = (word >> 43) & 0x7FF
            row = (word >> 32) & 0x7FF
            bits = word & 0xFFFFFFFF
            if known and bits:
                if time_us < now_us:
                    state[REVERSALS] += 1
                else:
                    now_us = time_us
            while bits:
                if bits & 1:
                    if not known:
                        state[UNREFERENCED] += 1
                    elif column >= width or row >= height:
                        state[OUTSIDE] += 1
                    else:
                        t_ns[n] = now_us * 1000
                        x[n] = column
                        y[n] = row
                        p[n] = code
                        n += 1
                        n_on += code
                bits >>= 1
                column += 1
        elif code == 0x8:
            _upper_time((word >> 32) & _HIGH_MASK, state)
            known = state[TIME_KNOWN] == 1
            highs_us = state[HIGHS] << 6
        elif code == 0xA:
            time_us = highs_us | ((word >> 54) & 0x3F)
            _trigger((word >> 40) & 0x1F, (word >> 32) & 1, time_us, state)
        elif code not in (0xE, 0xF):
            state[MALFORMED] += 1
    state[LAST_US] = now_us
    state[EVENTS_ON] += n_on
    state[EVENTS_OFF] += n - n_on
    return n
