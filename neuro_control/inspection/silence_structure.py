# SPDX-License-Identifier: Apache-2.0
"""Causes of silence that the structure shows, without an experiment."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuro_control.inspection.silence import Cause, Finding
from neuro_control.inspection.silent_population import SilentPopulation
from neuro_control.inspection.synapse_loss import dead_channels, rounded_to_zero
from neuro_control.network import FixedPopulation


def structural_cause(silent: SilentPopulation) -> Finding | None:
    """No synapses, none from those that spike, arrival after the end, or inhibition alone.

    None where none of these silences it.
    """
    if not any(q.weight.any() for q in silent.into):
        return _without_synapses(silent)
    if (silent.population.bias > 0).any():
        return None
    if sum(a.passed for a in silent.arrivals) == 0:
        return _wrong_channels(silent)
    if sum(a.in_time for a in silent.arrivals) == 0:
        return _too_late(silent)
    if sum(a.exciting for a in silent.arrivals) == 0 and silent.population.spiking:
        return _only_inhibition(silent)
    return None


def dead_kernels(name: str, channels: list[int], population: FixedPopulation) -> Finding:
    """Output channels of a convolution that nothing can make spike."""
    of = population.shape[0]
    shown = ", ".join(map(str, channels[:8])) + (", ..." if len(channels) > 8 else "")
    return Finding(
        name,
        Cause.DEAD_KERNELS,
        f"{len(channels)} of the {of} channels of {name} have no synapse (their kernels are 0) and "
        f"no bias: {shown}",
        "train them again, or take them out",
        {"channels": channels, "of": of},
    )


def _without_synapses(silent: SilentPopulation) -> Finding:
    network, name = silent.run.network, silent.name
    lost = rounded_to_zero(network, silent.run.description, name, None)
    if lost is not None:
        return _rounded(name, lost)
    zero = [s for s in silent.scales() if s.largest == 0]
    if zero:
        return Finding(
            zero[0].name,
            Cause.SMALL_SCALE,
            f"Scale {zero[0].name} multiplies what goes to {name} by 0",
            "another scale",
            {"scale": 0.0, "population": name},
        )
    channels = dead_channels(network, name)
    if channels:
        return dead_kernels(name, channels, silent.population)
    return Finding(
        name,
        Cause.NO_SYNAPSES,
        f"{name} has no synapse: all weights into it are 0 "
        f"({', '.join(q.name for q in silent.into) or 'no projection'})",
        "weights other than 0",
    )


def _rounded(name: str, lost: dict[str, Any]) -> Finding:
    return Finding(
        name,
        Cause.ROUNDED_TO_ZERO,
        f"the weights of {lost['projection']} that spikes would pass, up to "
        f"{lost['largest']:.4g}, are rounded to 0 in {lost['bits']} bits beside "
        f"{lost['full']:.4g}; the least that is kept is {lost['least_kept']:.4g}",
        f"those weights x {lost['factor']:.4g}, more weight bits, or a smaller largest weight",
        lost,
    )


def _wrong_channels(silent: SilentPopulation) -> Finding:
    active = silent.active_channels()
    lost = rounded_to_zero(silent.run.network, silent.run.description, silent.name, active)
    if lost is not None:
        return _rounded(silent.name, lost)
    parts = []
    for source, seen in active.items():
        rows = [np.diff(q.row_start) for q in silent.into if q.source == source]
        joined = np.flatnonzero(np.sum(rows, axis=0))
        has = f"{joined[0]}..{joined[-1]}" if len(joined) else "none"
        parts.append(
            f"{source} spikes in {len(seen):,} of its {len(rows[0]):,} channels "
            f"({seen[0]}..{seen[-1]}), and synapses begin in {len(joined):,} ({has})"
        )
    return Finding(
        silent.name,
        Cause.WRONG_CHANNELS,
        f"no spike passes a synapse into {silent.name}: {'; '.join(parts)}",
        "input in the channels that the network reads (`show` lists them), or weights there",
    )


def _too_late(silent: SilentPopulation) -> Finding:
    arrivals = [
        (a.first_tick, q.delay, q.name)
        for q, a in zip(silent.into, silent.arrivals, strict=True)
        if a.first_tick is not None
    ]
    arrival, delay, name = min(arrivals)
    ticks = silent.run.activity.ticks
    return Finding(
        silent.name,
        Cause.TOO_LATE,
        f"nothing reaches {silent.name} before the run of {ticks} ticks is over: the first spike "
        f"of {name} arrives in tick {arrival} (its delay is {delay} ticks)",
        f"a run of more than {arrival} ticks" + (", or a shorter delay" if delay else ""),
        {"arrival_tick": arrival, "delay": delay, "ticks": ticks},
    )


def _only_inhibition(silent: SilentPopulation) -> Finding:
    passed = sum(a.passed for a in silent.arrivals)
    pairs = zip(silent.into, silent.arrivals, strict=True)
    sources = ", ".join(dict.fromkeys(q.source for q, a in pairs if a.passed))
    return Finding(
        silent.name,
        Cause.ONLY_INHIBITION,
        f"every synapse into {silent.name} that a spike passed is inhibitory (from {sources}: "
        f"{passed:,} passages, no weight above 0)",
        "excitatory weights, or another sign",
        {"passed": passed},
    )
