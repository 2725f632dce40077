# SPDX-License-Identifier: Apache-2.0
"""Networks: their description in physical units, their files, and Loihi's integers."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from neuro_control.network.fixed_network import (
    FixedNetwork,
    FixedPopulation,
    FixedProjection,
    Port,
    SignMode,
    truncate_weights,
)
from neuro_control.network.fixed_point import QuantizedNetwork, quantize
from neuro_control.network.graph import Network
from neuro_control.network.neurons import (
    IF,
    LI,
    LIF,
    AdaptiveLIF,
    CubaLI,
    CubaLIF,
    I,
    Threshold,
)
from neuro_control.network.quantization_report import (
    PopulationReport,
    ProjectionReport,
    QuantizationReport,
)
from neuro_control.network.synapses import Affine, Delay, Flatten, Input, Linear, Output, Scale
from neuro_control.network.windows import AvgPool2d, Conv1d, Conv2d, SumPool2d

if TYPE_CHECKING:
    from neuro_control.network.integer_description import describe
    from neuro_control.network.mismatch import with_threshold_mismatch, with_weight_noise
    from neuro_control.network.netx_file import read_netx
    from neuro_control.network.netx_writer import write_netx
    from neuro_control.network.nir_file import read_nir, write_nir
    from neuro_control.network.onnx_file import write_onnx
    from neuro_control.network.provenance import with_provenance

__all__ = [
    "IF",
    "LI",
    "LIF",
    "AdaptiveLIF",
    "Affine",
    "AvgPool2d",
    "Conv1d",
    "Conv2d",
    "CubaLI",
    "CubaLIF",
    "Delay",
    "FixedNetwork",
    "FixedPopulation",
    "FixedProjection",
    "Flatten",
    "I",
    "Input",
    "Linear",
    "Network",
    "Output",
    "PopulationReport",
    "Port",
    "ProjectionReport",
    "QuantizationReport",
    "QuantizedNetwork",
    "Scale",
    "SignMode",
    "SumPool2d",
    "Threshold",
    "describe",
    "quantize",
    "read_netx",
    "read_nir",
    "truncate_weights",
    "with_provenance",
    "with_threshold_mismatch",
    "with_weight_noise",
    "write_netx",
    "write_nir",
    "write_onnx",
]

# A network that is built in code does without files, and is there sooner.
_ON_FIRST_USE = {
    "describe": "integer_description",
    "with_threshold_mismatch": "mismatch",
    "with_weight_noise": "mismatch",
    "read_netx": "netx_file",
    "write_netx": "netx_writer",
    "read_nir": "nir_file",
    "write_nir": "nir_file",
    "write_onnx": "onnx_file",
    "with_provenance": "provenance",
}


def __getattr__(name: str) -> Any:
    if name not in _ON_FIRST_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ON_FIRST_USE[name]}"), name)
