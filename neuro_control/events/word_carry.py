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
        """The whole words so far, of the dtype given; the rest is kept.

        They are the payload's own memory where that is possible, and not for keeping.
        """
        joined = np.concatenate((self._carry, payload)) if len(self._carry) else payload
        whole = len(joined) - len(joined) % self._dtype.itemsize
        self._carry = joined[whole:].copy() if whole < len(joined) else _NO_BYTES
        # The memory of a packet whose bytes do not lie together cannot be read as words.
        return np.ascontiguousarray(joined[:whole]).view(self._dtype)

    def drop(self) -> None:
        """Give up what is kept: the bytes that belong to it will not come."""
        self.split_bytes += len(self._carry)
        self._carry = _NO_BYTES
