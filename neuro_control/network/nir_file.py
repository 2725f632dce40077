# SPDX-License-Identifier: Apache-2.0
"""Network files in the Neuromorphic Intermediate Representation (NIR, HDF5).

The `nir` package is imported on first use, so that a network built in code does without it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuro_control.network.graph import MetadataValue, Network, Node
from neuro_control.network.neurons import IF, LIF, CubaLIF, Shape
from neuro_control.network.synapses import (
    Affine,
    Conv2d,
    Flatten,
    Input,
    Linear,
    Output,
    Scale,
    SumPool2d,
)

if TYPE_CHECKING:
    import nir

NODE_ORDER = "node_order"
"""Metadata key that keeps the order of nodes, which HDF5 sorts by name (JSON list)."""


def read_nir(path: str | Path, dt_s: float | None = None) -> Network:
    """Read a network from a NIR file.

    Sub-graphs are flattened (``outer.inner``). Outputs take the shape of what they show where
    both have the same number of elements.

    Args:
        path: the file.
        dt_s: time step in seconds; without it the file's own metadata must say it, because NIR
            describes continuous time.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: naming the file, and the node that is not supported or does not fit.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no network file {path}")
    nir = _nir()
    try:
        graph = nir.read(path, type_check=False)
    except (OSError, KeyError, ValueError, TypeError, AttributeError, AssertionError) as error:
        raise ValueError(f"{path} is not a readable NIR file: {error}") from error
    if not isinstance(graph, nir.NIRGraph):
        raise ValueError(f"{path} holds a single {type(graph).__name__}, not a graph")
    try:
        return network_from_nir(graph, dt_s)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def write_nir(network: Network, path: str | Path) -> None:
    """Write a network to a NIR file, with its metadata, time step and order of nodes."""
    _nir().write(Path(path), network_to_nir(network))


def network_from_nir(graph: nir.NIRGraph, dt_s: float | None = None) -> Network:
    """A Network from a NIR graph in memory; see `read_nir`."""
    metadata = {str(key): _plain(value) for key, value in graph.metadata.items()}
    stored = metadata.pop("dt_s", None)
    order = json.loads(str(metadata.pop(NODE_ORDER, "[]")))
    dt_s = dt_s if dt_s is not None else stored  # type: ignore[assignment]
    if dt_s is None:
        raise ValueError(f"no time step is stored with this network: give dt_s{_dt_hint(graph)}")
    found, edges = _flatten_graph(graph)
    names = [name for name in order if name in found]
    names += [name for name in found if name not in set(names)]
    nodes: dict[str, Node] = {}
    for name in names:
        try:
            nodes[name] = _node_from_nir(found[name])
        except ValueError as error:
            raise ValueError(f"node {name!r}: {error}") from error
    return Network(nodes, edges, float(dt_s), metadata)


def network_to_nir(network: Network) -> nir.NIRGraph:
    """The NIR graph of a network, in memory; see `write_nir`."""
    nodes = {name: _node_to_nir(network, name) for name in network.nodes}
    metadata = {
        **network.metadata,
        "dt_s": network.dt_s,
        NODE_ORDER: json.dumps(list(network.nodes)),
    }
    return _nir().NIRGraph(nodes, list(network.edges), metadata=metadata, type_check=False)


def _nir() -> Any:
    try:
        import nir
    except ImportError as error:
        raise ImportError("network files need the package nir: pip install nir") from error
    return nir


def _plain(value: Any) -> MetadataValue:
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, (np.generic, np.ndarray)) and np.size(value) == 1:
        return _plain(np.asarray(value).item())
    return value if isinstance(value, (str, int, float, bool)) else str(value)


def _dt_hint(graph: nir.NIRGraph) -> str:
    """In a CubaLIF, frameworks write w_in = tau_syn / dt, which gives the time step away."""
    nir = _nir()
    steps = {
        round(float(np.mean(node.tau_syn / node.w_in)), 12)
        for node in graph.nodes.values()
        if isinstance(node, nir.CubaLIF) and (np.asarray(node.w_in) > 0).all()
    }
    return f" (its CubaLIF nodes suggest {steps.pop():g} s)" if len(steps) == 1 else ""


def _flatten_graph(graph: nir.NIRGraph) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Nodes without sub-graphs: the inputs and outputs of a sub-graph become mere joints."""
    nir = _nir()
    nodes: dict[str, Any] = {}
    entries: dict[str, list[str]] = {}
    exits: dict[str, list[str]] = {}
    inner_edges: list[tuple[str, str]] = []
    for name, node in graph.nodes.items():
        if not isinstance(node, nir.NIRGraph):
            nodes[name], entries[name], exits[name] = node, [name], [name]
            continue
        inner, edges = _flatten_graph(node)
        joints = [n for n, x in inner.items() if isinstance(x, (nir.Input, nir.Output))]
        inward = {n for n in joints if isinstance(inner[n], nir.Input)}
        outward = set(joints) - inward
        if len(inward) != 1 or len(outward) != 1:
            raise ValueError(
                f"node {name!r}: a sub-graph must have one input and one output, not "
                f"{len(inward)} and {len(outward)}"
            )
        nodes.update({f"{name}.{n}": x for n, x in inner.items() if n not in joints})
        entries[name] = [f"{name}.{b}" for a, b in edges if a in inward and b not in joints]
        exits[name] = [f"{name}.{a}" for a, b in edges if b in outward and a not in joints]
        inner_edges += [
            (f"{name}.{a}", f"{name}.{b}") for a, b in edges if a not in joints and b not in joints
        ]
    for edge in graph.edges:
        for name in edge:
            if name not in entries:
                raise ValueError(f"edge {edge[0]!r} -> {edge[1]!r}: no node {name!r}")
    outer = [(a, b) for s, t in graph.edges for a in exits[s] for b in entries[t]]
    return nodes, [*inner_edges, *outer]


def _shape_of(types: Mapping[str, Any] | None, kind: str) -> Shape:
    values = list((types or {}).values())
    if len(values) != 1 or values[0] is None:
        raise ValueError(f"{kind} has no shape")
    return tuple(int(size) for size in np.atleast_1d(values[0]))


def _padding(value: Any) -> Any:
    value = value.decode("utf-8") if isinstance(value, bytes) else value
    return value if isinstance(value, str) else np.asarray(value)


def _neuron(kind: Callable[..., Node], node: Any, fields: tuple[str, ...]) -> Node:
    shape = np.atleast_1d(node.v_threshold).shape
    return kind(shape, **{field: np.atleast_1d(getattr(node, field)) for field in fields})


def _node_from_nir(node: Any) -> Node:
    nir = _nir()
    if isinstance(node, nir.Input):
        return Input(_shape_of(node.input_type, "Input"))
    if isinstance(node, nir.Output):
        return Output(_shape_of(node.output_type, "Output"))
    if isinstance(node, nir.LIF):
        return _neuron(LIF, node, ("tau", "r", "v_leak", "v_threshold", "v_reset"))
    if isinstance(node, nir.CubaLIF):
        fields = ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in")
        return _neuron(CubaLIF, node, fields)
    if isinstance(node, nir.IF):
        return _neuron(IF, node, ("r", "v_threshold", "v_reset"))
    if isinstance(node, nir.Linear):
        return Linear(node.weight)
    if isinstance(node, nir.Affine):
        return Affine(node.weight, node.bias)
    if isinstance(node, nir.Conv2d):
        padding = _padding(node.padding)
        return Conv2d(node.weight, node.bias, node.stride, padding, node.dilation, int(node.groups))
    if isinstance(node, nir.SumPool2d):
        return SumPool2d(node.kernel_size, node.stride, node.padding)
    if isinstance(node, nir.Flatten):
        return Flatten(int(node.start_dim), int(node.end_dim))
    if isinstance(node, nir.Scale):
        return Scale(node.scale)
    supported = "Input, Output, LIF, CubaLIF, IF, Linear, Affine, Conv2d, SumPool2d, Flatten, Scale"
    raise ValueError(f"{type(node).__name__} is not supported; supported are {supported}")


def _node_to_nir(network: Network, name: str) -> nir.NIRNode:
    nir = _nir()
    node = network.nodes[name]
    sources = network.sources(name)
    given = network.shapes[sources[0]] if sources else ()
    if isinstance(node, Input):
        return nir.Input({"input": np.array(node.shape)})
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
    if isinstance(node, SumPool2d):
        return nir.SumPool2d(
            np.array(node.kernel_size), np.array(node.stride), np.array(node.padding)
        )
    if isinstance(node, Flatten):
        return nir.Flatten({"input": np.array(given)}, node.start_dim, node.end_dim)
    parameters = {key: value for key, value in vars(node).items() if key != "shape"}
    return getattr(nir, type(node).__name__)(**parameters)
