# SPDX-License-Identifier: Apache-2.0
"""Whether a backend gives the engine's spikes, membranes and state on the same input."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.cpu import CpuRunner
from neuro_control.backends.process_runner import ProcessRunner
from neuro_control.backends.runner import Indices, Runner, RunnerState
from neuro_control.network import FixedNetwork, Port


@dataclass(frozen=True)
class Parity:
    """What a comparison found.

    Attributes:
        ticks, spikes: that were compared; spikes of the outputs.
        spikes_differing: outputs that one has and the other has not, summed over ticks.
        membranes: that were compared after a tick, each neuron in each tick; 0 for a backend that
            does not record them.
        membranes_differing: of those.
        states: how often the whole state was read and compared.
        values_differing: neurons whose current, membrane or pending input differed, summed.
        tick_ms: median time of a tick of the backend, milliseconds.
        first_difference: tick, neuron and both values; '' if there is none.
    """

    ticks: int
    spikes: int
    spikes_differing: int
    membranes: int
    membranes_differing: int
    states: int
    values_differing: int
    tick_ms: float
    first_difference: str = ""

    @property
    def exact(self) -> bool:
        """Whether nothing differed."""
        return not (self.spikes_differing or self.membranes_differing or self.values_differing)


class _Differences:
    """Counts what differs and describes the first."""

    def __init__(self, network: FixedNetwork) -> None:
        self._network = network
        self.first = ""

    def spikes(self, tick: int, mine: Indices, theirs: Indices) -> int:
        odd = np.setxor1d(mine, theirs)
        if len(odd):
            channel = int(odd[0])
            name, neuron = _place(self._network.outputs, channel)
            said = ("is silent", "spikes")
            there = bool(np.isin(channel, mine))
            self._note(
                f"tick {tick}: neuron {neuron} of output {name!r} {said[there]} there and "
                f"{said[not there]} here"
            )
        return len(odd)

    def membranes(self, tick: int, mine: NDArray[np.int32], theirs: NDArray[np.int64]) -> int:
        odd = np.flatnonzero(mine != theirs)
        if len(odd):
            self._value(tick, "membrane", int(odd[0]), mine, theirs)
        return len(odd)

    def state(self, tick: int, mine: RunnerState, theirs: RunnerState) -> int:
        found = mine.differences(theirs)
        for variable, index in found.items():
            one, other = getattr(mine, variable), getattr(theirs, variable)
            neuron = int(index[0])
            row = 0
            if one.ndim == 2:
                row = int(np.flatnonzero(one[:, neuron] != other[:, neuron])[0])
                one, other = one[row], other[row]
            self._value(tick, variable, neuron, one, other)
        return sum(len(index) for index in found.values())

    def _value(
        self, tick: int, variable: str, neuron: int, mine: NDArray[Any], theirs: NDArray[Any]
    ) -> None:
        name, at = _place(
            {p.name: Port(p.offset, p.size, p.shape) for p in self._network.populations}, neuron
        )
        self._note(
            f"tick {tick}: {variable} of neuron {at} of {name!r} is {mine[neuron]} there and "
            f"{theirs[neuron]} here"
        )

    def _note(self, text: str) -> None:
        self.first = self.first or text


def _place(ports: Mapping[str, Port], number: int) -> tuple[str, int]:
    """Whose it is, and its number there."""
    for name, port in ports.items():
        if port.offset <= number < port.offset + port.size:
            return name, number - port.offset
    return "?", number


def compare_with_engine(
    runner: Runner,
    network: FixedNetwork,
    ticks: int,
    *,
    seed: int = 0,
    activity: float = 0.2,
    batch: int = 10,
    states_every: int = 10,
) -> Parity:
    """Step a backend and the CPU engine on the same random input, and compare all there is.

    Spikes are compared in every tick, and membranes too where the backend records them (a
    `ProcessRunner` with the option ``record_membranes``).

    ticks: rounded up to whole calls, one at least. activity: share of the inputs that spike in a
    tick. batch: ticks of a call. states_every: calls between two comparisons of the state; the last
    is always compared.
    """
    engine = CpuRunner(network)
    odd = _Differences(network)
    spikes = differing = membranes = membranes_differing = states = values = tick = 0
    times = []
    calls = max(-(-ticks // batch), 1)
    for call, (indices, offsets) in enumerate(_input(network, calls, batch, activity, seed)):
        begin = time.perf_counter()
        mine, ends = runner.run(indices, offsets)
        times.append((time.perf_counter() - begin) / batch)
        recorded = runner.last.membranes if isinstance(runner, ProcessRunner) else None
        for t in range(batch):
            theirs = engine.step(indices[offsets[t] : offsets[t + 1]])
            spikes += len(theirs)
            differing += odd.spikes(tick, mine[ends[t] : ends[t + 1]], theirs)
            if recorded is not None:
                membranes += recorded.shape[1]
                membranes_differing += odd.membranes(tick, recorded[t], engine.state().membrane)
            tick += 1
        if call % states_every == states_every - 1 or call == calls - 1:
            states += 1
            values += odd.state(tick - 1, runner.state(), engine.state())
    return Parity(
        tick,
        spikes,
        differing,
        membranes,
        membranes_differing,
        states,
        values,
        float(np.median(times)) * 1e3,
        odd.first,
    )


def _input(
    network: FixedNetwork, calls: int, batch: int, activity: float, seed: int
) -> Iterator[tuple[Indices, NDArray[np.int64]]]:
    rng = np.random.default_rng(seed)
    n = sum(port.size for port in network.inputs.values())
    for _ in range(calls):
        parts = [np.flatnonzero(rng.random(n) < activity).astype(np.int32) for _ in range(batch)]
        yield np.concatenate(parts), np.cumsum([0, *map(len, parts)]).astype(np.int64)
