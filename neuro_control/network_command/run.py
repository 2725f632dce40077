# SPDX-License-Identifier: Apache-2.0
"""`neuro_control network run`: step a network over spikes, and say what it did."""

from __future__ import annotations

import argparse

from neuro_control.backends import CpuRunner, plot_raster, record
from neuro_control.network_command.files import find_integers
from neuro_control.network_command.spike_file import given_spikes, write_spikes


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
    if arguments.output is not None:
        write_spikes(arguments.output, recording)
        print(f"  spikes   {arguments.output}")
    if arguments.picture is not None:
        plot_raster(recording).savefig(arguments.picture, dpi=110, format="png")
        print(f"  picture  {arguments.picture}")
    return 0
