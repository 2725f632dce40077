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
TRIGGER_T_NS = 9  # last external trigger's time
TRIGGER_EDGE = 10  # 2 x channel + (1 rising), or -1
# ... how far a payload is decoded whose triggers did not fit ...
NEXT = 11  # word to go on with, 0 at a payload's beginning
WRITTEN = 12  # events so far
KEPT = 13  # triggers so far; those of the payload once it is decoded
# ... and what is counted.
EVENTS_ON = 14
EVENTS_OFF = 15
TRIGGERS = 16
OUTSIDE = 17
MALFORMED = 18
UNREFERENCED = 19
REVERSALS = 20
STATE_SIZE = 21

# Upper time words come every 4.096 ms at the latest: a step of more than 16 of them (65 ms)
# without a reported loss is damage until the next one confirms it.
_LARGEST_STEP = 16

_NEVER = np.uint64(1 << 63)
"""Above every row, column and word: what is not known fits nowhere."""

_LOWEST_BIT = np.array([(bits & -bits).bit_length() - 1 for bits in range(4096)], np.int8)
"""Position of the lowest set bit of twelve."""


def initial_state() -> NDArray[np.int64]:
    """State of a decoder that has seen nothing: int64[STATE_SIZE]."""
    state = np.zeros(STATE_SIZE, np.int64)
    state[TRIGGER_EDGE] = -1
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
    singles = 0
    vectors = 0
    for begin in range(0, words.shape[0], 4096):
        # Counted in 16 bits a block at a time, for which the compiler has wide instructions.
        some_singles = np.uint16(0)
        some_vectors = np.uint16(0)
        for i in range(begin, min(begin + 4096, words.shape[0])):
            code = np.uint16(words[i] >> np.uint16(12))
            some_singles = np.uint16(some_singles + np.uint16(code == 2))
            some_vectors = np.uint16(some_vectors + np.uint16((code >> 1) == 2))
        singles += some_singles
        vectors += some_vectors
    return singles + _bits_of_vectors(words) if vectors else singles


@njit(cache=True, nogil=True)
def _bits_of_vectors(words: NDArray[np.uint16]) -> int:
    total = 0
    for i in range(words.shape[0]):
        word = np.int64(words[i])
        code = word >> 12
        if code >> 1 == 2:
            bits = word & (0xFFF if code == 4 else 0xFF)
            # Count the set bits in parallel: pairs, nibbles, then the sum of the nibbles.
            bits = bits - ((bits >> 1) & 0x555)
            bits = (bits & 0x333) + ((bits >> 2) & 0x333)
            total += (bits & 0xF) + ((bits >> 4) & 0xF) + (bits >> 8)
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
def _same_high(state: NDArray[np.int64]) -> np.uint64:
    """The upper time word that would change nothing, above every word if there is none."""
    if state[TIME_KNOWN] == 1 and state[CANDIDATE] < 0 and state[HIGH] >= 0:
        return np.uint64(0x8000 | state[HIGH])
    return _NEVER


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
    triggers: NDArray[np.int64],
) -> int:
    """Decode words (uint16[n]) into the four arrays, which hold at least `most_events(words)`.

    Triggers go as pairs into int64[2 k]: time in ns, edge (2 x channel + 1 if rising).

    Most events are a group: an upper time that says nothing new, a lower time, both or neither;
    a row; an event. Such a group within the next four words is taken at once and, since what
    comes before the row cannot be predicted, without branching on it. Whatever is otherwise, be
    it a vector or damage, goes word by word.

    Updates `state` and returns the number of events written; -1 if the payload has more triggers
    than there is room for: called again with the same words and arrays, and with larger room that
    begins with what has been written, it goes on. Numbers are unsigned throughout, for an index
    that could be negative costs time.
    """
    u = np.uint64
    i = u(state[NEXT])
    n = u(state[WRITTEN])
    kept = state[KEPT] if i > u(0) else 0
    n_before = n
    n_on = u(0)
    columns = u(width)
    rows = u(height)
    row = u(state[ROW]) if state[ROW] >= 0 else _NEVER
    base = state[BASE]
    polarity = u(state[POLARITY])
    known = state[TIME_KNOWN] == 1
    # The upper time word that says nothing new, and the columns of events whose time is known.
    same = _same_high(state)
    timed = columns if known else u(0)
    highs_us = u(state[HIGHS]) << u(12)
    low = u(state[LOW])
    now_us = u(state[LAST_US])
    end = u(words.shape[0])
    full = False
    while i < end:
        if i + u(4) <= end:
            four = u(words[i]) | (u(words[i + u(1)]) << u(16))
            four |= (u(words[i + u(2)]) << u(32)) | (u(words[i + u(3)]) << u(48))
            has_high = u((four & u(0xFFFF)) == same)
            rest = four >> (has_high << u(4))
            has_low = u((rest & u(0xF000)) == u(0x6000))
            new_low = rest & u(0xFFF) if has_low else low
            pair = rest >> (has_low << u(4))
            new_row = pair & u(0x7FF)
            column = (pair >> u(16)) & u(0x7FF)
            if (
                ((pair & u(0xF000F000)) == u(0x20000000))
                & (new_low >= low)
                & (new_row < rows)
                & (column < timed)
            ):
                row = new_row
                low = new_low
                now_us = max(now_us, highs_us | low)
                sign = (pair >> u(27)) & u(1)
                t_ns[n] = now_us * u(1000)
                x[n] = column
                y[n] = row
                p[n] = sign
                n += u(1)
                n_on += sign
                i += u(2) + has_high + has_low
                continue
        word = u(words[i])
        code = word >> u(12)
        i += u(1)
        if code == 0x2:
            column = word & u(0x7FF)
            if (column < timed) & (row < rows):
                sign = (word >> u(11)) & u(1)
                t_ns[n] = now_us * u(1000)
                x[n] = column
                y[n] = row
                p[n] = sign
                n += u(1)
                n_on += sign
            elif not known or row == _NEVER:
                state[UNREFERENCED] += 1
            else:
                state[OUTSIDE] += 1
        elif code == 0x0:
            # Bit 11 tells the second camera of a stereo pair; both have their own stream here.
            row = word & u(0x7FF)
        elif code == 0x6:
            if known and (word & u(0xFFF)) < low:
                state[REVERSALS] += 1
            low = word & u(0xFFF)
            now_us = max(now_us, highs_us | low)
        elif code in (0x4, 0x5):
            size = 12 if code == 0x4 else 8
            bits = np.int64(word & u(0xFFF if code == 0x4 else 0xFF))
            if known and row < rows and 0 <= base <= width - size:
                while bits:
                    t_ns[n] = now_us * u(1000)
                    x[n] = base + _LOWEST_BIT[bits]
                    y[n] = row
                    p[n] = polarity
                    n += u(1)
                    n_on += polarity
                    bits &= bits - 1
            while bits:
                column = u(base + _LOWEST_BIT[bits])
                if not known or row == _NEVER or base < 0:
                    state[UNREFERENCED] += 1
                elif column >= columns or row >= rows:
                    state[OUTSIDE] += 1
                else:
                    t_ns[n] = now_us * u(1000)
                    x[n] = column
                    y[n] = row
                    p[n] = polarity
                    n += u(1)
                    n_on += polarity
                bits &= bits - 1
            if base >= 0:
                base += size
        elif code == 0x3:
            base = np.int64(word & u(0x7FF))
            polarity = (word >> u(11)) & u(1)
        elif code == 0x8:
            if word != same:
                state[LOW] = low
                _upper_time(np.int64(word & u(0xFFF)), state)
                known = state[TIME_KNOWN] == 1
                same = _same_high(state)
                timed = columns if known else u(0)
                highs_us = u(state[HIGHS]) << u(12)
                low = u(state[LOW])
                now_us = max(now_us, highs_us | low)
        elif code == 0xA:
            if not known:
                state[UNREFERENCED] += 1
            elif 2 * kept == triggers.shape[0]:
                i -= u(1)
                full = True
                break
            else:
                edge = np.int64(((word >> u(8)) & u(0xF)) << u(1) | (word & u(1)))
                state[TRIGGERS] += 1
                state[TRIGGER_EDGE] = triggers[2 * kept + 1] = edge
                state[TRIGGER_T_NS] = triggers[2 * kept] = now_us * u(1000)
                kept += 1
        elif code in (0x1, 0xB, 0xC, 0xD):
            state[MALFORMED] += 1
        # 0x7, 0xE, 0xF continue or extend other words, 0x9 is reserved and sent: nothing for us.
    state[LOW] = low
    state[LAST_US] = now_us
    state[ROW] = row if row != _NEVER else -1
    state[BASE] = base
    state[POLARITY] = polarity
    state[EVENTS_ON] += n_on
    state[EVENTS_OFF] += n - n_before - n_on
    state[KEPT] = kept
    state[NEXT] = i if full else u(0)
    state[WRITTEN] = n if full else u(0)
    return -1 if full else np.int64(n)
