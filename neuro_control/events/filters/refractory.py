# SPDX-License-Identifier: Apache-2.0
"""A pixel that has just spoken is not heard again for a while."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_control.events.address_events import Events, check_size
from neuro_control.events.event_arrays import first, room_for
from neuro_control.events.filters.event_filter import (
    LONG_AGO_NS,
    check_state,
    check_whole,
    contiguous,
)


@dataclass(frozen=True)
class RefractoryPeriod:
    """Passes an event if its pixel's last one that passed is at least `period_ns` back.

    period_ns: 1 ns to 10 s; both polarities of a pixel share it.
    Raises ValueError for a time outside that range.
    """

    period_ns: int = 1_000_000

    def __post_init__(self) -> None:
        check_whole("period_ns", self.period_ns, 1, 10_000_000_000)

    def output_size(self, width: int, height: int) -> tuple[int, int]:
        """The same."""
        return width, height

    def initial_state(self, width: int, height: int) -> NDArray[np.int64]:
        """Time of every pixel's last event that passed, int64[height, width]."""
        check_size(width, height)
        return np.full((height, width), LONG_AGO_NS, np.int64)

    def apply(self, events: Events, state: NDArray[np.int64]) -> Events:
        """See `EventFilter.apply`."""
        check_state(events, state.shape)
        out = room_for(len(events))
        n = _rested(*contiguous(events), state, self.period_ns, *out)
        return first(out, n, events.width, events.height)


@njit(cache=True, nogil=True)
def _rested(
    t_ns: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.uint8],
    last_ns: NDArray[np.int64],
    period_ns: int,
    out_t: NDArray[np.int64],
    out_x: NDArray[np.uint16],
    out_y: NDArray[np.uint16],
    out_p: NDArray[np.uint8],
) -> int:
    stride = last_ns.shape[1]
    flat = last_ns.reshape(-1)
    n = 0
    for i in range(t_ns.shape[0]):
        t = t_ns[i]
        at = np.int64(y[i]) * stride + np.int64(x[i])
        rested = t - flat[at] >= period_ns
        flat[at] = t if rested else flat[at]
        out_t[n] = t
        out_x[n] = x[i]
        out_y[n] = y[i]
        out_p[n] = p[i]
        n += rested
    return n
