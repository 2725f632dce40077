# SPDX-License-Identifier: Apache-2.0
"""Network files in the Neuromorphic Intermediate Representation (NIR, HDF5).

The `nir` package is imported on first use, so that a network built in code does without it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuro_control.network.graph import Network, Node, plain
from neuro_control.network.hdf5_heaps import check_heaps
from neuro_control.network.nir_defaults import fill_in
from neuro_control.network.nir_dialects import as_meant
from neuro_control.network.nir_nodes import (
    READERS,
    lacks_shape,
    nir_package,
    node_from_nir,
    node_to_nir,
)
from neuro_control.network.nir_shapes import with_shapes
from neuro_control.network.provenance import maker

if TYPE_CHECKING:
    import nir

_DAMAGE = (
    OSError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    OverflowError,
    RuntimeError,
)
"""What nir, h5py and numpy raise on a file that is not what it should be."""

NODE_ORDER = "node_order"
"""Metadata key that keeps the order of nodes, which HDF5 sorts by name (JSON list)."""


def read_nir(path: str | Path, dt_s: float | None = None, dialect: str = "nir") -> Network:
    """Read a network from a NIR file.

    Sub-graphs are flattened (``outer.inner``). Outputs take the shape of what they show where
    both have the same number of elements. What a file leaves out of a convolution or a pool is as
    in torch; the shapes that it leaves out follow from their neighbours, and a neuron with one
    number for all takes the shape of what it is given.

    Args:
        path: the file.
        dt_s: time step in seconds; without it the file's own metadata must say it, because NIR
            describes continuous time.
        dialect: the framework that wrote it, where its numbers mean something else than NIR's
            equations; see `neuro_control.network.nir_dialects`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: naming the file, and the node that is not supported or does not fit.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no network file {path}")
    nir = nir_package()
    try:
        graph = _node_of(path)
    except MemoryError as error:
        raise ValueError(f"{path}: more than the memory there is: {error}") from error
    except (*_DAMAGE, AssertionError) as error:
        unknown = _unknown_node(path) or _broken_node(path)
        why = unknown or f"is not a readable NIR file: {type(error).__name__} {error}"
        raise ValueError(f"{path}{':' if unknown else ''} {why}") from error
    if not isinstance(graph, nir.NIRGraph):
        raise ValueError(
            f"{path} holds a single {type(graph).__name__}, not a graph; put it between an Input "
            "and an Output"
        )
    try:
        return as_meant(network_from_nir(graph, dt_s), dialect)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    except MemoryError as error:
        raise ValueError(f"{path}: more than the memory there is: {error}") from error
    except _DAMAGE as error:
        raise ValueError(f"{path}: {type(error).__name__}: {error}") from error


def _node_of(path: Path) -> Any:
    """What a file holds, as `nir.read` gives it, with what was left out filled in."""
    import h5py

    check_heaps(path)
    with h5py.File(path, "r") as file:
        if "node" not in file and "layer" in file:
            raise ValueError("it is a netx file; call it .net, or read it with read_netx")
        fields = _fields_of(file["node"], set())
    fill_in(fields)
    return nir_package().dict2NIRNode(fields)


def _fields_of(group: Any, seen: set[int]) -> dict[str, Any]:
    """What is in a group, as `nir` reads it, for a file whose links may be damaged.

    A group that holds itself, or many that hold the same, would be read without an end.
    """
    import h5py

    address = h5py.h5o.get_info(group.id).addr
    if address in seen:
        raise ValueError(f"group {group.name!r} is in the file twice")
    seen.add(address)
    found: dict[str, Any] = {}
    for name, item in group.items():
        if isinstance(item, h5py.Group):
            found[name] = _fields_of(item, seen)
        elif isinstance(item, h5py.Dataset):
            value = item[()]
            found[name] = value.decode("utf-8") if isinstance(value, bytes) else value
    return found


def write_nir(network: Network, path: str | Path) -> None:
    """Write a network to a NIR file, with its metadata, time step and order of nodes.

    Metadata that say nothing of ``made_by`` are given it: this package and its version. A file of
    that name is replaced when the new one is whole.

    Raises:
        ValueError: metadata or a node's name that a NIR file cannot hold.
    """
    for key, value in network.metadata.items():
        if not isinstance(value, (str, int, float, bool)):
            raise ValueError(
                f"metadata {key!r} is {value!r}; it must be text, a number, or true or false"
            )
        if isinstance(value, str) and "\0" in value:
            raise ValueError(f"metadata {key!r} is {value!r}; text in a NIR file is without NUL")
    for name in (*network.nodes, *network.metadata):
        if not name or name == "." or "/" in name or "\0" in name:
            raise ValueError(
                f"the name {name!r} cannot be in a NIR file; a name is some text other than '.', "
                "without '/' and NUL"
            )
    graph = network_to_nir(network)
    graph.metadata = {"made_by": maker(), **graph.metadata}
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        nir_package().write(beside, graph)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def network_from_nir(graph: nir.NIRGraph, dt_s: float | None = None) -> Network:
    """A Network from a NIR graph in memory; see `read_nir`."""
    metadata = {str(key): plain(value) for key, value in graph.metadata.items()}
    stored = metadata.pop("dt_s", None)
    order = _order(str(metadata.pop(NODE_ORDER, "[]")))
    dt_s = dt_s if dt_s is not None else stored  # type: ignore[assignment]
    if dt_s is None:
        raise ValueError(
            "no time step is stored with this network: give dt_s, in a command --dt-s"
            f"{_dt_hint(graph)}"
        )
    found, edges = _flatten_graph(graph)
    names = [name for name in order if name in found]
    names += [name for name in found if name not in set(names)]
    made: dict[str, Node | None] = {}
    for name in names:
        try:
            made[name] = None if lacks_shape(found[name]) else node_from_nir(found[name])
        except ValueError as error:
            raise ValueError(f"node {name!r}: {error}") from error
    return Network(with_shapes(made, found, edges), edges, float(dt_s), metadata)


def _order(text: str) -> list[str]:
    try:
        order = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"metadata {NODE_ORDER!r} is no JSON: {error}") from error
    if not isinstance(order, list) or not all(isinstance(name, str) for name in order):
        raise ValueError(f"metadata {NODE_ORDER!r} is {text[:60]!r}; it must be a list of names")
    return order


def _unknown_node(path: Path) -> str:
    """Which node has a type that is not known; "" where that is not what is wrong."""
    import h5py

    found: list[str] = []

    def look(name: str, item: Any) -> None:
        if isinstance(item, h5py.Group) and isinstance(item.get("type"), h5py.Dataset):
            kind = item["type"][()]
            text = kind.decode("utf-8", "replace") if isinstance(kind, bytes) else str(kind)
            if text not in READERS and text != "NIRGraph":
                found.append(f"node {name.rsplit('/', maxsplit=1)[-1]!r}: {text} is not supported")

    try:
        check_heaps(path)
        with h5py.File(path, "r") as file:
            look("node", file["node"])
            file["node"].visititems(look)
    except _DAMAGE:
        return ""
    return f"{found[0]}; supported are {', '.join(READERS)}" if found else ""


def _broken_node(path: Path) -> str:
    """Which node of the outermost graph nir cannot make, and why; "" where all can be."""
    import h5py

    nir = nir_package()
    try:
        check_heaps(path)
        with h5py.File(path, "r") as file:
            nodes = _fields_of(file["node/nodes"], set())
    except _DAMAGE:
        return ""
    for name, fields in nodes.items():
        if not isinstance(fields, dict) or "type" not in fields:
            return f"node {name!r}: it has no type"
        fill_in(fields)
        try:
            nir.dict2NIRNode(dict(fields))
        except (*_DAMAGE, AssertionError) as error:
            return f"node {name!r} ({fields['type']}): {type(error).__name__} {error}"
    return ""


def network_to_nir(network: Network) -> nir.NIRGraph:
    """The NIR graph of a network, in memory; see `write_nir`."""
    nodes = {name: node_to_nir(network, name) for name in network.nodes}
    metadata = {
        **network.metadata,
        "dt_s": network.dt_s,
        NODE_ORDER: json.dumps(list(network.nodes)),
    }
    return nir_package().NIRGraph(nodes, list(network.edges), metadata=metadata, type_check=False)


def _dt_hint(graph: nir.NIRGraph) -> str:
    """In a CubaLIF, frameworks write w_in = tau_syn / dt, which gives the time step away."""
    nir = nir_package()
    steps = {
        round(float(np.mean(node.tau_syn / node.w_in)), 12)
        for node in graph.nodes.values()
        if isinstance(node, nir.CubaLIF) and (np.asarray(node.w_in) > 0).all()
    }
    return f" (its CubaLIF nodes suggest {steps.pop():g} s)" if len(steps) == 1 else ""


def _flatten_graph(graph: nir.NIRGraph) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Nodes without sub-graphs: the inputs and outputs of a sub-graph become mere joints."""
    nir = nir_package()
    nodes: dict[str, Any] = {}
    entries: dict[str, list[str]] = {}
    exits: dict[str, list[str]] = {}
    inner_edges: list[tuple[str, str]] = []
    passing: set[str] = set()
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
        if any(a in inward and b in outward for a, b in edges):
            passing.add(name)
        inner_edges += [
            (f"{name}.{a}", f"{name}.{b}") for a, b in edges if a not in joints and b not in joints
        ]
    for edge in graph.edges:
        for name in edge:
            if name not in entries:
                raise ValueError(f"edge {edge[0]!r} -> {edge[1]!r}: no node {name!r}")

    def senders(name: str, seen: tuple[str, ...] = ()) -> list[str]:
        """What leaves a node, and what passes straight through it if it is a sub-graph."""
        if name in seen:
            raise ValueError(f"node {name!r}: a cycle of sub-graphs without a node in it")
        through = [s for s, t in graph.edges if t == name] if name in passing else []
        return exits[name] + [a for s in through for a in senders(s, (*seen, name))]

    outer = [(a, b) for s, t in graph.edges for a in senders(s) for b in entries[t]]
    return nodes, [*inner_edges, *outer]
