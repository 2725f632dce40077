# SPDX-License-Identifier: Apache-2.0
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN201, ANN202, PLR0915
"""The compiled heart of the CPU backend: Loihi's arithmetic, event by event.

The equations stand in `neuro_control.network.fixed_network`. One call steps a whole network. All
its numbers lie in six arrays, because every further array argument costs 0.1 microseconds a call;
`neuro_control.backends.cpu_plan` lays them out and names the columns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numba
import numpy as np

from neuro_control.backends import cpu_plan as at

_BLOCK = 256


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile on first use and keep the code on disk.

    numba looks for a place by itself (NUMBA_CACHE_DIR, beside this file, the user's cache folder)
    and raises RuntimeError where none is writable; then the code is compiled in every process.
    """
    try:
        return cast(Callable[..., Any], numba.njit(function, cache=True, nogil=True))
    except RuntimeError:
        return cast(Callable[..., Any], numba.njit(function, nogil=True))


@compiled
def _advance(u, v, a, keep_u, keep_v, threshold, bias, each, spikes):
    """Advance one population by a tick and list its spikes; returns how many there are.

    ``each`` says whether the parameters differ between neurons. Every operation is cast back to
    the state's own integer, so that the loops run in vectors of that width: 32 bits where the
    plan has shown that nothing can overflow them.
    """
    integer = u.dtype.type
    n = len(u)
    n_spikes = 0
    wrap = integer(1 << 24)
    half = integer(1 << 23)
    highest = integer((1 << 23) - 1)
    low = integer(4095)
    for begin in range(0, n, _BLOCK):
        end = min(begin + _BLOCK, n)
        ub, vb, ab = u[begin:end], v[begin:end], a[begin:end]
        fired = integer(0)
        if each:
            kub, kvb = keep_u[begin:end], keep_v[begin:end]
            tb, bb = threshold[begin:end], bias[begin:end]
            for i in range(len(ub)):
                # |z| * keep >> 12 in two halves, which stay within 32 bits.
                z = abs(ub[i])
                z = integer(integer((z >> 12) * kub[i]) + (integer((z & low) * kub[i]) >> 12))
                x = integer((-z if ub[i] < 0 else z) + integer(ab[i] << 6))
                x = (
                    integer(x - (wrap if x > half else integer(0)))
                    if x > -half
                    else integer(x + wrap)
                )
                z = abs(vb[i])
                z = integer(integer((z >> 12) * kvb[i]) + (integer((z & low) * kvb[i]) >> 12))
                y = integer(integer((-z if vb[i] < 0 else z) + x) + bb[i])
                y = min(max(y, integer(-highest)), highest)
                ub[i] = x
                vb[i] = y
                ab[i] = 0
                fired += integer(y > tb[i])
        else:
            ku, kv, t, b = keep_u[0], keep_v[0], threshold[0], bias[0]
            for i in range(len(ub)):
                z = abs(ub[i])
                z = integer(integer((z >> 12) * ku) + (integer((z & low) * ku) >> 12))
                x = integer((-z if ub[i] < 0 else z) + integer(ab[i] << 6))
                x = (
                    integer(x - (wrap if x > half else integer(0)))
                    if x > -half
                    else integer(x + wrap)
                )
                z = abs(vb[i])
                z = integer(integer((z >> 12) * kv) + (integer((z & low) * kv) >> 12))
                y = integer(integer((-z if vb[i] < 0 else z) + x) + b)
                y = min(max(y, integer(-highest)), highest)
                ub[i] = x
                vb[i] = y
                ab[i] = 0
                fired += integer(y > t)
        if fired:
            for i in range(len(vb)):
                if vb[i] > (threshold[begin + i] if each else threshold[0]):
                    vb[i] = 0
                    spikes[n_spikes] = begin + i
                    n_spikes += 1
    return n_spikes


@compiled
def _deliver(active, first, size, rows, is_dense, weights, targets, a):
    """Add the synapses of every active source to the targets; returns how many there were.

    Sources are ``active - first`` where that lies in 0..size-1; other entries are not for this
    projection. A dense projection has a weight for every target, in order, and no indices.
    """
    integer = a.dtype.type
    n_target = len(a)
    operations = 0
    for j in range(len(active)):
        source = np.int64(active[j]) - first
        if source < 0 or source >= size:
            continue
        begin, end = rows[source], rows[source + 1]
        operations += end - begin
        if is_dense:
            row = weights[source * n_target : (source + 1) * n_target]
            for k in range(n_target):
                a[k] = integer(a[k] + row[k])
        else:
            row = weights[begin:end]
            target = targets[begin:end]
            for k in range(len(row)):
                a[target[k]] += row[k]
    return operations


@compiled
def _tick(plan, weights, targets, memory, lists, tallies, active):
    """One tick of the network; returns how many outputs spiked. ``active`` is within range."""
    n_populations, n_projections = plan[at.N_POPULATIONS], plan[at.N_PROJECTIONS]
    n_neurons, n_inputs = plan[at.N_NEURONS], plan[at.N_INPUTS]
    spikes = lists[n_inputs : n_inputs + n_neurons]
    counts = tallies[at.TALLIES : at.TALLIES + n_populations]
    total = 0
    for p in range(n_populations):
        row = at.HEADER + p * at.POPULATION
        begin = plan[row + at.OFFSET]
        end = begin + plan[row + at.SIZE]
        each = plan[row + at.EACH] != 0
        own = plan[row + at.PARAMETERS]
        width = end - begin if each else 1
        counts[p] = _advance(
            memory[begin:end],
            memory[n_neurons + begin : n_neurons + end],
            memory[2 * n_neurons + begin : 2 * n_neurons + end],
            memory[own : own + width],
            memory[own + width : own + 2 * width],
            memory[own + 2 * width : own + 3 * width],
            memory[own + 3 * width : own + 4 * width],
            each,
            spikes[begin:end],
        )
        total += counts[p]

    # An index that is given twice counts once: each input keeps the stamp of its last tick.
    tallies[at.STAMP] += 1
    stamp = tallies[at.STAMP]
    seen = tallies[at.TALLIES + n_populations :]
    n_active = 0
    for j in range(len(active)):
        index = active[j]
        if seen[index] != stamp:
            seen[index] = stamp
            lists[n_active] = index
            n_active += 1

    operations = 0
    for q in range(n_projections):
        row = at.HEADER + n_populations * at.POPULATION + q * at.PROJECTION
        source = plan[row + at.SOURCE]
        if source < 0:
            given = lists[:n_active]
        else:
            begin = plan[at.HEADER + source * at.POPULATION + at.OFFSET]
            given = spikes[begin : begin + counts[source]]
        if len(given) == 0:
            continue
        size, first_weight = plan[row + at.N_SOURCE], plan[row + at.WEIGHTS]
        rows = plan[plan[row + at.ROWS] : plan[row + at.ROWS] + size + 1]
        begin, n_target = plan[row + at.ACCUMULATOR], plan[row + at.N_TARGET]
        accumulator = memory[begin : begin + n_target]
        operations += _deliver(
            given,
            plan[row + at.FIRST],
            size,
            rows,
            plan[row + at.DENSE] != 0,
            weights[first_weight:],
            targets[plan[row + at.TARGETS] :],
            accumulator,
        )
        shift = plan[row + at.SHIFT]
        if shift:
            # A negative exponent shifts the sum, not the weights: it has a place of its own.
            begin = plan[row + at.PENDING]
            pending = memory[begin : begin + n_target]
            for k in range(n_target):
                pending[k] += accumulator[k] >> shift
                accumulator[k] = 0

    tallies[at.TICKS] += 1
    tallies[at.SPIKES] += total
    tallies[at.OPERATIONS] += operations
    tallies[at.UPDATES] += n_neurons

    outputs = lists[n_inputs + n_neurons :]
    n_out = 0
    for r in range(plan[at.N_OUTPUTS]):
        row = at.HEADER + n_populations * at.POPULATION + n_projections * at.PROJECTION + 2 * r
        offset, population = plan[row], plan[row + 1]
        begin = plan[at.HEADER + population * at.POPULATION + at.OFFSET]
        for j in range(counts[population]):
            outputs[n_out] = offset + spikes[begin + j]
            n_out += 1
    return n_out


@compiled
def first_outside(active, n):
    """Position of the first index outside 0..n-1, or -1."""
    outside = False
    for j in range(len(active)):
        outside |= (active[j] < 0) | (active[j] >= n)
    if outside:
        for j in range(len(active)):
            if active[j] < 0 or active[j] >= n:
                return j
    return -1


@compiled
def step(plan, weights, targets, memory, lists, tallies, active):
    """One tick; returns how many outputs spiked, or -1 where an index is out of range."""
    if first_outside(active, plan[at.N_INPUTS]) >= 0:
        return -1
    return _tick(plan, weights, targets, memory, lists, tallies, active)


@compiled
def run(plan, weights, targets, memory, lists, tallies, indices, offsets):
    """Many ticks; returns active outputs and their offsets. Indices and offsets are valid."""
    n_ticks = len(offsets) - 1
    out_offsets = np.zeros(n_ticks + 1, np.int64)
    out = np.empty(max(64, n_ticks), np.int32)
    first_output = plan[at.N_INPUTS] + plan[at.N_NEURONS]
    for t in range(n_ticks):
        active = indices[offsets[t] : offsets[t + 1]]
        n = _tick(plan, weights, targets, memory, lists, tallies, active)
        begin = out_offsets[t]
        if begin + n > len(out):
            grown = np.empty(2 * (begin + n), np.int32)
            grown[:begin] = out[:begin]
            out = grown
        out[begin : begin + n] = lists[first_output : first_output + n]
        out_offsets[t + 1] = begin + n
    return out[: out_offsets[n_ticks]].copy(), out_offsets
