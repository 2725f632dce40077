# SPDX-License-Identifier: Apache-2.0
"""Synapses and other linear nodes between populations, with NIR's names and conventions.

Images are (channel, row, column) and flattened in C order. Weights are free units: what they do
to a neuron is said in `neuro_control.network.neurons`.
"""

from __future__ import annotations

from dataclasses import dataclass

from neuro_control.network.neurons import (
    FloatArray,
    Parameter,
    Shape,
    checked_shape,
    float_array,
    size_of,
)
from neuro_control.network.payloads import largest_payload
from neuro_control.network.windows import AvgPool2d, Conv1d, Conv2d, SumPool2d


@dataclass(frozen=True, eq=False)
class Input:
    """Where spikes enter, one element a channel: shape (n,) or (channel, row, column).

    They are binary, or graded with ``message_bits`` of 1 to 8: an index that is given k times in a
    tick is then one spike with the payload k, up to ``2^message_bits - 1``, and brings k times its
    weight. It suits counts, such as those of events at a pixel; two channels carry a sign. On Loihi
    2 that is a graded spike, in Lava a Dense with ``num_message_bits``. Neurons send binary spikes
    only: the arithmetic of LIF has no others.

    Raises:
        ValueError: the shape, or the bits, cannot be.
    """

    shape: Shape
    message_bits: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", checked_shape(self.shape, "Input"))
        try:
            largest_payload(self.message_bits)
        except ValueError as error:
            raise ValueError(f"Input: {error}") from None
        object.__setattr__(self, "message_bits", int(self.message_bits))

    @property
    def largest_payload(self) -> int:
        """What a spike can carry at most; 1 where spikes are binary."""
        return largest_payload(self.message_bits)


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


@dataclass(frozen=True, eq=False)
class Delay:
    """Hands every spike on ``delay`` seconds later, NIR's ``Delay``: ``y(t) = x(t - delay)``.

    ``delay`` has the shape of its input, or is one number for all. It comes on top of the tick
    that every synapse takes, and is rounded to ticks; Loihi's integers take up to 62 of them.
    """

    delay: Parameter

    def __post_init__(self) -> None:
        object.__setattr__(self, "delay", float_array(self.delay, "Delay.delay"))
        if (self.delay < 0).any():
            raise ValueError(f"Delay.delay must be 0 s or more, its least is {self.delay.min():g}")

    def output_shape(self, shape: Shape) -> Shape:
        """Shape of y for x of ``shape``, or ValueError saying what it takes."""
        if self.delay.size > 1 and shape != self.delay.shape:
            raise ValueError(f"delays {self.delay.shape}, but is given {shape}")
        return shape


Synapse = Delay | Linear | Affine | Conv1d | Conv2d | SumPool2d | AvgPool2d | Flatten | Scale
SYNAPSES = (Delay, Linear, Affine, Conv1d, Conv2d, SumPool2d, AvgPool2d, Flatten, Scale)


def _check_matrix(weight: FloatArray, kind: str) -> None:
    if weight.ndim != 2 or 0 in weight.shape:
        raise ValueError(f"{kind}.weight has shape {weight.shape}, it must be (out, in)")


def _matrix_output(weight: FloatArray, shape: Shape) -> Shape:
    if shape[-1] != weight.shape[1] or size_of(shape) != shape[-1]:
        hint = "; put a Flatten before it" if size_of(shape) == weight.shape[1] else ""
        raise ValueError(f"takes ({weight.shape[1]},), but is given {shape}{hint}")
    return (weight.shape[0],)
