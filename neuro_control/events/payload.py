# SPDX-License-Identifier: Apache-2.0
"""What a packet's bytes may lie in."""

from __future__ import annotations

import array
from typing import Union

import numpy as np
from numpy.typing import NDArray

Payload = Union[NDArray[np.uint8], bytes, bytearray, memoryview, "array.array[int]"]
"""uint8[n], or whatever else holds bytes: a message's `events`, what was read from a file."""


BYTE = np.dtype(np.uint8)
"""Made once: numpy makes one for every comparison with the type."""


def octets(payload: Payload) -> NDArray[np.uint8]:
    """The bytes as uint8[n], in the memory in which they lie.

    An array of other whole numbers (words, as they came from a device) is taken for the bytes that
    it has in memory, row after row. What is behind this indexes unchecked.

    Raises:
        ValueError: an array of anything else, naming its dtype and shape, or a buffer with gaps.
        TypeError: what holds no bytes, naming its type.
    """
    if isinstance(payload, np.ndarray):
        if payload.dtype == BYTE and payload.ndim == 1:
            return payload
        if payload.dtype.kind in "iu":
            return np.ascontiguousarray(payload).reshape(-1).view(np.uint8)
        raise ValueError(f"payload is {payload.dtype}{payload.shape}; it must be uint8[n]")
    try:
        return np.frombuffer(payload, np.uint8)
    except TypeError as error:
        raise TypeError(f"payload is a {type(payload).__name__}; it must hold bytes") from error
    except (BufferError, ValueError) as error:
        raise ValueError(f"payload is no run of bytes ({error}); it must be one") from error
