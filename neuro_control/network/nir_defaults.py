# SPDX-License-Identifier: Apache-2.0
"""Fields that a NIR file may leave out, with what they are then.

The package `nir` writes all of them, and cannot make a node without; other writers do not. The
values are those of torch, after which NIR's convolutions and pools are named.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_WINDOW = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "input_shape": None}


def fill_in(fields: dict[str, Any]) -> None:
    """Add to a node's fields, as read from a file, what was left out; to a graph's nodes' too."""
    inner = fields.get("nodes")
    for node in inner.values() if isinstance(inner, dict) else ():
        if isinstance(node, dict):
            fill_in(node)
    kind = fields.get("type")
    if kind == "NIRGraph":
        # `nir` would refuse what is inferred here.
        fields["type_check"] = False
    if kind in ("Input", "Output"):
        # Its neighbours say what it is: `neuro_control.network.nir_shapes`.
        fields.setdefault("shape", None)
    elif kind in ("Conv1d", "Conv2d"):
        for field, value in _WINDOW.items():
            fields.setdefault(field, value)
        if "weight" in fields:
            fields.setdefault("bias", np.zeros(np.shape(fields["weight"])[:1]))
    elif kind in ("SumPool2d", "AvgPool2d"):
        fields.setdefault("padding", np.zeros(2, np.int64))
        if "kernel_size" in fields:
            fields.setdefault("stride", fields["kernel_size"])
