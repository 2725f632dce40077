# SPDX-License-Identifier: Apache-2.0
"""Filters on what any sense has: one row, one column, one pixel, and clocks that start anywhere."""

from __future__ import annotations

import numpy as np
import pytest

from neuro_control.events import Events
from neuro_control.events.filters import (
    BackgroundActivity,
    Downsample,
    HotPixels,
    Polarity,
    RefractoryPeriod,
    RegionOfInterest,
)

MS = 1_000_000


def rows(events: Events):
    arrays = (events.t_ns, events.x, events.y, events.p)
    return list(zip(*(array.tolist() for array in arrays), strict=True))


@pytest.mark.parametrize("size", [(1, 1), (64, 1), (64, 2), (1, 9), (65536, 1)])
@pytest.mark.parametrize("start_ns", [-5_000_000_000, 0, 1_790_000_000_000_000_000])
@pytest.mark.parametrize(
    "one",
    [
        BackgroundActivity(),
        BackgroundActivity(itself=True),
        RefractoryPeriod(),
        HotPixels(50 * MS, 2.0, 30.0),
        RegionOfInterest(0, 0, 1, 1),
        Downsample(3),
        Downsample(2, 2),
        Polarity("off"),
    ],
    ids=lambda one: repr(one)[:40],
)
def test_sensors_of_every_shape_and_clocks_of_every_epoch(one, size, start_ns):
    rng = np.random.default_rng(7)
    t_ns = start_ns + np.cumsum(rng.integers(0, 3 * MS, 200))
    x, y = (rng.integers(0, length, 200).astype(np.uint16) for length in size)
    events = Events(t_ns, x, y, rng.integers(0, 2, 200).astype(np.uint8), *size)
    whole = one.apply(events, one.initial_state(*size))
    whole.check()
    state = one.initial_state(*size)
    parts = [one.apply(events[begin : begin + 7], state) for begin in range(0, 200, 7)]
    assert rows(Events.concatenate(parts)) == rows(whole)


def test_events_whose_arrays_are_not_contiguous_are_filtered_alike():
    one = BackgroundActivity(5 * MS)
    rng = np.random.default_rng(3)
    x, y, p = (rng.integers(0, high, 100) for high in (16, 4, 2))
    kinds = (np.uint16, np.uint16, np.uint8)
    columns = [array.astype(kind) for array, kind in zip((x, y, p), kinds, strict=True)]
    events = Events(np.arange(100) * MS, *columns, 16, 4)
    odd = events[::2]
    copied = Events(*(a.copy() for a in (odd.t_ns, odd.x, odd.y, odd.p)), 16, 4)
    state, other = (one.initial_state(16, 4) for _ in range(2))
    assert rows(one.apply(odd, state)) == rows(one.apply(copied, other))
