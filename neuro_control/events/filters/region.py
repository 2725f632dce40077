# SPDX-License-Identifier: Apache-2.0
"""Only what happens in a rectangle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_control.events.address_events import Events
from neuro_control.events.event_arrays import first, room_for
from neuro_control.events.filters.event_filter import check_state, check_whole, contiguous


@dataclass(frozen=True)
class RegionOfInterest:
    """Passes the events of a rectangle.

    x, y: its first column and row; width, height: its size.
    move_origin: give addresses within the rectangle, as if it were the sensor.
    Raises ValueError for a rectangle without pixels or beginning outside every sensor.
    """

    x: int
    y: int
    width: int
    height: int
    move_origin: bool = True

    def __post_init__(self) -> None:
        for name, value, least in (
            ("x", self.x, 0),
            ("y", self.y, 0),
            ("width", self.width, 1),
            ("height", self.height, 1),
        ):
            check_whole(name, value, least)

    def output_size(self, width: int, height: int) -> tuple[int, int]:
        """The rectangle's size, or the same where the origin stays."""
        if self.x + self.width > width or self.y + self.height > height:
            raise ValueError(
                f"the region {self.x}..{self.x + self.width - 1} x"
                f" {self.y}..{self.y + self.height - 1} leaves the sensor of {width}x{height}"
            )
        return (self.width, self.height) if self.move_origin else (width, height)

    def initial_state(self, width: int, height: int) -> tuple[int, int]:
        """The sensor's size: there is nothing to remember."""
        self.output_size(width, height)
        return height, width

    def apply(self, events: Events, state: tuple[int, int]) -> Events:
        """See `EventFilter.apply`."""
        check_state(events, state)
        out = room_for(len(events))
        box = (self.x, self.y, self.width, self.height)
        n = _inside(*contiguous(events), *box, self.move_origin, *out)
        return first(out, n, *self.output_size(events.width, events.height))


@njit(cache=True, nogil=True)
def _inside(
    t_ns: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.uint8],
    left: int,
    top: int,
    width: int,
    height: int,
    move_origin: bool,
    out_t: NDArray[np.int64],
    out_x: NDArray[np.uint16],
    out_y: NDArray[np.uint16],
    out_p: NDArray[np.uint8],
) -> int:
    n = 0
    from_x = left if move_origin else 0
    from_y = top if move_origin else 0
    for i in range(t_ns.shape[0]):
        column = np.int64(x[i])
        row = np.int64(y[i])
        out_t[n] = t_ns[i]
        out_x[n] = column - from_x
        out_y[n] = row - from_y
        out_p[n] = p[i]
        n += (left <= column < left + width) & (top <= row < top + height)
    return n
