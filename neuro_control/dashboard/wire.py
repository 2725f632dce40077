# SPDX-License-Identifier: Apache-2.0
"""One frame of the page as bytes: what changes little as JSON, pictures and curves as arrays.

Little-endian: the bytes ``NCD1``, uint32 length of the JSON text, the text, and the arrays, each
beginning at a multiple of eight bytes. The text is an object; its member ``arrays`` maps each
name to [dtype, byte offset, shape], dtype being one of `DTYPES`.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_control.reports.json_text import json_text

MAGIC = b"NCD1"
DTYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")
_ALIGN = 8
_HEAD = struct.Struct("<4sI")


def encode_frame(state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """One frame.

    Raises ValueError for an array whose type a browser has no typed array for.
    """
    places: dict[str, Any] = {}
    parts: list[bytes] = []
    offset = 0
    for name, array in arrays.items():
        if array.dtype.name not in DTYPES:
            raise ValueError(f"{name}: dtype is {array.dtype}; it must be one of {DTYPES}")
        data = np.ascontiguousarray(array).tobytes()
        places[name] = [array.dtype.name, offset, list(array.shape)]
        padding = -len(data) % _ALIGN
        parts += [data, bytes(padding)]
        offset += len(data) + padding
    text = json_text({**state, "arrays": places}).encode()
    text += b" " * (-(len(text) + _HEAD.size) % _ALIGN)
    return b"".join([_HEAD.pack(MAGIC, len(text)), text, *parts])


def decode_frame(frame: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The state and the arrays of a frame, as the page reads them. Raises ValueError."""
    if len(frame) < _HEAD.size or frame[:4] != MAGIC:
        raise ValueError("not a frame of the dashboard: it does not begin with NCD1")
    _, length = _HEAD.unpack_from(frame)
    state = json.loads(frame[_HEAD.size : _HEAD.size + length])
    start = _HEAD.size + length
    arrays = {
        name: np.frombuffer(frame, dtype, math.prod(shape), start + offset).reshape(shape)
        for name, (dtype, offset, shape) in state.pop("arrays").items()
    }
    return state, arrays
