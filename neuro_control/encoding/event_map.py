# SPDX-License-Identifier: Apache-2.0
"""Address events to the spikes of an image-shaped input, tick by tick."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_control.events import Events

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class EventMapEncoder:
    """Every event becomes a spike of the input neuron that looks at its pixel.

    The input has the shape (polarity, row, column) = (2, height, width); index
    ``(p * height + row) * width + column``. A sensor of another size is scaled onto the map, each
    axis by itself, so that the whole field of view is kept. Several events of one neuron in one
    tick are one spike, because a neuron spikes at most once a tick; where the input is graded
    (`Input.message_bits`), the spike's payload is how many they are.

    Attributes:
        height, width: of the map.
        dt_ns: length of a tick.
    """

    height: int
    width: int
    dt_ns: int

    def __post_init__(self) -> None:
        for name in ("height", "width", "dt_ns"):
            value = getattr(self, name)
            if value < 1:
                raise ValueError(f"{name}: {value} must be at least 1")

    @property
    def size(self) -> int:
        """Number of input neurons."""
        return 2 * self.height * self.width

    def encode(self, events: Events, first_tick: int, ticks: int) -> tuple[Int32, Int64]:
        """Spikes of the ticks first_tick, ..., first_tick + ticks - 1.

        Tick k takes the events with ``k * dt_ns <= t < (k + 1) * dt_ns``. An event from before
        the first tick is delivered in the first (it came late), one from behind the last in the
        last, so none is lost.

        Returns:
            indices int32[n] and offsets int64[ticks + 1].

        Raises:
            ValueError: `ticks` is below 1.
        """
        if ticks < 1:
            raise ValueError(f"ticks: {ticks} must be at least 1")
        indices = np.empty(len(events), np.int32)
        offsets = np.empty(ticks + 1, np.int64)
        _encode(
            events.t_ns,
            events.x,
            events.y,
            events.p,
            first_tick * self.dt_ns,
            self.dt_ns,
            events.width,
            events.height,
            self.width,
            self.height,
            indices,
            offsets,
        )
        return indices, offsets


@njit(cache=True, nogil=True)
def _encode(
    t_ns: Int64,
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.uint8],
    begin_ns: int,
    dt_ns: int,
    sensor_width: int,
    sensor_height: int,
    width: int,
    height: int,
    indices: Int32,
    offsets: Int64,
) -> None:
    ticks = offsets.size - 1
    tick = 0
    offsets[0] = 0
    for i in range(t_ns.size):
        column = np.int64(x[i]) * width // sensor_width
        row = np.int64(y[i]) * height // sensor_height
        indices[i] = ((p[i] != 0) * height + row) * width + column
        # Never backwards, even if one time stamp is.
        while tick < ticks - 1 and t_ns[i] >= begin_ns + (tick + 1) * dt_ns:
            tick += 1
            offsets[tick] = i
    while tick < ticks:
        tick += 1
        offsets[tick] = t_ns.size
