# SPDX-License-Identifier: Apache-2.0
"""The event camera's pixels, compiled: logarithm of the light, and what each pixel says."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

Array = Any  # numba infers the types; numpy's generics say nothing to it

_LN2 = np.float32(0.6931471805599453)
_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)


@njit(cache=True, nogil=True)
def log_luminance(luminance: Array, floor: float, out: Array) -> None:
    """Write ln(max(luminance, 0) + floor) into out, float32, right to 2e-6.

    Exponent and mantissa are taken apart and ln(m) = 2 artanh((m - 1) / (m + 1)) is a short
    series for m in [sqrt(1/2), sqrt(2)): unlike a library's logarithm it is vectorised, and the
    same to the bit on every machine.
    """
    for i in range(luminance.size):
        out[i] = max(luminance[i], _ZERO) + floor
    bits = out.view(np.int32)
    for i in range(out.size):
        shifted = bits[i] - np.int32(0x3F3504F3)
        exponent = shifted >> np.int32(23)
        bits[i] -= exponent << np.int32(23)
        m = out[i]
        z = (m - _ONE) / (m + _ONE)
        z2 = z * z
        series = _ONE + z2 * (
            np.float32(1.0 / 3.0)
            + z2 * (np.float32(0.2) + z2 * (np.float32(1.0 / 7.0) + z2 * np.float32(1.0 / 9.0)))
        )
        out[i] = np.float32(exponent) * _LN2 + np.float32(2.0) * z * series


@njit(cache=True, nogil=True)
def react(
    light: Array, next_light: Array, reference: Array, deaf_until_ns: Array, on: Array, off: Array,
    start_ns: int, end_ns: int, refractory_ns: int, leak: float, first: int, count: int, t: Array,
    address: Array, polarity: Array,
) -> tuple[int, int]:  # fmt: skip
    """Events of all pixels from `first` on between two pictures; references are moved in place.

    A pixel's light runs straight from `light` at `start_ns` to `next_light` at `end_ns`. While it
    is deaf nothing happens; when it hears again its reference is the light of that moment.

    `light`, `next_light` and `reference` are float32[n], log luminance; `deaf_until_ns` int64[n];
    `on` and `off` float32[n], thresholds; `leak` is the fall of the reference in this interval, in
    ON thresholds; `count` events are already in `t` int64[m], `address` int32[m] and `polarity`
    uint8[m].

    Returns:
        The pixel that did not fit any more (n when all did), and the number of events written.
    """
    duration = np.float64(end_ns - start_ns)
    for i in range(first, light.size):
        from_light, to_light = light[i], next_light[i]
        if leak == _ZERO and from_light == to_light and deaf_until_ns[i] <= start_ns:
            # Nothing has moved, and the reference is within the thresholds since last time.
            continue
        change = to_light - from_light
        least = min(on[i], off[i])
        if count + np.int64((abs(change) + on[i]) / least) + 2 + np.int64(leak) > t.size:
            return i, count
        deaf = deaf_until_ns[i]
        since = start_ns
        if deaf > start_ns:
            if deaf >= end_ns:
                continue
            since = deaf
            reference[i] = from_light + change * np.float32((deaf - start_ns) / duration)
        reference[i] -= leak * on[i]
        while True:
            gap = to_light - reference[i]
            if gap >= on[i]:
                level, sign = reference[i] + on[i], np.uint8(1)
            elif gap <= -off[i]:
                level, sign = reference[i] - off[i], np.uint8(0)
            else:
                break
            when = since
            if change != _ZERO:
                share = np.float64((level - from_light) / change)
                when = max(since, start_ns + np.int64(min(max(share, 0.0), 1.0) * duration))
            # Stamps lie after the last picture's and not after this one's.
            when = min(max(when, start_ns + 1), end_ns)
            t[count], address[count], polarity[count] = when, i, sign
            count += 1
            since = when
            reference[i] = level
            if refractory_ns > 0:
                deaf = when + refractory_ns
                deaf_until_ns[i] = deaf
                if deaf >= end_ns:
                    break
                since = deaf
                reference[i] = from_light + change * np.float32((deaf - start_ns) / duration)
    return light.size, count


@njit(cache=True, nogil=True)
def add_shots(
    light: Array, next_light: Array, reference: Array, deaf_until_ns: Array, start_ns: int,
    end_ns: int, refractory_ns: int, pixels: Array, times: Array, signs: Array, count: int,
    t: Array, address: Array, polarity: Array,
) -> int:  # fmt: skip
    """Noise events at given pixels and times; a deaf pixel keeps silent. Returns the new count."""
    for n in range(pixels.size):
        i, when = pixels[n], times[n]
        if when < deaf_until_ns[i] or when + refractory_ns < deaf_until_ns[i]:
            continue
        t[count], address[count], polarity[count] = when, i, signs[n]
        count += 1
        share = np.float32((when - start_ns) / (end_ns - start_ns))
        reference[i] = light[i] + (next_light[i] - light[i]) * share
        deaf_until_ns[i] = when + refractory_ns
    return count
