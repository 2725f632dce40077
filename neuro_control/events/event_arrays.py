# SPDX-License-Identifier: Apache-2.0
"""Arrays that a compiled loop writes events into, and the events that it has written."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuro_control.events.address_events import Events

Arrays = tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.uint16], NDArray[np.uint8]]
"""Times in ns, columns, rows and polarities."""


def room_for(n: int) -> Arrays:
    """Arrays for n events, to be written by a kernel."""
    return (
        np.empty(n, np.int64),
        np.empty(n, np.uint16),
        np.empty(n, np.uint16),
        np.empty(n, np.uint8),
    )


def first(arrays: Arrays, n: int, width: int, height: int) -> Events:
    """The first n events of arrays that a kernel has written."""
    t_ns, x, y, p = arrays
    return Events(t_ns[:n], x[:n], y[:n], p[:n], width, height)
