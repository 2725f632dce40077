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
TRIGGER_US = 5  # latest time of an external trigger, us
TRIGGER_T_NS = 6  # last external trigger's time
TRIGGER_EDGE = 7  # 2 x channel + (1 rising), or -1
# ... how far a payload is decoded whose triggers did not fit ...
NEXT = 8  # word to go on with, 0 at a payload's beginning
WRITTEN = 9  # events so far
KEPT = 10  # triggers so far; those of the payload once it is decoded
# ... and what is counted.
EVENTS_ON = 11
EVENTS_OFF = 12
TRIGGERS = 13
OUTSIDE = 14
MALFORMED = 15
UNREFERENCED = 16
REVERSALS = 17
STATE_SIZE = 18

LARGEST_STEP = 1 << 14
"""Upper time bits that step by more (1.05 s) are damage until the next ones confirm them."""

_HIGH_MASK = (1 << 28) - 1


def initial_state() -> NDArray[np.int64]:
    """State of a decoder that has seen nothing: int64[STATE_SIZE]."""
    state = np.zeros(STATE_SIZE, np.int64)
    state[TRIGGER_EDGE] = -1
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
    state[TRIGGER_US] = 0


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
def _trigger(
    edge: int, time_us: int, state: NDArray[np.int64], triggers: NDArray[np.int64], kept: int
) -> int:
    """Keep a trigger; returns how many are kept. Their times are not the events': both ascend."""
    if state[TIME_KNOWN] != 1:
        state[UNREFERENCED] += 1
        return kept
    if time_us < state[TRIGGER_US]:
        state[REVERSALS] += 1
    else:
        state[TRIGGER_US] = time_us
    state[TRIGGERS] += 1
    state[TRIGGER_T_NS] = triggers[2 * kept] = state[TRIGGER_US] * 1000
    state[TRIGGER_EDGE] = triggers[2 * kept + 1] = edge
    return kept + 1


@njit(cache=True, nogil=True)
def decode_evt2(  # noqa: PLR0915 - one pass over the words is the point
    words: NDArray[np.uint32],
    state: NDArray[np.int64],
    width: int,
    height: int,
    t_ns: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.uint8],
    triggers: NDArray[np.int64],
) -> int:
    """Decode words (uint32[n]) into four arrays of n; returns the number of events written.

    Triggers go as pairs into int64[2 k]: time in ns, edge (2 x channel + 1 if rising). Where there
    are more than fit, -1 is returned: called again with the same words and arrays, and with larger
    room that begins with what has been written, it goes on.
    Numbers are unsigned, for an index that could be negative costs time.
    """
    u = np.uint64
    begin = u(state[NEXT])
    n = u(state[WRITTEN])
    kept = state[KEPT] if begin > u(0) else 0
    n_before = n
    n_on = u(0)
    state[NEXT] = 0
    columns = u(width)
    rows = u(height)
    # The columns of events whose time is known.
    timed = columns if state[TIME_KNOWN] == 1 else u(0)
    highs_us = u(state[HIGHS]) << u(6)
    now_us = u(state[LAST_US])
    for i in range(begin, u(words.shape[0])):
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
            if 2 * kept == triggers.shape[0]:
                state[NEXT] = i
                break
            edge = ((word >> u(8)) & u(0x1F)) << u(1) | (word & u(1))
            kept = _trigger(np.int64(edge), np.int64(time_us), state, triggers, kept)
        elif code not in (0xE, 0xF):
            state[MALFORMED] += 1
    state[LAST_US] = now_us
    state[EVENTS_ON] += n_on
    state[EVENTS_OFF] += n - n_before - n_on
    state[KEPT] = kept
    full = state[NEXT] > 0
    state[WRITTEN] = n if full else u(0)
    return -1 if full else np.int64(n)


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
def decode_evt21(  # noqa: C901, PLR0912, PLR0915 - one pass over the words is the point
    words: NDArray[np.int64],
    state: NDArray[np.int64],
    width: int,
    height: int,
    t_ns: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.uint8],
    triggers: NDArray[np.int64],
) -> int:
    """Decode words (int64[n]) into four arrays, which hold at least `most_events_evt21(words)`.

    Triggers, and what is returned, as of `decode_evt2`.
    """
    begin = np.uint64(state[NEXT])
    n = state[WRITTEN]
    kept = state[KEPT] if begin > np.uint64(0) else 0
    n_before = n
    n_on = 0
    state[NEXT] = 0
    known = state[TIME_KNOWN] == 1
    highs_us = state[HIGHS] << 6
    now_us = state[LAST_US]
    for i in range(begin, np.uint64(words.shape[0])):
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
            if 2 * kept == triggers.shape[0]:
                state[NEXT] = i
                break
            time_us = highs_us | ((word >> 54) & 0x3F)
            edge = ((word >> 40) & 0x1F) << 1 | ((word >> 32) & 1)
            kept = _trigger(edge, time_us, state, triggers, kept)
        elif code not in (0xE, 0xF):
            state[MALFORMED] += 1
    state[LAST_US] = now_us
    state[EVENTS_ON] += n_on
    state[EVENTS_OFF] += n - n_before - n_on
    state[KEPT] = kept
    full = state[NEXT] > 0
    state[WRITTEN] = n if full else 0
    return -1 if full else n
