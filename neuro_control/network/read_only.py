# SPDX-License-Identifier: Apache-2.0
"""Descriptions that cannot be written to, and can be copied and pickled all the same."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any


class CopyableReadOnly:
    """For frozen dataclasses with fields that are mapping proxies, which pickle refuses."""

    def __getstate__(self) -> dict[str, Any]:
        """The fields, proxies as dictionaries."""
        return {
            name: _Proxied(value) if isinstance(value, MappingProxyType) else value
            for name, value in vars(self).items()
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """The fields again, read-only as before."""
        for name, value in state.items():
            kept = MappingProxyType(dict(value)) if isinstance(value, _Proxied) else value
            object.__setattr__(self, name, kept)


class _Proxied(dict[Any, Any]):
    """A mapping proxy on its way."""
