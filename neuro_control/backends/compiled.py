# SPDX-License-Identifier: Apache-2.0
"""How functions of the CPU backend are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numba


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile on first use and keep the code on disk.

    numba looks for a place by itself (NUMBA_CACHE_DIR, beside this file, the user's cache folder)
    and raises RuntimeError where none is writable; then the code is compiled in every process.
    """
    try:
        return cast(Callable[..., Any], numba.njit(function, cache=True, nogil=True))
    except RuntimeError:
        return cast(Callable[..., Any], numba.njit(function, nogil=True))
