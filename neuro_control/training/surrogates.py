# SPDX-License-Identifier: Apache-2.0
"""Surrogate gradients: what stands in for the derivative of a spike.

A spike is a step of the membrane over its threshold, whose derivative is zero or infinite. In the
backward pass a bell around the threshold takes its place. ``x`` is the distance to the threshold
in units of the threshold itself, and every bell is 1 at ``x = 0``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

try:
    import torch
    from torch import Tensor
except ImportError as error:
    raise ImportError("training needs the package torch: pip install torch") from error

SURROGATES = ("fast_sigmoid", "arctan", "triangular", "exponential")


@dataclass(frozen=True)
class Surrogate:
    """A bell by name, and how steep it is.

    * ``fast_sigmoid``: ``1 / (1 + slope |x|)^2``, SuperSpike's (Zenke and Ganguli, Neural
      Computation 30, 2018).
    * ``arctan``: ``1 / (1 + (pi slope x / 2)^2)`` (Fang et al., ICCV 2021).
    * ``triangular``: ``max(0, 1 - slope |x|)`` (Bellec et al., NeurIPS 2018).
    * ``exponential``: ``exp(-slope |x|)``, SLAYER's (Shrestha and Orchard, NeurIPS 2018).

    Raises:
        ValueError: an unknown name, or a slope that is not positive.
    """

    name: str = "fast_sigmoid"
    slope: float = 5.0

    def __post_init__(self) -> None:
        if self.name not in SURROGATES:
            raise ValueError(f"surrogate {self.name!r} must be one of {', '.join(SURROGATES)}")
        if not (math.isfinite(self.slope) and self.slope > 0):
            raise ValueError(f"the slope of a surrogate must be positive, not {self.slope}")

    def derivative(self, x: Tensor) -> Tensor:
        """The bell at x."""
        distance = self.slope * x.abs()
        if self.name == "fast_sigmoid":
            return (1 + distance).square().reciprocal()
        if self.name == "arctan":
            return (1 + (math.pi / 2 * distance).square()).reciprocal()
        if self.name == "triangular":
            return (1 - distance).clamp(min=0)
        return torch.exp(-distance)

    def spike(self, x: Tensor) -> Tensor:
        """1 where x > 0, else 0; backwards, the bell."""
        spikes: Tensor = _Spike.apply(x, self)  # type: ignore[no-untyped-call]
        return spikes


class _Spike(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, x: Tensor, surrogate: Surrogate) -> Tensor:
        context.save_for_backward(x)
        context.surrogate = surrogate
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (x,) = context.saved_tensors
        return gradient * context.surrogate.derivative(x), None
