# SPDX-License-Identifier: Apache-2.0
"""One array of bytes in parts that begin at multiples of 64, where vectors are read fastest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ALIGNMENT = 64


class ArenaParts:
    """Parts of the arena, placed one after the other."""

    def __init__(self, header: int) -> None:
        self.size = 0
        self._filled: list[tuple[int, NDArray[np.generic]]] = []
        self.plan = self.reserve(header * 8)

    def reserve(self, n_bytes: int) -> int:
        """Place of a new part, zero."""
        place = self.size
        self.size += -(-n_bytes // ALIGNMENT) * ALIGNMENT
        return place

    def put(self, values: NDArray[np.generic]) -> int:
        """Place of a new part that holds these values."""
        place = self.reserve(values.nbytes)
        self._filled.append((place, values))
        return place

    def arena(self) -> NDArray[np.uint8]:
        """All parts; each is forgotten as it is copied, so that little is held twice."""
        # Vectors may read or write a little beyond the last part.
        room = np.zeros(self.size + 3 * ALIGNMENT, np.uint8)
        begin = -room.ctypes.data % ALIGNMENT
        made = room[begin : begin + self.size + 2 * ALIGNMENT]
        while self._filled:
            place, values = self._filled.pop()
            made[place : place + values.nbytes] = values.view(np.uint8).ravel()
        return made


def part_of(arena: NDArray[np.uint8], place: int, kind: np.dtype[Any] | type, n: int) -> Any:
    """So many values of a kind that begin at a place, as a view."""
    dtype = np.dtype(kind)
    return arena[place : place + n * dtype.itemsize].view(dtype)
