# SPDX-License-Identifier: Apache-2.0
"""JSON as every reader takes it. Python's own writes `NaN` and `Infinity`, which are none."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def json_text(value: Any, indent: int | None = None) -> str:
    """A value as JSON (RFC 8259): null stands for NaN and infinities, numpy's are plain numbers.

    indent: columns a level; None: one line without spaces.
    Raises TypeError for what JSON has no word for.
    """
    separators = (",", ":") if indent is None else None
    return json.dumps(_finite(value), indent=indent, separators=separators, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(entry) for entry in value]
    return value
