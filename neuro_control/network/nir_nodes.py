# SPDX-License-Identifier: Apache-2.0
"""Nodes of a network as NIR's, one by one, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from neuro_control.network.graph import Network, Node
from neuro_control.network.neurons import (
    IF,
    LI,
    LIF,
    AdaptiveLIF,
    CubaLI,
    CubaLIF,
    I,
    Shape,
    Threshold,
)
from neuro_control.network.synapses import Affine, Delay, Flatten, Input, Linear, Output, Scale
from neuro_control.network.windows import AvgPool2d, Conv1d, Conv2d, SumPool2d

if TYPE_CHECKING:
    import nir

PREFIX = "neuro_control."
EXTENSIONS = ("refractory", "tau_adaptation", "adaptation")
"""Parameters of neurons that NIR does not know; they are kept in a node's metadata."""
MESSAGE_BITS = PREFIX + "message_bits"
"""Metadata of an input whose spikes are graded, which NIR does not tell from others."""


def nir_package() -> Any:
    """The package `nir`, or ImportError saying how to get it."""
    try:
        import nir
    except ImportError as error:
        raise ImportError("network files need the package nir: pip install nir") from error
    return nir


def node_from_nir(node: Any) -> Node:
    """One of NIR's nodes as ours. Raises ValueError for a type that is not supported."""
    kind = type(node).__name__
    if kind not in READERS:
        raise ValueError(f"{kind} is not supported; supported are {', '.join(READERS)}")
    return READERS[kind](node)


def node_to_nir(network: Network, name: str) -> nir.NIRNode:
    """A node of a network as NIR's."""
    nir = nir_package()
    node = network.nodes[name]
    sources = network.sources(name)
    given = network.shapes[sources[0]] if sources else ()
    if isinstance(node, Input):
        bits = {MESSAGE_BITS: node.message_bits} if node.message_bits else {}
        return nir.Input({"input": np.array(node.shape)}, metadata=bits)
    if isinstance(node, Output):
        return nir.Output({"output": np.array(node.shape)})
    if isinstance(node, Conv2d):
        return nir.Conv2d(
            input_shape=given[1:],
            weight=node.weight,
            stride=node.stride,
            padding=node.padding,
            dilation=node.dilation,
            groups=node.groups,
            bias=node.bias,
        )
    if isinstance(node, Conv1d):
        return nir.Conv1d(
            input_shape=given[1],
            weight=node.weight,
            stride=node.stride,
            padding=node.padding,
            dilation=node.dilation,
            groups=node.groups,
            bias=node.bias,
        )
    if isinstance(node, (SumPool2d, AvgPool2d)):
        return getattr(nir, type(node).__name__)(
            np.array(node.kernel_size), np.array(node.stride), np.array(node.padding)
        )
    if isinstance(node, Flatten):
        return nir.Flatten({"input": np.array(given)}, node.start_dim, node.end_dim)
    if isinstance(node, Delay):
        # One number for all would be a scalar, which nir cannot write.
        return nir.Delay(np.broadcast_to(node.delay, given).copy())
    own = {key: value for key, value in vars(node).items() if key in EXTENSIONS and value.any()}
    parameters = {k: v for k, v in vars(node).items() if k not in ("shape", *EXTENSIONS)}
    kind = "LIF" if isinstance(node, AdaptiveLIF) else type(node).__name__
    return getattr(nir, kind)(
        **parameters, metadata={PREFIX + key: value for key, value in own.items()}
    )


def shape_of(sizes: Any) -> Shape:
    """Sizes as NIR has them, an array or one number, as a shape."""
    values = np.atleast_1d(sizes)
    if values.dtype.kind not in "iu" and not (values == np.rint(values)).all():
        raise ValueError(f"shape {values.tolist()} must be whole numbers")
    return tuple(int(size) for size in values)


def lacks_shape(node: Any) -> bool:
    """Whether one of NIR's nodes is an input or output without a shape."""
    kind = type(node).__name__
    if kind not in ("Input", "Output"):
        return False
    types = node.input_type if kind == "Input" else node.output_type
    return all(values is None for values in (types or {}).values())


def _port_shape(types: Mapping[str, Any] | None, kind: str) -> Shape:
    values = list((types or {}).values())
    if len(values) != 1:
        raise ValueError(f"{kind} must have one shape, not {len(values)}")
    return shape_of(values[0])


def _padding(value: Any) -> Any:
    value = value.decode("utf-8") if isinstance(value, bytes) else value
    return value if isinstance(value, str) else np.asarray(value)


def _neuron(kind: Callable[..., Node], node: Any, fields: tuple[str, ...]) -> Node:
    parameters = {field: np.atleast_1d(getattr(node, field)) for field in fields}
    own = {key: node.metadata[PREFIX + key] for key in EXTENSIONS if PREFIX + key in node.metadata}
    parameters |= {key: np.atleast_1d(values) for key, values in own.items()}
    if "tau_adaptation" in own:
        kind = AdaptiveLIF
    shape = np.broadcast_shapes(*(values.shape for values in parameters.values()))
    return kind(shape, **parameters)


def _convolution(kind: Callable[..., Node], node: Any) -> Node:
    padding = _padding(node.padding)
    groups = np.asarray(node.groups).ravel()
    if groups.dtype.kind not in "iu" or len(groups) != 1:
        raise ValueError(f"groups must be a whole number, not {node.groups!r}")
    return kind(node.weight, node.bias, node.stride, padding, node.dilation, int(groups[0]))


_LEAKY = ("r", "v_leak", "v_threshold", "v_reset")
READERS: Mapping[str, Callable[[Any], Node]] = {
    "Input": lambda node: Input(
        _port_shape(node.input_type, "Input"), node.metadata.get(MESSAGE_BITS, 0)
    ),
    "Output": lambda node: Output(_port_shape(node.output_type, "Output")),
    "LIF": lambda node: _neuron(LIF, node, ("tau", *_LEAKY)),
    "CubaLIF": lambda node: _neuron(CubaLIF, node, ("tau_syn", "tau_mem", "w_in", *_LEAKY)),
    "IF": lambda node: _neuron(IF, node, ("r", "v_threshold", "v_reset")),
    "LI": lambda node: _neuron(LI, node, ("tau", "r", "v_leak")),
    "CubaLI": lambda node: _neuron(CubaLI, node, ("tau_syn", "tau_mem", "w_in", "r", "v_leak")),
    "I": lambda node: _neuron(I, node, ("r",)),
    "Threshold": lambda node: _neuron(Threshold, node, ("threshold",)),
    "Linear": lambda node: Linear(node.weight),
    "Affine": lambda node: Affine(node.weight, node.bias),
    "Conv1d": lambda node: _convolution(Conv1d, node),
    "Conv2d": lambda node: _convolution(Conv2d, node),
    "SumPool2d": lambda node: SumPool2d(node.kernel_size, node.stride, node.padding),
    "AvgPool2d": lambda node: AvgPool2d(node.kernel_size, node.stride, node.padding),
    "Flatten": lambda node: Flatten(int(node.start_dim), int(node.end_dim)),
    "Scale": lambda node: Scale(node.scale),
    "Delay": lambda node: Delay(node.delay),
}
