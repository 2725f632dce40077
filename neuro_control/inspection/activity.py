# SPDX-License-Identifier: Apache-2.0
"""Who spiked when in a run, and one population by itself that is given what it heard.

A population's neurons depend on nothing but the spikes of its sources. So it can be stepped alone,
by the same engine and with the same result, as a network whose inputs are those sources; its own
spikes are among them where it is recurrent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.cpu import CpuRunner
from neuro_control.backends.recorder import SpikeTrain, check_trains, record
from neuro_control.backends.runner import Indices, RunCounters
from neuro_control.network import FixedNetwork, FixedProjection, Port


@dataclass(frozen=True, eq=False)
class Activity:
    """The spikes of a run from rest.

    Attributes:
        ticks: how many were done.
        trains: by name of input or population; a channel that is given twice in a tick counts once,
            and up to its largest payload where the input is graded.
        counters: of the runner.
    """

    ticks: int
    trains: Mapping[str, SpikeTrain]
    counters: RunCounters


@dataclass(frozen=True, eq=False)
class Isolated:
    """A population alone: ``network`` has it and nothing else, and its one output shows it.

    ``indices`` and ``offsets`` are what its sources gave, for `Runner.run`.
    """

    network: FixedNetwork
    indices: Indices
    offsets: NDArray[np.int64]


def record_activity(
    network: FixedNetwork, indices: Indices, offsets: NDArray[np.int64]
) -> Activity:
    """Run a network from rest and keep the spikes of all inputs and populations.

    Raises:
        ValueError: the input does not fit the network.
    """
    runner = CpuRunner(network)
    indices, offsets = check_trains(runner, indices, offsets)
    recording = record(runner, indices, offsets)
    ticks = recording.n_ticks
    n_inputs = sum(port.size for port in network.inputs.values())
    tick = np.repeat(np.arange(ticks, dtype=np.int64), np.diff(offsets))
    channels = max(n_inputs, 1)
    # Ticks stand behind one another as channels do, so that payloads are counted in each.
    largest = np.ones(channels, np.int64)
    for port in network.inputs.values():
        largest[port.offset : port.offset + port.size] = port.largest_payload
    key, counts = np.unique(tick * channels + indices, return_counts=True)
    key = np.repeat(key, np.minimum(counts, largest[key % channels]))
    tick, channel = np.divmod(key, channels)
    trains = {}
    for name, port in network.inputs.items():
        mine = (channel >= port.offset) & (channel < port.offset + port.size)
        own = (channel[mine] - port.offset).astype(np.int32)
        trains[name] = SpikeTrain(tick[mine], own, port.size)
    return Activity(ticks, {**trains, **recording.spikes}, runner.counters)


def isolate(
    network: FixedNetwork,
    activity: Activity,
    name: str,
    projections: tuple[FixedProjection, ...] | None = None,
) -> Isolated:
    """One population with what its sources gave in a run.

    Args:
        network: the whole.
        activity: a run of it.
        name: of the population.
        projections: those into it that are kept; all by default.
    """
    population = replace(network.population(name), offset=0)
    into = [q for q in network.projections if q.target == name]
    kept = into if projections is None else list(projections)
    # An input may not have the population's name.
    renamed = {q.source: f"{q.source} before" if q.source == name else q.source for q in kept}
    ports, trains, offset = {}, [], 0
    for source, port_name in renamed.items():
        train = activity.trains[source]
        bits = network.inputs[source].message_bits if source in network.inputs else 0
        ports[port_name] = Port(offset, train.n_neurons, (train.n_neurons,), bits)
        trains.append((train.tick, train.neuron.astype(np.int64) + offset))
        offset += train.n_neurons
    alone = FixedNetwork(
        (population,),
        tuple(replace(q, source=renamed[q.source]) for q in kept),
        ports,
        {"out": Port(0, population.size, population.shape)},
        {"out": name},
        network.dt_s,
    )
    nothing = np.zeros(0, np.int64)
    tick = np.concatenate([nothing, *(t for t, _ in trains)])
    channel = np.concatenate([nothing, *(c for _, c in trains)])
    order = np.lexsort((channel, tick))
    offsets = np.searchsorted(tick[order], np.arange(activity.ticks + 1)).astype(np.int64)
    return Isolated(alone, channel[order].astype(np.int32), offsets)


def operations_by_projection(network: FixedNetwork, activity: Activity) -> NDArray[np.int64]:
    """Synapses that a spike passed, int64[projections]; they add up to the runner's count."""
    return np.array(
        [np.diff(q.row_start)[activity.trains[q.source].neuron].sum() for q in network.projections],
        np.int64,
    )
