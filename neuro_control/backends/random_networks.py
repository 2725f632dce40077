# SPDX-License-Identifier: Apache-2.0
"""Random networks of what Lava's fixed-point processes can do, to compare backends on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuro_control.network import (
    Conv2d,
    FixedNetwork,
    FixedPopulation,
    FixedProjection,
    Port,
)
from neuro_control.network.lowering import synapse_map

Integers = NDArray[np.int32]
SIGNS = ((-300, 300), (0, 300), (-300, 0), (-20, 20))
"""Ranges of weights: mixed, excitatory, inhibitory, and mixed but small."""


def random_convolution(seed: int) -> FixedNetwork:
    """An image, two convolutions after one another and a dense read-out, small, seeded.

    Kernels of 1 to 3, strides, paddings and groups, all sign modes, delays, and in half of them
    recurrent synapses of the read-out.
    """
    rng = np.random.default_rng(seed)
    shape: tuple[int, ...] = (int(rng.choice([1, 2])), *rng.integers(4, 6, 2).tolist())
    inputs = {"image": Port(0, int(np.prod(shape)), shape)}
    populations: list[FixedPopulation] = []
    projections = []
    source, offset = "image", 0
    for name in ("conv0", "conv1"):
        groups = shape[0] if rng.random() < 0.3 else 1
        channels = groups * int(rng.integers(1, 3 if groups < 3 else 2))
        padding = int(rng.integers(0, 2))
        kernel = np.minimum(rng.integers(1, 4, 2), np.add(shape[1:], 2 * padding))
        low, high = SIGNS[rng.integers(4)]
        weight = rng.integers(low, high + 1, (channels, shape[0] // groups, *kernel)).astype(float)
        node = Conv2d(weight, stride=int(rng.integers(1, 3)), padding=padding, groups=groups)
        entries = synapse_map(node, shape)
        matrix = np.zeros((entries.n_target, entries.n_source), np.int64)
        matrix[entries.target, entries.sources()] = entries.weight
        projections.append(_projection(rng, source, name, matrix))
        shape = node.output_shape(shape)
        populations.append(_population(rng, name, shape, offset))
        source, offset = name, offset + populations[-1].size
    populations.append(_population(rng, "out", (int(rng.integers(1, 6)),), offset))
    n_out = populations[-1].size
    projections.append(
        _projection(rng, source, "out", _matrix(rng, n_out, populations[-2].size, 1.0))
    )
    if rng.integers(2):
        projections.append(_projection(rng, "out", "out", _matrix(rng, n_out, n_out, 1.0)))
    return _network(populations, projections, inputs)


def random_network(seed: int) -> FixedNetwork:
    """Dense populations, small, seeded.

    Two inputs, two to four populations, recurrent and parallel synapses, delays, all sign modes,
    weights beyond what 8 bits hold, decays and thresholds at both ends of their ranges.
    """
    rng = np.random.default_rng(seed)
    sizes = {f"in{i}": int(rng.integers(1, 13)) for i in range(2)}
    inputs, offset = {}, 0
    for name, size in sizes.items():
        inputs[name] = Port(offset, size, (size,))
        offset += size
    populations: list[FixedPopulation] = []
    offset = 0
    for i in range(int(rng.integers(2, 5))):
        size = int(rng.integers(1, 17))
        populations.append(_population(rng, f"n{i}", (size,), offset))
        sizes[f"n{i}"] = size
        offset += size
    names = [p.name for p in populations]
    projections = []
    for _ in range(int(rng.integers(3, 7))):
        source, target = str(rng.choice(list(sizes))), str(rng.choice(names))
        density = float(rng.choice([0.1, 0.4, 1.0]))
        matrix = _matrix(rng, sizes[target], sizes[source], density)
        projections.append(_projection(rng, source, target, matrix))
    return _network(populations, projections, inputs)


def _population(
    rng: np.random.Generator, name: str, shape: tuple[int, ...], offset: int
) -> FixedPopulation:
    size, each = int(np.prod(shape)), bool(rng.integers(2))
    return FixedPopulation(
        name,
        shape,
        offset,
        _parameters(rng, size, 4095, each),
        _parameters(rng, size, 4095, each),
        _parameters(rng, size, 131071, each),
        (rng.integers(-4096, 4096, size) * int(rng.choice([0, 1]))).astype(np.int32),
        int(rng.integers(8)),
    )


def _matrix(
    rng: np.random.Generator, n_target: int, n_source: int, density: float
) -> NDArray[np.int64]:
    low, high = SIGNS[rng.integers(4)]
    shape = (n_target, n_source)
    return rng.integers(low, high + 1, shape) * (rng.random(shape) < density)


def _projection(
    rng: np.random.Generator, source: str, target: str, matrix: NDArray[np.int64]
) -> FixedProjection:
    return FixedProjection.from_matrix(
        source,
        target,
        matrix,
        weight_exponent=int(rng.integers(-8, 8)),
        num_weight_bits=int(rng.integers(1, 9)),
        delay=int(rng.choice([0, 0, 1, 2, 7])),
    )


def _network(
    populations: list[FixedPopulation],
    projections: list[FixedProjection],
    inputs: dict[str, Port],
) -> FixedNetwork:
    """All populations are outputs."""
    outputs = {f"out_{p.name}": Port(p.offset, p.size, p.shape) for p in populations}
    shown = {f"out_{p.name}": p.name for p in populations}
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
