# SPDX-License-Identifier: Apache-2.0
"""Kernels that are compiled once, for whatever array a device's words lie in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import types
from numba.np.numpy_support import from_dtype

STATE = types.Array(types.int64, 1, "C")
EVENTS = tuple(
    types.Array(kind, 1, "C") for kind in (types.int64, types.uint16, types.uint16, types.uint8)
)
"""The four arrays that a kernel writes events into."""


def words_type(word: str) -> Any:
    """Words of a dtype in any memory: a message's, a read-only file's, at an odd address."""
    return types.Array(from_dtype(np.dtype(word)), 1, "C", readonly=True, aligned=False)


def compile_once(kernel: Any, arguments: Sequence[Any]) -> None:
    """Compile a numba function for these types, or load it, and never again for others.

    numba compiles a function for each kind of array that it meets, and the first read-only or
    unaligned one would stall a running robot for seconds. Arrays that can be passed as the given
    types are (a writable one as read-only), and others raise TypeError.
    """
    if tuple(arguments) not in kernel.overloads:
        kernel.compile(tuple(arguments))
        kernel.disable_compile()
