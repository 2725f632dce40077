# SPDX-License-Identifier: Apache-2.0
"""SpatialPool: every event is a spike of the neuron in whose receptive field its pixel lies."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.encoding import EventMapEncoder, SpatialPool
from neuro_control.events import Events

MS = 1_000_000
WIDTH, HEIGHT = 7, 5


def events(rows, width: int = WIDTH, height: int = HEIGHT) -> Events:
    kinds = (np.int64, np.uint16, np.uint16, np.uint8)
    columns = zip(*rows, strict=True) if rows else ((), (), (), ())
    arrays = (np.array(c, kind) for c, kind in zip(columns, kinds, strict=True))
    return Events(*arrays, width, height)


streams = st.lists(
    st.tuples(
        st.integers(-5 * MS, 20 * MS),
        st.integers(0, WIDTH - 1),
        st.integers(0, HEIGHT - 1),
        st.integers(0, 1),
    ),
    max_size=40,
).map(sorted)


@st.composite
def pools(draw) -> SpatialPool:
    numbers = st.lists(st.integers(-1, 9), min_size=WIDTH * HEIGHT, max_size=WIDTH * HEIGHT)
    fields = np.array(draw(numbers), np.int32).reshape(HEIGHT, WIDTH)
    fields[2, 3] = max(0, fields[2, 3])
    return SpatialPool(fields, MS, draw(st.booleans()))


@given(pools(), streams)
def test_each_event_is_looked_up_and_unseen_ones_are_left_out(pool, rows) -> None:
    expected = [
        (t, (p if pool.apart else 0) * pool.field_count + pool.fields[y, x])
        for t, x, y, p in rows
        if pool.fields[y, x] >= 0
    ]
    t_ns, indices = pool.pool(events(rows))
    assert list(zip(t_ns.tolist(), indices.tolist(), strict=True)) == expected
    assert all(0 <= index < pool.size for index in indices.tolist())


@given(pools(), streams, st.lists(st.integers(0, 40), max_size=4))
def test_where_a_stream_is_cut_does_not_matter(pool, rows, cuts) -> None:
    stream = events(rows)
    bounds = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    parts = [pool.pool(stream[a:b]) for a, b in pairwise(bounds)]
    for whole, pieces in zip(pool.pool(stream), zip(*parts, strict=True), strict=True):
        assert np.concatenate(pieces).tolist() == whole.tolist()


@given(streams, st.integers(1, 6), st.integers(1, 8), st.booleans())
def test_factors_divide_addresses(rows, columns, row_count, apart) -> None:
    pool = SpatialPool.by_factors(WIDTH, HEIGHT, columns, row_count, MS, apart)
    across, down = -(-WIDTH // columns), -(-HEIGHT // row_count)
    assert pool.field_count == across * down
    indices = pool.pool(events(rows))[1].tolist()
    assert indices == [
        (p * down if apart else 0) * across + (y // row_count) * across + x // columns
        for _, x, y, p in rows
    ]


@given(streams, st.integers(-2, 3), st.integers(1, 20))
def test_fields_of_one_pixel_spike_as_the_event_map_does(rows, first_tick, ticks) -> None:
    pool = SpatialPool.by_factors(WIDTH, HEIGHT, 1, 1, MS)
    found = pool.encode(events(rows), first_tick, ticks)
    expected = EventMapEncoder(HEIGHT, WIDTH, MS).encode(events(rows), first_tick, ticks)
    assert [array.tolist() for array in found] == [array.tolist() for array in expected]
    assert [array.dtype for array in found] == [np.int32, np.int64]


def test_the_pixels_of_a_field_are_found_again() -> None:
    pool = SpatialPool.by_factors(WIDTH, HEIGHT, 4, 3, MS)
    assert pool.pixels(3).tolist() == [[row, column] for row in (3, 4) for column in (4, 5, 6)]


def test_a_cochlea_of_one_row_is_pooled_by_channels() -> None:
    pool = SpatialPool.by_factors(64, 1, 16, 1, MS, apart=False)
    found = pool.pool(events([(0, 15, 0, 1), (1, 16, 0, 0), (2, 63, 0, 1)], 64, 1))
    assert found[1].tolist() == [0, 1, 3]


def test_the_map_is_kept_as_it_was_given() -> None:
    fields = np.zeros((HEIGHT, WIDTH), np.int32)
    pool = SpatialPool(fields, MS)
    fields[:] = 5
    assert pool.fields.max() == 0
    assert not pool.fields.flags.writeable


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SpatialPool(np.zeros((2, 2)), MS), r"fields: float64\[2, 2\] must be int32"),
        (lambda: SpatialPool(np.zeros(3, np.int32), MS), r"fields: int32\[3\] must be int32"),
        (lambda: SpatialPool(np.full((2, 2), -1, np.int32), MS), "fields: -1 to -1 must be"),
        (lambda: SpatialPool(np.full((2, 2), -2, np.int32), MS), "fields: -2 to -2 must be"),
        (lambda: SpatialPool(np.zeros((2, 2), np.int32), 0), "dt_ns: 0 must be at least 1"),
        (lambda: SpatialPool.by_factors(4, 4, 0, 2, MS), "columns: 0 must be at least 1"),
    ],
)
def test_what_cannot_be_is_refused_by_name(make, message) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_events_that_are_not_of_this_sensor_are_refused() -> None:
    pool = SpatialPool.by_factors(WIDTH, HEIGHT, 2, 2, MS)
    with pytest.raises(ValueError, match="sensor of 9x8, expected 7x5"):
        pool.pool(Events.empty(9, 8))
    with pytest.raises(ValueError, match=r"x\[0\] is 7"):
        pool.pool(events([(0, 7, 0, 1)]))
    with pytest.raises(ValueError, match="ticks: 0 must be at least 1"):
        pool.encode(Events.empty(WIDTH, HEIGHT), 0, 0)
