# SPDX-License-Identifier: Apache-2.0
"""A plain dense implementation of Loihi's equations, to compare engines with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from neuro_control.network import FixedNetwork, FixedPopulation, FixedProjection, Port


def decayed(z: np.ndarray, d: np.ndarray) -> np.ndarray:
    return np.sign(z) * ((np.abs(z) * (4096 - d)) >> 12)


class DenseReference:
    """Every product of every weight, in 64 bits, with one array a population."""

    def __init__(self, network: FixedNetwork) -> None:
        self.network = network
        self.u = {p.name: np.zeros(p.size, np.int64) for p in network.populations}
        self.v = {name: u.copy() for name, u in self.u.items()}
        self.waiting = [
            {name: np.zeros_like(u) for name, u in self.u.items()}
            for _ in range(network.longest_delay + 1)
        ]
        self.w = {name: u.copy() for name, u in self.u.items()}
        self.held = {name: u.copy() for name, u in self.u.items()}
        self.spikes = {name: np.zeros(0, np.int64) for name in self.u}
        self.matrices = [q.matrix().astype(np.int64) for q in network.projections]

    def step(self, active: np.ndarray) -> np.ndarray:
        ports = self.network.inputs.values()
        outside = np.bincount(active, minlength=sum(port.size for port in ports))
        for port in ports:
            most = 2**port.message_bits - 1 if port.message_bits else 1
            own = slice(port.offset, port.offset + port.size)
            outside[own] = np.minimum(outside[own], most)
        x = {n: outside[p.offset : p.offset + p.size] for n, p in self.network.inputs.items()}
        for p in self.network.populations:
            u = decayed(self.u[p.name], p.du.astype(np.int64) + 1)
            u += self.waiting[0][p.name] << 6
            u = np.where(u > 2**23, u - 2**24, np.where(u <= -(2**23), u + 2**24, u))
            bias = p.bias_mantissa.astype(np.int64) << p.bias_exponent
            v = decayed(self.v[p.name], p.dv.astype(np.int64)) + u + bias
            v = np.clip(v, -(2**23) + 1, 2**23 - 1)
            held = self.held[p.name] > 0
            v = np.where(held, 0, v)
            w = decayed(self.w[p.name], p.threshold_decay.astype(np.int64))
            spikes = (v > (p.vth.astype(np.int64) << 6) + w) & p.spiking & ~held
            self.u[p.name], self.v[p.name] = u, np.where(spikes, 0, v)
            risen = np.minimum(w + (p.threshold_step.astype(np.int64) << 6), 2**23 - 1)
            self.w[p.name] = np.where(spikes, risen, w)
            self.held[p.name] = np.where(spikes, p.refractory, np.maximum(self.held[p.name] - 1, 0))
            x[p.name] = spikes.astype(np.int64)
            self.spikes[p.name] = np.flatnonzero(spikes)
        self.waiting.append({name: np.zeros_like(u) for name, u in self.u.items()})
        del self.waiting[0]
        for q, matrix in zip(self.network.projections, self.matrices, strict=True):
            sums, e = matrix @ x[q.source], q.weight_exponent
            self.waiting[q.delay][q.target] += sums << e if e > 0 else sums >> -e
        return np.concatenate(
            [np.zeros(0, np.int64)]
            + [
                port.offset + np.flatnonzero(x[self.network.output_populations[name]])
                for name, port in self.network.outputs.items()
            ]
        )

    @property
    def pending(self) -> np.ndarray:
        return np.stack([self.all(a) for a in self.waiting])

    def all(self, values: dict[str, np.ndarray]) -> np.ndarray:
        return np.concatenate([values[p.name] for p in self.network.populations])


@pytest.fixture(scope="session")
def dense_reference() -> Callable[[FixedNetwork], DenseReference]:
    return DenseReference


def parameters(rng: np.random.Generator, size: int, most: int, each: bool) -> np.ndarray:
    """Integers 0..most with a liking for the ends and the middle of the range."""
    n = size if each else 1
    kind = rng.integers(4)
    values = [
        rng.integers(0, most + 1, n),
        rng.integers(0, min(most, 200) + 1, n),
        np.full(n, most),
        np.zeros(n, int),
    ][kind]
    return np.broadcast_to(values, size)


def weights(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    low, high = [(-300, 300), (0, 300), (-300, 0), (-20, 20), (200, 300)][rng.integers(5)]
    density = rng.choice([0.1, 0.4, 1.0])
    return rng.integers(low, high + 1, shape) * (rng.random(shape) < density)


def memory_of_spikes(rng: np.random.Generator, size: int) -> dict[str, np.ndarray]:
    found = {}
    if rng.random() < 0.3:
        found["refractory"] = rng.integers(0, 6, size)
    if rng.random() < 0.3:
        found["threshold_step"] = rng.integers(0, 131072, size) >> rng.integers(0, 17)
        found["threshold_decay"] = rng.integers(0, 4096, size) >> rng.integers(0, 12)
    return found


def random_fixed_network(
    seed: int, n_inputs: int, n_populations: int, synapses: int, graded: bool = False
):
    """Any graph: self-recurrence, several synapses between the same two, every range."""
    rng = np.random.default_rng(seed)
    sizes = {f"in{i}": int(rng.integers(1, 13)) for i in range(n_inputs)}
    inputs, offset = {}, 0
    for name, size in sizes.items():
        # Of another generator, so that the rest of a network is that of its seed.
        bits = int(np.random.default_rng((seed, offset)).choice([0, 1, 3, 8])) if graded else 0
        inputs[name] = Port(offset, size, (size,), bits)
        offset += size
    populations, offset = [], 0
    for i in range(n_populations):
        size, each = int(rng.integers(1, 13)), bool(rng.integers(2))
        mantissa = rng.integers(-4096, 4096, size) * rng.choice([0, 1])
        populations.append(
            FixedPopulation(
                f"n{i}",
                (size,),
                offset,
                parameters(rng, size, 4095, each),
                parameters(rng, size, 4095, each),
                parameters(rng, size, 131071, each),
                mantissa,
                int(rng.integers(8)),
                bool(rng.integers(8)),
                **memory_of_spikes(rng, size),
            )
        )
        sizes[f"n{i}"] = size
        offset += size
    projections = []
    for _ in range(synapses):
        source = str(rng.choice(list(sizes)))
        target = f"n{rng.integers(n_populations)}"
        projections.append(
            FixedProjection.from_matrix(
                source,
                target,
                weights(rng, (sizes[target], sizes[source])),
                weight_exponent=int(rng.integers(-8, 8)),
                num_weight_bits=int(rng.integers(1, 9)),
                delay=int(rng.choice([0, 0, 1, 2, 7])),
            )
        )
    outputs, shown, offset = {}, {}, 0
    for i in rng.permutation(n_populations)[: rng.integers(0, n_populations + 1)]:
        outputs[f"out{i}"] = Port(offset, sizes[f"n{i}"], (sizes[f"n{i}"],))
        shown[f"out{i}"] = f"n{i}"
        offset += sizes[f"n{i}"]
    return FixedNetwork(tuple(populations), tuple(projections), inputs, outputs, shown, 1e-3)


@pytest.fixture(scope="session")
def fixed_network() -> Callable[..., FixedNetwork]:
    return random_fixed_network
