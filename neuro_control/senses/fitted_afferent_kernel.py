# SPDX-License-Identifier: Apache-2.0
"""The compiled loop over afferents, and where each keeps its state and constants."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

Array = Any  # numba infers the types; numpy's generics say nothing to it

# Columns of the state, float64[n, STATE_SIZE]: the filter's memory, its last output, the rate of
# that, the membrane, and steps since the last spike.
Z1, Z2, Z3, FILTERED, RATE, MEMBRANE, SINCE = range(7)
STATE_SIZE = 7

# Columns of the constants, float64[kinds, CONSTANTS_SIZE].
B0, B1, B2, B3, A1, A2, A3 = range(7)
PRESSURE_UP, PRESSURE_DOWN, RATE_UP, RATE_DOWN, CHANGE_UP, CHANGE_DOWN = range(7, 13)
SATURATION, NOISE, LEAK = range(13, 16)
CONSTANTS_SIZE = 16

REFRACTORY_STEPS = 6
_STEP_RATE_HZ = 5000.0
_QUIET = 1e-12

# Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_ODD = np.uint64(0xD1342543DE82EF95)
_LOW_16 = np.uint64(0xFFFF)
_MEAN = 4 * 32767.5
_TO_UNIT_STD = 3.0**0.5 / 65536.0


@njit(cache=True, nogil=True)
def _normal(seed: Any, afferent: Any, step: Any) -> float:
    """Noise that depends on nothing but its place: four 16-bit uniforms, summed to variance 1.

    A generator with a state would give other noise to a stream that is cut elsewhere.
    """
    z = seed + np.uint64(step) * _GOLDEN + np.uint64(afferent + 1) * _ODD
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    z = z ^ (z >> np.uint64(31))
    total = (
        np.int64(z & _LOW_16)
        + np.int64((z >> np.uint64(16)) & _LOW_16)
        + np.int64((z >> np.uint64(32)) & _LOW_16)
        + np.int64(z >> np.uint64(48))
    )
    return (total - _MEAN) * _TO_UNIT_STD


@njit(cache=True, nogil=True)
def integrate(  # noqa: PLR0912, PLR0915 - one pass over the steps is the point
    state: Array, constants: Array, after: Array, gains: Array, stress: Array, next_stress: Array,
    start_ns: int, end_ns: int, first_step: int, steps: int, step_ns: int, noisy: bool, seed: Any,
    t: Array, address: Array, polarity: Array,
) -> int:  # fmt: skip
    """Spikes of all afferents in the steps first_step, ..., first_step + steps - 1.

    Step k ends at k * step_ns, in (start_ns, end_ns]; the stress runs straight from `stress` at
    `start_ns` to `next_stress` at `end_ns`, both float64[taxels], MPa. `state` is changed in
    place; its row i is kind i // taxels over taxel i % taxels. `gains` float64[kinds, taxels].
    A spike's time lies within its step, where the membrane, taken as straight, crosses 1.

    Returns the number of events in `t` int64[m], `address` int32[m] and `polarity` uint8[m], which
    hold at least ``afferents * (steps // REFRACTORY_STEPS + 1)``.
    """
    taxels = stress.size
    history = after.shape[1]
    duration = np.float64(end_ns - start_ns)
    count = 0
    for i in range(state.shape[0]):
        kind = i // taxels
        taxel = i - kind * taxels
        gain = gains[kind, taxel]
        begin = stress[taxel] * gain
        slope = (next_stress[taxel] * gain - begin) / duration
        z1, z2, z3 = state[i, Z1], state[i, Z2], state[i, Z3]
        filtered, rate = state[i, FILTERED], state[i, RATE]
        membrane = state[i, MEMBRANE]
        since = np.int64(state[i, SINCE])
        if begin == 0.0 and slope == 0.0 and not noisy and since >= history:
            stir = max(abs(z1), abs(z2), abs(z3), abs(filtered), abs(rate), abs(membrane))
            if stir < _QUIET:
                # Untouched and at rest. Also keeps what has faded from ending as denormals.
                state[i, :SINCE] = 0.0
                continue
        b0, b1 = constants[kind, B0], constants[kind, B1]
        b2, b3 = constants[kind, B2], constants[kind, B3]
        a1, a2, a3 = constants[kind, A1], constants[kind, A2], constants[kind, A3]
        saturation, noise = constants[kind, SATURATION], constants[kind, NOISE]
        keep = 1.0 - constants[kind, LEAK]
        for k in range(first_step, first_step + steps):
            s = begin + slope * np.float64(k * step_ns - start_ns)
            out = b0 * s + z1
            z1 = b1 * s - a1 * out + z2
            z2 = b2 * s - a2 * out + z3
            z3 = b3 * s - a3 * out
            next_rate = (out - filtered) * _STEP_RATE_HZ
            change = next_rate - rate
            filtered, rate = out, next_rate
            if filtered >= 0.0:
                current = constants[kind, PRESSURE_UP] * filtered
            else:
                current = -constants[kind, PRESSURE_DOWN] * filtered
            if rate >= 0.0:
                current += constants[kind, RATE_UP] * rate
            else:
                current -= constants[kind, RATE_DOWN] * rate
            if change >= 0.0:
                current += constants[kind, CHANGE_UP] * change
            else:
                current -= constants[kind, CHANGE_DOWN] * change
            if noisy:
                current += noise * _normal(seed, i, k)
            if saturation > 0.0:
                current *= saturation / (saturation + abs(current))
            if since < history:
                current += after[kind, since]
                since += 1
            before = membrane
            membrane = keep * membrane + current
            if membrane > 1.0 and since >= REFRACTORY_STEPS:
                share = 1.0 if before >= 1.0 else (1.0 - before) / (membrane - before)
                t[count] = k * step_ns - np.int64((1.0 - share) * step_ns)
                address[count] = i
                polarity[count] = 1 if kind == 0 or rate >= 0.0 else 0
                count += 1
                membrane = 0.0
                since = 0
        state[i, Z1], state[i, Z2], state[i, Z3] = z1, z2, z3
        state[i, FILTERED], state[i, RATE] = filtered, rate
        state[i, MEMBRANE] = membrane
        state[i, SINCE] = since
    return count
