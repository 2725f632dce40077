# SPDX-License-Identifier: Apache-2.0
"""EventMapEncoder: every event is a spike of the neuron that looks at its pixel, in its tick."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.encoding import EventMapEncoder
from neuro_control.events import Events

MS = 1_000_000


def events(rows: list[tuple[int, int, int, int]], width: int = 8, height: int = 4) -> Events:
    t, x, y, p = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Events(
        np.array(t, np.int64),
        np.array(x, np.uint16),
        np.array(y, np.uint16),
        np.array(p, np.uint8),
        width,
        height,
    )


def test_an_event_is_the_spike_of_its_polarity_row_and_column() -> None:
    encoder = EventMapEncoder(height=4, width=8, dt_ns=MS)
    indices, offsets = encoder.encode(events([(10, 3, 2, 1), (20, 0, 0, 0)]), 0, 1)
    assert indices.tolist() == [(1 * 4 + 2) * 8 + 3, 0]
    assert offsets.tolist() == [0, 2]


def test_ticks_are_half_open_and_empty_ones_stay_empty() -> None:
    encoder = EventMapEncoder(height=4, width=8, dt_ns=MS)
    rows = [(0, 0, 0, 0), (MS - 1, 1, 0, 0), (MS, 2, 0, 0), (3 * MS, 3, 0, 0)]
    _, offsets = encoder.encode(events(rows), 0, 5)
    assert offsets.tolist() == [0, 2, 3, 3, 4, 4]


def test_events_before_the_first_and_behind_the_last_tick_are_not_lost() -> None:
    encoder = EventMapEncoder(height=4, width=8, dt_ns=MS)
    _, offsets = encoder.encode(events([(0, 0, 0, 0), (9 * MS, 1, 0, 0)]), 5, 2)
    assert offsets.tolist() == [0, 1, 2]


def test_a_larger_sensor_is_scaled_onto_the_map() -> None:
    encoder = EventMapEncoder(height=128, width=128, dt_ns=MS)
    corners = events([(0, 0, 0, 0), (1, 639, 479, 1)], width=640, height=480)
    indices, _ = encoder.encode(corners, 0, 1)
    assert indices.tolist() == [0, encoder.size - 1]


@given(
    st.lists(
        st.tuples(st.integers(0, 20 * MS), st.integers(0, 7), st.integers(0, 3), st.integers(0, 1)),
        max_size=50,
    ),
    st.integers(1, 20),
)
def test_no_event_is_lost_or_made(rows: list[tuple[int, int, int, int]], ticks: int) -> None:
    encoder = EventMapEncoder(height=4, width=8, dt_ns=MS)
    rows.sort()
    indices, offsets = encoder.encode(events(rows), 3, ticks)
    assert offsets[0] == 0
    assert offsets[-1] == len(rows) == len(indices)
    assert (np.diff(offsets) >= 0).all()
    assert sorted(indices) == sorted((p * 4 + y) * 8 + x for _, x, y, p in rows)
    for tick in range(ticks):
        for i in range(offsets[tick], offsets[tick + 1]):
            assert min(max(rows[i][0] // MS, 3), 3 + ticks - 1) == 3 + tick


@pytest.mark.parametrize("field", ["height", "width", "dt_ns"])
def test_sizes_below_one_are_refused_by_name(field: str) -> None:
    sizes = {"height": 4, "width": 4, "dt_ns": MS, field: 0}
    with pytest.raises(ValueError, match=field):
        EventMapEncoder(**sizes)
