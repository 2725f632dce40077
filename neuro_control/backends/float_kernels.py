# SPDX-License-Identifier: Apache-2.0
"""The compiled heart of the float backend: one tick of all neurons, and the spikes on their way."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuro_control.backends.compiled import compiled

Array = Any  # numba infers the types; numpy's generics say nothing to it

# Rows of the constants, float32[ROWS, neurons].
KEEP_CURRENT, KEEP_MEMBRANE, CONSTANT, THRESHOLD, KEEP_ADAPTATION, RISE, REFRACTORY = range(7)
CONSTANTS = 7
# Rows of the state, float32[ROWS, neurons]; the ring of pending input follows.
CURRENT, MEMBRANE, ADAPTATION, HELD = range(4)
STATE = 4
# Counts.
TICKS, SPIKES, OPERATIONS = range(3)
COUNTS = 3


@compiled
def first_outside(active: Array, n: int) -> int:
    """Position of the first index that is not 0..n-1, or -1."""
    for i in range(active.size):
        if active[i] < 0 or active[i] >= n:
            return i
    return -1


@compiled
def enter(active: Array, largest: Array, given: Array) -> None:
    """Count in `given` int32[inputs] how often each is active, up to its largest payload."""
    for i in range(active.size):
        if given[active[i]] < largest[active[i]]:
            given[active[i]] += 1


@compiled
def deliver(
    source: int,
    payload: int,
    now: int,
    pending: Array,
    row_start: Array,
    target: Array,
    weight: Array,
    delay: Array,
) -> int:
    """Add one source's weights to what its targets wait for, as often as its payload says.

    Returns:
        How many additions that is.
    """
    ring = pending.shape[0]
    begin, end = row_start[source], row_start[source + 1]
    # Synapses of one delay lie together, so that the row changes once for each.
    last = np.int32(-1)
    row = pending[0]
    for k in range(begin, end):
        if delay[k] != last:
            last = delay[k]
            row = pending[(now + 1 + last) % ring]
        row[target[k]] += np.float32(payload) * weight[k]
    return payload * (end - begin)


@compiled
def tick(
    constants: Array,
    state: Array,
    pending: Array,
    row_start: Array,
    target: Array,
    weight: Array,
    delay: Array,
    given: Array,
    counts: Array,
    spikes: Array,
) -> int:
    """One tick.

    `pending` float32[ring, neurons]; row t % ring is due in tick t. Synapses are stored by source,
    inputs first and then neurons: `row_start` int64[sources + 1], `target` int32, `weight` float32
    (the target's gain is in it) and `delay` int32, ascending within a source. `given` int32[inputs]
    are payloads; which neurons spike is written to `spikes` int32[neurons].

    Returns:
        How many spike.
    """
    n = state.shape[1]
    ring = pending.shape[0]
    now = counts[TICKS] % ring
    n_spikes = 0
    for i in range(n):
        current = state[CURRENT, i] * constants[KEEP_CURRENT, i] + pending[now, i]
        pending[now, i] = np.float32(0.0)
        membrane = state[MEMBRANE, i] * constants[KEEP_MEMBRANE, i] + current
        membrane += constants[CONSTANT, i]
        adaptation = state[ADAPTATION, i] * constants[KEEP_ADAPTATION, i]
        held = state[HELD, i]
        if held > np.float32(0.0):
            membrane = np.float32(0.0)
            held -= np.float32(1.0)
        elif membrane > constants[THRESHOLD, i] + adaptation:
            membrane = np.float32(0.0)
            adaptation += constants[RISE, i]
            held = constants[REFRACTORY, i]
            spikes[n_spikes] = i
            n_spikes += 1
        state[CURRENT, i] = current
        state[MEMBRANE, i] = membrane
        state[ADAPTATION, i] = adaptation
        state[HELD, i] = held
    n_inputs = given.size
    operations = 0
    for source in range(n_inputs):
        payload = given[source]
        if payload:
            operations += deliver(source, payload, now, pending, row_start, target, weight, delay)
    for j in range(n_spikes):
        source = n_inputs + spikes[j]
        operations += deliver(source, 1, now, pending, row_start, target, weight, delay)
    counts[TICKS] += 1
    counts[SPIKES] += n_spikes
    counts[OPERATIONS] += operations
    return n_spikes
