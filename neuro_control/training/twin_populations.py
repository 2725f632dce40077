# SPDX-License-Identifier: Apache-2.0
"""The numbers that a twin steps a population with: Loihi's to the last bit, or the equations'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neuro_control.network import FixedPopulation
from neuro_control.training.surrogates import Surrogate
from neuro_control.training.twin_scan import ScanKind


def straight_through(value: Tensor, smooth: Tensor) -> Tensor:
    """The value, to the last bit, with the gradient of something smooth beside it."""
    if not smooth.requires_grad:
        return value
    return value.detach() + (smooth - smooth.detach())


@dataclass(frozen=True, eq=False)
class TwinPopulation:
    """How a population is stepped.

    ``numbers`` float64[7, size] are the rows of `twin_scan_kernels`; ``gain`` float64[size] turns
    input in the network's units into what arrives. ``unit`` is membrane per volt. Where
    ``single``, all sums that can arrive are exact in float32.
    """

    numbers: Tensor
    gain: Tensor
    unit: float
    kind: ScanKind
    single: bool


def twin_population(
    smooth: Mapping[str, Tensor],
    constant: Tensor,
    refractory: np.ndarray,
    surrogate: Surrogate,
    *,
    spiking: bool,
    compiled: bool,
    fixed: FixedPopulation | None = None,
    scale: float = 1.0,
    single: bool = True,
) -> TwinPopulation:
    """The numbers of a population.

    Args:
        smooth: as `TwinNeurons.smooth` gives it.
        constant: constant input in the network's units, [size].
        refractory: ticks to hold, [size].
        surrogate: derivative of a spike.
        spiking: whether it spikes.
        compiled: see `ScanKind`.
        fixed: its integers; None for the equations in float.
        scale: integers a volt, as in its report.
        single: whether all sums that can arrive are exact in float32.
    """
    exact = fixed is not None
    unit = 64.0 * scale if exact else 1.0
    wanted = {
        "keep_current": smooth["keep_current"],
        "keep_membrane": smooth["keep_membrane"],
        "keep_adaptation": smooth["keep_adaptation"],
        "constant": constant.double() * smooth["bias_gain"] * unit,
        "threshold": smooth["threshold"] * unit,
        "rise": smooth["rise"] * unit,
    }
    if fixed is not None:
        integers: dict[str, np.ndarray] = {
            "keep_current": (4095 - fixed.du) / 4096,
            "keep_membrane": (4096 - fixed.dv) / 4096,
            "keep_adaptation": (4096 - np.asarray(fixed.threshold_decay)) / 4096,
            "constant": fixed.bias,
            "threshold": fixed.vth * 64.0,
            "rise": np.asarray(fixed.threshold_step) * 64.0,
        }
        refractory = np.asarray(fixed.refractory)
        wanted = {
            name: straight_through(_tensor(integers[name], value.device), value)
            for name, value in wanted.items()
        }
    held = _tensor(refractory, constant.device)
    numbers = torch.stack([*wanted.values(), held])
    threshold = wanted["threshold"].detach()
    distance_unit = torch.where(threshold > 0, threshold, unit).float()
    history = bool(refractory.any()) or bool((wanted["rise"] != 0).any())
    decays = any(value.requires_grad for name, value in smooth.items() if "keep" in name)
    kind = ScanKind(exact, spiking, history and spiking, surrogate, distance_unit, decays, compiled)
    return TwinPopulation(numbers, smooth["gain"] * (scale if exact else 1.0), unit, kind, single)


def _tensor(values: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float64).ravel()).to(device)
