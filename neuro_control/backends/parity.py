# SPDX-License-Identifier: Apache-2.0
"""Whether a backend gives the engine's spikes and state, on networks of any shape."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.cpu import CpuRunner
from neuro_control.backends.runner import Runner
from neuro_control.network import FixedNetwork, FixedPopulation, FixedProjection, Port

Integers = NDArray[np.int32]


@dataclass(frozen=True)
class Parity:
    """What a comparison found.

    Attributes:
        ticks, spikes: that were compared; spikes of the outputs.
        spikes_differing: outputs that one has and the other has not.
        states: how often the whole state was compared.
        values_differing: neurons whose current, membrane or pending input differed, summed.
        tick_ms: median time of a tick of the backend, milliseconds.
    """

    ticks: int
    spikes: int
    spikes_differing: int
    states: int
    values_differing: int
    tick_ms: float

    @property
    def exact(self) -> bool:
        """Whether nothing differed."""
        return self.spikes_differing == 0 and self.values_differing == 0


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

    activity: share of the inputs that spike in a tick. batch: ticks of a call. states_every: calls
    between two comparisons of the state; the last is always compared.
    """
    rng = np.random.default_rng(seed)
    engine = CpuRunner(network)
    n_inputs = sum(port.size for port in network.inputs.values())
    spikes = differing = states = values = 0
    times = []
    calls = max(-(-ticks // batch), 1)
    for call in range(calls):
        parts = [
            np.flatnonzero(rng.random(n_inputs) < activity).astype(np.int32) for _ in range(batch)
        ]
        offsets = np.cumsum([0, *map(len, parts)]).astype(np.int64)
        indices = np.concatenate(parts)
        begin = time.perf_counter()
        mine = runner.run(indices, offsets)
        times.append((time.perf_counter() - begin) / batch)
        theirs = engine.run(indices, offsets)
        spikes += len(theirs[0])
        differing += sum(
            len(
                np.setxor1d(
                    mine[0][mine[1][t] : mine[1][t + 1]],
                    theirs[0][theirs[1][t] : theirs[1][t + 1]],
                )
            )
            for t in range(batch)
        )
        if call % states_every == states_every - 1 or call == calls - 1:
            states += 1
            found = runner.state().differences(engine.state())
            values += sum(len(index) for index in found.values())
    return Parity(calls * batch, spikes, differing, states, values, float(np.median(times)) * 1e3)


def random_network(seed: int) -> FixedNetwork:
    """Any network of what Lava's fixed-point processes can do, small, seeded.

    Two inputs, two to four populations, recurrent and parallel synapses, delays, all sign modes,
    weights beyond what 8 bits hold, decays and thresholds at both ends of their ranges.
    """
    rng = np.random.default_rng(seed)
    sizes = {f"in{i}": int(rng.integers(1, 13)) for i in range(2)}
    inputs, offset = {}, 0
    for name, size in sizes.items():
        inputs[name] = Port(offset, size, (size,))
        offset += size
    populations, offset = [], 0
    for i in range(int(rng.integers(2, 5))):
        size = int(rng.integers(1, 17))
        each = bool(rng.integers(2))
        populations.append(
            FixedPopulation(
                f"n{i}",
                (size,),
                offset,
                _parameters(rng, size, 4095, each),
                _parameters(rng, size, 4095, each),
                _parameters(rng, size, 131071, each),
                (rng.integers(-4096, 4096, size) * int(rng.choice([0, 1]))).astype(np.int32),
                int(rng.integers(8)),
            )
        )
        sizes[f"n{i}"] = size
        offset += size
    names = [p.name for p in populations]
    projections = []
    for _ in range(int(rng.integers(3, 7))):
        source, target = str(rng.choice(list(sizes))), str(rng.choice(names))
        low, high = [(-300, 300), (0, 300), (-300, 0), (-20, 20)][rng.integers(4)]
        shape = (sizes[target], sizes[source])
        density = rng.choice([0.1, 0.4, 1.0])
        projections.append(
            FixedProjection.from_matrix(
                source,
                target,
                rng.integers(low, high + 1, shape) * (rng.random(shape) < density),
                weight_exponent=int(rng.integers(-8, 8)),
                num_weight_bits=int(rng.integers(1, 9)),
                delay=int(rng.choice([0, 0, 1, 2, 7])),
            )
        )
    outputs, shown, offset = {}, {}, 0
    for name in names:
        outputs[f"out_{name}"] = Port(offset, sizes[name], (sizes[name],))
        shown[f"out_{name}"] = name
        offset += sizes[name]
    return FixedNetwork(tuple(populations), tuple(projections), inputs, outputs, shown, 1e-3)


def _parameters(rng: np.random.Generator, size: int, most: int, each: bool) -> Integers:
    """Integers 0..most with a liking for the ends of the range."""
    n = size if each else 1
    values = [
        rng.integers(0, most + 1, n),
        rng.integers(0, min(most, 200) + 1, n),
        np.full(n, most),
        np.zeros(n, np.int64),
    ][rng.integers(4)]
    return np.broadcast_to(values, (size,)).astype(np.int32)
