# SPDX-License-Identifier: Apache-2.0
"""Arrays that a compiled loop writes events into, and the events that it has written."""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from neuro_control.events.address_events import Events

Arrays = tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.uint16], NDArray[np.uint8]]
"""Times in ns, columns, rows and polarities."""

EVENT_BYTES = 13
"""Of one event in the four arrays."""


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
    t_ns, x, y, p = t_ns[:n], x[:n], y[:n], p[:n]
    # These views are read-only already, and Events need not make others.
    t_ns.setflags(write=False)
    x.setflags(write=False)
    y.setflags(write=False)
    p.setflags(write=False)
    return Events(t_ns, x, y, p, width, height)


def _references(blocks: list[NDArray[np.uint8]], i: int) -> int:
    return sys.getrefcount(blocks[i])


# What the interpreter counts for an array that only its list holds.
_ALONE = _references([np.empty(1, np.uint8)], 0)
# Without a global lock, counts are not those of the moment.
_COUNTS_TELL = sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", bool)()


class ArrayPool:
    """Arrays for events that are written again once nobody holds the events any more.

    The C library gives a large array back to the system when it is freed, and the next one costs
    a page fault every 4 KiB, as long as the decoding itself. A reader that drops a chunk before it
    asks for the next but one meets the same memory again. Events that are kept, whole, in slices
    or in views, keep their memory: a block is used again only when the pool has the one reference.

    smallest, largest: bytes; below, the C library keeps the memory by itself, and above it is not
        kept from others. blocks: how many are kept at most.
    """

    def __init__(self, smallest: int = 1 << 14, largest: int = 1 << 25, blocks: int = 2) -> None:
        self._smallest = smallest
        self._largest = largest
        self._most = blocks
        self._blocks: list[NDArray[np.uint8]] = []

    def room_for(self, n: int) -> Arrays:
        """Arrays for n events, to be written by a kernel."""
        size = EVENT_BYTES * n
        if not (_COUNTS_TELL and self._smallest <= size <= self._largest):
            return room_for(n)
        block = self._free_block(size)
        if block is None:
            return room_for(n)
        return (
            block[: 8 * n].view(np.int64),
            block[8 * n : 10 * n].view(np.uint16),
            block[10 * n : 12 * n].view(np.uint16),
            block[12 * n : 13 * n],
        )

    def _free_block(self, size: int) -> NDArray[np.uint8] | None:
        """A block that nobody uses, not much larger than asked for; None if all are used."""
        blocks = self._blocks
        unfit = -1
        for i in range(len(blocks)):
            if _references(blocks, i) == _ALONE:
                if size <= len(blocks[i]) <= 4 * size:
                    return blocks[i]
                unfit = i
        if unfit < 0 and len(blocks) == self._most:
            return None
        # A quarter more, for the next chunk is seldom of the same length.
        made = np.empty(min(size + size // 4, self._largest), np.uint8)
        if unfit >= 0:
            blocks[unfit] = made
        else:
            blocks.append(made)
        return made
