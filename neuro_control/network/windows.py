# SPDX-License-Identifier: Apache-2.0
"""Synapses that slide a window over their input: convolutions and pools, as torch's and NIR's.

Images are (channel, row, column), signals (channel, position).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from neuro_control.network.neurons import FloatArray, Shape, float_array, whole_numbers

Pair = tuple[int, int]


def as_pair(value: int | Sequence[int], what: str, least: int) -> Pair:
    """``value`` or ``(value, value)`` as two plain integers of at least ``least``."""
    values = np.atleast_1d(np.asarray(value))
    if values.dtype.kind not in "iu" or values.shape not in ((1,), (2,)):
        raise ValueError(f"{what} must be an integer or a pair of integers, not {value!r}")
    pair = (int(values[0]), int(values[-1]))
    if min(pair) < least:
        raise ValueError(f"{what} must be at least {least}, not {pair}")
    return pair


@dataclass(frozen=True, eq=False)
class Conv2d:
    """Two-dimensional cross-correlation, as torch's and NIR's ``Conv2d``.

    ``y[o, r, c] = b[o] + sum_{i,h,w} W[o, i, h, w] x[i, r*stride + h*dilation - padding, ...]``
    with W of shape (out, in / groups, height, width) and b of shape (out,). ``padding`` is an
    integer, a pair, "valid" (none) or "same" (stride 1: the image keeps its size).
    """

    weight: FloatArray
    bias: FloatArray | None = None
    stride: int | Pair = (1, 1)
    padding: int | Pair | str = (0, 0)
    dilation: int | Pair = (1, 1)
    groups: int = 1

    def __post_init__(self) -> None:
        weight = float_array(self.weight, "Conv2d.weight")
        if weight.ndim != 4 or 0 in weight.shape:
            raise ValueError(
                f"Conv2d.weight has shape {weight.shape}, it must be (out, in, height, width)"
            )
        if not whole_numbers(self.groups):
            raise ValueError(f"Conv2d.groups must be a whole number, not {self.groups!r}")
        if self.groups < 1 or weight.shape[0] % self.groups:
            raise ValueError(
                f"Conv2d.groups {self.groups} must divide the {weight.shape[0]} output channels"
            )
        bias = np.zeros(weight.shape[0]) if self.bias is None else self.bias
        bias = float_array(bias, "Conv2d.bias")
        if bias.shape != weight.shape[:1]:
            raise ValueError(f"Conv2d.bias has shape {bias.shape}, it must be {weight.shape[:1]}")
        stride = as_pair(self.stride, "Conv2d.stride", 1)
        dilation = as_pair(self.dilation, "Conv2d.dilation", 1)
        if isinstance(self.padding, str) and self.padding == "same":
            if stride != (1, 1):
                raise ValueError(f"Conv2d.padding 'same' needs stride 1, not {stride}")
        elif isinstance(self.padding, str) and self.padding == "valid":
            object.__setattr__(self, "padding", (0, 0))
        elif isinstance(self.padding, str):
            raise ValueError(f"Conv2d.padding {self.padding!r} must be integers, 'same' or 'valid'")
        else:
            object.__setattr__(self, "padding", as_pair(self.padding, "Conv2d.padding", 0))
        object.__setattr__(self, "weight", weight)
        object.__setattr__(self, "bias", bias)
        object.__setattr__(self, "stride", stride)
        object.__setattr__(self, "dilation", dilation)
        object.__setattr__(self, "groups", int(self.groups))

    @property
    def kernel_size(self) -> Pair:
        """Height and width of the kernel."""
        return (self.weight.shape[2], self.weight.shape[3])

    @property
    def padding_before(self) -> Pair:
        """Rows above and columns left of the image ("same" puts the odd one behind)."""
        if self.padding != "same":
            return cast(Pair, self.padding)
        height, width = self._extents()
        return ((height - 1) // 2, (width - 1) // 2)

    def _extents(self) -> Pair:
        (height, width), (down, right) = self.kernel_size, cast(Pair, self.dilation)
        return ((height - 1) * down + 1, (width - 1) * right + 1)

    def output_shape(self, shape: Shape) -> Shape:
        """Shape of y for x of ``shape``, or ValueError saying what it takes."""
        channels = self.weight.shape[1] * self.groups
        if len(shape) != 3 or shape[0] != channels:
            raise ValueError(f"takes ({channels}, rows, columns), but is given {shape}")
        if self.padding == "same":
            return (self.weight.shape[0], *shape[1:])
        rows, columns = _window_counts(
            shape, self._extents(), cast(Pair, self.stride), cast(Pair, self.padding)
        )
        return (self.weight.shape[0], rows, columns)


@dataclass(frozen=True, eq=False)
class Conv1d:
    """One-dimensional cross-correlation over signals, as torch's and NIR's ``Conv1d``.

    A Conv2d of one row: W of shape (out, in / groups, length), b of shape (out,); ``stride``,
    ``padding`` (or "valid", "same") and ``dilation`` are integers.
    """

    weight: FloatArray
    bias: FloatArray | None = None
    stride: int = 1
    padding: int | str = 0
    dilation: int = 1
    groups: int = 1

    def __post_init__(self) -> None:
        weight = float_array(self.weight, "Conv1d.weight")
        if weight.ndim != 3 or 0 in weight.shape:
            raise ValueError(
                f"Conv1d.weight has shape {weight.shape}, it must be (out, in, length)"
            )
        object.__setattr__(self, "weight", weight)
        for name, least in (("stride", 1), ("dilation", 1), ("padding", 0)):
            if not isinstance(getattr(self, name), str):
                value = as_pair(getattr(self, name), f"Conv1d.{name}", least)[0]
                object.__setattr__(self, name, value)
        try:
            object.__setattr__(self, "bias", self.as_conv2d.bias)
        except ValueError as error:
            raise ValueError(str(error).replace("Conv2d", "Conv1d")) from None

    @property
    def as_conv2d(self) -> Conv2d:
        """The same over images of one row."""
        padding = self.padding if isinstance(self.padding, str) else (0, self.padding)
        return Conv2d(
            self.weight[:, :, None],
            self.bias,
            (1, self.stride),
            padding,
            (1, self.dilation),
            self.groups,
        )

    def output_shape(self, shape: Shape) -> Shape:
        """Shape of y for x of ``shape``, or ValueError saying what it takes."""
        channels = self.weight.shape[1] * self.groups
        if len(shape) != 2 or shape[0] != channels:
            raise ValueError(f"takes ({channels}, positions), but is given {shape}")
        out, _, length = self.as_conv2d.output_shape((shape[0], 1, shape[1]))
        return (out, length)


@dataclass(frozen=True, eq=False)
class SumPool2d:
    """Sum over windows of each channel, NIR's ``SumPool2d``; (height, width) pairs."""

    kernel_size: int | Pair
    stride: int | Pair | None = None
    padding: int | Pair = (0, 0)

    def __post_init__(self) -> None:
        kernel = as_pair(self.kernel_size, "SumPool2d.kernel_size", 1)
        stride = kernel if self.stride is None else as_pair(self.stride, "SumPool2d.stride", 1)
        object.__setattr__(self, "kernel_size", kernel)
        object.__setattr__(self, "stride", stride)
        object.__setattr__(self, "padding", as_pair(self.padding, "SumPool2d.padding", 0))

    def output_shape(self, shape: Shape) -> Shape:
        """Shape of y for x of ``shape``, or ValueError saying what it takes."""
        if len(shape) != 3:
            raise ValueError(f"takes (channels, rows, columns), but is given {shape}")
        kernel, stride, padding = self.kernel_size, self.stride, self.padding
        counts = _window_counts(shape, cast(Pair, kernel), cast(Pair, stride), cast(Pair, padding))
        return (shape[0], *counts)


@dataclass(frozen=True, eq=False)
class AvgPool2d:
    """Mean over windows of each channel, NIR's ``AvgPool2d``: a SumPool2d over the window's size.

    Padding counts as zeros, as torch's does by default.
    """

    kernel_size: int | Pair
    stride: int | Pair | None = None
    padding: int | Pair = (0, 0)

    def __post_init__(self) -> None:
        try:
            pool = self.as_sum
        except ValueError as error:
            raise ValueError(str(error).replace("SumPool2d", "AvgPool2d")) from None
        for name in ("kernel_size", "stride", "padding"):
            object.__setattr__(self, name, getattr(pool, name))

    @property
    def as_sum(self) -> SumPool2d:
        """The pool that sums the same windows."""
        return SumPool2d(self.kernel_size, self.stride, self.padding)

    @property
    def window(self) -> int:
        """Elements of a window."""
        height, width = cast(Pair, self.kernel_size)
        return height * width

    def output_shape(self, shape: Shape) -> Shape:
        """Shape of y for x of ``shape``, or ValueError saying what it takes."""
        return self.as_sum.output_shape(shape)


def _window_counts(shape: Shape, extents: Pair, stride: Pair, padding: Pair) -> Pair:
    counts = [
        (length + 2 * pad - extent) // step + 1
        for length, extent, step, pad in zip(shape[1:], extents, stride, padding, strict=True)
    ]
    if min(counts) < 1:
        raise ValueError(f"has a window of {extents}, larger than its padded input {shape[1:]}")
    return (counts[0], counts[1])
