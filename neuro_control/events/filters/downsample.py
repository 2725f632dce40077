# SPDX-License-Identifier: Apache-2.0
"""Fewer, larger pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_control.events.address_events import Events, check_size
from neuro_control.events.event_arrays import first, room_for
from neuro_control.events.filters.event_filter import check_state, check_whole, contiguous


@dataclass
class DownsampleState:
    """What each large pixel has gathered, int32[rows, columns], and the sensor's size."""

    gathered: NDArray[np.int32]
    shape: tuple[int, int]


@dataclass(frozen=True)
class Downsample:
    """Joins `factor` x `factor` pixels into one.

    With `events_each` above 1 a large pixel speaks when its ON events outnumber its OFF events by
    that many since it last spoke (or the other way round): its threshold is that many of a small
    pixel's, and what flickers cancels out.

    factor: 1 to 1024. events_each: 1 to 10000; 1 passes every event.
    Raises ValueError naming the parameter that is out of range.
    """

    factor: int = 2
    events_each: int = 1

    def __post_init__(self) -> None:
        check_whole("factor", self.factor, 1, 1024)
        check_whole("events_each", self.events_each, 1, 10_000)

    def output_size(self, width: int, height: int) -> tuple[int, int]:
        """Large pixels; those at the right and lower edge may have fewer small ones."""
        return -(-width // self.factor), -(-height // self.factor)

    def initial_state(self, width: int, height: int) -> DownsampleState:
        """Nothing gathered."""
        check_size(width, height)
        columns, rows = self.output_size(width, height)
        return DownsampleState(np.zeros((rows, columns), np.int32), (height, width))

    def apply(self, events: Events, state: DownsampleState) -> Events:
        """See `EventFilter.apply`."""
        check_state(events, state.shape)
        columns, rows = self.output_size(events.width, events.height)
        if state.gathered.shape != (rows, columns):
            raise ValueError(
                f"factor is {self.factor}, which makes {columns}x{rows} large pixels; the state is"
                f" of {state.gathered.shape[1]}x{state.gathered.shape[0]}"
            )
        out = room_for(len(events))
        n = _gather(*contiguous(events), self.factor, self.events_each, state.gathered, *out)
        return first(out, n, columns, rows)


@njit(cache=True, nogil=True)
def _gather(
    t_ns: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.uint8],
    factor: int,
    events_each: int,
    gathered: NDArray[np.int32],
    out_t: NDArray[np.int64],
    out_x: NDArray[np.uint16],
    out_y: NDArray[np.uint16],
    out_p: NDArray[np.uint8],
) -> int:
    n = 0
    # A division takes longer than all the rest; 16-bit addresses times 2^32 / factor are exact.
    inverse = ((np.int64(1) << 32) + factor - 1) // factor
    for i in range(t_ns.shape[0]):
        column = (np.int64(x[i]) * inverse) >> 32
        row = (np.int64(y[i]) * inverse) >> 32
        level = gathered[row, column] + 2 * np.int32(p[i]) - 1
        speaks = abs(level) >= events_each
        gathered[row, column] = 0 if speaks else level
        out_t[n] = t_ns[i]
        out_x[n] = column
        out_y[n] = row
        out_p[n] = p[i]
        n += speaks
    return n
