# SPDX-License-Identifier: Apache-2.0
"""What every filter does: events and state in, fewer events out."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_control.events.address_events import Events
from neuro_control.events.event_arrays import Arrays

State = Any
"""What a filter keeps from call to call: made by `initial_state`, changed in place by `apply`."""

LONG_AGO_NS = -(1 << 62)
"""Time of a pixel's last event before it had one."""


class EventFilter(Protocol):
    """Parameters of a filter; frozen, and checked when it is made.

    Every filter keeps the order of time, and where a stream is cut into calls does not matter.
    Events come in ascending time. Nothing is random.
    """

    def output_size(self, width: int, height: int) -> tuple[int, int]:
        """Size of the sensor that the events appear to come from afterwards.

        Raises:
            ValueError: the filter does not fit a sensor of this size.
        """

    def initial_state(self, width: int, height: int) -> State:
        """The state before the first event of a sensor of this size.

        Raises:
            ValueError: the filter does not fit a sensor of this size.
        """

    def apply(self, events: Events, state: State) -> Events:
        """The events that pass; the state is changed in place.

        Raises:
            ValueError: the state is of a sensor of another size or of other parameters, or an
                event lies outside the sensor; the state is then unchanged.
        """


def check_whole(name: str, value: object, least: int, most: int | None = None) -> None:
    """Raise ValueError naming a parameter that is not a whole number of least to most."""
    right = f"at least {least}" if most is None else f"{least} to {most}"
    if not isinstance(value, int | np.integer) or isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}; it must be {right}, whole")
    if value < least or (most is not None and value > most):
        raise ValueError(f"{name} is {value}; it must be {right}")


def check_number(name: str, value: object) -> None:
    """Raise ValueError naming a parameter that is no number."""
    if not isinstance(value, int | float | np.integer | np.floating) or isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}; it must be a number")


def check_state(events: Events, shape: tuple[int, ...]) -> None:
    """Raise ValueError where events are not of the sensor (height, width) of a state.

    Addresses and polarities are looked at as well, because kernels index with them unchecked: an
    event outside the sensor would be written over other memory. It takes a few microseconds a
    packet.
    """
    if (events.height, events.width) != shape:
        raise ValueError(
            f"events are of a sensor of {events.width}x{events.height}, the state is of"
            f" {shape[1]}x{shape[0]}"
        )
    _, x, y, p = contiguous(events)
    if _outside(x, y, p, events.width, events.height):
        events.check()


def contiguous(events: Events) -> Arrays:
    """The events' arrays as kernels are compiled for: contiguous and read-only.

    Only those that are not contiguous are copied. The copies are made read-only as well, because a
    kernel would be compiled anew for writable ones, which takes as long as the first call did.
    """
    arrays = (
        np.ascontiguousarray(events.t_ns),
        np.ascontiguousarray(events.x),
        np.ascontiguousarray(events.y),
        np.ascontiguousarray(events.p),
    )
    for array in arrays:
        if array.flags.writeable:
            array.flags.writeable = False
    return arrays


@njit(cache=True, nogil=True)
def _outside(
    x: NDArray[np.uint16], y: NDArray[np.uint16], p: NDArray[np.uint8], width: int, height: int
) -> bool:
    # Largest values rather than a way out at the first: that is what becomes vectors.
    column = row = np.uint16(0)
    polarity = np.uint8(0)
    for i in range(x.shape[0]):
        column = max(column, x[i])
        row = max(row, y[i])
        polarity = max(polarity, p[i])
    return bool(column >= width or row >= height or polarity > 1)
