# SPDX-License-Identifier: Apache-2.0
"""What a twin's parameters are called, and the nodes that they make."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

_Node = TypeVar("_Node")


def parameter_name(node: str, field: str) -> str:
    """``NODE:FIELD``, with dots, which torch has none of in names, as ``|``."""
    return f"{node.replace('.', '|')}:{field}"


def with_trained(name: str, node: _Node, changed: dict[str, Any]) -> _Node:
    """A node with other parameters. ValueError naming the node where it cannot have them."""
    try:
        made: _Node = replace(node, **changed)  # type: ignore[type-var]
    except ValueError as error:
        raise ValueError(f"node {name!r}: {error} (has training diverged?)") from error
    return made
