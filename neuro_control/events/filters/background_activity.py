# SPDX-License-Identifier: Apache-2.0
"""Noise has no neighbours: events pass only where something happened nearby not long ago.

Delbruck, "Frame-free dynamic digital vision", Int. Symp. on Secure-Life Electronics, 2008.
"""

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
class BackgroundActivity:
    """Passes an event if one of its eight neighbours had one within `support_ns` before it.

    support_ns: longest time since the neighbour's event, 1 ns to 10 s; that very time still counts.
    itself: the pixel's own last event counts as well, so that a pixel which speaks often passes
        even alone. A hot pixel then does, too.
    Raises ValueError for a time outside that range.
    """

    support_ns: int = 10_000_000
    itself: bool = False

    def __post_init__(self) -> None:
        check_whole("support_ns", self.support_ns, 1, 10_000_000_000)

    def output_size(self, width: int, height: int) -> tuple[int, int]:
        """The same."""
        return width, height

    def initial_state(self, width: int, height: int) -> NDArray[np.int64]:
        """Time of every pixel's last event, with a border of pixels that never have one."""
        check_size(width, height)
        return np.full((height + 2, width + 2), LONG_AGO_NS, np.int64)

    def apply(self, events: Events, state: NDArray[np.int64]) -> Events:
        """See `EventFilter.apply`."""
        check_state(events, (state.shape[0] - 2, state.shape[1] - 2))
        out = room_for(len(events))
        n = _supported(*contiguous(events), state, self.support_ns, self.itself, *out)
        return first(out, n, events.width, events.height)


@njit(cache=True, nogil=True)
def _supported(
    t_ns: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.uint8],
    last_ns: NDArray[np.int64],
    support_ns: int,
    itself: bool,
    out_t: NDArray[np.int64],
    out_x: NDArray[np.uint16],
    out_y: NDArray[np.uint16],
    out_p: NDArray[np.uint8],
) -> int:
    stride = last_ns.shape[1]
    flat = last_ns.reshape(-1)
    n = 0
    # Which pixel is looked at in place of the own one: one beside it, which counts anyway.
    own = 0 if itself else 1
    for i in range(t_ns.shape[0]):
        t = t_ns[i]
        at = (np.int64(y[i]) + 1) * stride + np.int64(x[i]) + 1
        above = max(flat[at - stride - 1], flat[at - stride], flat[at - stride + 1])
        below = max(flat[at + stride - 1], flat[at + stride], flat[at + stride + 1])
        latest = max(above, below, flat[at - 1], flat[at + 1], flat[at + own])
        flat[at] = t
        # Written in any case and kept by counting: no branch to be guessed wrongly.
        out_t[n] = t
        out_x[n] = x[i]
        out_y[n] = y[i]
        out_p[n] = p[i]
        n += latest >= t - support_ns
    return n
