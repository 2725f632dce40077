# SPDX-License-Identifier: Apache-2.0
"""Neighbouring pixels speak to one neuron: the neuron's receptive field."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_control.events import Events

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SpatialPool:
    """Every event becomes a spike of the neuron in whose receptive field its pixel lies.

    Nothing is remembered from event to event. Several events of one neuron in one tick are one
    spike, as for `EventMapEncoder`, because a neuron spikes at most once a tick.

    Attributes:
        fields: int32[height, width], number of each pixel's field from 0 up; -1 for a pixel that
            no neuron sees. Kept as a read-only copy.
        dt_ns: length of a tick.
        apart: ON and OFF have neurons of their own: index ``p * field_count + field``.
        field_count: number of fields, one more than the largest number.

    Raises:
        ValueError: naming the attribute that is not right.
    """

    fields: Int32
    dt_ns: int
    apart: bool = True
    field_count: int = field(init=False)

    def __post_init__(self) -> None:
        fields = self.fields
        if fields.ndim != 2 or fields.dtype != np.int32 or not fields.size:
            raise ValueError(
                f"fields: {fields.dtype}{list(fields.shape)} must be int32[height, width], not"
                " empty"
            )
        if fields.min() < -1 or fields.max() < 0:
            raise ValueError(
                f"fields: {fields.min()} to {fields.max()} must be -1 (no field) or more, with at"
                " least one field"
            )
        if self.dt_ns < 1:
            raise ValueError(f"dt_ns: {self.dt_ns} must be at least 1")
        fields = np.array(fields, order="C")
        fields.flags.writeable = False
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "field_count", int(fields.max()) + 1)

    @classmethod
    def by_factors(
        cls, width: int, height: int, columns: int, rows: int, dt_ns: int, apart: bool = True
    ) -> SpatialPool:
        """Fields of `columns` x `rows` pixels, numbered row by row from the upper left.

        Those at the right and lower edge may have fewer pixels.

        Raises:
            ValueError: a size below 1.
        """
        sizes = {"width": width, "height": height, "columns": columns, "rows": rows}
        for name, value in sizes.items():
            if value < 1:
                raise ValueError(f"{name}: {value} must be at least 1")
        across = -(-width // columns)
        row = np.arange(height, dtype=np.int32)[:, np.newaxis] // rows
        fields = row * across + np.arange(width, dtype=np.int32) // columns
        return cls(fields.astype(np.int32), dt_ns, apart)

    @property
    def size(self) -> int:
        """Number of input neurons."""
        return self.field_count * (2 if self.apart else 1)

    def pixels(self, number: int) -> Int64:
        """The pixels of a field, int64[n, 2]: row, column."""
        return np.argwhere(self.fields == number)

    def pool(self, events: Events) -> tuple[Int64, Int32]:
        """Times int64[n] and neurons int32[n] of the events that a neuron sees, in their order.

        Raises:
            ValueError: events of a sensor of another size, or one that lies outside it.
        """
        height, width = self.fields.shape
        if (events.width, events.height) != (width, height):
            raise ValueError(
                f"events: of a sensor of {events.width}x{events.height}, expected {width}x{height}"
            )
        if not len(events):
            return np.empty(0, np.int64), np.empty(0, np.int32)
        # The kernel indexes unchecked; this is a small part of its time.
        if events.x.max() >= width or events.y.max() >= height or events.p.max() > 1:
            events.check()
        t_ns, indices = np.empty(len(events), np.int64), np.empty(len(events), np.int32)
        stride = self.field_count if self.apart else 0
        n = _pool(events.t_ns, events.x, events.y, events.p, self.fields, stride, t_ns, indices)
        return t_ns[:n], indices[:n]

    def encode(self, events: Events, first_tick: int, ticks: int) -> tuple[Int32, Int64]:
        """Spikes of the ticks first_tick, ..., first_tick + ticks - 1.

        Tick k takes the events with ``k * dt_ns <= t < (k + 1) * dt_ns``. An event from before
        the first tick is delivered in the first, one from behind the last in the last.

        Returns:
            indices int32[n] and offsets int64[ticks + 1].

        Raises:
            ValueError: `ticks` is below 1, or as `pool` does.
        """
        if ticks < 1:
            raise ValueError(f"ticks: {ticks} must be at least 1")
        t_ns, indices = self.pool(events)
        offsets = np.empty(ticks + 1, np.int64)
        offsets[1:-1] = t_ns.searchsorted(self.dt_ns * (first_tick + np.arange(1, ticks)))
        offsets[0], offsets[-1] = 0, len(indices)
        return indices, offsets


@njit(cache=True, nogil=True)
def _pool(
    t_ns: Int64,
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.uint8],
    fields: Int32,
    stride: int,
    out_t: Int64,
    out_indices: Int32,
) -> int:
    n = 0
    for i in range(t_ns.shape[0]):
        number = fields[y[i], x[i]]
        out_t[n] = t_ns[i]
        out_indices[n] = p[i] * stride + number
        n += number >= 0
    return n
