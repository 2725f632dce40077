# SPDX-License-Identifier: Apache-2.0
"""Chains of linear nodes turned into one sparse map from a spike source to a population."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from neuro_control.network.graph import Network
from neuro_control.network.neurons import NEURONS, FloatArray, Shape, size_of
from neuro_control.network.synapses import Affine, Delay, Flatten, Input, Linear, Scale, Synapse
from neuro_control.network.windows import AvgPool2d, Conv1d, Conv2d, Pair, SumPool2d

IndexArray = NDArray[np.int64]

LONGEST_DELAY = 1 << 31
"""Ticks of a Delay; far beyond what anything can wait for, and far below what 64 bits hold."""


@dataclass(frozen=True, eq=False)
class SparseMap:
    """A linear map stored by source: entries ``row_start[s]:row_start[s + 1]`` belong to s.

    ``target`` and ``weight`` are parallel; within a source the targets ascend and are unique.
    """

    n_target: int
    row_start: IndexArray
    target: IndexArray
    weight: FloatArray

    @property
    def n_source(self) -> int:
        """Number of sources."""
        return len(self.row_start) - 1

    def sources(self) -> IndexArray:
        """The source of every entry."""
        return np.repeat(np.arange(self.n_source, dtype=np.int64), np.diff(self.row_start))

    def only(self, kept: NDArray[np.bool_]) -> SparseMap:
        """The entries that are marked, bool[n]."""
        running = np.concatenate(([0], np.cumsum(kept)))
        return SparseMap(
            self.n_target, running[self.row_start], self.target[kept], self.weight[kept]
        )

    def apply(self, values: FloatArray) -> FloatArray:
        """The map of a dense vector [n_source] -> [n_target]."""
        contributions = self.weight * values[self.sources()]
        return cast(FloatArray, np.bincount(self.target, contributions, minlength=self.n_target))

    def then(self, other: SparseMap) -> SparseMap:
        """This map followed by another."""
        starts = other.row_start[self.target]
        counts = other.row_start[self.target + 1] - starts
        entry = np.repeat(np.arange(len(self.target), dtype=np.int64), counts)
        first = np.cumsum(counts) - counts
        position = np.arange(len(entry), dtype=np.int64) - first[entry] + starts[entry]
        weight = self.weight[entry] * other.weight[position]
        source = self.sources()[entry]
        return sparse_map(self.n_source, other.n_target, source, other.target[position], weight)


def sparse_map(
    n_source: int, n_target: int, source: IndexArray, target: IndexArray, weight: FloatArray
) -> SparseMap:
    """A SparseMap from coordinates in any order; entries of one pair are summed, zeros dropped."""
    key = source * np.int64(n_target) + target
    order = np.argsort(key, kind="stable")
    key, weight = key[order], weight[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    if len(first) != len(key):
        key, weight = key[first], np.add.reduceat(weight, first)
    kept = weight != 0
    key, weight = key[kept], weight[kept]
    row_start = np.searchsorted(key, np.arange(n_source + 1, dtype=np.int64) * n_target)
    return SparseMap(n_target, row_start.astype(np.int64), key % n_target, weight)


def identity(n: int) -> SparseMap:
    """The map that hands n values on."""
    index = np.arange(n, dtype=np.int64)
    return SparseMap(n, np.arange(n + 1, dtype=np.int64), index, np.ones(n))


@dataclass(frozen=True, eq=False)
class Connection:
    """One path of linear nodes from a spike source to a population.

    A path through a Delay of various lengths is one connection for each of them; ``delay`` counts
    ticks and ``delay_error`` is what rounding to ticks did to it at most, in ticks.
    """

    source: str
    via: tuple[str, ...]
    map: SparseMap
    delay: int = 0
    delay_error: float = 0.0

    def name(self, target: str) -> str:
        """How the projection is called that it makes into a population."""
        path = " -> ".join((self.source, *self.via, target))
        return f"{path} (delay {self.delay})" if self.delay else path

    def then(self, name: str, step: SparseMap | None) -> Connection:
        """This path and one linear node more; None for one that changes nothing."""
        onward = self.map if step is None else self.map.then(step)
        return replace(self, via=(*self.via, name), map=onward)

    def delayed(self, name: str, ticks: FloatArray) -> Iterator[Connection]:
        """This path through a Delay, given in ticks for each of its elements, flat.

        Raises:
            ValueError: naming the node, where it takes more than `LONGEST_DELAY` ticks.
        """
        if ticks.max() > LONGEST_DELAY:
            raise ValueError(
                f"node {name!r}: a delay of {ticks.max():.4g} ticks is too long, and at most "
                f"{LONGEST_DELAY} are taken; delays are in seconds"
            )
        rounded = np.rint(ticks).astype(np.int64)
        error = self.delay_error + float(np.abs(rounded - ticks).max())
        via = (*self.via, name)
        for length in np.unique(rounded):
            part = self.map.only(rounded[self.map.target] == length)
            yield Connection(self.source, via, part, self.delay + int(length), error)


class Lowering:
    """Every path and every constant input of a network, computed once a node."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._connections: dict[str, list[Connection]] = {}
        self._constants: dict[str, FloatArray] = {}

    def into(self, name: str) -> Iterator[Connection]:
        """The connections that end in population or output ``name``, in the order of edges."""
        for source in self._network.sources(name):
            yield from self._out_of(source)

    def constant_into(self, name: str) -> FloatArray:
        """What the biases on all paths into ``name`` add up to, flat."""
        total = np.zeros(size_of(self._network.shapes[name]))
        for source in self._network.sources(name):
            total = total + self._constant_out_of(source)
        return total

    def _is_source(self, name: str) -> bool:
        return isinstance(self._network.nodes[name], (Input, *NEURONS))

    def _out_of(self, name: str) -> list[Connection]:
        if name not in self._connections:
            size = size_of(self._network.shapes[name])
            if self._is_source(name):
                self._connections[name] = [Connection(name, (), identity(size))]
            else:
                node = cast(Synapse, self._network.nodes[name])
                paths = [p for s in self._network.sources(name) for p in self._out_of(s)]
                if isinstance(node, Delay):
                    ticks = np.broadcast_to(node.delay.ravel() / self._network.dt_s, size)
                    found = [part for path in paths for part in path.delayed(name, ticks)]
                else:
                    step = None if isinstance(node, Flatten) else self._map_of(name)
                    found = [path.then(name, step) for path in paths]
                self._connections[name] = found
        return self._connections[name]

    def _constant_out_of(self, name: str) -> FloatArray:
        if name not in self._constants:
            shape = self._network.shapes[name]
            constant = np.zeros(size_of(shape))
            if not self._is_source(name):
                given = self._constant_into_synapse(name)
                node = self._network.nodes[name]
                constant = given
                if given.any() or len(given) != size_of(shape):
                    constant = (
                        given if isinstance(node, Flatten) else self._map_of(name).apply(given)
                    )
                if isinstance(node, Affine):
                    constant = constant + node.bias
                elif isinstance(node, (Conv1d, Conv2d)) and node.bias is not None:
                    constant = constant + np.repeat(node.bias, size_of(shape[1:]))
            self._constants[name] = constant
        return self._constants[name]

    def _constant_into_synapse(self, name: str) -> FloatArray:
        sources = self._network.sources(name)
        return np.sum([self._constant_out_of(source) for source in sources], axis=0)

    def _map_of(self, name: str) -> SparseMap:
        node = cast(Synapse, self._network.nodes[name])
        shape = self._network.shapes[self._network.sources(name)[0]]
        return synapse_map(node, shape)


def synapse_map(node: Synapse, shape: Shape) -> SparseMap:
    """The linear part of a synapse given its input's shape, over flat C-order indices."""
    if isinstance(node, (Linear, Affine)):
        source, target = np.nonzero(node.weight.T)
        weight = node.weight[target, source]
        return sparse_map(node.weight.shape[1], node.weight.shape[0], source, target, weight)
    if isinstance(node, Conv2d):
        stride, dilation = cast(Pair, node.stride), cast(Pair, node.dilation)
        return _windows(
            node.weight, shape, node.output_shape(shape), stride, node.padding_before, dilation
        )
    if isinstance(node, Conv1d):
        return synapse_map(node.as_conv2d, (shape[0], 1, shape[1]))
    if isinstance(node, AvgPool2d):
        total = synapse_map(node.as_sum, shape)
        return replace(total, weight=total.weight / node.window)
    if isinstance(node, SumPool2d):
        kernel, stride = cast(Pair, node.kernel_size), cast(Pair, node.stride)
        ones = np.ones((shape[0], 1, *kernel))
        return _windows(
            ones, shape, node.output_shape(shape), stride, cast(Pair, node.padding), (1, 1)
        )
    size = size_of(shape)
    if isinstance(node, Scale):
        index = np.arange(size, dtype=np.int64)
        return sparse_map(size, size, index, index, node.scale.ravel())
    return identity(size)


def _windows(
    weight: FloatArray, shape: Shape, output: Shape, stride: Pair, before: Pair, dilation: Pair
) -> SparseMap:
    """Sliding windows with weight (out, in / groups, height, width), one kernel tap at a time."""
    n_out, group_in, height, width = weight.shape
    groups = shape[0] // group_in
    channel_out = np.arange(n_out, dtype=np.int64)[:, None]
    # The input channels that an output channel of group g reads start at g * group_in.
    channel_in = channel_out // (n_out // groups) * group_in + np.arange(group_in)
    channel_out = np.broadcast_to(channel_out, channel_in.shape)
    sources, targets, weights = [], [], []
    for row in range(height):
        out_rows, in_rows = _tap(row, shape[1], output[1], stride[0], before[0], dilation[0])
        for column in range(width):
            out_columns, in_columns = _tap(
                column, shape[2], output[2], stride[1], before[1], dilation[1]
            )
            pixel_in = (in_rows[:, None] * shape[2] + in_columns).ravel()
            pixel_out = (out_rows[:, None] * output[2] + out_columns).ravel()
            source = channel_in[..., None] * (shape[1] * shape[2]) + pixel_in
            target = channel_out[..., None] * (output[1] * output[2]) + pixel_out
            sources.append(source.ravel())
            targets.append(target.ravel())
            weights.append(np.broadcast_to(weight[:, :, row, column, None], source.shape).ravel())
    return sparse_map(
        size_of(shape),
        size_of(output),
        np.concatenate(sources),
        np.concatenate(targets),
        np.concatenate(weights),
    )


def _tap(
    offset: int, length_in: int, length_out: int, stride: int, before: int, dilation: int
) -> tuple[IndexArray, IndexArray]:
    """Output and input positions that one kernel tap joins along one axis."""
    positions_out = np.arange(length_out, dtype=np.int64)
    positions_in = positions_out * stride + offset * dilation - before
    inside = (positions_in >= 0) & (positions_in < length_in)
    return positions_out[inside], positions_in[inside]
