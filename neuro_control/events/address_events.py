# SPDX-License-Identifier: Apache-2.0
"""Address events: what a pixel, a taxel or a cochlea channel says, and when it says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_T = np.dtype(np.int64)
_XY = np.dtype(np.uint16)
_P = np.dtype(np.uint8)

LARGEST_WIDTH = 1 << 16
"""Columns that a uint16 address can name."""

LARGEST_HEIGHT = 1 << 16
"""Rows that a uint16 address can name."""


@dataclass(frozen=True, eq=False)
class Events:
    """A run of address events, as a struct of arrays.

    t_ns: int64[n], sensor time in nanoseconds, ascending.
    x, y: uint16[n], column (right) and row (down); channel and ear; or taxel.
    p: uint8[n], polarity: 1 brighter / pressed / on, 0 darker / released / off.
    width, height: the sensor's size.

    Construction checks dtypes and shapes, in about two microseconds, because it runs once for
    every packet; it does not look at the values (`check` does). The arrays are kept as read-only
    views: nothing is copied, and nobody downstream can write through them.

    Raises ValueError naming the array that has the wrong dtype or shape.
    """

    t_ns: NDArray[np.int64]
    x: NDArray[np.uint16]
    y: NDArray[np.uint16]
    p: NDArray[np.uint8]
    width: int
    height: int

    def __post_init__(self) -> None:
        t_ns, x, y, p = self.t_ns, self.x, self.y, self.p
        # One chain for the case that always holds; the slow search for a name only when it fails.
        try:
            shape = t_ns.shape
            sound = (
                len(shape) == 1
                and x.shape == y.shape == p.shape == shape
                # Nearly always numpy's own object of that dtype, which is quick to tell.
                and (t_ns.dtype is _T or t_ns.dtype == _T)
                and (x.dtype is _XY or x.dtype == _XY)
                and (y.dtype is _XY or y.dtype == _XY)
                and (p.dtype is _P or p.dtype == _P)
                and 0 < self.width <= LARGEST_WIDTH
                and 0 < self.height <= LARGEST_HEIGHT
            )
        except (AttributeError, TypeError):
            sound = False
        if not sound:
            self._refuse()
        for name, array in (("t_ns", t_ns), ("x", x), ("y", y), ("p", p)):
            if array.flags.writeable:
                view = array.view()
                view.setflags(write=False)
                object.__setattr__(self, name, view)

    def _refuse(self) -> None:
        """Find what is wrong and raise ValueError naming it."""
        for name, dtype in (("t_ns", _T), ("x", _XY), ("y", _XY), ("p", _P)):
            array = getattr(self, name)
            if not isinstance(array, np.ndarray):
                raise ValueError(f"{name} is a {type(array).__name__}; give a numpy {dtype} array")
            if array.dtype != dtype:
                raise ValueError(f"{name} has dtype {array.dtype}; give {dtype}")
            if array.ndim != 1:
                raise ValueError(f"{name} has shape {array.shape}; give one dimension")
            if array.shape != self.t_ns.shape:
                raise ValueError(
                    f"{name} has {len(array)} values and t_ns has {len(self.t_ns)};"
                    " give as many as there are events"
                )
        check_size(self.width, self.height)
        raise ValueError(f"width {self.width!r} or height {self.height!r} is not an integer")

    def __len__(self) -> int:
        return len(self.t_ns)

    @classmethod
    def empty(cls, width: int, height: int) -> Events:
        """No events of a sensor of this size."""
        return cls(
            np.empty(0, _T), np.empty(0, _XY), np.empty(0, _XY), np.empty(0, _P), width, height
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Events]) -> Events:
        """The events of all parts, in the order given.

        Raises ValueError for no parts at all, or for parts of sensors of different sizes.
        """
        if not parts:
            raise ValueError("parts is empty; give at least one Events (Events.empty will do)")
        first = parts[0]
        for part in parts:
            if (part.width, part.height) != (first.width, first.height):
                raise ValueError(
                    f"parts mix sensors of {first.width}x{first.height} and"
                    f" {part.width}x{part.height}; give events of one sensor"
                )
        if len(parts) == 1:
            return first
        return cls(
            np.concatenate([part.t_ns for part in parts]),
            np.concatenate([part.x for part in parts]),
            np.concatenate([part.y for part in parts]),
            np.concatenate([part.p for part in parts]),
            first.width,
            first.height,
        )

    def window(self, start_ns: int, end_ns: int) -> Events:
        """The events with start_ns <= t_ns < end_ns (views, no copy); needs ascending times."""
        first, last = self.t_ns.searchsorted((start_ns, end_ns))
        return self[int(first) : max(int(first), int(last))]

    def __getitem__(self, part: slice) -> Events:
        """The events at a slice of positions (views, no copy)."""
        return Events(
            self.t_ns[part], self.x[part], self.y[part], self.p[part], self.width, self.height
        )

    def check(self) -> None:
        """Look at every value, for data that was not made by one of this room's decoders.

        Raises ValueError naming the first event outside the sensor, with a polarity that is
        neither 0 nor 1, or with a time before that of the event before it.
        """
        for name, wrong, right in (
            ("x", self.x >= self.width, f"below the width {self.width}"),
            ("y", self.y >= self.height, f"below the height {self.height}"),
            ("p", self.p > 1, "0 or 1"),
        ):
            if wrong.any():
                index = int(wrong.argmax())
                value = getattr(self, name)[index]
                raise ValueError(f"{name}[{index}] is {value}; it must be {right}")
        backwards = self.t_ns[1:] < self.t_ns[:-1]
        if backwards.any():
            index = int(backwards.argmax()) + 1
            raise ValueError(
                f"t_ns[{index}] is {self.t_ns[index]}, before its predecessor's"
                f" {self.t_ns[index - 1]}; sort the events by time"
            )


def check_size(width: int, height: int) -> None:
    """Raise ValueError if no sensor of uint16 addresses has this size."""
    sides: tuple[tuple[str, object, int], ...] = (
        ("width", width, LARGEST_WIDTH),
        ("height", height, LARGEST_HEIGHT),
    )
    for name, value, most in sides:
        if not isinstance(value, int | np.integer) or isinstance(value, bool):
            raise ValueError(f"{name} is {value!r}; it must be a whole number of 1 to {most}")
        if not 0 < value <= most:
            raise ValueError(f"{name} is {value}; it must be 1 to {most}")
