# SPDX-License-Identifier: Apache-2.0
"""`neuro_control network bench`: how long a step of a network takes on this machine."""

from __future__ import annotations

import argparse
import time
from itertools import pairwise

import numpy as np

from neuro_control.backends import CpuRunner
from neuro_control.network_command.files import find_integers
from neuro_control.network_command.spike_file import random_spikes

TICKS = 2000
TOGETHER = 10


def bench(arguments: argparse.Namespace) -> int:
    """Time one tick a call, and ten."""
    network = find_integers(arguments.file, arguments.dt_s, arguments.bits)
    if not 0.0 <= arguments.activity <= 1.0:
        raise ValueError(
            f"--activity {arguments.activity:g}: must be from 0 to 1, the part of the inputs that "
            "spike in a tick"
        )
    channels = sum(port.size for port in network.inputs.values())
    indices, offsets = random_spikes(channels, TICKS, arguments.activity, arguments.seed)
    runner = CpuRunner(network)
    runner.warm()
    parts = [indices[a:b] for a, b in pairwise(offsets)]
    single = []
    for active in parts:
        start = time.perf_counter_ns()
        runner.step(active)
        single.append(time.perf_counter_ns() - start)
    together = []
    for begin in range(0, TICKS, TOGETHER):
        part = offsets[begin : begin + TOGETHER + 1]
        active = indices[part[0] : part[-1]]
        start = time.perf_counter_ns()
        runner.run(active, part - part[0])
        together.append((time.perf_counter_ns() - start) / TOGETHER)
    print(
        f"{network.n_neurons:,} neurons, {network.n_synapses:,} synapses, "
        f"{arguments.activity:.1%} of {channels:,} input channels active"
    )
    for name, times in (("one tick a call", single), (f"{TOGETHER} ticks a call", together)):
        median, p99 = np.percentile(np.array(times) * 1e-3, [50, 99])
        print(f"  {name:<17} {median:8.2f} us a tick (median), {p99:8.2f} us (p99)")
    memory = runner.memory
    print(
        f"  the engine holds {memory.neurons / network.n_neurons:,.1f} bytes a neuron, "
        f"{memory.synapses / max(network.n_synapses, 1):,.1f} a synapse and {memory.rest:,} besides"
    )
    operations = runner.counters.synaptic_operations / runner.counters.ticks
    print(f"  {operations:,.0f} synaptic operations a tick")
    return 0
