# SPDX-License-Identifier: Apache-2.0
"""The forms that the CPU backend keeps synapses in, and the order of neurons that suits them.

A table where most pairs are joined; else rows that sources share (`shared_rows`), with neighbouring
targets together where that pays. Where channels of an image lie side by side, a convolution's
synapses reach neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends import cpu_kernels as at
from neuro_control.backends.shared_rows import SharedRows, chunked_rows, sampled_rows, share_rows
from neuro_control.network import FixedNetwork, FixedProjection

_SYNAPSES_A_CHUNK = 2.5
"""Synapses that chunks must hold on average to be faster than single synapses."""
_SAMPLE = 256
"""Kinds of rows that are looked at before all are."""


def dense_table(
    projection: FixedProjection, orders: Mapping[str, NDArray[np.int32]]
) -> tuple[NDArray[np.int8] | NDArray[np.int16], int]:
    """Weights (source, target) in the arena's orders, and by how many bits they are to be shifted.

    In 8 bits where the factor of two that all have in common can be left out of them. Rows are
    filled up to whole vectors; the row after the last is zero.
    """
    weight, shift = projection.weight, max(projection.weight_exponent, 0)
    common = int(np.bitwise_or.reduce(weight, initial=0)) or 1
    factor = (common & -common).bit_length() - 1
    small = weight >> np.int16(factor)
    fits = not len(small) or (small.min() >= -128 and small.max() <= 127)
    width = -(-projection.n_target // at.LANES) * at.LANES
    table = np.zeros((projection.n_source + 1, width), np.int8 if fits else np.int16)
    numbers = np.arange(projection.n_source, dtype=np.int32)
    sources = np.repeat(numbers, np.diff(projection.row_start))
    target_order, source_order = orders.get(projection.target), orders.get(projection.source)
    if source_order is not None:
        sources = inverse_order(source_order)[sources]
    targets = projection.target_index
    if target_order is not None:
        targets = inverse_order(target_order)[targets]
    table[sources, targets] = small if fits else weight
    return table, shift + (factor if fits else 0)


def inverse_order(order: NDArray[np.int32]) -> NDArray[np.int32]:
    """Position of each number in a permutation."""
    position = np.empty_like(order)
    position[order] = np.arange(len(order), dtype=order.dtype)
    return position


def _is_dense(projection: FixedProjection) -> bool:
    """Whether half of all pairs are joined, each once.

    Then a full table is faster than lists of targets.
    """
    pairs = projection.n_source * projection.n_target
    if 2 * len(projection.weight) < pairs:
        return False
    joined = np.zeros(pairs, np.bool_)
    sources = np.repeat(np.arange(projection.n_source), np.diff(projection.row_start))
    joined[sources * projection.n_target + projection.target_index] = True
    return np.count_nonzero(joined) == len(projection.weight)


def _rows(projection: FixedProjection, order: NDArray[np.int32] | None) -> SharedRows:
    """Synapses of a projection that is not dense, in chunks where that pays.

    Their weights are shifted by a positive exponent (16 bits hold that), so that they only have to
    be added.
    """
    targets = projection.target_index
    if order is not None:
        targets = inverse_order(order)[targets]
    exponent = max(projection.weight_exponent, 0)
    weight = projection.weight << np.int16(exponent) if exponent else projection.weight
    single = share_rows(projection.row_start, targets, weight)
    # A few rows say whether it is worth while to sort them all, which takes long for 10^8 synapses.
    sample = sampled_rows(single, _SAMPLE)
    if sample.entries < _SYNAPSES_A_CHUNK / 2 * max(chunked_rows(sample, at.CHUNK).entries, 1):
        return single
    chunked = chunked_rows(single, at.CHUNK)
    return chunked if len(weight) >= _SYNAPSES_A_CHUNK * chunked.entries else single


def choose_orders(
    network: FixedNetwork,
) -> tuple[dict[str, NDArray[np.int32]], dict[int, SharedRows]]:
    """Orders of populations that do not lie in their documented one; rows by projection's number.

    Channels of an image lie side by side where the synapses then make fewer entries.
    """
    orders: dict[str, NDArray[np.int32]] = {}
    shared: dict[int, SharedRows] = {}
    for population in network.populations:
        incoming = {
            i: projection
            for i, projection in enumerate(network.projections)
            if projection.target == population.name and not _is_dense(projection)
        }
        plain = {i: _rows(projection, None) for i, projection in incoming.items()}
        shape = population.shape
        if incoming and len(shape) == 3 and shape[0] > 1:
            numbers = np.arange(population.size, dtype=np.int32).reshape(shape)
            order = np.ascontiguousarray(numbers.transpose(1, 2, 0)).ravel()
            last = {i: _rows(projection, order) for i, projection in incoming.items()}
            if sum(r.entries for r in last.values()) < sum(r.entries for r in plain.values()):
                plain = last
                orders[population.name] = order
        shared |= plain
    return orders, shared
