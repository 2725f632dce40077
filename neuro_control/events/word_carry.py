# SPDX-License-Identifier: Apache-2.0
"""Bytes to words, where a word may lie across two packets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_NO_BYTES = np.empty(0, np.uint8)


class WordCarry:
    """Keeps the bytes at a packet's end that do not fill a word, for the next packet's first.

    split_bytes: bytes that were given up because what belonged to them was lost.
    """

    def __init__(self, dtype: str) -> None:
        self._dtype = np.dtype(dtype)
        self._carry = _NO_BYTES
        self.split_bytes = 0

    def words(self, payload: NDArray[np.uint8]) -> NDArray[Any]:
        """The whole words so far, of the dtype given; the rest is kept."""
        # Always a copy, far cheaper than the decoding: a kernel is compiled for each kind of
        # array it meets, and a first read-only or unaligned one would stall a running robot.
        joined = np.concatenate((self._carry, payload))
        whole = len(joined) - len(joined) % self._dtype.itemsize
        self._carry = joined[whole:].copy()
        return joined[:whole].view(self._dtype)

    def drop(self) -> None:
        """Give up what is kept: the bytes that belong to it will not come."""
        self.split_bytes += len(self._carry)
        self._carry = _NO_BYTES
