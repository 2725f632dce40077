# SPDX-License-Identifier: Apache-2.0
"""The compiled loop over taxels and their three afferents."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

Array = Any  # numba infers the types; numpy's generics say nothing to it

SA1, FA1, FA2, KINDS = 0, 1, 2, 3

# Izhikevich, "Simple model of spiking neurons", IEEE Trans. Neural Networks 14, 2003: regular
# spiking for the slowly adapting afferent, fast spiking for the rapidly adapting ones.
_A = np.array([0.02, 0.1, 0.1])
_B = np.array([0.2, 0.2, 0.2])
_D = np.array([8.0, 2.0, 2.0])
RESET_MV, PEAK_MV, REST_MV = -65.0, 30.0, -70.0


@njit(cache=True, nogil=True)
def feel(
    before: Array, after: Array, steps: int, step_ms: float, gains: Array, high_pass: float,
    v: Array, u: Array, slow: Array, rises: Array, when: Array, taxel: Array, kind: Array,
    sign: Array,
) -> int:  # fmt: skip
    """Spikes of all afferents while pressure goes straight from `before` to `after` (float64[n]).

    `gains` float64[3]: current of SA-I at full scale, of FA-I at full scale a second, of FA-II at
    full scale of vibration. `high_pass` is what a step of FA-II's two high-pass filters keeps;
    `slow` float64[2, 2, n] holds their last input and output. `v`, `u` float64[3, n], mV;
    `rises` uint8[n]: whether pressure rose when it last changed. Writes the time of each spike in
    steps since the start, its taxel, kind, and whether pressure rose; there must be room for one
    a step, taxel and kind.

    Returns:
        The number of spikes.
    """
    n_spikes = 0
    n = before.shape[0]
    for i in range(n):
        slope = (after[i] - before[i]) / steps
        per_second = slope * 1000.0 / step_ms
        if slope != 0.0:
            rises[i] = 1 if slope > 0.0 else 0
        for step in range(1, steps + 1):
            pressure = before[i] + slope * step
            # Two first-order high-pass filters, one behind the other: a steady slope leaves none.
            first = high_pass * (slow[0, 1, i] + pressure - slow[0, 0, i])
            slow[0, 0, i], slow[0, 1, i] = pressure, first
            vibration = high_pass * (slow[1, 1, i] + first - slow[1, 0, i])
            slow[1, 0, i], slow[1, 1, i] = first, vibration
            for k in range(3):
                if k == 0:
                    current = gains[0] * pressure
                elif k == 1:
                    current = gains[1] * abs(per_second)
                else:
                    current = gains[2] * max(vibration, 0.0)
                # Two half steps for the membrane, as in the paper. A spike ends at its peak: past
                # it the square grows without bound, and takes the recovery variable with it.
                for _ in range(2):
                    if v[k, i] < PEAK_MV:
                        rate = 0.04 * v[k, i] * v[k, i] + 5.0 * v[k, i] + 140.0 - u[k, i] + current
                        v[k, i] = min(v[k, i] + 0.5 * step_ms * rate, PEAK_MV)
                u[k, i] += step_ms * _A[k] * (_B[k] * v[k, i] - u[k, i])
                if v[k, i] >= PEAK_MV:
                    v[k, i] = RESET_MV
                    u[k, i] += _D[k]
                    when[n_spikes] = step
                    taxel[n_spikes] = i
                    kind[n_spikes] = k
                    sign[n_spikes] = rises[i] if k == 1 else 1
                    n_spikes += 1
    return n_spikes
