# SPDX-License-Identifier: Apache-2.0
"""Pictures as cameras and simulators send them, to luminance from 0 to 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

# ITU-R BT.601, which webcams and Gazebo's RGB cameras are encoded for; red, green, blue.
WEIGHTS = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class PixelFormat:
    """How a pixel lies in memory.

    dtype: of a channel, little-endian. channels: of them. order: places of red, green and blue,
    or none for one channel of light. full_scale: value that becomes 1.
    """

    dtype: str
    channels: int
    order: tuple[int, int, int] | None
    full_scale: float


FORMATS: Mapping[str, PixelFormat] = MappingProxyType(
    {
        "mono8": PixelFormat("u1", 1, None, 255.0),
        "8UC1": PixelFormat("u1", 1, None, 255.0),
        "mono16": PixelFormat("u2", 1, None, 65535.0),
        "16UC1": PixelFormat("u2", 1, None, 65535.0),
        "32FC1": PixelFormat("f4", 1, None, 1.0),
        "rgb8": PixelFormat("u1", 3, (0, 1, 2), 255.0),
        "bgr8": PixelFormat("u1", 3, (2, 1, 0), 255.0),
        "rgba8": PixelFormat("u1", 4, (0, 1, 2), 255.0),
        "bgra8": PixelFormat("u1", 4, (2, 1, 0), 255.0),
        "rgb16": PixelFormat("u2", 3, (0, 1, 2), 65535.0),
        "bgr16": PixelFormat("u2", 3, (2, 1, 0), 65535.0),
    }
)
"""Encodings of `sensor_msgs/Image` that are understood."""


def image_luminance(
    data: NDArray[np.uint8],
    width: int,
    height: int,
    step: int,
    encoding: str,
    is_bigendian: bool = False,
) -> NDArray[np.float32]:
    """Luminance of a picture, float32[height, width], 0 to 1 (32FC1: as it is given).

    Args:
        data: uint8[n], rows of `step` bytes.
        width: pixels in a row.
        height: rows.
        step: bytes from one row to the next, at least what its pixels take.
        encoding: one of `FORMATS`.
        is_bigendian: of channels with more than a byte.

    Raises:
        ValueError: naming the field that does not fit, or values that are no finite numbers.
    """
    kind = FORMATS.get(encoding)
    if kind is None:
        raise ValueError(f"encoding {encoding!r} is not one of: {', '.join(FORMATS)}")
    dtype = np.dtype(kind.dtype).newbyteorder(">" if is_bigendian else "<")
    row_bytes = width * kind.channels * dtype.itemsize
    if width < 1 or height < 1:
        raise ValueError(f"width and height are {width} and {height}; both must be at least 1")
    if step < row_bytes:
        raise ValueError(
            f"step is {step}; a row of {width} pixels {encoding} has at least {row_bytes} bytes"
        )
    if len(data) < step * (height - 1) + row_bytes:
        raise ValueError(
            f"data has {len(data)} bytes; {height} rows of {step} need {step * height}"
        )
    if len(data) < step * height:
        data = np.concatenate([data, np.zeros(step * height - len(data), np.uint8)])
    rows = data[: step * height].reshape(height, step)[:, :row_bytes]
    values = np.ascontiguousarray(rows).view(dtype).reshape(height, width, kind.channels)
    if kind.order is None:
        light = values[..., 0].astype(np.float32)
    else:
        light = np.zeros((height, width), np.float32)
        for place, weight in zip(kind.order, WEIGHTS, strict=True):
            light += values[..., place] * np.float32(weight)
    if dtype.kind == "f" and not np.isfinite(light).all():
        raise ValueError("data has values that are no finite numbers; luminance is 0 to 1")
    light *= np.float32(1.0 / kind.full_scale)
    return light
