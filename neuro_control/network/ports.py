# SPDX-License-Identifier: Apache-2.0
"""How the inputs and outputs of a network are numbered in active indices."""

from __future__ import annotations

from dataclasses import dataclass, replace

from neuro_control.network.fixed_network import Port
from neuro_control.network.graph import Network
from neuro_control.network.neurons import NEURONS, Shape, size_of
from neuro_control.network.synapses import Flatten, Input, Output


@dataclass(frozen=True)
class Ports:
    """Inputs and outputs by name, and the population that each output shows."""

    inputs: dict[str, Port]
    outputs: dict[str, Port]
    output_populations: dict[str, str]


def ports_of(network: Network) -> Ports:
    """The ports of a network, in the order of its nodes.

    Raises:
        ValueError: an output shows anything but one population.
    """
    given = {n: x for n, x in network.nodes.items() if isinstance(x, Input)}
    inputs = {
        name: replace(port, message_bits=given[name].message_bits)
        for name, port in _numbered({n: x.shape for n, x in given.items()}).items()
    }
    outputs = _numbered({n: x.shape for n, x in network.nodes.items() if isinstance(x, Output)})
    shown = {name: _output_population(network, name) for name in outputs}
    return Ports(inputs, outputs, shown)


def _numbered(shapes: dict[str, Shape]) -> dict[str, Port]:
    ports, offset = {}, 0
    for name, shape in shapes.items():
        ports[name] = Port(offset, size_of(shape), shape)
        offset += size_of(shape)
    return ports


def _output_population(network: Network, name: str) -> str:
    """The one population that an output shows, through Flatten nodes at most."""
    at = name
    while True:
        sources = network.sources(at)
        if len(sources) != 1:
            raise ValueError(f"output {name!r} must show one population, not {list(sources)}")
        at = sources[0]
        node = network.nodes[at]
        if isinstance(node, NEURONS):
            return at
        if not isinstance(node, Flatten):
            raise ValueError(
                f"output {name!r} shows {type(node).__name__} {at!r}, which is no population; "
                "put one before it (an LI or I to read a voltage)"
            )
