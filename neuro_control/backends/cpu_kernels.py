# SPDX-License-Identifier: Apache-2.0
# mypy: disable-error-code="no-untyped-def, no-untyped-call"
# ruff: noqa: ANN001, ANN201, ANN202, ARG001, PLR0915
"""The compiled heart of the CPU backend: Loihi's arithmetic, event by event.

The equations stand in `neuro_control.network.fixed_network`. One call steps a whole network. All
that it knows lies in one array of bytes, the arena, because every further array argument costs 0.1
microseconds a call; `neuro_control.backends.cpu_plan` lays it out by the columns named here. Inside
it, arrays are views that count no references, and the loops over neurons and synapses are written
as vectors of LANES: a compiler that must prove by itself that nothing overlaps uses narrower ones.

Everything that calls each other stays in this file: compiled code on disk is renewed when the file
of the called function changes, not when that of a function inside it does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic as _untyped_intrinsic
from numba.np.arrayobj import make_array, populate_array

from neuro_control.backends.compiled import compiled, compiled_inside

intrinsic: Any = _untyped_intrinsic

# The arena begins with this header, int64; then a row a population, a projection, an output. What
# is called a place is an offset into the arena in bytes.
N_POPULATIONS, N_PROJECTIONS, N_NEURONS, N_INPUTS, N_OUTPUTS, RING = range(6)
TALLIES, SEEN, LIMITS, ENTERED, OWN, OUTPUTS, BITS, HEADER = range(6, 14)
# Columns of a population. INPUT is the place of its ring of pending inputs, INPUT_STRIDE the bytes
# from one tick to the next; they are 16 bits wide where NARROW, which EACH is not. CURRENT holds
# the last input where not FILTERED, which is so only where NARROW. KEEP_CURRENT to BIAS are places
# where EACH, and else the numbers themselves.
SIZE, EACH, FILTERED, NARROW, CAN_SLEEP, MEMBRANE, CURRENT, INPUT, INPUT_STRIDE = range(9)
KEEP_CURRENT, KEEP_MEMBRANE, THRESHOLD, BIAS, AWAKE, HISTORY, SPIKES, POPULATION = range(9, 17)
# Columns of a projection: SOURCE is -1 for an input, and FIRST then its offset. PARTIAL is the
# place of a sum of its own where RIGHT_SHIFT says that the sum is shifted, not the weights.
SOURCE, FIRST, N_SOURCE, TARGET, FORM, ROWS, KINDS, WEIGHTS = range(8)
TARGETS, WIDTH, LEFT_SHIFT, RIGHT_SHIFT, PARTIAL, DELAY, PROJECTION = range(8, 15)
# Forms of a projection: single synapses; CHUNK neighbouring targets at a time; a weight for every
# target, in 8 or in 16 bits.
SINGLE, CHUNKED, DENSE_8, DENSE_16 = range(4)
# Columns of an output. ORDER is the place of the documented numbers of its neurons, or 0.
OFFSET, SHOWN, ORDER, OUTPUT = range(4)
# Tallies: totals, the last stamp of an input, then the spikes of each population.
TICKS, SPIKES_SO_FAR, OPERATIONS, UPDATES, STAMP, COUNTS = range(6)
# The stamp of a tick; what lies between it and the next counts how often an input came in it.
STAMPS = 1 << 16
# Of a source (int32), and of a kind of row that sources share (int64).
KIND, SHIFTED, ROW = range(3)
BEGIN, LENGTH, SYNAPSES, KIND_ROW = range(4)
LANES, CHUNK, BLOCK = 16, 16, 256
"""Neurons that are updated in one go, neighbouring targets of a chunk, neurons that sleep together.
"""
ROWS_AT_ONCE = 8

_LARGEST = (1 << 23) - 1


@intrinsic
def _array(typing, address, n, like):
    """The array of n values of the type of ``like`` that begins at an address."""
    kind = types.Array(like, 1, "C")

    def build(context, builder, signature, arguments):
        made = make_array(signature.return_type)(context, builder)
        value = context.get_data_type(like)
        size = context.get_constant(types.intp, context.get_abi_sizeof(value))
        populate_array(
            made,
            data=builder.inttoptr(arguments[0], value.as_pointer()),
            shape=[arguments[1]],
            strides=[size],
            itemsize=size,
            meminfo=None,
        )
        return made._getvalue()

    return kind(types.int64, types.int64, like), build


@intrinsic
def _lowest_bit(typing, mask):
    """Number of the lowest bit that is set; the mask is not 0."""

    def build(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), build


def _pointer(context, builder, kind, array, index, lanes):
    """Where vectors of so many values begin in an array, at an index."""
    data = make_array(kind)(context, builder, array).data
    vector = ir.VectorType(context.get_data_type(kind.dtype), lanes)
    return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())


def _load(builder, pointer):
    value = builder.load(pointer)
    value.align = pointer.type.pointee.element.width // 8
    return value


def _store(builder, value, pointer):
    builder.store(value, pointer).align = pointer.type.pointee.element.width // 8


def _splat(builder, value, lanes):
    """A vector that holds the value in every lane."""
    vector = ir.VectorType(value.type, lanes)
    first = builder.insert_element(
        ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0)
    )
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), None)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), zeros)


def _widened(builder, value, vector):
    """The vector's numbers in wider lanes."""
    return value if value.type == vector else builder.sext(value, vector)


@intrinsic
def _advance_lanes(typing, current, membrane, given, keep_u, keep_v, threshold, bias, i):
    """Advance LANES neurons from i on by a tick; returns a mask of those that spike.

    ``given`` is their input, which is zeroed. Parameters are arrays, or one number for all.
    ``keep_u`` is None where nothing is left of an old current; ``current`` is then the last input.
    """
    signature = types.int64(current, membrane, given, keep_u, keep_v, threshold, bias, types.int64)

    def build(context, builder, signature, arguments):
        kinds, i = signature.args, arguments[7]
        vector = ir.VectorType(context.get_data_type(kinds[1].dtype), LANES)
        input_vector = ir.VectorType(context.get_data_type(kinds[2].dtype), LANES)
        width = vector.element.width

        def number(value):
            return ir.Constant(vector, [value] * LANES)

        def at(argument):
            return _pointer(context, builder, kinds[argument], arguments[argument], i, LANES)

        def parameter(argument):
            if isinstance(kinds[argument], types.Array):
                return _load(builder, at(argument))
            return _splat(builder, arguments[argument], LANES)

        def decayed(z, keep):
            # sign(z) * (|z| * keep >> 12), which rounds towards 0, in two halves of z that stay
            # within 32 bits: what is below 0 needs 4095 more before its lower half is shifted.
            upper = builder.mul(builder.ashr(z, number(12)), keep)
            lower = builder.mul(builder.and_(z, number(4095)), keep)
            sign = builder.ashr(z, number(width - 1))
            lower = builder.add(lower, builder.lshr(sign, number(width - 12)))
            return builder.add(upper, builder.lshr(lower, number(12)))

        arrived = _load(builder, at(2))
        x = builder.shl(_widened(builder, arrived, vector), number(6))
        filtered = not isinstance(kinds[3], types.NoneType)
        if filtered:
            x = builder.add(decayed(_load(builder, at(0)), parameter(3)), x)
        if filtered or input_vector.element.width > 16:
            # Inputs of 16 bits alone cannot reach the ends, where the current wraps.
            above = builder.icmp_signed(">", x, number(1 << 23))
            below = builder.icmp_signed("<=", x, number(-(1 << 23)))
            wrap = builder.select(below, number(1 << 24), number(0))
            x = builder.add(x, builder.select(above, number(-(1 << 24)), wrap))
        _store(builder, x if filtered else arrived, at(0))
        _store(builder, ir.Constant(input_vector, None), at(2))
        y = builder.add(decayed(_load(builder, at(1)), parameter(4)), x)
        y = builder.add(y, parameter(6))
        highest = builder.icmp_signed(">", y, number(_LARGEST))
        y = builder.select(highest, number(_LARGEST), y)
        lowest = builder.icmp_signed("<", y, number(-_LARGEST))
        y = builder.select(lowest, number(-_LARGEST), y)
        spikes = builder.icmp_signed(">", y, parameter(5))
        _store(builder, builder.select(spikes, number(0), y), at(1))
        mask = builder.bitcast(spikes, ir.IntType(LANES))
        return builder.zext(mask, ir.IntType(64))

    return signature, build


@intrinsic
def _add_chunk(typing, sums, i, weights, j):
    """sums[i + k] += weights[j + k] for all k below CHUNK."""

    def build(context, builder, signature, arguments):
        kinds = signature.args
        there = _pointer(context, builder, kinds[0], arguments[0], arguments[1], CHUNK)
        row = _pointer(context, builder, kinds[2], arguments[2], arguments[3], CHUNK)
        weight = _widened(builder, _load(builder, row), there.type.pointee)
        _store(builder, builder.add(_load(builder, there), weight), there)
        return context.get_dummy_value()

    return types.void(sums, types.int64, weights, types.int64), build


@intrinsic
def _add_rows(typing, sums, i, weights, rows, shift):
    """sums[i + k] += sum over rows of weights[row + i + k] << shift, for all k below LANES.

    Eight weights of 9 bits stay within 16 when they are summed.
    """

    def build(context, builder, signature, arguments):
        kinds, i = signature.args, arguments[1]
        there = _pointer(context, builder, kinds[0], arguments[0], i, LANES)
        vector = there.type.pointee
        short = ir.VectorType(ir.IntType(16), LANES)
        terms = []
        for begin in cgutils.unpack_tuple(builder, arguments[3], kinds[3].count):
            at = builder.add(begin, i)
            row = _pointer(context, builder, kinds[2], arguments[2], at, LANES)
            terms.append(_widened(builder, _load(builder, row), short))
        while len(terms) > 1:
            terms = [builder.add(a, b) for a, b in zip(terms[::2], terms[1::2], strict=True)]
        total = _widened(builder, terms[0], vector)
        by = arguments[4]
        if by.type != vector.element:
            resize = builder.trunc if by.type.width > vector.element.width else builder.sext
            by = resize(by, vector.element)
        total = builder.shl(total, _splat(builder, by, LANES))
        _store(builder, builder.add(_load(builder, there), total), there)
        return context.get_dummy_value()

    return types.void(sums, types.int64, weights, rows, types.int64), build


@compiled_inside
def _is_zero(values, begin, end):
    """Whether all values from begin to end are 0."""
    found = values.dtype.type(0)
    for i in range(begin, end):
        found |= values[i]
    return found == 0


@compiled_inside
def _collect_with_history(v, begin, end, history, n, spikes):
    """Reset and list the neurons begin to end of n, which remember their spikes.

    ``history`` holds, n each: threshold, ticks to hold, what a tick keeps of a risen threshold, its
    rise; then the state: what thresholds have risen by, and ticks that are still held.
    """
    n_spikes = 0
    for j in range(begin, end):
        risen = (np.int64(history[4 * n + j]) * history[2 * n + j]) >> 12
        if history[5 * n + j] > 0:
            history[5 * n + j] -= 1
            v[j] = 0
        elif v[j] > history[j] + risen:
            v[j] = 0
            risen = min(risen + history[3 * n + j], _LARGEST)
            history[5 * n + j] = history[n + j]
            spikes[n_spikes] = j
            n_spikes += 1
        history[4 * n + j] = risen
    return n_spikes


@compiled_inside
def _advance(u, v, a, keep_u, keep_v, threshold, bias, n, tick, awake, history, spikes):
    """Advance one population by a tick and list its spikes; returns how many there are.

    ``awake`` has one entry a block of neurons where they can sleep: a block that is zero throughout
    is passed over until an input arrives. Decays round towards zero, so that a leaky neuron that is
    left alone gets there; whether one has is looked at in every 16th tick.
    """
    n_spikes = 0
    for begin in range(0, n, BLOCK):
        end = min(begin + BLOCK, n)
        block = begin // BLOCK
        if len(awake):
            if awake[block] == 0 and _is_zero(a, begin, end):
                continue
            awake[block] = 1
        for i in range(begin, end, LANES):
            mask = _advance_lanes(u, v, a, keep_u, keep_v, threshold, bias, i)
            if mask:
                if i + LANES > n:
                    mask &= (1 << (n - i)) - 1
                while mask:
                    spikes[n_spikes] = i + _lowest_bit(mask)
                    n_spikes += 1
                    mask &= mask - 1
        if history is not None and len(history):
            n_spikes += _collect_with_history(v, begin, end, history, n, spikes[n_spikes:])
        if len(awake) and (tick + block) & 15 == 0:
            awake[block] = not (_is_zero(u, begin, end) and _is_zero(v, begin, end))
    return n_spikes


@compiled_inside
def _advance_population(base, plan, row, slot, tick, zero, narrow_zero):
    """`_advance` for the population in a row of the plan."""
    n = plan[row + SIZE]
    padded = n + LANES
    v = _array(base + plan[row + MEMBRANE], padded, zero)
    given = base + plan[row + INPUT] + slot * plan[row + INPUT_STRIDE]
    n_blocks = (n + BLOCK - 1) // BLOCK if plan[row + CAN_SLEEP] else 0
    awake = _array(base + plan[row + AWAKE], n_blocks, np.int8(0))
    spikes = _array(base + plan[row + SPIKES], n, np.int32(0))
    integer = v.dtype.type
    ku, kv = plan[row + KEEP_CURRENT], plan[row + KEEP_MEMBRANE]
    t, b = plan[row + THRESHOLD], plan[row + BIAS]
    if plan[row + EACH]:
        u, a = _array(base + plan[row + CURRENT], padded, zero), _array(given, padded, zero)
        kus, kvs = _array(base + ku, padded, zero), _array(base + kv, padded, zero)
        ts, bs = _array(base + t, padded, zero), _array(base + b, padded, zero)
        history = _array(base + plan[row + HISTORY], 6 * n if plan[row + HISTORY] else 0, zero)
        return _advance(u, v, a, kus, kvs, ts, bs, n, tick, awake, history, spikes)
    ku, kv, t, b = integer(ku), integer(kv), integer(t), integer(b)
    if plan[row + NARROW]:
        a = _array(given, padded, narrow_zero)
        if plan[row + FILTERED]:
            u = _array(base + plan[row + CURRENT], padded, zero)
            return _advance(u, v, a, ku, kv, t, b, n, tick, awake, None, spikes)
        last = _array(base + plan[row + CURRENT], padded, narrow_zero)
        return _advance(last, v, a, None, kv, t, b, n, tick, awake, None, spikes)
    u, a = _array(base + plan[row + CURRENT], padded, zero), _array(given, padded, zero)
    return _advance(u, v, a, ku, kv, t, b, n, tick, awake, None, spikes)


@compiled_inside
def _of_input(base, plan, row, active):
    """The active inputs that are a projection's sources, counted from its first."""
    first, size = plan[row + FIRST], plan[row + N_SOURCE]
    own = _array(base + plan[OWN], len(active), np.int32(0))
    n_own = 0
    for j in range(len(active)):
        source = np.int64(active[j]) - first
        own[n_own] = source
        n_own += (source >= 0) & (source < size)
    return _array(base + plan[OWN], n_own, np.int32(0))


@compiled_inside
def _deliver(base, plan, row, given, sums):
    """Add the synapses of every source given to the sums; returns how many there were."""
    size = plan[row + N_SOURCE]
    rows = _array(base + plan[row + ROWS], size * ROW, np.int32(0))
    kinds = _array(base + plan[row + KINDS], size * KIND_ROW, np.int64(0))
    weights = _array(base + plan[row + WEIGHTS], size, np.int16(0))
    targets = _array(base + plan[row + TARGETS], size, np.uint32(0))
    chunked = plan[row + FORM] == CHUNKED
    operations = 0
    for j in range(len(given)):
        source = np.int64(np.uint32(given[j]))
        shifted = np.int64(rows[source * ROW + SHIFTED])
        kind = np.int64(rows[source * ROW + KIND]) * KIND_ROW
        begin, end = kinds[kind + BEGIN], kinds[kind + BEGIN] + kinds[kind + LENGTH]
        operations += kinds[kind + SYNAPSES]
        if chunked:
            for k in range(begin, end):
                _add_chunk(sums, shifted + np.int64(targets[k]), weights, k * CHUNK)
        else:
            for k in range(begin, end):
                sums[shifted + np.int64(targets[k])] += weights[k]
    return operations


@compiled_inside
def _begin(given, j, width, nothing):
    """Where the row of a source begins in the table; that of zeros after the last source."""
    return np.int64(given[j]) * width if j < len(given) else nothing


@compiled_inside
def _deliver_dense(base, plan, row, given, sums, weight_zero):
    """`_deliver` where a source has a weight for every target, in order.

    Eight rows are added in one pass, so that the sums are read and written an eighth as often; the
    row after the last is zero and stands in where fewer are left.
    """
    size, width = plan[row + N_SOURCE], plan[row + WIDTH]
    synapses = _array(base + plan[row + ROWS], size, np.int32(0))
    weights = _array(base + plan[row + WEIGHTS], size, weight_zero)
    shift = plan[row + LEFT_SHIFT]
    nothing = size * width
    n = len(given)
    operations = 0
    for j in range(n):
        operations += synapses[np.uint32(given[j])]
    for j in range(0, n, ROWS_AT_ONCE):
        r0, r1 = _begin(given, j, width, nothing), _begin(given, j + 1, width, nothing)
        r2, r3 = _begin(given, j + 2, width, nothing), _begin(given, j + 3, width, nothing)
        if n - j <= ROWS_AT_ONCE // 2:
            for i in range(0, width, LANES):
                _add_rows(sums, i, weights, (r0, r1, r2, r3), shift)
            break
        r4, r5 = _begin(given, j + 4, width, nothing), _begin(given, j + 5, width, nothing)
        r6, r7 = _begin(given, j + 6, width, nothing), _begin(given, j + 7, width, nothing)
        for i in range(0, width, LANES):
            _add_rows(sums, i, weights, (r0, r1, r2, r3, r4, r5, r6, r7), shift)
    return operations


@compiled_inside
def _deliver_projection(base, plan, row, given, sums):
    """Deliver in whichever form the projection has."""
    form = plan[row + FORM]
    if form == DENSE_8:
        return _deliver_dense(base, plan, row, given, sums, np.int8(0))
    if form == DENSE_16:
        return _deliver_dense(base, plan, row, given, sums, np.int16(0))
    return _deliver(base, plan, row, given, sums)


@compiled_inside
def _shift_in(partial, shift, pending):
    """Add partial sums, shifted to the right, to what is pending, and empty them."""
    integer = pending.dtype.type
    for k in range(len(partial)):
        pending[k] += integer(partial[k] >> shift)
        partial[k] = 0


@compiled_inside
def _is_wrong(active, n):
    """Whether an index lies outside 0..n-1."""
    outside = False
    for j in range(len(active)):
        outside |= (active[j] < 0) | (active[j] >= n)
    return outside


@compiled_inside
def _ascends(active):
    """Whether every index is greater than the one before, so that none comes twice."""
    falls = False
    for j in range(1, len(active)):
        falls |= active[j] <= active[j - 1]
    return not falls


@compiled_inside
def _counted(base, plan, tallies, active):
    """The active inputs, each at most as often as its largest payload: once where it is binary.

    What was seen of an input is the stamp of the tick that it last came in, and how often it did.
    """
    tallies[STAMP] += STAMPS
    stamp = tallies[STAMP]
    seen = _array(base + plan[SEEN], plan[N_INPUTS], np.int64(0))
    limits = _array(base + plan[LIMITS], plan[N_INPUTS], np.int32(0))
    entered = _array(base + plan[ENTERED], len(active), np.int32(0))
    n_active = 0
    for j in range(len(active)):
        index = active[j]
        before = max(seen[index], stamp)
        if before - stamp < limits[index]:
            seen[index] = before + 1
            entered[n_active] = index
            n_active += 1
    return _array(base + plan[ENTERED], n_active, np.int32(0))


@compiled_inside
def _show(base, plan, row, spikes, outputs, n_out):
    """Write the spikes of an output, ascending; returns how many outputs there are then."""
    offset = plan[row + OFFSET]
    if plan[row + ORDER] == 0:
        for j in range(len(spikes)):
            outputs[n_out + j] = offset + spikes[j]
        return n_out + len(spikes)
    if len(spikes) == 0:
        return n_out
    # Neurons lie in another order here than outside: a bit each sorts them.
    n = plan[plan[row + SHOWN] + SIZE]
    order = _array(base + plan[row + ORDER], n, np.int32(0))
    bits = _array(base + plan[BITS], (n + 63) // 64, np.int64(0))
    for j in range(len(spikes)):
        number = np.int64(order[spikes[j]])
        bits[number >> 6] |= np.int64(1) << (number & 63)
    for w in range(len(bits)):
        word = bits[w]
        bits[w] = 0
        while word:
            outputs[n_out] = offset + w * 64 + _lowest_bit(word)
            n_out += 1
            word &= word - 1
    return n_out


@compiled_inside
def _tick(base, active, zero, narrow_zero):
    """One tick of the network; returns how many outputs spiked. ``active`` is within range."""
    header = _array(base, HEADER, np.int64(0))
    n_populations, n_projections = header[N_POPULATIONS], header[N_PROJECTIONS]
    n_neurons, ring = header[N_NEURONS], header[RING]
    first_projection = HEADER + n_populations * POPULATION
    first_output = first_projection + n_projections * PROJECTION
    plan = _array(base, first_output + header[N_OUTPUTS] * OUTPUT, np.int64(0))
    tallies = _array(base + plan[TALLIES], COUNTS + n_populations, np.int64(0))
    tick = tallies[TICKS]
    slot = tick % ring if ring > 1 else 0
    total = 0
    for p in range(n_populations):
        row = HEADER + p * POPULATION
        count = _advance_population(base, plan, row, slot, tick, zero, narrow_zero)
        tallies[COUNTS + p] = count
        total += count

    if not _ascends(active):
        active = _counted(base, plan, tallies, active)

    operations = 0
    for q in range(n_projections):
        row = first_projection + q * PROJECTION
        source = plan[row + SOURCE]
        given = active
        if source >= 0:
            at = HEADER + source * POPULATION
            given = _array(base + plan[at + SPIKES], tallies[COUNTS + source], np.int32(0))
        elif plan[row + N_SOURCE] != plan[N_INPUTS]:
            given = _of_input(base, plan, row, active)
        if len(given) == 0:
            continue
        target = HEADER + plan[row + TARGET] * POPULATION
        n_target = plan[target + SIZE]
        due = (slot + 1 + plan[row + DELAY]) % ring if ring > 1 else 0
        place = base + plan[target + INPUT] + due * plan[target + INPUT_STRIDE]
        shift = plan[row + RIGHT_SHIFT]
        narrow = plan[target + NARROW] != 0
        if narrow and shift == 0:
            pending = _array(place, n_target, narrow_zero)
            operations += _deliver_projection(base, plan, row, given, pending)
            continue
        # A negative exponent shifts the sum, not the weights: it has a place of its own.
        sums = _array(base + plan[row + PARTIAL] if shift else place, n_target, zero)
        operations += _deliver_projection(base, plan, row, given, sums)
        if shift and narrow:
            _shift_in(sums, shift, _array(place, n_target, narrow_zero))
        elif shift:
            _shift_in(sums, shift, _array(place, n_target, zero))

    tallies[TICKS] += 1
    tallies[SPIKES_SO_FAR] += total
    tallies[OPERATIONS] += operations
    tallies[UPDATES] += n_neurons

    outputs = _array(base + plan[OUTPUTS], 0, np.int32(0))
    n_out = 0
    for r in range(plan[N_OUTPUTS]):
        row = first_output + r * OUTPUT
        shown = plan[row + SHOWN]
        count = tallies[COUNTS + (shown - HEADER) // POPULATION]
        spikes = _array(base + plan[shown + SPIKES], count, np.int32(0))
        n_out = _show(base, plan, row, spikes, outputs, n_out)
    return n_out


@compiled_inside
def _run(base, indices, offsets, zero, narrow_zero):
    """Many ticks; returns active outputs and their offsets. Indices and offsets are valid."""
    header = _array(base, HEADER, np.int64(0))
    n_ticks = len(offsets) - 1
    out_offsets = np.zeros(n_ticks + 1, np.int64)
    out = np.empty(max(64, n_ticks), np.int32)
    outputs = _array(base + header[OUTPUTS], 0, np.int32(0))
    for t in range(n_ticks):
        n = _tick(base, indices[offsets[t] : offsets[t + 1]], zero, narrow_zero)
        begin = out_offsets[t]
        if begin + n > len(out):
            grown = np.empty(2 * (begin + n), np.int32)
            grown[:begin] = out[:begin]
            out = grown
        for j in range(n):
            out[begin + j] = outputs[j]
        out_offsets[t + 1] = begin + n
    return out[: out_offsets[n_ticks]].copy(), out_offsets


@compiled_inside
def _are_offsets(offsets, n):
    """Whether offsets rise from 0 to n."""
    if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != n:
        return False
    falls = False
    for t in range(1, len(offsets)):
        falls |= offsets[t] < offsets[t - 1]
    return not falls


@compiled
def step(arena, active):
    """One tick; returns how many outputs spiked, or -1 where an index is out of range."""
    base = np.int64(arena.ctypes.data)
    if _is_wrong(active, _array(base, HEADER, np.int64(0))[N_INPUTS]):
        return -1
    return _tick(base, active, np.int32(0), np.int16(0))


@compiled
def step_wide(arena, active):
    """`step` for a network whose numbers need 64 bits."""
    base = np.int64(arena.ctypes.data)
    if _is_wrong(active, _array(base, HEADER, np.int64(0))[N_INPUTS]):
        return -1
    return _tick(base, active, np.int64(0), np.int64(0))


@compiled
def run(arena, indices, offsets):
    """Many ticks; returns active outputs and their offsets.

    No offsets at all where the given ones are not valid, or an index is out of range.
    """
    base = np.int64(arena.ctypes.data)
    n_inputs = _array(base, HEADER, np.int64(0))[N_INPUTS]
    if not _are_offsets(offsets, len(indices)) or _is_wrong(indices, n_inputs):
        return np.zeros(0, np.int32), np.zeros(0, np.int64)
    return _run(base, indices, offsets, np.int32(0), np.int16(0))


@compiled
def run_wide(arena, indices, offsets):
    """`run` for a network whose numbers need 64 bits."""
    base = np.int64(arena.ctypes.data)
    n_inputs = _array(base, HEADER, np.int64(0))[N_INPUTS]
    if not _are_offsets(offsets, len(indices)) or _is_wrong(indices, n_inputs):
        return np.zeros(0, np.int32), np.zeros(0, np.int64)
    return _run(base, indices, offsets, np.int64(0), np.int64(0))
