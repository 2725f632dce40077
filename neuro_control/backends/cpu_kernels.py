# SPDX-License-Identifier: Apache-2.0
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN201, ANN202, C901, PLR0912, PLR0915
"""The compiled heart of the CPU backend: Loihi's arithmetic, event by event.

The equations stand in `neuro_control.network.fixed_network`. One call steps a whole network. All
its numbers lie in six arrays, because every further array argument costs 0.1 microseconds a call;
`neuro_control.backends.cpu_plan` lays them out and names the columns.
"""

from __future__ import annotations

import numpy as np

from neuro_control.backends import cpu_plan as at
from neuro_control.backends.compiled import compiled


@compiled
def _collect(v, threshold, first, spikes):
    """Reset and list the neurons above their threshold (one each, or one for all)."""
    integer = v.dtype.type
    each = len(threshold) > 1
    t = threshold[0]
    n_spikes = 0
    for begin in range(0, len(v), at.LANES):
        lanes = v[begin : begin + at.LANES]
        above = integer(0)
        if each:
            own = threshold[begin : begin + at.LANES]
            for i in range(len(lanes)):
                above += integer(lanes[i] > own[i])
        else:
            for i in range(len(lanes)):
                above += integer(lanes[i] > t)
        if above:
            for i in range(len(lanes)):
                if lanes[i] > (threshold[begin + i] if each else t):
                    lanes[i] = 0
                    spikes[n_spikes] = first + begin + i
                    n_spikes += 1
    return n_spikes


@compiled
def _collect_with_history(v, threshold, history, n, first, each, spikes):
    """`_collect` for neurons ``first`` to ``first + len(v)`` of n that remember their spikes.

    ``history`` holds, n each: ticks to hold, what a tick keeps of a risen threshold, its rise;
    then the state: what thresholds have risen by, and ticks that are still held.
    """
    highest = np.int64((1 << 23) - 1)
    n_spikes = 0
    for i in range(len(v)):
        j = first + i
        risen = (np.int64(history[3 * n + j]) * history[n + j]) >> 12
        if history[4 * n + j] > 0:
            history[4 * n + j] -= 1
            v[i] = 0
        elif v[i] > threshold[j if each else 0] + risen:
            v[i] = 0
            risen = min(risen + history[2 * n + j], highest)
            history[4 * n + j] = history[j]
            spikes[n_spikes] = j
            n_spikes += 1
        history[3 * n + j] = risen
    return n_spikes


@compiled
def _advance(u, v, a, keep_u, keep_v, threshold, bias, each, can_sleep, awake, history, spikes):
    """Advance one population by a tick and list its spikes; returns how many there are.

    ``each`` says whether the parameters differ between neurons. ``awake`` has one entry a block
    of neurons: where they can sleep, a block that is zero throughout is passed over until an
    input arrives. Decays round towards zero, so that a leaky neuron that is left alone gets there.

    Every operation is cast back to the state's own integer, so that the loops run in vectors of
    that width: 32 bits where the plan has shown that nothing can overflow them.
    """
    integer = u.dtype.type
    n = len(u)
    n_spikes = 0
    wrap = integer(1 << 24)
    half = integer(1 << 23)
    highest = integer((1 << 23) - 1)
    low = integer(4095)
    for begin in range(0, n, at.BLOCK):
        end = min(begin + at.BLOCK, n)
        ub, vb, ab = u[begin:end], v[begin:end], a[begin:end]
        block = begin // at.BLOCK
        if awake[block] == 0:
            given = integer(0)
            for i in range(len(ab)):
                given |= ab[i]
            if given == 0:
                continue
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
            if ku == 0:
                # Without a synaptic filter nothing is left of the old current.
                ub[:] = 0
            else:
                for i in range(len(ub)):
                    z = abs(ub[i])
                    z = integer(integer((z >> 12) * ku) + (integer((z & low) * ku) >> 12))
                    ub[i] = -z if ub[i] < 0 else z
            for i in range(len(ub)):
                x = integer(ub[i] + integer(ab[i] << 6))
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
        if can_sleep:
            state = integer(0)
            for i in range(len(vb)):
                state |= ub[i] | vb[i]
            awake[block] = state
        if len(history):
            n_spikes += _collect_with_history(
                vb, threshold, history, n, begin, each, spikes[n_spikes:]
            )
        elif fired:
            own = threshold[begin:end] if each else threshold
            n_spikes += _collect(vb, own, begin, spikes[n_spikes:])
    return n_spikes


@compiled
def _deliver(active, first, size, rows, weights, targets, a):
    """Add the synapses of every active source to the targets; returns how many there were.

    Sources are ``active - first`` where that lies in 0..size-1; other entries are not for this
    projection. ``rows`` says of every source where its synapses begin, how many there are, and
    what is added to their targets.
    """
    operations = 0
    for j in range(len(active)):
        source = np.int64(active[j]) - first
        if source < 0 or source >= size:
            continue
        entry = source * at.ROW
        begin, count = rows[entry + at.BEGIN], rows[entry + at.COUNT]
        operations += count
        row = weights[begin : begin + count]
        target = targets[begin : begin + count]
        shifted = a[rows[entry + at.SHIFTED] :]
        for k in range(len(row)):
            shifted[target[k]] += row[k]
    return operations


@compiled
def _deliver_dense(active, first, size, rows, weights, a):
    """`_deliver` where a source has a weight for every target, in order.

    Four rows are added in one pass, so that the sums are read and written a quarter as often.
    """
    integer = a.dtype.type
    n = len(a)
    operations = 0
    waiting = 0
    begin0 = begin1 = begin2 = np.int64(0)
    for j in range(len(active)):
        source = np.int64(active[j]) - first
        if source < 0 or source >= size:
            continue
        begin = rows[source * at.ROW + at.BEGIN]
        operations += rows[source * at.ROW + at.COUNT]
        if waiting == 0:
            begin0 = begin
        elif waiting == 1:
            begin1 = begin
        elif waiting == 2:
            begin2 = begin
        else:
            w0, w1 = weights[begin0 : begin0 + n], weights[begin1 : begin1 + n]
            w2, w3 = weights[begin2 : begin2 + n], weights[begin : begin + n]
            for k in range(n):
                left = integer(integer(w0[k]) + integer(w1[k]))
                right = integer(integer(w2[k]) + integer(w3[k]))
                a[k] = integer(a[k] + integer(left + right))
            waiting = -1
        waiting += 1
    for rest in range(waiting):
        begin = begin0 if rest == 0 else begin1 if rest == 1 else begin2
        row = weights[begin : begin + n]
        for k in range(n):
            a[k] = integer(a[k] + row[k])
    return operations


@compiled
def _ascends(active):
    """Whether every index is greater than the one before, so that none comes twice."""
    falls = False
    for j in range(1, len(active)):
        falls |= active[j] <= active[j - 1]
    return not falls


@compiled
def _tick(plan, weights, targets, memory, lists, tallies, active):
    """One tick of the network; returns how many outputs spiked. ``active`` is within range."""
    n_populations, n_projections = plan[at.N_POPULATIONS], plan[at.N_PROJECTIONS]
    n_neurons, n_inputs = plan[at.N_NEURONS], plan[at.N_INPUTS]
    ring = plan[at.RING]
    slot = tallies[at.TICKS] % ring
    now = (2 + slot) * n_neurons
    spikes = lists[n_inputs : n_inputs + n_neurons]
    counts = tallies[at.TALLIES : at.TALLIES + n_populations]
    total = 0
    for p in range(n_populations):
        row = at.HEADER + p * at.POPULATION
        begin = plan[row + at.OFFSET]
        end = begin + plan[row + at.SIZE]
        each = plan[row + at.EACH] != 0
        own, own_history = plan[row + at.PARAMETERS], plan[row + at.HISTORY]
        size = end - begin
        width = end - begin if each else 1
        counts[p] = _advance(
            memory[begin:end],
            memory[n_neurons + begin : n_neurons + end],
            memory[now + begin : now + end],
            memory[own : own + width],
            memory[own + width : own + 2 * width],
            memory[own + 2 * width : own + 3 * width],
            memory[own + 3 * width : own + 4 * width],
            each,
            plan[row + at.CAN_SLEEP] != 0,
            memory[plan[row + at.AWAKE] :],
            memory[own_history : own_history + (5 * size if own_history else 0)],
            spikes[begin:end],
        )
        total += counts[p]

    entered = active
    if not _ascends(active):
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
        entered = lists[:n_active]

    operations = 0
    for q in range(n_projections):
        row = at.HEADER + n_populations * at.POPULATION + q * at.PROJECTION
        source = plan[row + at.SOURCE]
        if source < 0:
            given = entered
        else:
            begin = plan[at.HEADER + source * at.POPULATION + at.OFFSET]
            given = spikes[begin : begin + counts[source]]
        if len(given) == 0:
            continue
        size, first_weight = plan[row + at.N_SOURCE], plan[row + at.WEIGHTS]
        rows = plan[plan[row + at.ROWS] : plan[row + at.ROWS] + size * at.ROW]
        due = (2 + (slot + 1 + plan[row + at.DELAY]) % ring) * n_neurons
        begin, n_target = due + plan[row + at.OFFSET_OF_TARGET], plan[row + at.N_TARGET]
        pending = memory[begin : begin + n_target]
        shift = plan[row + at.SHIFT]
        accumulator = pending
        if shift:
            # A negative exponent shifts the sum, not the weights: it has a place of its own.
            begin = plan[row + at.PARTIAL]
            accumulator = memory[begin : begin + n_target]
        first, own = plan[row + at.FIRST], weights[first_weight:]
        if plan[row + at.DENSE]:
            operations += _deliver_dense(given, first, size, rows, own, accumulator)
        else:
            aim = targets[plan[row + at.TARGETS] :]
            operations += _deliver(given, first, size, rows, own, aim, accumulator)
        if shift:
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
