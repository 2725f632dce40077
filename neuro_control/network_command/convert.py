# SPDX-License-Identifier: Apache-2.0
"""`neuro_control network convert` and `quantize`: into other formats, and what integers lose."""

from __future__ import annotations

import argparse
from pathlib import Path

from neuro_control.backends import rate_changes
from neuro_control.network import quantize, write_netx, write_nir, write_onnx
from neuro_control.network_command.files import find_integers, find_network, is_netx
from neuro_control.network_command.spike_file import given_spikes


def convert(arguments: argparse.Namespace) -> int:
    """Read one file and write another; the suffix says which format."""
    out = Path(arguments.out)
    if out.suffix.lower() == ".onnx":
        integers = find_integers(arguments.file, arguments.dt_s, arguments.bits)
        write_onnx(integers, out)
        print(f"{out}: ONNX, one tick of {integers.n_neurons:,} neurons in whole numbers")
        return 0
    network = find_network(arguments.file, arguments.dt_s)
    if is_netx(out):
        fixed = write_netx(network, out, arguments.bits)
        print(f"{out}: netx, {fixed.n_neurons:,} neurons, {fixed.n_synapses:,} synapses, integers")
        print(fixed.report)
    elif out.suffix.lower() == ".nir":
        write_nir(network, out)
        print(f"{out}: NIR, {len(network.nodes)} nodes, dt {network.dt_s:g} s")
    else:
        netx = ".net, .netx, .h5, .hdf5 (netx)"
        raise ValueError(f"{out}: the suffix must be .nir (NIR), .onnx (ONNX) or {netx}")
    return 0


def quantize_file(arguments: argparse.Namespace) -> int:
    """Print what the integers lose, and how firing rates change on the same spikes."""
    network = find_network(arguments.file, arguments.dt_s)
    fixed = quantize(network, arguments.bits)
    print(fixed.report)
    channels = sum(port.size for port in fixed.inputs.values())
    indices, offsets = given_spikes(arguments, channels, fixed.dt_s)
    print(f"rates over {len(offsets) - 1} ticks, float equations and integers on the same spikes:")
    for change in rate_changes(network, fixed, indices, offsets):
        print(
            f"  {change.name}: {change.float_hz:.4g} Hz -> {change.fixed_hz:.4g} Hz "
            f"({change.relative_change:+.2%}); worst neuron {change.worst_neuron_hz:.3g} Hz off"
        )
    return 0
