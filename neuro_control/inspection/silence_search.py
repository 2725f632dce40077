# SPDX-License-Identifier: Apache-2.0
"""Run a network on given spikes and say where its activity dies, and why."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.cpu import CpuRunner
from neuro_control.backends.recorder import check_trains
from neuro_control.backends.runner import Indices
from neuro_control.inspection.activity import Activity, record_activity
from neuro_control.inspection.silence import (
    Cause,
    Finding,
    SilenceReport,
    SourceActivity,
    Wiring,
    only_inhibits,
    silent_front,
)
from neuro_control.inspection.silence_experiments import cause_by_experiment
from neuro_control.inspection.silence_structure import dead_kernels, structural_cause
from neuro_control.inspection.silent_population import Run, SilentPopulation
from neuro_control.inspection.synapse_loss import dead_channels
from neuro_control.network import FixedNetwork, Network


def find_silence(
    network: FixedNetwork,
    indices: Indices,
    offsets: NDArray[np.int64],
    description: Network | None = None,
    fed: Collection[str] | None = None,
) -> SilenceReport:
    """Where activity dies in a run from rest, and why.

    Args:
        network: the integers.
        indices: active inputs, int32[n].
        offsets: int64[ticks + 1], as `Runner.run` takes them.
        description: what the network was quantised from, where there is one: values then come in
            its units too, and what quantisation lost is told from what was never there.
        fed: inputs that spikes were meant for, all by default. Silence of the others, and of what
            they would excite, is a note.

    Raises:
        ValueError: there is no tick, or the offsets do not fit the indices. An input that does not
            fit the network is a finding.
    """
    misfit = input_that_does_not_fit(network, indices)
    if misfit is not None:
        return SilenceReport(max(len(offsets) - 1, 0), (), (), (misfit,))
    indices, offsets = check_trains(CpuRunner(network), indices, offsets)
    if len(offsets) < 2:
        raise ValueError("a run without ticks says nothing of silence")
    activity = record_activity(network, indices, offsets)
    run = Run(network, indices, offsets, activity, description)
    alive = {name for name, train in activity.trains.items() if len(train.tick)}
    alive |= _moved(network, indices, offsets)
    front = silent_front(Wiring.of(network), alive)
    meant = set(network.inputs if fed is None else fed)
    idle = {name: _input_finding(network, activity, name) for name in front.inputs}
    findings = [finding for name, finding in idle.items() if name in meant]
    findings += [
        Finding(
            name,
            Cause.INPUT_NOT_CONNECTED,
            f"input {name} leads to no population: no edge of the network starts there",
            "an edge from it",
        )
        for name in network.inputs
        if name in alive and not any(q.source == name for q in network.projections)
    ]
    excused = {name: _unfed_excitation(network, name, idle, meant) for name in front.populations}
    reasons = {
        name: _why(SilentPopulation(run, name)) for name in front.populations if not excused[name]
    }
    noted = {name for name in reasons if only_inhibits(network, name)}
    findings += [reason for name, reason in reasons.items() if name not in noted]
    silenced = {name: by for name, by in excused.items() if by}
    silenced |= {name: by for name, by in front.behind.items() if not noted.issuperset(by)}
    findings += [
        Finding(
            name,
            Cause.NO_PATH,
            f"no input excites {name}: no path leads there but through inhibition, and no bias "
            "drives it",
            "an edge from an input, a population that is reached, or a bias",
        )
        for name in (*front.cut_off, *(name for name in front.behind if name not in silenced))
    ]
    known = {finding.node for finding in findings if finding.cause is Cause.DEAD_KERNELS}
    for population in network.populations:
        channels = dead_channels(network, population.name)
        if channels and population.name not in known and population.name in alive:
            findings.append(dead_kernels(population.name, channels, population))
    return SilenceReport(
        activity.ticks,
        tuple(_what(activity, name) for name in network.inputs),
        tuple(_what(activity, p.name) for p in network.populations),
        tuple(findings),
        (
            *(finding for name, finding in idle.items() if name not in meant),
            *(reasons[name] for name in reasons if name in noted),
        ),
        silenced,
    )


def input_that_does_not_fit(network: FixedNetwork, indices: Indices) -> Finding | None:
    """Channels that no input of the network has."""
    channels = sum(port.size for port in network.inputs.values())
    given = np.asarray(indices)
    if not given.size or 0 <= given.min() <= given.max() < channels:
        return None
    ports = ", ".join(
        f"{name} {port.offset}..{port.offset + port.size - 1} "
        f"({'x'.join(str(length) for length in port.shape)})"
        for name, port in network.inputs.items()
    )
    return Finding(
        "input",
        Cause.INPUT_DOES_NOT_FIT,
        f"the input has the channels {given.min()}..{given.max()}, the network has "
        f"{channels:,}: {ports or 'none'}",
        "channels counted over all inputs in this order; check the shape (an image is flattened as "
        "channel, row, column)",
        {"least": int(given.min()), "most": int(given.max()), "channels": channels},
    )


def _why(silent: SilentPopulation) -> Finding:
    found = structural_cause(silent)
    if found is not None:
        return found
    if silent.population.spiking:
        return cause_by_experiment(silent)
    return Finding(
        silent.name,
        Cause.WEIGHTS_MISS,
        f"{silent.name} (it does not spike) stays at rest: what arrives does not move its membrane "
        "by one step of the integers",
        "larger weights",
    )


def _unfed_excitation(
    network: FixedNetwork, name: str, idle: Collection[str], meant: Collection[str]
) -> tuple[str, ...]:
    """Idle inputs that nothing was meant for and that would excite a population."""
    exciting = [q.source for q in network.projections if q.target == name and (q.weight > 0).any()]
    return tuple(source for source in idle if source in exciting and source not in meant)


def _input_finding(network: FixedNetwork, activity: Activity, name: str) -> Finding:
    port = network.inputs[name]
    elsewhere = [other for other in network.inputs if len(activity.trains[other].tick)]
    place = f"channels {port.offset} to {port.offset + port.size - 1}"
    given = (
        f"while {', '.join(elsewhere)} is given some" if elsewhere else "and no other input either"
    )
    return Finding(
        name,
        Cause.NO_INPUT,
        f"input {name} ({place}) is given no spike in {activity.ticks} ticks, {given}",
        "spikes in its channels",
        {"offset": port.offset, "size": port.size},
    )


def _moved(network: FixedNetwork, indices: Indices, offsets: NDArray[np.int64]) -> set[str]:
    """Populations without spikes whose membrane leaves 0."""
    waiting = {p.name for p in network.populations if not p.spiking}
    runner, found = CpuRunner(network), set()
    for tick in range(len(offsets) - 1):
        if not waiting:
            break
        runner.step(indices[offsets[tick] : offsets[tick + 1]])
        now = {name for name in waiting if runner.membrane(name).any()}
        found |= now
        waiting -= now
    return found


def _what(activity: Activity, name: str) -> SourceActivity:
    train = activity.trains[name]
    return SourceActivity(
        name,
        train.n_neurons,
        len(train.tick),
        len(np.unique(train.neuron)),
        int(train.tick[0]) if len(train.tick) else None,
    )
