# SPDX-License-Identifier: Apache-2.0
"""`neuro_control network run`: step a network over spikes, and say what it did."""

from __future__ import annotations

import argparse
import textwrap

from neuro_control.backends import (
    DEVICES,
    Cost,
    CpuRunner,
    estimate_energy,
    measure_cost,
    plot_raster,
    record,
)
from neuro_control.network_command.files import find_integers
from neuro_control.network_command.spike_file import given_spikes, write_spikes

INDENT = " " * 9


def run(arguments: argparse.Namespace) -> int:
    """Run it and print spikes and rates by population."""
    network = find_integers(arguments.file, arguments.dt_s, arguments.bits)
    channels = sum(port.size for port in network.inputs.values())
    spikes = given_spikes(arguments, channels, network.dt_s)
    runner = CpuRunner(network)
    recording = record(runner, *spikes)
    seconds = recording.n_ticks * network.dt_s
    print(
        f"{recording.n_ticks} ticks, {seconds:g} s; {len(spikes[0]):,} spikes into {channels:,} "
        f"channels; {runner.counters.synaptic_operations:,} synaptic operations"
    )
    width = max(len(name) for name in recording.spikes)
    for name, train in recording.spikes.items():
        count = len(train.tick)
        rate_hz = count / (train.n_neurons * seconds)
        print(
            f"  {name:<{width}}  {count:>10,} spikes of {train.n_neurons:,} neurons, "
            f"{rate_hz:.3g} Hz each"
        )
    if arguments.cost:
        print(cost_text(measure_cost(runner, [spikes]), seconds))
    if arguments.output is not None:
        write_spikes(arguments.output, recording)
        print(f"  spikes   {arguments.output}")
    if arguments.picture is not None:
        plot_raster(recording).savefig(arguments.picture, dpi=110)
        print(f"  picture  {arguments.picture}")
    return 0


def cost_text(cost: Cost, seconds: float) -> str:
    """NeuroBench's figures of a run as lines to read, and what energy they would take."""
    operations = cost.operations
    lines = [
        f"footprint {cost.footprint_bytes:,} bytes; connection sparsity "
        f"{cost.connection_sparsity:.1%}, activation sparsity {cost.activation_sparsity:.2%}",
        f"synaptic operations of the run: {operations.effective_acs:,} accumulations and "
        f"{operations.effective_macs:,} multiply-accumulations, {operations.dense:,} if dense",
        f"membrane updates {cost.membrane_updates:,} of {cost.neuron_updates:,}",
        "energy, estimated from these counts and not measured:",
    ]
    for name in DEVICES:
        estimate = estimate_energy(cost, name)
        model = estimate.model
        about = f"{model.name}, {model.operations} operations; {model.evidence}; {model.source}"
        lines += [
            f"  {name:<6} {estimate.total_j:.3g} J, {estimate.total_j / seconds:.3g} W",
            textwrap.fill(about, 100, initial_indent=INDENT, subsequent_indent=INDENT),
        ]
    return "\n".join(lines)
