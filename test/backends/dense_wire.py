# SPDX-License-Identifier: Apache-2.0
"""Loihi's equations for a network as the worker gets it: dense, in numpy, one tick after another.

It imports nothing that is compiled, so that a process that steps with it starts at once.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from neuro_control.worker.wire_network import WireNetwork


def decayed(z: np.ndarray, d: np.ndarray) -> np.ndarray:
    return np.sign(z) * ((np.abs(z) * (4096 - d)) >> 12)


class DenseWire:
    """Every product of every weight, in 64 bits; state in one array over all populations."""

    def __init__(self, network: WireNetwork) -> None:
        self.n_inputs, self.n_outputs = network.n_inputs, network.n_outputs
        populations = network.populations
        every = {
            name: np.concatenate([getattr(p, name).astype(np.int64) for p in populations])
            for name in ("du", "dv", "vth", "bias_mantissa")
        }
        sizes = [len(p.du) for p in populations]
        self.du, self.dv, self.limit = every["du"] + 1, every["dv"], every["vth"] << 6
        self.bias = every["bias_mantissa"] << np.repeat(
            [p.bias_exponent for p in populations], sizes
        )
        self.spiking = np.repeat([p.spiking for p in populations], sizes)
        where = {p.name: slice(p.offset, p.offset + len(p.du)) for p in populations}
        self.outputs = [(offset, where[name]) for offset, name in network.outputs]
        # Inputs first, then neurons.
        sources = {name: slice(at, at + size) for name, (at, size) in network.inputs.items()}
        sources |= {
            name: slice(self.n_inputs + at.start, self.n_inputs + at.stop)
            for name, at in where.items()
        }
        self.synapses = []
        for q in network.projections:
            matrix = np.zeros((q.n_target, q.n_source), np.int64)
            matrix[q.target_index, q.source_index] = q.weight
            self.synapses.append(
                (matrix, sources[q.source], where[q.target], q.weight_exponent, q.delay)
            )
        n = network.n_neurons
        self.u, self.v = np.zeros(n, np.int64), np.zeros(n, np.int64)
        self.waiting = np.zeros((network.longest_delay + 1, n), np.int64)

    def step(self, active: np.ndarray) -> np.ndarray:
        """Active inputs to active outputs, of one tick."""
        u = decayed(self.u, self.du) + (self.waiting[0] << 6)
        u = np.where(u > 2**23, u - 2**24, np.where(u <= -(2**23), u + 2**24, u))
        v = np.clip(decayed(self.v, self.dv) + u + self.bias, -(2**23) + 1, 2**23 - 1)
        spikes = (v > self.limit) & self.spiking
        self.u, self.v = u, np.where(spikes, 0, v)
        x = np.zeros(self.n_inputs + len(spikes), np.int64)
        x[active] = 1
        x[self.n_inputs :] = spikes
        self.waiting = np.roll(self.waiting, -1, axis=0)
        self.waiting[-1] = 0
        for matrix, source, target, e, delay in self.synapses:
            sums = matrix @ x[source]
            self.waiting[delay, target] += sums << e if e > 0 else sums >> -e
        seen = [offset + np.flatnonzero(spikes[place]) for offset, place in self.outputs]
        return np.sort(np.concatenate([np.zeros(0, np.int64), *seen])).astype(np.int32)

    def run(self, indices: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `neuro_control.backends.Runner.run`."""
        parts = [self.step(indices[a:b]) for a, b in pairwise(offsets)]
        ends = np.cumsum([0, *map(len, parts)]).astype(np.int64)
        return np.concatenate([np.zeros(0, np.int32), *parts]), ends

    def state(self) -> dict[str, np.ndarray]:
        """What decides the spikes to come."""
        return {"current": self.u, "membrane": self.v, "pending": self.waiting}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on from there. ValueError where it is of another size, or no such state can be."""
        for name, mine in self.state().items():
            if state[name].shape != mine.shape:
                raise ValueError(f"{name} is {state[name].shape}, not {mine.shape}")
        if any(np.abs(state[name]).max(initial=0) > 2**23 for name in ("current", "membrane")):
            raise ValueError("currents and membranes have 24 bits")
        self.u, self.v, self.waiting = (
            state[name].copy() for name in ("current", "membrane", "pending")
        )
