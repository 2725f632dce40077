# SPDX-License-Identifier: Apache-2.0
"""Synapses and other linear nodes between populations, with NIR's names and conventions.

Images are (channel, row, column) and flattened in C order. Weights are free units: what they do
to a neuron is said in `neuro_control.network.neurons`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from neuro_control.network.neurons import FloatArray, Shape, checked_shape, float_array, size_of

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
class Input:
    """Where binary spikes enter, one element a channel: shape (n,) or (channel, row, column)."""

    shape: Shape

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", checked_shape(self.shape, "Input"))


@dataclass(frozen=True, eq=False)
class Output:
    """Where the spikes of one population leave."""

    shape: Shape

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", checked_shape(self.shape, "Output"))


@dataclass(frozen=True, eq=False)
class Linear:
    """``y = W x`` with W of shape (out, in)."""

    weight: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", float_array(self.weight, "Linear.weight"))
        _check_matrix(self.weight, "Linear")

    def output_shape(self, shape: Shape) -> Shape:
        """Shape of y for x of ``shape``, or ValueError saying what it takes."""
        return _matrix_output(self.weight, shape)


@dataclass(frozen=True, eq=False)
class Affine:
    """``y = W x + b`` with W of shape (out, in) and b, a constant input of every tick, (out,)."""

    weight: FloatArray
    bias: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", float_array(self.weight, "Affine.weight"))
        object.__setattr__(self, "bias", float_array(self.bias, "Affine.bias"))
        _check_matrix(self.weight, "Affine")
        if self.bias.shape != self.weight.shape[:1]:
            raise ValueError(
                f"Affine.bias has shape {self.bias.shape}, it must be {self.weight.shape[:1]}"
            )

    def output_shape(self, shape: Shape) -> Shape:
        """Shape of y for x of ``shape``, or ValueError saying what it takes."""
        return _matrix_output(self.weight, shape)


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
class Flatten:
    """Merge the axes ``start_dim`` to ``end_dim`` (both included; no batch axis is counted)."""

    start_dim: int = 0
    end_dim: int = -1

    def output_shape(self, shape: Shape) -> Shape:
        """Shape of y for x of ``shape``, or ValueError saying what it takes."""
        first = self.start_dim + (len(shape) if self.start_dim < 0 else 0)
        last = self.end_dim + (len(shape) if self.end_dim < 0 else 0)
        if not 0 <= first <= last < len(shape):
            raise ValueError(
                f"flattens axes {self.start_dim} to {self.end_dim}, but is given {shape}"
            )
        return (*shape[:first], size_of(shape[first : last + 1]), *shape[last + 1 :])


@dataclass(frozen=True, eq=False)
class Scale:
    """``y = s * x`` elementwise; ``scale`` has the shape of its input."""

    scale: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", float_array(self.scale, "Scale.scale"))

    def output_shape(self, shape: Shape) -> Shape:
        """Shape of y for x of ``shape``, or ValueError saying what it takes."""
        if shape != self.scale.shape:
            raise ValueError(f"scales {self.scale.shape}, but is given {shape}")
        return shape


Synapse = Linear | Affine | Conv2d | SumPool2d | Flatten | Scale
SYNAPSES = (Linear, Affine, Conv2d, SumPool2d, Flatten, Scale)


def _check_matrix(weight: FloatArray, kind: str) -> None:
    if weight.ndim != 2 or 0 in weight.shape:
        raise ValueError(f"{kind}.weight has shape {weight.shape}, it must be (out, in)")


def _matrix_output(weight: FloatArray, shape: Shape) -> Shape:
    if shape[-1] != weight.shape[1] or size_of(shape) != shape[-1]:
        hint = "; put a Flatten before it" if size_of(shape) == weight.shape[1] else ""
        raise ValueError(f"takes ({weight.shape[1]},), but is given {shape}{hint}")
    return (weight.shape[0],)


def _window_counts(shape: Shape, extents: Pair, stride: Pair, padding: Pair) -> Pair:
    counts = [
        (length + 2 * pad - extent) // step + 1
        for length, extent, step, pad in zip(shape[1:], extents, stride, padding, strict=True)
    ]
    if min(counts) < 1:
        raise ValueError(f"has a window of {extents}, larger than its padded input {shape[1:]}")
    return (counts[0], counts[1])
