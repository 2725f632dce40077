# SPDX-License-Identifier: Apache-2.0
"""Networks as lava-dl's netx files: one chain of dense and convolutional layers, in integers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_control.network.fixed_network import (
    FixedPopulation,
    FixedProjection,
    truncate_weights,
)
from neuro_control.network.fixed_point import QuantizedNetwork, quantize
from neuro_control.network.graph import Network
from neuro_control.network.lowering import synapse_map
from neuro_control.network.netx_file import NETX_BIAS_EXPONENT, hdf5_package
from neuro_control.network.neurons import IF, LIF, NEURONS, CubaLIF
from neuro_control.network.provenance import losses, maker, units_of_ports
from neuro_control.network.synapses import Affine, Delay, Flatten, Input, Linear, Output
from neuro_control.network.windows import Conv2d

Layer = dict[str, Any]


def write_netx(network: Network, path: str | Path, weight_bits: int = 8) -> QuantizedNetwork:
    """Quantise a network without weight exponents, which netx does not have, and write it.

    Returns the integers that were written. The network's metadata and time step are attributes of
    the file.

    A chain of one input, then Linear, Affine or Conv2d and LIF, CubaLIF or IF in turn, with
    Flatten where it is needed, and one output. A Linear may lead from a population back to itself,
    and a Delay may stand before or behind a Linear or Affine (not both in one layer).

    Raises:
        ValueError: naming the node that has no place in such a file, and why.
    """
    layers = _layers(network, quantized := quantize(network, weight_bits, (0, 0)))
    given = {**units_of_ports(network), "made_by": maker(), **network.metadata}
    with hdf5_package().File(Path(path), "w") as file:
        # Attributes of the file, which lava-dl passes over.
        file.attrs.update(given | {"dt_s": network.dt_s, "quantization_bits": weight_bits})
        file.attrs["quantization_error"] = losses(quantized.report)
        for number, layer in enumerate(layers):
            group = file.create_group(f"layer/{number}")
            for name, value in layer.items():
                is_text = isinstance(value, str)
                group.create_dataset(name, data=np.array([value], "S10") if is_text else value)
    return quantized


def _layers(network: Network, quantized: QuantizedNetwork) -> list[Layer]:
    loops = _loops(network)
    chain = _chain(network, set(loops.values()))
    first = network.nodes[chain[0]]
    layers: list[Layer] = []
    if any(isinstance(node, Conv2d) for node in network.nodes.values()):
        # Only an input layer says what image a convolution is given.
        shape = np.array(network.shapes[chain[0]])
        unused = {"neuron/type": "CUBA", "neuron/vThMant": 1, "neuron/iDecay": 4096}
        layers.append({"type": "input", "shape": shape, **unused, "neuron/vDecay": 4096})
    synapse = late = ""
    for name in chain[1:-1]:
        node = network.nodes[name]
        if isinstance(node, Flatten):
            layers.append({"type": "flatten", "shape": np.array(network.shapes[name])})
        elif isinstance(node, Delay) and not late:
            late = name
        elif isinstance(node, (Linear, Affine, Conv2d)) and not synapse:
            synapse = name
        elif isinstance(node, (LIF, CubaLIF, IF)) and synapse:
            if late and (isinstance(network.nodes[synapse], Conv2d) or name in loops):
                raise ValueError(
                    f"node {late!r}: lava-dl reads delays in dense layers without recurrence only"
                )
            if name in loops and isinstance(network.nodes[synapse], Conv2d):
                raise ValueError(
                    f"node {loops[name]!r}: in a netx file only a dense layer hears itself"
                )
            into = [q for q in quantized.projections if q.target == name]
            layers.append(_layer(network, synapse, quantized.population(name), into))
            synapse = late = ""
        else:
            raise ValueError(
                f"node {name!r} ({type(node).__name__}) has no place in a netx file, which is a "
                "chain of Linear, Affine or Conv2d (with one Delay at most), each followed by LIF, "
                "CubaLIF or IF"
            )
    if not isinstance(first, Input):
        raise ValueError(f"node {chain[0]!r} is not an input")
    if first.message_bits:
        raise ValueError(
            f"node {chain[0]!r}: a netx file does not say that spikes are graded, and lava-dl would"
            " take them for binary; set message_bits to 0, write the file, and give its reader"
            f" input_message_bits={first.message_bits}"
        )
    return layers


def _loops(network: Network) -> dict[str, str]:
    """Population -> the Linear that leads from it back to itself."""
    found: dict[str, str] = {}
    for name, node in network.nodes.items():
        if not isinstance(node, Linear):
            continue
        ends = {source for source, target in network.edges if target == name}
        ends |= {target for source, target in network.edges if source == name}
        if len(ends) == 1 and isinstance(network.nodes[(end := ends.pop())], NEURONS):
            if end in found:
                raise ValueError(
                    f"node {name!r}: {end!r} hears itself through {found[end]!r} already, and a "
                    "netx file has one recurrent matrix a layer; add the two up"
                )
            found[end] = name
    return found


def _chain(network: Network, apart: set[str]) -> list[str]:
    """The nodes from the one input to the one output, but those that stand apart."""
    names = [name for name in network.nodes if name not in apart]
    for name in names:
        sources = [source for source in network.sources(name) if source not in apart]
        sinks = [t for source, t in network.edges if source == name and t not in apart]
        if len(sources) > 1 or len(sinks) > 1:
            raise ValueError(
                f"node {name!r} has {len(sources)} edges in and {len(sinks)} out; a netx file is "
                "one chain without branches, where a population hears itself through a Linear only"
            )
    ends = [name for name, node in network.nodes.items() if isinstance(node, Output)]
    if len(ends) != 1:
        raise ValueError(f"a netx file has one output, not {ends}")
    chain = ends
    while before := [name for name in network.sources(chain[0]) if name not in apart]:
        chain = [before[0], *chain]
    if len(chain) != len(names):
        raise ValueError(f"nodes {sorted(set(names) - set(chain))} are not on the chain")
    if not any(isinstance(network.nodes[name], NEURONS) for name in chain):
        raise ValueError("the network has no population")
    return chain


def _layer(
    network: Network, synapse: str, population: FixedPopulation, into: list[FixedProjection]
) -> Layer:
    node, name = network.nodes[synapse], population.name
    for parameter in ("du", "dv", "vth"):
        values = getattr(population, parameter)
        if (values != values[0]).any():
            raise ValueError(
                f"node {name!r}: a layer of a netx file has one {parameter}, not "
                f"{values.min()} to {values.max()}"
            )
    if population.has_memory_of_spikes:
        raise ValueError(f"node {name!r}: lava-dl passes over refractory times; take them out")
    layer: Layer = {
        "shape": np.array(population.shape),
        "neuron/type": "CUBA",
        "neuron/iDecay": int(population.du[0]) + 1,
        "neuron/vDecay": int(population.dv[0]),
        "neuron/vThMant": int(population.vth[0]),
        "neuron/refDelay": 1,
        "neuron/gradedSpike": 0,
    }
    if population.bias.any():
        mantissa = population.bias >> NETX_BIAS_EXPONENT
        if (mantissa << NETX_BIAS_EXPONENT != population.bias).any():
            rounded = np.rint(population.bias / 2**NETX_BIAS_EXPONENT).astype(int)
            raise ValueError(
                f"node {name!r}: a netx file holds biases in steps of "
                f"{2**NETX_BIAS_EXPONENT}; {population.bias.tolist()[:4]} would become "
                f"{(rounded << NETX_BIAS_EXPONENT).tolist()[:4]}; choose biases that are whole "
                "numbers of threshold units"
            )
        layer["bias"] = mantissa
    if isinstance(node, Conv2d):
        kernel = _kernel(network, synapse, node, into[0])
        padding = node.padding_before
        fields = {"stride": node.stride, "padding": padding, "dilation": node.dilation}
        layer |= {"type": "conv", "weight": kernel, "groups": node.groups}
        layer |= {name: np.array(value) for name, value in fields.items()}
        layer |= {
            "inChannels": kernel.shape[1] * node.groups,
            "outChannels": kernel.shape[0],
            "kernelSize": np.array(node.kernel_size),
        }
        return layer
    own = [projection for projection in into if projection.source == name]
    weight, delay = _joined([projection for projection in into if projection.source != name])
    layer |= {"type": "dense", "weight": weight}
    layer |= {"inFeatures": weight.shape[1], "outFeatures": weight.shape[0]}
    if delay.any():
        layer["delay"] = delay
    if own:
        layer |= {"type": "dense_rec", "weight_rec": _joined(own)[0]}
    _check_weights(name, np.concatenate([projection.weight for projection in into]))
    return layer


def _joined(
    projections: list[FixedProjection],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The weights [out, in] of projections that join each pair once, and their delays in ticks."""
    weight = np.sum([q.matrix().astype(np.int64) for q in projections], axis=0)
    delay = np.sum([q.delay * (q.matrix() != 0) for q in projections], axis=0)
    return weight, delay


def _check_weights(name: str, weight: NDArray[np.integer]) -> None:
    """lava-dl gives all weights of a layer one sign mode, and odd ones beside both signs no bit."""
    whole = weight.astype(np.int64)
    for scaled in (whole, 2 * whole):
        if np.array_equal(truncate_weights(scaled), scaled):
            return
    raise ValueError(
        f"node {name!r}: its weights of one sign and those of both share 8 bits in a netx file, "
        "and do not fit; quantise to weight_bits=7"
    )


def _kernel(
    network: Network, name: str, node: Conv2d, projection: FixedProjection
) -> NDArray[np.int64]:
    """The kernel in integers, which must unroll to the projection."""
    shape = network.shapes[network.sources(name)[0]]
    # A kernel whose entries are their own numbers shows where each of them went.
    numbered = np.arange(1.0, node.weight.size + 1).reshape(node.weight.shape)
    numbers = Conv2d(numbered, None, node.stride, node.padding, node.dilation, node.groups)
    unrolled = synapse_map(numbers, shape)
    found = dict(zip(_pairs(unrolled.row_start, unrolled.target), unrolled.weight, strict=True))
    kernel = np.zeros(node.weight.size, np.int64)
    for pair, weight in zip(
        _pairs(projection.row_start, projection.target_index), projection.weight, strict=True
    ):
        entry = int(found[pair]) - 1
        if kernel[entry] not in (0, weight):
            raise ValueError(
                f"node {name!r}: its neurons differ, so that it has no one kernel in integers"
            )
        kernel[entry] = weight
    return kernel.reshape(node.weight.shape)


def _pairs(row_start: NDArray[Any], target: NDArray[Any]) -> list[tuple[int, int]]:
    source = np.repeat(np.arange(len(row_start) - 1), np.diff(row_start))
    return list(zip(source.tolist(), target.tolist(), strict=True))
