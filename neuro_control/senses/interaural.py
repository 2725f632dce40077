# SPDX-License-Identifier: Apache-2.0
"""The time difference between the ears, read from their spikes.

Every spike of the left ear is compared with those of the right ear in the same channel that lie
nearby (a cross-correlogram: Jeffress, "A place theory of sound localization", J. Comp. Physiol.
Psychol. 41, 1948); the difference around which most of them gather is the answer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuro_control.events import Events

LONGEST_NS = 800_000
"""Longest difference between human ears."""

LEAST_PAIRS = 8


def interaural_differences(events: Events, longest_ns: int = LONGEST_NS) -> NDArray[np.int64]:
    """Left minus right time of all pairs of spikes in one channel, int64[m], ns.

    Args:
        events: of two ears (y 0 left, 1 right), ascending in time.
        longest_ns: of a pair.

    Raises:
        ValueError: the events are of another number of ears.
    """
    if events.height != 2:
        raise ValueError(f"events are of {events.height} ears; two are needed")
    found = [np.empty(0, np.int64)]
    # Only onsets of the level, where there are two polarities.
    kept = events.p == 1
    t_ns, x, y = events.t_ns[kept], events.x[kept], events.y[kept]
    for channel in np.unique(x):
        left = t_ns[(x == channel) & (y == 0)]
        right = t_ns[(x == channel) & (y == 1)]
        begin = np.searchsorted(right, left - longest_ns)
        count = np.searchsorted(right, left + longest_ns, side="right") - begin
        entry = np.repeat(np.arange(len(left)), count)
        within = np.arange(len(entry)) - np.repeat(np.cumsum(count) - count, count)
        found.append(left[entry] - right[begin[entry] + within])
    return np.concatenate(found)


def interaural_time_difference_ns(
    events: Events, longest_ns: int = LONGEST_NS, width_ns: float = 30_000.0
) -> float | None:
    """How much later the left ear hears than the right one; None where there is too little to say.

    Positive: the sound comes from the right.

    Args:
        events: of two ears, ascending in time.
        longest_ns: the longest difference that is thought of.
        width_ns: standard deviation of the Gaussian with which pairs are gathered.

    Raises:
        ValueError: the events are of another number of ears.
    """
    differences = interaural_differences(events, longest_ns).astype(np.float64)
    if len(differences) < LEAST_PAIRS:
        return None
    step_ns = width_ns / 6.0
    half = int(np.ceil(longest_ns / step_ns))
    counts = np.bincount(
        np.rint(differences / step_ns).astype(np.int64) + half, minlength=2 * half + 1
    ).astype(np.float64)
    reach = np.arange(-24, 25)
    density = np.convolve(counts, np.exp(-0.5 * (reach / 6.0) ** 2), mode="same")
    centre = (int(density.argmax()) - half) * step_ns
    # Mean shift: to the middle of what has gathered there.
    for _ in range(20):
        weight = np.exp(-0.5 * ((differences - centre) / width_ns) ** 2)
        centre = float((weight * differences).sum() / weight.sum())
    return centre
