# SPDX-License-Identifier: Apache-2.0
"""What a packet's bytes may lie in."""

from __future__ import annotations

import array
from typing import Union

import numpy as np
from numpy.typing import NDArray

Payload = Union[NDArray[np.uint8], bytes, bytearray, memoryview, "array.array[int]"]
"""uint8[n], or whatever else holds bytes: a message's `events`, what was read from a file."""


def octets(payload: Payload) -> NDArray[np.uint8]:
    """The bytes as uint8[n], in the memory in which they lie."""
    return payload if isinstance(payload, np.ndarray) else np.frombuffer(payload, np.uint8)
