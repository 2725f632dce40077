# SPDX-License-Identifier: Apache-2.0
"""Pixels that speak all the time say nothing: they are found by their rate and masked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_control.events.address_events import Events, check_size
from neuro_control.events.event_arrays import first, room_for
from neuro_control.events.filters.event_filter import (
    check_number,
    check_state,
    check_whole,
    contiguous,
)

Mask = NDArray[np.bool_]


def hot_pixels(count: NDArray[np.int64], factor: float, least: int) -> Mask:
    """Which pixels are hot, from their numbers of events over some time.

    A pixel is hot if it has more than `factor` times the events of the second busiest of its
    eight neighbours, and at least `least` events. A moving edge makes neighbours busy as well, a
    defect does not; the busiest neighbour is left out because two defects may lie side by side.

    Args:
        count: events of each pixel, int64[height, width].
        factor: above 1.
        least: at least 1.

    Returns:
        bool[height, width].
    """
    # An edge goes on beyond the border as it came; a sensor of one row has nothing there.
    padded = count
    for axis, length in enumerate(count.shape):
        widths = [(1, 1) if axis == other else (0, 0) for other in range(2)]
        padded = np.pad(padded, widths, mode="reflect" if length > 1 else "constant")
    second = _second_busiest(padded)
    hot: Mask = (count >= least) & (count > factor * second)
    return hot


@dataclass(frozen=True, eq=False)
class PixelMask:
    """Drops the events of the pixels that are marked.

    mask: bool[height, width].
    Raises ValueError for another type or shape.
    """

    mask: Mask

    def __post_init__(self) -> None:
        if not isinstance(self.mask, np.ndarray):
            raise ValueError(
                f"mask is a {type(self.mask).__name__}; it must be a numpy bool[height, width]"
            )
        if self.mask.dtype != np.bool_ or self.mask.ndim != 2:
            raise ValueError(
                f"mask is {self.mask.dtype}{self.mask.shape}; it must be bool[height, width]"
            )
        mask = np.ascontiguousarray(self.mask)
        mask.flags.writeable = False
        object.__setattr__(self, "mask", mask)

    def output_size(self, width: int, height: int) -> tuple[int, int]:
        """The same."""
        return width, height

    def initial_state(self, width: int, height: int) -> Mask:
        """The mask itself: nothing changes."""
        if self.mask.shape != (height, width):
            raise ValueError(
                f"mask is for {self.mask.shape[1]}x{self.mask.shape[0]} pixels, the sensor has"
                f" {width}x{height}"
            )
        return self.mask.copy()

    def apply(self, events: Events, state: Mask) -> Events:
        """See `EventFilter.apply`."""
        check_state(events, state.shape)
        return _masked(events, state)


@dataclass
class HotPixelState:
    """What has been counted since the window began, and the pixels found hot so far."""

    count: NDArray[np.int64]
    mask: Mask
    window_end_ns: int | None = None


@dataclass(frozen=True)
class HotPixels:
    """Finds hot pixels window by window, and masks those of the last one from then on.

    window_ns: how long events are counted, 10 ms to 100 s.
    factor: how many times the events of its neighbours make a pixel hot, above 1 to 1000.
    least_rate_hz: below this rate no pixel is hot.
    Raises ValueError naming the parameter that is out of range.
    """

    window_ns: int = 1_000_000_000
    factor: float = 10.0
    least_rate_hz: float = 20.0

    def __post_init__(self) -> None:
        check_whole("window_ns", self.window_ns, 10_000_000, 100_000_000_000)
        check_number("factor", self.factor)
        check_number("least_rate_hz", self.least_rate_hz)
        if not 1.0 < self.factor <= 1000.0:
            raise ValueError(f"factor is {self.factor}; it must be above 1 and at most 1000")
        if not 0.0 < self.least_rate_hz <= 1e6:
            raise ValueError(f"least_rate_hz is {self.least_rate_hz}; it must be in (0, 1e6]")

    def output_size(self, width: int, height: int) -> tuple[int, int]:
        """The same."""
        return width, height

    def initial_state(self, width: int, height: int) -> HotPixelState:
        """Nothing counted, nothing masked."""
        check_size(width, height)
        return HotPixelState(np.zeros((height, width), np.int64), np.zeros((height, width), bool))

    def apply(self, events: Events, state: HotPixelState) -> Events:
        """See `EventFilter.apply`. A window begins with the first event after the last one."""
        check_state(events, state.mask.shape)
        parts = [Events.empty(events.width, events.height)]
        rest = events
        while len(rest):
            if state.window_end_ns is None:
                state.window_end_ns = int(rest.t_ns[0]) + self.window_ns
            inside = int(rest.t_ns.searchsorted(state.window_end_ns))
            part, rest = rest[:inside], rest[inside:]
            _count(*contiguous(part)[1:3], state.count)
            parts.append(_masked(part, state.mask))
            if len(rest):
                self._close(state)
        return Events.concatenate(parts)

    def _close(self, state: HotPixelState) -> None:
        least = max(1, int(np.ceil(self.least_rate_hz * self.window_ns * 1e-9)))
        state.mask[:] = hot_pixels(state.count, self.factor, least)
        state.count[:] = 0
        state.window_end_ns = None


@njit(cache=True, nogil=True)
def _second_busiest(padded: NDArray[np.int64]) -> NDArray[np.int64]:
    """The second largest of every pixel's eight neighbours, of counts with a border of one."""
    height, width = padded.shape[0] - 2, padded.shape[1] - 2
    found = np.zeros((height, width), np.int64)
    for row in range(height):
        for column in range(width):
            largest = second = np.int64(-1)
            for down in range(3):
                for right in range(3):
                    if down != 1 or right != 1:
                        value = padded[row + down, column + right]
                        second = max(second, min(value, largest))
                        largest = max(largest, value)
            found[row, column] = second
    return found


def _masked(events: Events, mask: Mask) -> Events:
    out = room_for(len(events))
    n = _unmasked(*contiguous(events), mask, *out)
    return first(out, n, events.width, events.height)


@njit(cache=True, nogil=True)
def _count(x: NDArray[np.uint16], y: NDArray[np.uint16], count: NDArray[np.int64]) -> None:
    for i in range(x.shape[0]):
        count[y[i], x[i]] += 1


@njit(cache=True, nogil=True)
def _unmasked(
    t_ns: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.uint8],
    mask: Mask,
    out_t: NDArray[np.int64],
    out_x: NDArray[np.uint16],
    out_y: NDArray[np.uint16],
    out_p: NDArray[np.uint8],
) -> int:
    n = 0
    for i in range(t_ns.shape[0]):
        out_t[n] = t_ns[i]
        out_x[n] = x[i]
        out_y[n] = y[i]
        out_p[n] = p[i]
        n += not mask[y[i], x[i]]
    return n
