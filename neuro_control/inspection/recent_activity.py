# SPDX-License-Identifier: Apache-2.0
"""The last ticks of a network that runs: spikes and synaptic operations by node, and its input.

Counted is what the network did, exactly, for as long as its spikes are looked at. The input is kept
so that the same ticks can be gone through again elsewhere (`ProfileProcess`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.runner import Indices
from neuro_control.network import FixedNetwork

KEPT_TICKS = 1000
"""Ticks that are kept at least, once so many have been looked at; whole additions fall out."""

Train = tuple[NDArray[np.int64], Indices]
"""Number of the tick and of the neuron of every spike, int64[m] and int32[m]; ticks ascending."""


@dataclass(frozen=True)
class NodeCount:
    """What one node did.

    Attributes:
        name: of the input or population.
        spikes: its own; None where a backend does not show them.
        operations: of each projection into it, its name and the synapses that spikes passed; None
            of one whose source is not shown.
    """

    name: str
    spikes: int | None
    operations: tuple[tuple[str, int | None], ...]

    @property
    def all_operations(self) -> int | None:
        """Into it; None where some of them are not known."""
        counts = [n for _, n in self.operations]
        known = [n for n in counts if n is not None]
        return sum(known) if len(known) == len(counts) else None


@dataclass(frozen=True, eq=False)
class _Part:
    ticks: int
    spikes: NDArray[np.int64]
    operations: NDArray[np.int64]
    tick: NDArray[np.int64]
    channel: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RecentInput:
    """The input of the last ticks; it stays what it is while others are added.

    To join its parts takes some milliseconds for each hundred thousand spikes, which a thread has
    and whoever steers has not.
    """

    parts: tuple[_Part, ...]
    channels: int

    def joined(self) -> tuple[Indices, NDArray[np.int64]]:
        """As `Runner.run` takes it."""
        ticks = np.cumsum([0, *(part.ticks for part in self.parts)])
        span = max(self.channels, 1)
        begun = zip(self.parts, ticks, strict=False)
        keys = [(part.tick + first) * span + part.channel for part, first in begun]
        key = np.concatenate([np.zeros(0, np.int64), *keys])
        # Each input of each part ascends already, of which this kind makes use.
        key.sort(kind="stable")
        offsets = np.searchsorted(key, np.arange(ticks[-1] + 1) * span).astype(np.int64)
        return (key % span).astype(np.int32), offsets


class RecentActivity:
    """Sums over the last `KEPT_TICKS` ticks.

    shown: of each input and then each population, whether its spikes can be had.
    """

    def __init__(self, network: FixedNetwork, shown: Sequence[bool]) -> None:
        self._network = network
        self._names = [*network.inputs, *(p.name for p in network.populations)]
        self._shown = dict(zip(self._names, shown, strict=True))
        self._fan_out = [np.diff(q.row_start) for q in network.projections]
        self._sources = [self._names.index(q.source) for q in network.projections]
        self._offsets = [port.offset for port in network.inputs.values()]
        self._channels = sum(port.size for port in network.inputs.values())
        self._parts: deque[_Part] = deque()
        self.ticks = 0

    def forget(self) -> None:
        """Begin anew: ticks that were not looked at lie between."""
        self._parts.clear()
        self.ticks = 0

    def add(self, ticks: int, trains: Sequence[Train]) -> None:
        """Ticks that follow on the last ones, with the spikes of every input and population."""
        spikes = np.array([len(neuron) for _, neuron in trains], np.int64)
        operations = np.array(
            [
                fan_out[trains[source][1]].sum()
                for fan_out, source in zip(self._fan_out, self._sources, strict=True)
            ],
            np.int64,
        )
        given = trains[: len(self._offsets)]
        tick = np.concatenate([np.zeros(0, np.int64), *(t for t, _ in given)])
        channels = [n.astype(np.int64) + o for (_, n), o in zip(given, self._offsets, strict=True)]
        channel = np.concatenate([np.zeros(0, np.int64), *channels])
        self._parts.append(_Part(ticks, spikes, operations, tick, channel))
        self.ticks += ticks
        while self.ticks - self._parts[0].ticks >= KEPT_TICKS:
            self.ticks -= self._parts.popleft().ticks

    def counts(self) -> list[NodeCount]:
        """Of every input and population, in order."""
        spikes = sum((part.spikes for part in self._parts), np.zeros(len(self._names), np.int64))
        none = np.zeros(len(self._sources), np.int64)
        operations = sum((part.operations for part in self._parts), none)
        return [
            NodeCount(
                name,
                int(spikes[number]) if self._shown[name] else None,
                tuple(
                    (q.name, int(operations[k]) if self._shown[q.source] else None)
                    for k, q in enumerate(self._network.projections)
                    if q.target == name
                ),
            )
            for number, name in enumerate(self._names)
        ]

    def given(self) -> RecentInput:
        """The input of these ticks."""
        return RecentInput(tuple(self._parts), self._channels)
