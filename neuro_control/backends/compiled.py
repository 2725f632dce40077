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


def compiled_inside(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile as a part of compiled functions; it cannot be called from Python.

    Their code on disk has it in it, so that it is kept nowhere itself and needs no way in.
    """
    # Left out of numba's own type hints, but among its options.
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast(Callable[..., Any], numba.njit(nogil=True, **options)(function))
