# SPDX-License-Identifier: Apache-2.0
"""`neuro_control network show`: what is in a network file, and what Loihi's integers lose of it."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

import numpy as np

from neuro_control.backends import network_cost
from neuro_control.network import FixedNetwork, Network, QuantizedNetwork, quantize
from neuro_control.network_command.files import find_integers, find_network, is_netx
from neuro_control.reports.json_text import json_text


def show(arguments: argparse.Namespace) -> int:
    """Print it; 0 if the network fits Loihi's integers, 1 if not.

    A netx file holds integers already, and those are shown.
    """
    if is_netx(arguments.file):
        integers = integer_facts(find_integers(arguments.file, arguments.dt_s))
        print(json_text(integers, indent=2) if arguments.json else integer_text(integers))
        return 0
    network = find_network(arguments.file, arguments.dt_s)
    found = facts(network)
    try:
        fixed = quantize(network, arguments.bits)
    except ValueError as error:
        found["fits"], found["why_not"] = False, str(error)
    else:
        found |= {"fits": True, **fixed_facts(fixed)}
    print(json_text(found, indent=2) if arguments.json else text(found))
    return 0 if found["fits"] else 1


def facts(network: Network) -> dict[str, Any]:
    """What the file says, ready for JSON."""
    return {
        "dt_s": network.dt_s,
        "metadata": dict(network.metadata),
        "nodes": [
            {
                "name": name,
                "kind": type(node).__name__,
                "shape": list(network.shapes[name]),
                "from": list(network.sources(name)),
                "parameters": _parameters(node),
            }
            for name, node in network.nodes.items()
        ],
    }


def integer_facts(fixed: FixedNetwork) -> dict[str, Any]:
    """What a file of integers holds, ready for JSON."""
    return {
        "dt_s": fixed.dt_s,
        "metadata": dict(fixed.metadata),
        "neurons": fixed.n_neurons,
        "synapses": fixed.n_synapses,
        **footprint(fixed),
        "inputs": {name: [port.offset, port.size] for name, port in fixed.inputs.items()},
        "outputs": {name: [port.offset, port.size] for name, port in fixed.outputs.items()},
        "populations": [
            {
                "name": p.name,
                "shape": list(p.shape),
                **{
                    key: [int(getattr(p, key).min()), int(getattr(p, key).max())]
                    for key in ("du", "dv", "vth", "bias")
                },
            }
            for p in fixed.populations
        ],
        "projections": [
            {
                "name": q.name,
                "synapses": len(q.weight),
                "sign_mode": q.sign_mode.value,
                "weight_exponent": q.weight_exponent,
            }
            for q in fixed.projections
        ],
    }


def integer_text(found: dict[str, Any]) -> str:
    """The facts of a file of integers as lines to read."""
    lines = [
        f"time step {found['dt_s']:g} s",
        *(f"{key}: {value}" for key, value in found["metadata"].items()),
        f"{found['neurons']:,} neurons, {found['synapses']:,} synapses, "
        f"{found['footprint_bytes']:,} bytes, in Loihi's integers",
    ]
    lines.append(f"  {memory_text(found)}")
    for p in found["populations"]:
        shape = "x".join(str(length) for length in p["shape"])
        ranges = (f"{key} {p[key][0]}..{p[key][1]}" for key in ("du", "dv", "vth", "bias"))
        lines.append(f"  population {p['name']}: {shape}; {', '.join(ranges)}")
    lines += [
        f"  {q['name']}: {q['synapses']:,} synapses, {q['sign_mode']}, exponent "
        f"{q['weight_exponent']}"
        for q in found["projections"]
    ]
    return "\n".join(lines)


def fixed_facts(fixed: QuantizedNetwork) -> dict[str, Any]:
    """Sizes and losses in Loihi's integers, ready for JSON."""
    report = dataclasses.asdict(fixed.report)
    for projection in report["projections"]:
        projection["sign_mode"] = projection["sign_mode"].value
    return {
        "neurons": fixed.n_neurons,
        "synapses": fixed.n_synapses,
        **footprint(fixed),
        "inputs": {name: [port.offset, port.size] for name, port in fixed.inputs.items()},
        "outputs": {name: [port.offset, port.size] for name, port in fixed.outputs.items()},
        "quantization": report,
    }


def footprint(fixed: FixedNetwork) -> dict[str, Any]:
    """Bytes of the integers: of all, a neuron and a synapse, ready for JSON."""
    cost = network_cost(fixed)
    neurons = sum(population.footprint_bytes for population in cost.populations)
    synapses = sum(projection.footprint_bytes for projection in cost.projections)
    return {
        "footprint_bytes": cost.footprint_bytes,
        "bytes_a_neuron": round(neurons / max(fixed.n_neurons, 1), 1),
        "bytes_a_synapse": round(synapses / max(fixed.n_synapses, 1), 1),
    }


def memory_text(found: dict[str, Any]) -> str:
    """The bytes of a network's parts as a line to read."""
    return (
        f"{found['bytes_a_neuron']:,} bytes a neuron (parameters and state), "
        f"{found['bytes_a_synapse']:,} a synapse (network bench: what the engine holds)"
    )


def _delay_text(projection: dict[str, Any]) -> str:
    delay, error = projection["delay"], projection["delay_error"]
    return f"; delay {delay} ticks, off by up to {error:.2g}" if delay or error else ""


def _parameters(node: Any) -> dict[str, str]:
    """Every parameter as a value, or as shape and range of its values."""
    shown = {}
    for name, value in vars(node).items():
        if name == "shape" or value is None or (name == "message_bits" and not value):
            continue
        array = np.asarray(value)
        if array.dtype.kind not in "iuf" or array.size <= 2:
            shown[name] = str(value)
        elif (array == array.flat[0]).all():
            shown[name] = f"{array.flat[0]:g}"
        else:
            size = "x".join(str(length) for length in array.shape)
            shown[name] = f"{size}, {array.min():g} to {array.max():g}"
    return shown


def text(found: dict[str, Any]) -> str:
    """The facts as lines to read."""
    lines = [f"time step {found['dt_s']:g} s"]
    lines += [f"{key}: {value}" for key, value in found["metadata"].items()]
    width = max(len(node["name"]) for node in found["nodes"])
    for node in found["nodes"]:
        shape = "x".join(str(length) for length in node["shape"])
        line = f"  {node['name']:<{width}}  {node['kind']:<9}  {shape:<10}"
        if node["from"]:
            line += f"  from {', '.join(node['from'])}"
        lines.append(line.rstrip())
        lines += [f"  {'':<{width}}    {key} {value}" for key, value in node["parameters"].items()]
    if not found["fits"]:
        return "\n".join([*lines, f"does not fit Loihi's integers: {found['why_not']}"])
    lines.append(
        f"fits Loihi's integers: {found['neurons']:,} neurons, {found['synapses']:,} synapses, "
        f"{found['footprint_bytes']:,} bytes (where it lies on a chip's cores is not worked out)"
    )
    lines.append(f"  {memory_text(found)}")
    for kind in ("inputs", "outputs"):
        lines += [
            f"  {kind[:-1]} {name}: channels {offset} to {offset + size - 1}"
            for name, (offset, size) in found[kind].items()
        ]
    report = found["quantization"]
    lines += [
        f"  population {p['name']}: {p['scale']:.6g} units a volt; error of threshold "
        f"{p['threshold_error']:.2%}, decay {p['decay_error']:.2%}, bias {p['bias_error']:.2%}"
        + ("; its current may wrap" if p["may_wrap"] else "")
        for p in report["populations"]
    ]
    lines += [
        f"  {p['name']}: {p['synapses']:,} synapses, {p['sign_mode']}, exponent "
        f"{p['weight_exponent']}; error rms {p['relative_rms_error']:.2%}, "
        f"{p['rounded_to_zero']:,} rounded to zero{_delay_text(p)}"
        for p in report["projections"]
    ]
    return "\n".join(lines)
