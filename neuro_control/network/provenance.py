# SPDX-License-Identifier: Apache-2.0
"""What a network file says of itself: who made it, how, in which units, and what integers lose."""

from __future__ import annotations

from collections.abc import Mapping

from neuro_control.network.fixed_point import quantize
from neuro_control.network.graph import MetadataValue, Network
from neuro_control.network.neurons import INTEGRATORS
from neuro_control.network.ports import ports_of
from neuro_control.network.quantization_report import QuantizationReport
from neuro_control.network.synapses import Input

_OWN = ("made_by", "command", "quantization_bits", "quantization_error")
"""Metadata that are true of one network only, not of what is made from it."""


def maker() -> str:
    """This package and its version."""
    from importlib import metadata  # It takes as long to import as all of networks.

    try:
        return f"neuro_control {metadata.version('neuro_control')}"
    except metadata.PackageNotFoundError:
        return "neuro_control"


def with_provenance(network: Network, command: str, weight_bits: int = 8) -> Network:
    """The network with the metadata that its file should carry.

    ``made_by`` and ``command`` are this package and the command given; what they were before is
    kept as ``made_from``. ``input_NAME`` and ``output_NAME``, the units of every port, are left as
    they are where they are given. ``quantization_bits`` and ``quantization_error`` say what
    Loihi's integers lose, or why the network does not fit them.
    """
    found: dict[str, MetadataValue] = {**units_of_ports(network), **network.metadata}
    found |= _made_from(network.metadata)
    found |= {"made_by": maker(), "command": command, "quantization_bits": weight_bits}
    try:
        found["quantization_error"] = losses(quantize(network, weight_bits).report)
    except ValueError as error:
        found["quantization_error"] = f"does not fit: {error}"
    return replace_metadata(network, found)


def without_provenance(metadata: Mapping[str, MetadataValue]) -> dict[str, MetadataValue]:
    """The metadata of a network that was made from the one that these are of.

    Who made it, by which command and what integers lose of it is true no more; ``made_from`` says
    who made what it comes from.
    """
    kept = {key: value for key, value in metadata.items() if key not in _OWN}
    return kept | _made_from(metadata)


def _made_from(metadata: Mapping[str, MetadataValue]) -> dict[str, MetadataValue]:
    before = [str(metadata[key]) for key in ("made_by", "command") if key in metadata]
    return {"made_from": ": ".join(before)} if before else {}


def replace_metadata(network: Network, found: dict[str, MetadataValue]) -> Network:
    """The same network with other metadata."""
    return Network(network.nodes, network.edges, network.dt_s, found)


def units_of_ports(network: Network) -> dict[str, str]:
    """What goes into every input and comes out of every output, where nothing better is known."""
    spikes = "spikes, 0 or 1 a tick"
    found = {
        f"input_{n}": spikes if x.largest_payload == 1 else f"payloads, 0 to {x.largest_payload}"
        for n, x in network.nodes.items()
        if isinstance(x, Input)
    }
    for name, population in ports_of(network).output_populations.items():
        silent = isinstance(network.nodes[population], INTEGRATORS)
        found[f"output_{name}"] = "voltage, in the weights' unit" if silent else spikes
    return found


def losses(report: QuantizationReport) -> str:
    """The worst of every kind of error, in one line."""
    weights = max((q.relative_rms_error for q in report.projections), default=0.0)
    worst = [
        ("weights", weights, "rms"),
        ("thresholds", max(p.threshold_error for p in report.populations), "at most"),
        ("decays", max(p.decay_error for p in report.populations), "at most"),
        ("biases", max(p.bias_error for p in report.populations), "rms"),
    ]
    kinds = ", ".join(f"{what} {error:.2%} {kind}" for what, error, kind in worst)
    zero = sum(q.rounded_to_zero for q in report.projections)
    return f"{kinds}; {zero} weights rounded to zero, none clipped"
