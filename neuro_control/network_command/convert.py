# SPDX-License-Identifier: Apache-2.0
"""`neuro_control network convert` and `quantize`: into other formats, and what integers lose."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from neuro_control.backends import rate_changes
from neuro_control.network import (
    Network,
    describe,
    quantize,
    with_provenance,
    write_netx,
    write_nir,
    write_onnx,
)
from neuro_control.network_command.files import find_integers, find_network, is_netx
from neuro_control.network_command.spike_file import given_spikes
from neuro_control.reports.files import check_output, over_words, whole_file


def convert(arguments: argparse.Namespace) -> int:
    """Read one file and write another; the suffix says which format."""
    out = Path(arguments.out)
    kind = out.suffix.lower()
    if kind not in (".onnx", ".nir") and not is_netx(out):
        netx = ".net, .netx, .h5, .hdf5 (netx)"
        raise ValueError(f"{out}: the suffix must be .nir (NIR), .onnx (ONNX) or {netx}")
    check_output("OUT", out)
    over = over_words(out)
    if is_netx(arguments.file):
        integers = find_integers(arguments.file, arguments.dt_s)
        # What ONNX holds are integers, which need no description.
        network = None if kind == ".onnx" else describe(integers)
    else:
        network = find_network(arguments.file, arguments.dt_s, arguments.dialect)
    if network is not None:
        network = with_provenance(network, _command(arguments), arguments.bits)
        if kind == ".onnx":
            integers = quantize(network, arguments.bits)
    if kind == ".onnx":
        write_onnx(integers, out)
        print(f"{out}: ONNX, one tick of {integers.n_neurons:,} neurons in whole numbers{over}")
    elif kind == ".nir" and network is not None:
        write_nir(network, out)
        print(f"{out}: NIR, {len(network.nodes)} nodes, dt {network.dt_s:g} s{over}")
        print(f"in Loihi's integers of {arguments.bits} bits: {_loss(network)}")
    elif network is not None:
        with whole_file(out) as part:
            fixed = write_netx(network, part, arguments.bits)
        what = f"{fixed.n_neurons:,} neurons, {fixed.n_synapses:,} synapses, integers"
        print(f"{out}: netx, {what}{over}")
        print(fixed.report)
    return 0


def _command(arguments: argparse.Namespace) -> str:
    """The command as it would be typed, with what decides the result."""
    words = ["neuro_control", "network", "convert", str(arguments.file), str(arguments.out)]
    words += ["--bits", str(arguments.bits)]
    words += ["--dt-s", f"{arguments.dt_s:g}"] if arguments.dt_s is not None else []
    words += ["--dialect", arguments.dialect] if arguments.dialect != "nir" else []
    return shlex.join(words)


def _loss(network: Network) -> str:
    return str(network.metadata["quantization_error"])


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
