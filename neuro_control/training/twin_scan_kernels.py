# SPDX-License-Identifier: Apache-2.0
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN201, ANN202
"""The compiled steps of a population over a window of ticks, forwards and backwards.

`neuro_control.training.twin_scan` says what they compute, and has the same in torch for devices
that this code cannot reach. Numbers are float64, which holds every integer of the exact mode.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numba
import numpy as np

CURRENT, MEMBRANE, ADAPTATION, HELD = range(4)
"""Rows of the state, float64[4, batch, n]."""
KEEP_CURRENT, KEEP_MEMBRANE, KEEP_ADAPTATION, CONSTANT, THRESHOLD, RISE, REFRACTORY = range(7)
"""Rows of a population's numbers, float64[7, n]."""


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled on first use; kept on disk where numba finds a place to write."""
    try:
        return cast(Callable[..., Any], numba.njit(function, cache=True, nogil=True))
    except RuntimeError:
        return cast(Callable[..., Any], numba.njit(function, nogil=True))


@_compiled
def _exact_row(arriving, keep_u, keep_v, constant, threshold, u, v, signal, distance):
    """One tick of one sample: spikes in integers, without history. The loop runs in vectors."""
    turn, half = float(1 << 24), float(1 << 23)
    highest = half - 1.0
    for i in range(len(u)):
        # keep is a whole number of 1/4096, so that the products are exact.
        x = np.trunc(u[i] * keep_u[i]) + 64.0 * float(arriving[i])
        x = x - (turn if x > half else 0.0) + (turn if x <= -half else 0.0)
        y = np.trunc(v[i] * keep_v[i]) + x + constant[i]
        y = min(max(y, -highest), highest)
        d = y - threshold[i]
        fires = d > 0.0
        u[i] = x
        v[i] = 0.0 if fires else y
        signal[i] = np.float32(1.0) if fires else np.float32(0.0)
        distance[i] = np.float32(d)


@_compiled
def _float_row(arriving, keep_u, keep_v, constant, threshold, u, v, signal, distance):
    """The same in float."""
    for i in range(len(u)):
        x = u[i] * keep_u[i] + float(arriving[i])
        y = v[i] * keep_v[i] + x + constant[i]
        d = y - threshold[i]
        fires = d > 0.0
        u[i] = x
        v[i] = 0.0 if fires else y
        signal[i] = np.float32(1.0) if fires else np.float32(0.0)
        distance[i] = np.float32(d)


@_compiled
def _any_row(arriving, numbers, state, b, exact, spiking, signal, distance, free):
    """One tick of one sample of any population; ``free`` has no entry where it is not kept."""
    turn, half = float(1 << 24), float(1 << 23)
    highest = half - 1.0
    for i in range(state.shape[2]):
        x = state[CURRENT, b, i] * numbers[KEEP_CURRENT, i]
        y = state[MEMBRANE, b, i] * numbers[KEEP_MEMBRANE, i]
        w = state[ADAPTATION, b, i] * numbers[KEEP_ADAPTATION, i]
        if exact:
            x = np.trunc(x) + 64.0 * float(arriving[i])
            x = x - (turn if x > half else 0.0) + (turn if x <= -half else 0.0)
            y = np.trunc(y) + x + numbers[CONSTANT, i]
            y = min(max(y, -highest), highest)
            w = np.trunc(w)
        else:
            x = x + float(arriving[i])
            y = y + x + numbers[CONSTANT, i]
        state[CURRENT, b, i] = x
        if not spiking:
            state[MEMBRANE, b, i] = y
            signal[i] = y
            continue
        held = state[HELD, b, i]
        if held > 0.0:
            y = 0.0
        d = y - numbers[THRESHOLD, i] - w
        distance[i] = d
        if len(free):
            free[i] = held <= 0.0
        fires = d > 0.0 and held <= 0.0
        signal[i] = 1.0 if fires else 0.0
        if fires:
            y = 0.0
            w = w + numbers[RISE, i]
            if exact:
                w = min(w, highest)
            held = numbers[REFRACTORY, i]
        else:
            held = max(held - 1.0, 0.0)
        state[MEMBRANE, b, i] = y
        state[ADAPTATION, b, i] = w
        state[HELD, b, i] = held


@_compiled
def forward(arriving, numbers, state, exact, spiking, history, signal, distance, free, past):
    """A window of ticks.

    arriving [batch, time, n], numbers float64[7, n], state float64[4, batch, n] (changed in
    place); fills signal float32[batch, time, n], distance (the same, or float32[1, 1, n] where it
    is not kept), and where they are not empty free (bool[batch, time, n]) and past
    float32[3, batch, time, n]: current, membrane and adaptation before.
    """
    batch, ticks, _ = arriving.shape
    nothing = np.empty(0, np.bool_)
    keep_u, keep_v = numbers[KEEP_CURRENT], numbers[KEEP_MEMBRANE]
    constant, threshold = numbers[CONSTANT], numbers[THRESHOLD]
    for b in range(batch):
        u, v = state[CURRENT, b], state[MEMBRANE, b]
        for t in range(ticks):
            if past.size:
                for k in range(3):
                    past[k, b, t, :] = state[k, b]
            given, made = arriving[b, t], signal[b, t]
            away = distance[min(b, len(distance) - 1), min(t, distance.shape[1] - 1)]
            if history or not spiking:
                open_ = free[b, t] if free.size else nothing
                _any_row(given, numbers, state, b, exact, spiking, made, away, open_)
            elif exact:
                _exact_row(given, keep_u, keep_v, constant, threshold, u, v, made, away)
            else:
                _float_row(given, keep_u, keep_v, constant, threshold, u, v, made, away)


@_compiled
def _back_row(given, bell, signal, keep_u, keep_v, slope, gu, gv, found, of_constant, of_threshold):
    """One tick back of one sample: spikes without history."""
    for i in range(len(gu)):
        d = float(given[i]) * float(bell[i])
        y = gv[i] * (1.0 - float(signal[i])) + d
        x = gu[i] + y
        found[i] = np.float32(slope * x)
        of_constant[i] += y
        of_threshold[i] -= d
        gu[i] = x * keep_u[i]
        gv[i] = y * keep_v[i]


@_compiled
def _back_any_row(given, bell, signal, free, numbers, slope, spiking, state, b, found, sums, moved):
    """One tick back of one sample of any population.

    ``moved`` float64[3, n] receives what the decays are to be multiplied with.
    """
    for i in range(len(given)):
        x, y, w = state[CURRENT, b, i], state[MEMBRANE, b, i], state[ADAPTATION, b, i]
        if spiking:
            s = float(signal[i])
            d = (float(given[i]) + numbers[RISE, i] * w) * float(bell[i])
            if len(free) and not free[i]:
                y = 0.0
                d = 0.0
            y = y * (1.0 - s) + d
            sums[THRESHOLD, i] -= d
            sums[RISE, i] += w * s
            w = w - d
            state[ADAPTATION, b, i] = w * numbers[KEEP_ADAPTATION, i]
        else:
            y = y + float(given[i])
            w = 0.0
        x = x + y
        found[i] = slope * x
        sums[CONSTANT, i] += y
        moved[CURRENT, i], moved[MEMBRANE, i], moved[ADAPTATION, i] = x, y, w
        state[CURRENT, b, i] = x * numbers[KEEP_CURRENT, i]
        state[MEMBRANE, b, i] = y * numbers[KEEP_MEMBRANE, i]


@_compiled
def backward(given, bell, signal, free, past, numbers, slope, spiking, state, found, sums):
    """The adjoint of `forward`.

    given: gradient of the signal, float32[batch, time, n]; bell: derivative of a spike by its
    distance; slope: current per unit that arrives; state: gradients of the state after the window,
    float64[3, batch, n], which become those of the state before it. Fills found, the gradient of
    what arrived, and adds to sums, float64[6, n], those of the numbers down to RISE.
    """
    batch, ticks, n = given.shape
    keep_u, keep_v = numbers[KEEP_CURRENT], numbers[KEEP_MEMBRANE]
    remembers, history = past.size > 0, free.size > 0
    nothing = np.empty(0, np.bool_)
    moved = np.empty((3, n))
    for b in range(batch):
        gu, gv = state[CURRENT, b], state[MEMBRANE, b]
        for t in range(ticks - 1, -1, -1):
            if spiking and not history and not remembers:
                _back_row(
                    given[b, t], bell[b, t], signal[b, t], keep_u, keep_v, slope, gu, gv,
                    found[b, t], sums[CONSTANT], sums[THRESHOLD],
                )  # fmt: skip
                continue
            kept = bell[b, t] if spiking else given[b, t]
            open_ = free[b, t] if history else nothing
            _back_any_row(
                given[b, t], kept, signal[b, t], open_, numbers, slope, spiking, state, b,
                found[b, t], sums, moved,
            )  # fmt: skip
            if remembers:
                for k in range(3):
                    for i in range(n):
                        sums[k, i] += moved[k, i] * float(past[k, b, t, i])
