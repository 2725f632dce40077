# SPDX-License-Identifier: Apache-2.0
"""The compiled loops of the cochlea: membrane and hair cells, and the spikes of the nerve."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

Array = Any  # numba infers the types; numpy's generics say nothing to it

FAINTEST = 1e-200
"""What is below it at a block's end is silence. In silence a state would else decay to the smallest
numbers there are and stay among them, which many processors reckon with slowly; its fourth root is
far below what any neuron hears, so that where sound is cut into blocks changes no spike."""


@njit(cache=True, nogil=True)
def hush(state: Array) -> None:
    """Set what is fainter than `FAINTEST` to zero, in place; float64 of any shape."""
    flat = state.reshape(-1)
    for i in range(flat.size):
        if abs(flat[i]) < FAINTEST:
            flat[i] = 0.0


@njit(cache=True, nogil=True)
def hair_cells(
    pcm: Array, real: Array, imaginary: Array, gain: Array, z_real: Array, z_imaginary: Array,
    halvings: int, smoothing: float, smooth: Array, out: Array,
) -> None:  # fmt: skip
    """Filter, rectify, compress and smooth: pcm float64[n] of one ear to out float64[n, channels].

    `real`, `imaginary` and `gain` float64[channels] are the bank's; `z_real` and `z_imaginary`
    float64[4, channels] the stages' state, `smooth` float64[channels] the last output. The square
    root is taken `halvings` times.
    """
    channels = real.shape[0]
    for n in range(pcm.shape[0]):
        x = pcm[n]
        for c in range(channels):
            a_real, a_imaginary = real[c], imaginary[c]
            in_real, in_imaginary = x * gain[c], 0.0
            for stage in range(4):
                was_real, was_imaginary = z_real[stage, c], z_imaginary[stage, c]
                in_real, in_imaginary = (
                    in_real + a_real * was_real - a_imaginary * was_imaginary,
                    in_imaginary + a_real * was_imaginary + a_imaginary * was_real,
                )
                z_real[stage, c], z_imaginary[stage, c] = in_real, in_imaginary
            level = max(in_real, 0.0)
            for _ in range(halvings):
                level = np.sqrt(level)
            smooth[c] += smoothing * (level - smooth[c])
            out[n, c] = smooth[c]
    hush(z_real)
    hush(z_imaginary)
    hush(smooth)


@njit(cache=True, nogil=True)
def leaky_spikes(
    level: Array, begin: int, drive: float, keep: float, refractory: float, membrane: Array,
    held_until: Array, when: Array, channel: Array,
) -> int:  # fmt: skip
    """Leaky integrate-and-fire: level float64[n, channels] of one ear to spikes.

    `begin` is the number of the first sample; `keep` is what a membrane keeps from sample to
    sample, `drive` its resting value at level 1; the threshold is 1. A crossing lies on the
    straight line between two samples. `refractory` and `held_until` float64[channels] are in
    samples. Writes times in samples and channels, for which there must be room for n a channel.

    Returns:
        The number of spikes.
    """
    n_spikes = 0
    for c in range(level.shape[1]):
        v = membrane[c]
        held = held_until[c]
        for n in range(level.shape[0]):
            now = begin + n
            if now <= held:
                v = 0.0
                continue
            after = v * keep + (1.0 - keep) * drive * level[n, c]
            if after >= 1.0:
                share = (1.0 - v) / (after - v)
                at = max(now - 1 + share, held)
                when[n_spikes] = at
                channel[n_spikes] = c
                n_spikes += 1
                held = at + refractory
                after = 0.0
            v = after
        membrane[c] = v if v >= FAINTEST else 0.0
        held_until[c] = held
    return n_spikes


@njit(cache=True, nogil=True)
def delta_spikes(
    level: Array, begin: int, delta: float, most: int, last: Array, reference: Array, when: Array,
    channel: Array, polarity: Array,
) -> int:  # fmt: skip
    """Send-on-delta: a spike for every `delta` that a channel has risen or fallen since its last.

    `last` and `reference` float64[channels] are the state; at most `most` spikes lie between two
    samples, beyond which the reference jumps. Writes times in samples, channels and polarities.

    Returns:
        The number of spikes.
    """
    n_spikes = 0
    for c in range(level.shape[1]):
        before, mark = last[c], reference[c]
        for n in range(level.shape[0]):
            x = level[n, c]
            for _ in range(most):
                if x >= mark + delta:
                    mark, sign = mark + delta, 1
                elif x <= mark - delta:
                    mark, sign = mark - delta, 0
                else:
                    break
                share = (mark - before) / (x - before) if x != before else 1.0
                when[n_spikes] = begin + n - 1 + min(max(share, 0.0), 1.0)
                channel[n_spikes] = c
                polarity[n_spikes] = sign
                n_spikes += 1
            if abs(x - mark) >= delta:
                mark = x
            before = x
        last[c], reference[c] = before, mark
    return n_spikes
