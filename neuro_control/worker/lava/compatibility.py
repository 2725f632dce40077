# SPDX-License-Identifier: Apache-2.0
"""Lava on the Python that is there.

lava-nc 0.10 was made for Python 3.10, where a dataclass that can be changed could still be
another's default value. Later Pythons want it to be hashable.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any


def prepare() -> None:
    """Import the one module of Lava that would fail, in a way that it does not."""
    plain = dataclasses.dataclass

    @functools.wraps(plain)
    def hashable(cls: Any = None, /, **options: Any) -> Any:
        options.setdefault("unsafe_hash", True)
        return plain(cls, **options) if cls else lambda c: plain(c, **options)

    dataclasses.dataclass = hashable
    try:
        import lava.magma.compiler.var_model  # noqa: F401
    finally:
        dataclasses.dataclass = plain


prepare()
