# SPDX-License-Identifier: Apache-2.0
"""Shapes that a NIR graph leaves to its neighbours.

An input takes the shape that what follows it takes, and an output that of what it shows. A neuron
whose parameters are one number for all, or one for each channel as (channel, 1, 1), takes the shape
of what it is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, cast

import numpy as np

from neuro_control.network.graph import Node
from neuro_control.network.neurons import NEURONS, Neuron, Shape, size_of
from neuro_control.network.nir_nodes import MESSAGE_BITS, shape_of
from neuro_control.network.synapses import Affine, Delay, Input, Linear, Output, Scale, Synapse
from neuro_control.network.windows import Conv1d, Conv2d

Edges = Sequence[tuple[str, str]]


def with_shapes(
    made: Mapping[str, Node | None], given: Mapping[str, Any], edges: Edges
) -> dict[str, Node]:
    """All nodes of a graph, those without a shape with the one that follows from the others.

    Args:
        made: our nodes by name; None for an input or output without a shape.
        given: NIR's nodes by the same names.
        edges: (source name, target name).

    Raises:
        ValueError: naming an input or output whose shape follows from nothing.
    """
    nodes = dict(made)
    sources: dict[str, list[str]] = {name: [] for name in nodes}
    targets: dict[str, list[str]] = {name: [] for name in nodes}
    for source, target in edges:
        sources[target].append(source)
        targets[source].append(target)
    for name, node in made.items():
        if node is None and type(given[name]).__name__ == "Input":
            taken = (_taken_by(made[target], given[target]) for target in targets[name])
            shape = next((shape for shape in taken if shape is not None), None)
            if shape is None:
                raise ValueError(
                    f"node {name!r}: Input has no shape, and what it leads to says none; give it"
                )
            nodes[name] = Input(shape, given[name].metadata.get(MESSAGE_BITS, 0))
    shapes = _spread(nodes, sources)
    for name, node in nodes.items():
        if node is None:
            shown = next((shapes[source] for source in sources[name] if source in shapes), None)
            if shown is None:
                raise ValueError(
                    f"node {name!r}: Output has no shape, and what it shows says none; give it"
                )
            nodes[name] = Output(shown)
    return cast(dict[str, Node], nodes)


def _taken_by(node: Node | None, given: Any) -> Shape | None:
    """The shape that a node takes, where that does not depend on what it is given."""
    if isinstance(node, (Linear, Affine)):
        return (node.weight.shape[1],)
    if isinstance(node, Scale):
        return cast(Shape, node.scale.shape)
    if isinstance(node, Delay) and node.delay.size > 1:
        return cast(Shape, node.delay.shape)
    if isinstance(node, (Conv1d, Conv2d)) and given.input_shape is not None:
        return (node.weight.shape[1] * node.groups, *shape_of(given.input_shape))
    if type(given).__name__ == "Flatten" and given.input_type["input"] is not None:
        return shape_of(given.input_type["input"])
    return node.shape if isinstance(node, NEURONS) else None


def _spread(nodes: dict[str, Node | None], sources: Mapping[str, list[str]]) -> dict[str, Shape]:
    """Give neurons the shape of what they are given; the output shape of every node but outputs.

    A shape that fits nothing is left to `Network`, which says so.
    """
    shapes: dict[str, Shape] = {}
    waiting = [name for name, node in nodes.items() if not isinstance(node, (Output, type(None)))]
    while waiting:
        left = []
        for name in waiting:
            node = nodes[name]
            shape = next((shapes[source] for source in sources[name] if source in shapes), None)
            if isinstance(node, Input):
                shapes[name] = node.shape
            elif isinstance(node, (Linear, Affine)):
                shapes[name] = (node.weight.shape[0],)
            elif isinstance(node, NEURONS) and (shape is not None or 1 not in node.shape):
                nodes[name] = node = node if shape is None else _of_shape(node, shape)
                shapes[name] = node.shape
            elif shape is not None:
                try:
                    shapes[name] = cast(Synapse, node).output_shape(shape)
                except ValueError:
                    continue
            else:
                left.append(name)
        if len(left) == len(waiting):
            # They wait for each other, in a cycle: one neuron is as large as it says.
            first = next((name for name in left if isinstance(nodes[name], NEURONS)), None)
            if first is None:
                break
            shapes[first] = cast(Neuron, nodes[first]).shape
            left.remove(first)
        waiting = left
    return shapes


def _of_shape(neuron: Neuron, shape: Shape) -> Neuron:
    """The neuron for each element of a shape, where its parameters are fewer and fit; or as is."""
    if size_of(neuron.shape) == size_of(shape):
        return neuron
    single = size_of(neuron.shape) == 1
    if not single and (
        len(neuron.shape) != len(shape)
        or any(own not in (1, wanted) for own, wanted in zip(neuron.shape, shape, strict=True))
    ):
        return neuron
    parameters: dict[str, Any] = {
        field.name: np.broadcast_to(values.reshape(()) if single else values, shape)
        for field in fields(neuron)
        if field.name != "shape"
        for values in (getattr(neuron, field.name),)
    }
    return replace(cast(Any, neuron), shape=shape, **parameters)
