# SPDX-License-Identifier: Apache-2.0
"""`neuro_control network profile`: time, spikes and synaptic operations by node."""

from __future__ import annotations

import argparse
from pathlib import Path

from neuro_control.inspection import Profile, plot_profile, profile
from neuro_control.network_command.event_spikes import spikes_for
from neuro_control.network_command.files import find_integers
from neuro_control.reports.json_text import json_text


def profile_network(arguments: argparse.Namespace) -> int:
    """Print it, the nodes that take most time first."""
    network = find_integers(arguments.file, arguments.dt_s, arguments.bits)
    given = spikes_for(arguments, network)
    found = profile(network, given.indices, given.offsets)
    print(f"{found.ticks} ticks of {given.about}")
    print(text(found))
    if arguments.json is not None:
        Path(arguments.json).write_text(json_text(found.as_json(), indent=2) + "\n")
        print(f"  figures  {arguments.json}")
    if arguments.picture is not None:
        plot_profile(found).savefig(arguments.picture, dpi=110)
        print(f"  picture  {arguments.picture}")
    return 0


def text(found: Profile) -> str:
    """The profile as a table."""
    ticks = found.ticks
    width = max(len(p.name) for p in found.populations)
    lines = [
        f"{found.whole_us:.2f} us a tick of processor time in all; its nodes explain "
        f"{found.coverage:.0%} of it, {found.overhead_us:.2f} us are the call's own",
        f"{found.counters.spikes:,} spikes, {found.counters.synaptic_operations:,} synaptic "
        "operations",
        f"  {'node':<{width}}  {'neurons':>9} {'us/tick':>9} {'share':>6} {'spikes':>10} "
        f"{'operations':>13}",
    ]
    for p in found.populations:
        share = p.us / found.whole_us if found.whole_us else 0.0
        lines.append(
            f"  {p.name:<{width}}  {p.neurons:>9,} {p.us:>9.3f} {share:>6.1%} {p.spikes:>10,} "
            f"{p.operations:>13,}"
        )
        lines.append(f"  {'':<{width}}    {max(p.neurons_us, 0.0):.3f} us its neurons")
        lines += [
            f"  {'':<{width}}    {q.us:.3f} us {q.name}: {q.operations / ticks:,.1f} operations a "
            f"tick, {q.synapses:,} synapses"
            for q in p.projections
        ]
    return "\n".join(lines)
