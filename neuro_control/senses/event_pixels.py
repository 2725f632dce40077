# SPDX-License-Identifier: Apache-2.0
"""The event camera's pixels, compiled: logarithm of the light, and what each pixel says.

All pixels go through loops that the compiler vectorises (`log_luminance` or
`linear_log_luminance`, then `compare`); only those that may have something to say go through
`speak`, and their events through `in_order`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

# Everywhere error_model="numpy": a check of every division would keep loops from being vectorised.
Array = Any  # numba infers the types; numpy's generics say nothing to it

_LN2 = np.float32(0.6931471805599453)
_ONE = np.float32(1.0)
_ZERO = np.float32(0.0)
_HALF = np.float32(0.5)
_LOG2E = np.float32(1.4426950408889634)
_BRIGHTEST = np.float32(1e9)
_LARGEST_EXPONENT = np.float32(60.0)
_BLOCK = 2048  # pixels whose intermediate values stay in the first-level cache
_DIGIT_BITS = 11
_DIGITS = 1 << _DIGIT_BITS

SIGN_BITS = 1
TIME_BITS = 40
"""A noise event's key: pixel, then time in 2^-40 of the interval, then 1 for ON."""

_TIME_MASK = (1 << TIME_BITS) - 1
_PIXEL_SHIFT = TIME_BITS + SIGN_BITS

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
        # Written so that what is no number is dark: a comparison with it is false.
        x = luminance[i] if luminance[i] > _ZERO else _ZERO
        out[i] = min(x, _BRIGHTEST) + floor
    _natural_logarithm(out)


@njit(cache=True, nogil=True, error_model="numpy")
def linear_log_luminance(luminance: Array, out: Array) -> None:
    """Write ln(255 luminance) into out, float32; x ln(20) / 20 for x = 255 luminance below 20."""
    for i in range(luminance.size):
        x = luminance[i] * np.float32(255.0)
        x = x if x > np.float32(LINEAR_BELOW) else np.float32(LINEAR_BELOW)
        out[i] = min(x, _BRIGHTEST)
    _natural_logarithm(out)
    for i in range(luminance.size):
        x = luminance[i] * np.float32(255.0)
        x = x if x > _ZERO else _ZERO
        # Each part is at rest where the other one works: the logarithm at ln(20), the line there.
        out[i] = min(x, np.float32(LINEAR_BELOW)) * _LINEAR_SLOPE + (out[i] - _LOG_BELOW)


@njit(cache=True, nogil=True, error_model="numpy")
def follow(luminance: Array, turns: float, out: Array) -> None:
    """How much of the way to its light each photoreceptor goes (float32[n], 0 to 1).

    It is the faster the more light it has: its cut-off is that at full scale times
    (255 luminance + 20) / 275 (Hu et al., 2021). `turns` is 2 pi times the cut-off at full scale
    times the time since the last picture. The way is 1 - exp(-z), the exact solution for any
    time between pictures: exp(-z) = 2^-k exp(-r) with |r| <= ln(2) / 2.
    """
    bits = out.view(np.int32)
    exponent = np.empty(out.size, np.float32)
    for i in range(luminance.size):
        x = luminance[i] if luminance[i] > _ZERO else _ZERO
        share = x * np.float32(255.0 / 275.0) + np.float32(20.0 / 275.0)
        exponent[i] = min(np.float32(turns) * share, _LARGEST_EXPONENT)
    for i in range(luminance.size):
        bits[i] = (np.int32(127) - np.int32(exponent[i] * _LOG2E + _HALF)) << np.int32(23)
    for i in range(luminance.size):
        z = exponent[i]
        r = z - np.float32(np.int32(z * _LOG2E + _HALF)) * _LN2
        tail = np.float32(1.0 / 24.0) - r * (np.float32(1.0 / 120.0) - r * np.float32(1.0 / 720.0))
        series = r * (_ONE - r * (_HALF - r * (np.float32(1.0 / 6.0) - r * tail)))
        out[i] = (_ONE - out[i]) + out[i] * series


@njit(cache=True, nogil=True, error_model="numpy")
def compare(  # noqa: C901, PLR0912 - one pass over the pixels is the point
    luminance: Array, level: Array, turns: float, dt_s: float, leak: Array, on: Array, off: Array,
    light: Array, gap: Array, change: Array, marks: Array, words: Array, deaf: Array,
    noise: Array, active: Array,
) -> int:  # fmt: skip
    """Move all pixels to a new picture; collect those that may have something to say.

    `level` is the picture's response, `light` where the photoreceptors are, `gap` how far that is
    from what each pixel memorised: a distance, because added to a logarithm of 5 a leak of
    microunits would be rounded away. `change` becomes the gap's change with the leak (`leak`,
    ln/s). All are float32[n]. `turns` as in `follow`, 0 for unlimited bandwidth. `marks` is
    uint8, n and zeros up to a multiple of 8, `words` the same memory as uint64. `deaf`, int32,
    and the keys `noise`, int64, name pixels that are collected anyway.

    Returns:
        The number of pixels in `active` (int32[n]), ascending.
    """
    share = np.empty(_BLOCK, np.float32)
    for start in range(0, luminance.size, _BLOCK):
        stop = min(start + _BLOCK, luminance.size)
        m = stop - start
        goal, at, moved = level[start:stop], light[start:stop], change[start:stop]
        if turns > 0.0:
            follow(luminance[start:stop], turns, share[:m])
            for i in range(m):
                moved[i] = (goal[i] - at[i]) * share[i]
                at[i] += moved[i]
        else:
            for i in range(m):
                moved[i] = goal[i] - at[i]
                at[i] = goal[i]
        leaking, distance, mark = leak[start:stop], gap[start:stop], marks[start:stop]
        up, down = on[start:stop], off[start:stop]
        for i in range(m):
            moved[i] += leaking[i] * np.float32(dt_s)
            distance[i] += moved[i]
        for i in range(m):
            mark[i] = np.uint8(distance[i] >= up[i]) | np.uint8(distance[i] <= -down[i])
    for i in range(deaf.size):
        marks[deaf[i]] = 1
    for i in range(noise.size):
        marks[noise[i] >> _PIXEL_SHIFT] = 1
    count = 0
    for word in range(words.size):
        if words[word] != 0:
            for i in range(8 * word, 8 * word + 8):
                if marks[i] != 0:
                    active[count] = i
                    count += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def speak(  # noqa: C901, PLR0912, PLR0915 - one walk along a pixel's time is the point
    active: Array, noise: Array, gap: Array, change: Array, on: Array, off: Array,
    deaf_until_ns: Array, start_ns: int, dt_ns: int, refractory_ns: int, progress: Array,
    deaf: Array, offset: Array, said: Array,
) -> bool:  # fmt: skip
    """Events of the active pixels, in `offset` int64[m], ns since the last picture.

    `said`, int64[m], is the pixel twice, and 1 more for ON. Between two pictures a pixel's gap
    runs straight from `gap - change` to `gap`, so that the times when it meets its thresholds can
    be said. While a pixel is deaf it memorises its light: the gap is 0 when it hears again.

    `progress` is int64[4]: active pixels done, noise keys used, pixels in `deaf` (int32[n], those
    that are deaf when the picture is taken), events written; zeros before the first call.

    Returns:
        Whether all is said; if not, go on with the same progress and longer arrays.
    """
    done, key, n_deaf, count = progress[0], progress[1], progress[2], progress[3]
    span = np.float64(dt_ns)
    per_share = span / (1 << TIME_BITS)
    while done < active.size:
        i = np.int64(active[done])
        up, down, moved = np.float64(on[i]), np.float64(off[i]), np.float64(change[i])
        last = key
        while last < noise.size and noise[last] >> _PIXEL_SHIFT == i:
            last += 1
        most = np.int64((abs(moved) + up + down) / min(up, down)) + 3 + last - key
        if count + most > said.size:
            break
        slope = moved / span
        base = np.float64(gap[i]) - moved
        since = deaf_until_ns[i] - start_ns
        if since > 0:
            base = -slope * since
        is_deaf = since >= dt_ns
        since = max(since, 1)
        while not is_deaf:
            when, sign, by_noise = dt_ns + 1, 0, False
            end = base + moved
            if end >= up or end <= -down:
                sign = np.int64(end >= up)
                crossing = span
                if slope != 0.0:
                    crossing = ((up if sign else -down) - base) / slope
                # Stamps lie after the last picture's and not after this one's.
                when = max(np.int64(min(crossing, span)), since)
            while key < last:
                noise_ns = np.int64(((noise[key] >> SIGN_BITS) & _TIME_MASK) * per_share) + 1
                if noise_ns >= since:
                    if noise_ns < when:
                        when, sign, by_noise = noise_ns, noise[key] & 1, True
                    break
                key += 1  # it came while the pixel was deaf
            if when > dt_ns:
                break
            offset[count], said[count] = when, 2 * i + sign
            count += 1
            since = when
            if by_noise:
                key += 1
                base = -slope * when
            else:
                base += -up if sign else down
            if refractory_ns > 0:
                since = when + refractory_ns
                deaf_until_ns[i] = start_ns + since
                base = -slope * since
                is_deaf = since >= dt_ns
        key = last
        gap[i] = base + moved
        if is_deaf:
            gap[i] = _ZERO
            deaf[n_deaf] = i
            n_deaf += 1
        done += 1
    progress[0], progress[1], progress[2], progress[3] = done, key, n_deaf, count
    return done == active.size


@njit(cache=True, nogil=True, error_model="numpy")
def in_order(
    offset: Array, said: Array, start_ns: int, dt_ns: int, width: int, t_ns: Array, x: Array,
    y: Array, p: Array,
) -> None:  # fmt: skip
    """Sort what `speak` wrote by time, then by pixel, into the arrays of `Events`.

    A radix sort, low digits first: two rounds where pictures are a millisecond apart.
    """
    other_offset, other_said = np.empty_like(offset), np.empty_like(said)
    places = np.empty(_DIGITS, np.int64)
    shift = 0
    while dt_ns >> shift > 0:
        places[:] = 0
        for i in range(offset.size):
            places[(offset[i] >> shift) & (_DIGITS - 1)] += 1
        total = 0
        for digit in range(_DIGITS):
            held = places[digit]
            places[digit] = total
            total += held
        for i in range(offset.size):
            digit = (offset[i] >> shift) & (_DIGITS - 1)
            place = places[digit]
            places[digit] = place + 1
            other_offset[place], other_said[place] = offset[i], said[i]
        offset, other_offset = other_offset, offset
        said, other_said = other_said, said
        shift += _DIGIT_BITS
    for i in range(offset.size):
        address = np.uint32(said[i] >> 1)
        row = address // np.uint32(width)
        t_ns[i] = start_ns + offset[i]
        x[i] = address - row * np.uint32(width)
        y[i] = row
        p[i] = said[i] & 1
