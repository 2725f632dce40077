# SPDX-License-Identifier: Apache-2.0
"""What a twin's parameters are called."""

from __future__ import annotations


def parameter_name(node: str, field: str) -> str:
    """``NODE:FIELD``, with dots, which torch has none of in names, as ``|``."""
    return f"{node.replace('.', '|')}:{field}"
