# SPDX-License-Identifier: Apache-2.0
"""A network: named nodes and directed edges, checked when it is built."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from neuro_control.network.neurons import INTEGRATORS, NEURONS, Neuron, Shape, size_of
from neuro_control.network.read_only import CopyableReadOnly
from neuro_control.network.synapses import SYNAPSES, Flatten, Input, Output, Synapse

Node = Input | Output | Neuron | Synapse
MetadataValue = str | int | float | bool


@dataclass(frozen=True, eq=False)
class Network(CopyableReadOnly):
    """A directed graph of inputs, populations, synapses and outputs.

    Several edges into a node are summed. A cycle must pass through a population, because only a
    population's spikes wait for the next tick. Populations and outputs take any input of their
    own size (in C order), so that a flat projection can reach an image-shaped population; every
    other node takes exactly its shape. A population without spikes (LI, CubaLI, I) can only be
    shown by outputs, through Flatten nodes at most: what travels between nodes are spikes.

    Args:
        nodes: name -> node; the order is that of ports and populations everywhere.
        edges: (source name, target name).
        dt_s: time step in seconds.
        metadata: what a network file says of its making, for example ``made_by``, ``command``,
            ``description``.

    Raises:
        ValueError: naming the node or edge that does not fit.
    """

    nodes: Mapping[str, Node]
    edges: Sequence[tuple[str, str]]
    dt_s: float
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    shapes: Mapping[str, Shape] = field(init=False)

    def __post_init__(self) -> None:
        try:
            sound = 0 < self.dt_s < math.inf
        except TypeError:
            sound = False
        if not sound:
            raise ValueError(f"dt_s must be a positive number of seconds, not {self.dt_s!r}")
        for name, node in self.nodes.items():
            if not isinstance(node, (Input, Output, *NEURONS, *SYNAPSES)):
                raise ValueError(f"node {name!r}: {type(node).__name__} is not supported")
        edges = tuple((str(source), str(target)) for source, target in self.edges)
        self._check_edges(edges)
        object.__setattr__(self, "nodes", MappingProxyType(dict(self.nodes)))
        object.__setattr__(self, "edges", edges)
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))
        object.__setattr__(self, "shapes", MappingProxyType(self._infer_shapes()))

    def sources(self, name: str) -> tuple[str, ...]:
        """Names of the nodes with an edge into ``name``, in the order of the edges."""
        return tuple(source for source, target in self.edges if target == name)

    def _check_edges(self, edges: tuple[tuple[str, str], ...]) -> None:
        for edge in edges:
            for name in edge:
                if name not in self.nodes:
                    raise ValueError(f"edge {edge[0]!r} -> {edge[1]!r}: no node {name!r}")
            if isinstance(self.nodes[edge[0]], Output):
                raise ValueError(f"edge {edge[0]!r} -> {edge[1]!r} leaves an output")
            if isinstance(self.nodes[edge[1]], Input):
                raise ValueError(f"edge {edge[0]!r} -> {edge[1]!r} enters an input")
        if len(set(edges)) != len(edges):
            twice = next(edge for edge in edges if edges.count(edge) > 1)
            raise ValueError(f"edge {twice[0]!r} -> {twice[1]!r} is there twice")
        self._check_integrators(edges)
        reached = {target for _, target in edges}
        for name, node in self.nodes.items():
            if not isinstance(node, Input) and name not in reached:
                raise ValueError(f"node {name!r} has no incoming edge")

    def _check_integrators(self, edges: tuple[tuple[str, str], ...]) -> None:
        """A voltage goes to outputs and nowhere else."""
        for name, node in self.nodes.items():
            if not isinstance(node, INTEGRATORS):
                continue
            reached, seen = {name}, {name}
            while reached:
                reached = {target for source, target in edges if source in reached} - seen
                seen |= reached
                for target in reached:
                    if not isinstance(self.nodes[target], (Flatten, Output)):
                        raise ValueError(
                            f"node {name!r} ({type(node).__name__}) does not spike, so that only "
                            f"an output can show it; {target!r} cannot follow it"
                        )

    def _infer_shapes(self) -> dict[str, Shape]:
        """Output shape of every node; synapses are visited once their sources are known."""
        shapes: dict[str, Shape] = {}
        for name, node in self.nodes.items():
            if isinstance(node, (Input, Output, *NEURONS)):
                shapes[name] = node.shape
        waiting = [name for name in self.nodes if name not in shapes]
        while waiting:
            ready = [name for name in waiting if all(s in shapes for s in self.sources(name))]
            if not ready:
                raise ValueError(
                    f"nodes {waiting} form or follow a cycle without a population; "
                    "put a neuron into it"
                )
            for name in ready:
                shapes[name] = self._synapse_shape(name, shapes)
            waiting = [name for name in waiting if name not in shapes]
        for source, target in self.edges:
            if isinstance(self.nodes[target], (Output, *NEURONS)) and size_of(
                shapes[source]
            ) != size_of(shapes[target]):
                raise ValueError(
                    f"node {target!r} takes {shapes[target]}, but {source!r} gives {shapes[source]}"
                )
        return shapes

    def _synapse_shape(self, name: str, shapes: Mapping[str, Shape]) -> Shape:
        node = self.nodes[name]
        given = {source: shapes[source] for source in self.sources(name)}
        if len(set(given.values())) != 1:
            raise ValueError(f"node {name!r} sums inputs of different shapes: {given}")
        source, shape = next(iter(given.items()))
        if isinstance(node, (Input, Output, *NEURONS)):
            return node.shape
        try:
            return node.output_shape(shape)
        except ValueError as error:
            raise ValueError(
                f"node {name!r} ({type(node).__name__}) {error} by {source!r}"
            ) from None


def plain(value: Any) -> MetadataValue:
    """A value of a file's metadata as Python's own type."""
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, (np.generic, np.ndarray)) and np.size(value) == 1:
        return plain(np.asarray(value).item())
    return value if isinstance(value, (str, int, float, bool)) else str(value)
