# SPDX-License-Identifier: Apache-2.0
"""The event camera's pixels, compiled: logarithm of the light, and what each pixel says."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

# Everywhere error_model="numpy": a check of every division would keep loops from being vectorised.
Array = Any  # numba infers the types; numpy's generics say nothing to it

_LN2 = np.float32(0.6931471805599453)
_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)


LINEAR_BELOW = 20.0
"""Light in 1/255 of full scale below which the linear-logarithmic response is linear (v2e)."""

_LINEAR_SLOPE = np.float32(np.log(LINEAR_BELOW) / LINEAR_BELOW)


_LOG_BELOW = np.float32(np.log(LINEAR_BELOW))


@njit(cache=True, nogil=True, error_model="numpy")
def _natural_logarithm(out: Array) -> None:
    """Replace positive float32 values by their logarithms, right to 2e-6.

    Exponent and mantissa are taken apart and ln(m) = 2 artanh((m - 1) / (m + 1)) is a short
    series for m in [sqrt(1/2), sqrt(2)): unlike a library's logarithm it is vectorised, and the
    same to the bit on every machine.
    """
    bits = out.view(np.int32)
    power = np.empty(out.size, np.float32)
    # Two loops, because the two views of one array keep a single one from being vectorised.
    for i in range(out.size):
        shifted = bits[i] - np.int32(0x3F3504F3)
        exponent = shifted >> np.int32(23)
        bits[i] -= exponent << np.int32(23)
        power[i] = np.float32(exponent)
    for i in range(out.size):
        m = out[i]
        z = (m - _ONE) / (m + _ONE)
        z2 = z * z
        series = _ONE + z2 * (
            np.float32(1.0 / 3.0)
            + z2 * (np.float32(0.2) + z2 * (np.float32(1.0 / 7.0) + z2 * np.float32(1.0 / 9.0)))
        )
        out[i] = power[i] * _LN2 + np.float32(2.0) * z * series


@njit(cache=True, nogil=True, error_model="numpy")
def log_luminance(luminance: Array, floor: float, out: Array) -> None:
    """Write ln(max(luminance, 0) + floor) into out, float32."""
    for i in range(luminance.size):
        out[i] = max(luminance[i], _ZERO) + floor
    _natural_logarithm(out)


@njit(cache=True, nogil=True, error_model="numpy")
def linear_log_luminance(luminance: Array, out: Array) -> None:
    """Write ln(255 luminance) into out, float32; x ln(20) / 20 for x = 255 luminance below 20."""
    for i in range(luminance.size):
        out[i] = max(luminance[i] * np.float32(255.0), np.float32(LINEAR_BELOW))
    _natural_logarithm(out)
    for i in range(luminance.size):
        x = max(luminance[i] * np.float32(255.0), _ZERO)
        # Each part is at rest where the other one works: the logarithm at ln(20), the line there.
        out[i] = min(x, np.float32(LINEAR_BELOW)) * _LINEAR_SLOPE + (out[i] - _LOG_BELOW)


@njit(cache=True, nogil=True, error_model="numpy")
def low_pass(luminance: Array, turns: float, before: Array, light: Array) -> None:
    """Move light (float32[n], log) from where it was towards where it is by a first-order filter.

    A photoreceptor is the faster the more light it has: its cut-off is that at full scale times
    (255 luminance + 20) / 275 (Hu et al., 2021). `turns` is 2 pi times the cut-off at full scale
    times the time since the last picture; the step is the backward Euler one, stable for any.
    """
    for i in range(luminance.size):
        share = max(luminance[i], _ZERO) * np.float32(255.0 / 275.0) + np.float32(20.0 / 275.0)
        a = np.float32(turns) * share
        light[i] = before[i] + (light[i] - before[i]) * (a / (_ONE + a))


@njit(cache=True, nogil=True, error_model="numpy")
def react(  # noqa: C901, PLR0912 - a pixel's whole story
    light: Array, next_light: Array, reference: Array, deaf_until_ns: Array, on: Array, off: Array,
    start_ns: int, end_ns: int, refractory_ns: int, leaks: Array, first: int, count: int,
    t: Array, address: Array, polarity: Array,
) -> tuple[int, int]:  # fmt: skip
    """Events of all pixels from `first` on between two pictures; references are moved in place.

    A pixel's light runs straight from `light` at `start_ns` to `next_light` at `end_ns`. While it
    is deaf nothing happens; when it hears again its reference is the light of that moment.

    `light`, `next_light` and `reference` are float32[n], log luminance; `deaf_until_ns` int64[n];
    `on` and `off` float32[n], thresholds; `leaks` float32[n] is the fall of each reference in this
    interval, in ON thresholds; `count` events are already in `t` int64[m], `address` int32[m] and
    `polarity` uint8[m].

    Returns:
        The pixel that did not fit any more (n when all did), and the number of events written.
    """
    duration = np.float64(end_ns - start_ns)
    for i in range(first, light.size):
        from_light, to_light, leak = light[i], next_light[i], leaks[i]
        if deaf_until_ns[i] <= start_ns:
            # Most pixels have nothing to say, and the straight way to there has not either.
            leaked = reference[i] - leak * on[i]
            if -off[i] < to_light - leaked < on[i]:
                reference[i] = leaked
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


@njit(cache=True, nogil=True, error_model="numpy")
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
