# SPDX-License-Identifier: Apache-2.0
"""`neuro_control network compare`: whether two networks are the same, and where they part."""

from __future__ import annotations

import argparse

import numpy as np

from neuro_control.backends import CpuRunner
from neuro_control.network import FixedNetwork
from neuro_control.network_command.files import find_integers
from neuro_control.network_command.spike_file import given_spikes


def compare(arguments: argparse.Namespace) -> int:
    """Compare two networks' integers and their spikes; 0 if every spike is the same, 1 if not."""
    names = (arguments.file, arguments.other)
    one, other = (find_integers(name, arguments.dt_s, arguments.bits) for name in names)
    for line in differences(one, other):
        print(line)
    channels = [sum(port.size for port in network.inputs.values()) for network in (one, other)]
    if channels[0] != channels[1]:
        print(f"inputs have {channels[0]} and {channels[1]} channels: no spikes to compare")
        return 1
    spikes = given_spikes(arguments, channels[0], one.dt_s)
    trains = [outputs(network, spikes) for network in (one, other)]
    ticks = len(spikes[1]) - 1
    if np.array_equal(trains[0], trains[1]):
        print(f"the same {len(trains[0]):,} output spikes in {ticks} ticks")
        return 0
    mine, theirs = ({(int(t), int(c)) for t, c in train} for train in trains)
    tick, channel = min(mine ^ theirs)
    print(
        f"output spikes differ from tick {tick} on, first in channel {channel}: {len(mine):,} and "
        f"{len(theirs):,} spikes in {ticks} ticks, {len(mine ^ theirs):,} of them in one only"
    )
    return 1


def outputs(network: FixedNetwork, spikes: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """(tick, channel) of every output spike, int64[n, 2], in order."""
    indices, offsets = CpuRunner(network).run(*spikes)
    ticks = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return np.stack([ticks, indices], axis=1).astype(np.int64)


def differences(one: FixedNetwork, other: FixedNetwork) -> list[str]:
    """What differs in the integers, a line each; populations are matched by their order."""
    if one.fingerprint() == other.fingerprint():
        return ["the same integers"]
    found = []
    for what in ("populations", "projections", "inputs", "outputs"):
        mine, theirs = len(getattr(one, what)), len(getattr(other, what))
        if mine != theirs:
            found.append(f"{what}: {mine} and {theirs}")
    for p, q in zip(one.populations, other.populations, strict=False):
        label = p.name if p.name == q.name else f"{p.name} and {q.name}"
        if p.size != q.size:
            found.append(f"population {label}: {p.size} and {q.size} neurons")
            continue
        for field in ("du", "dv", "vth", "bias", "refractory", "threshold_decay", "threshold_step"):
            n = int(np.sum(getattr(p, field) != getattr(q, field)))
            if n:
                found.append(f"population {label}: {field} differs in {n} of {p.size} neurons")
    for r, s in zip(one.projections, other.projections, strict=False):
        label = r.name if r.name == s.name else f"{r.name} and {s.name}"
        sizes = [(t.n_source, t.n_target, len(t.weight)) for t in (r, s)]
        if sizes[0] != sizes[1]:
            found.append(
                f"projection {label}: {sizes[0]} and {sizes[1]} sources, targets, synapses"
            )
        elif not np.array_equal(
            r.weight * 2.0**r.weight_exponent, s.weight * 2.0**s.weight_exponent
        ):
            found.append(f"projection {label}: weights differ")
        elif r.delay != s.delay:
            found.append(f"projection {label}: delay {r.delay} and {s.delay} ticks")
    return found or ["the same numbers under other names, or with other exponents"]
