# SPDX-License-Identifier: Apache-2.0
"""Each filter against one written for reading, and what holds for all of them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.events import Events
from neuro_control.events.filters import (
    BackgroundActivity,
    Downsample,
    FilterChain,
    HotPixels,
    PixelMask,
    Polarity,
    RefractoryPeriod,
    RegionOfInterest,
    hot_pixels,
)

WIDTH, HEIGHT = 7, 4
MS = 1_000_000


def made(*rows, width=WIDTH, height=HEIGHT) -> Events:
    t, x, y, p = (np.array([row[k] for row in rows]) for k in range(4))
    kinds = (np.int64, np.uint16, np.uint16, np.uint8)
    arrays = [a.astype(kind) for a, kind in zip((t, x, y, p), kinds, strict=True)]
    return Events(*arrays, width, height)


def rows(events: Events):
    arrays = (events.t_ns, events.x, events.y, events.p)
    return list(zip(*(array.tolist() for array in arrays), strict=True))


@st.composite
def streams(draw) -> Events:
    n = draw(st.integers(0, 60))
    steps = draw(st.lists(st.sampled_from([0, 1, MS, 3 * MS, 40 * MS]), min_size=n, max_size=n))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return Events(
        np.cumsum(np.array(steps, np.int64)),
        rng.integers(0, WIDTH, n).astype(np.uint16),
        rng.integers(0, HEIGHT, n).astype(np.uint16),
        rng.integers(0, 2, n).astype(np.uint8),
        WIDTH,
        HEIGHT,
    )


MASK = np.zeros((HEIGHT, WIDTH), bool)
MASK[1, 2] = MASK[3, 6] = True
FILTERS = [
    BackgroundActivity(2 * MS),
    BackgroundActivity(2 * MS, itself=True),
    RefractoryPeriod(3 * MS),
    HotPixels(20 * MS, 1.5, 50.0),
    PixelMask(MASK),
    RegionOfInterest(1, 1, 4, 2),
    RegionOfInterest(1, 1, 4, 2, move_origin=False),
    Downsample(2),
    Downsample(3, events_each=3),
    Polarity("on", "inverted"),
    Polarity("both", "on"),
]


@pytest.mark.parametrize("one", FILTERS, ids=lambda one: repr(one)[:40])
class TestAll:
    @given(events=streams(), cuts=st.lists(st.integers(0, 60), max_size=4))
    def test_where_a_stream_is_cut_does_not_matter(self, one, events, cuts):
        whole = one.apply(events, one.initial_state(WIDTH, HEIGHT))
        state = one.initial_state(WIDTH, HEIGHT)
        bounds = [0, *sorted(min(cut, len(events)) for cut in cuts), len(events)]
        parts = [one.apply(events[a:b], state) for a, b in pairwise(bounds)]
        assert rows(Events.concatenate(parts)) == rows(whole)

    @given(events=streams())
    def test_what_comes_out_is_sound_and_what_went_in_is_unchanged(self, one, events):
        before = rows(events)
        out = one.apply(events, one.initial_state(WIDTH, HEIGHT))
        out.check()
        assert (out.width, out.height) == one.output_size(WIDTH, HEIGHT)
        assert len(out) <= len(events)
        assert is_subsequence(out.t_ns.tolist(), events.t_ns.tolist())
        if isinstance(one, BackgroundActivity | RefractoryPeriod | HotPixels | PixelMask):
            assert is_subsequence(rows(out), rows(events))
        assert rows(events) == before

    def test_events_of_another_sensor_are_refused(self, one):
        state = one.initial_state(WIDTH, HEIGHT)
        with pytest.raises(ValueError, match="of a sensor of 9x8, the state is of 7x4"):
            one.apply(Events.empty(9, 8), state)

    @pytest.mark.parametrize(
        ("event", "message"),
        [
            ((0, WIDTH, 0, 1), r"x\[0\] is 7; it must be below the width 7"),
            ((0, 0, HEIGHT, 1), r"y\[0\] is 4; it must be below the height 4"),
            ((0, 0, 0, 2), r"p\[0\] is 2; it must be 0 or 1"),
        ],
    )
    def test_an_event_outside_the_sensor_is_refused_before_anything_is_written(
        self, one, event, message
    ):
        state = one.initial_state(WIDTH, HEIGHT)
        with pytest.raises(ValueError, match=message):
            one.apply(made(event), state)
        good = made((MS, 2, 1, 1), (2 * MS, 3, 1, 1))
        assert rows(one.apply(good, state)) == rows(
            one.apply(good, one.initial_state(WIDTH, HEIGHT))
        )


def is_subsequence(part, whole) -> bool:
    rest = iter(whole)
    return all(one in rest for one in part)


def test_a_state_made_for_another_factor_is_refused():
    state = Downsample(8).initial_state(16, 16)
    with pytest.raises(ValueError, match=r"factor is 2, which makes 8x8 .* state is of 2x2"):
        Downsample(2).apply(Events.empty(16, 16), state)


def plain_background(events: Events, support_ns: int, itself: bool = False):
    last, kept = {}, []
    for t, x, y, p in rows(events):
        around = [(x + i, y + j) for i in (-1, 0, 1) for j in (-1, 0, 1) if itself or i or j]
        if any(t - last.get(pixel, -(10**15)) <= support_ns for pixel in around):
            kept.append((t, x, y, p))
        last[x, y] = t
    return kept


@given(streams(), st.sampled_from([1, MS, 3 * MS, 50 * MS]))
def test_background_activity_asks_the_eight_neighbours(events, support_ns):
    one = BackgroundActivity(support_ns)
    found = one.apply(events, one.initial_state(WIDTH, HEIGHT))
    assert rows(found) == plain_background(events, support_ns)


def test_an_event_does_not_support_itself_and_borders_have_fewer_neighbours():
    one = BackgroundActivity(5 * MS)
    events = made((0, 0, 0, 1), (1, 0, 0, 1), (2, 6, 0, 1), (3, 0, 1, 1))
    assert rows(one.apply(events, one.initial_state(WIDTH, HEIGHT))) == [(3, 0, 1, 1)]


def test_sensors_of_one_row_have_neighbours_too():
    one = BackgroundActivity(5 * MS)
    events = made((0, 3, 0, 1), (1, 4, 0, 1), (2, 0, 0, 1), width=32, height=1)
    assert rows(one.apply(events, one.initial_state(32, 1))) == [(1, 4, 0, 1)]


@given(streams(), st.sampled_from([1, MS, 3 * MS, 50 * MS]))
def test_background_activity_asks_the_pixel_itself_where_told_to(events, support_ns):
    one = BackgroundActivity(support_ns, itself=True)
    found = one.apply(events, one.initial_state(WIDTH, HEIGHT))
    assert rows(found) == plain_background(events, support_ns, itself=True)


@given(streams(), st.sampled_from([1, MS, 3 * MS, 50 * MS]))
def test_a_refractory_pixel_is_deaf_since_its_last_event_that_passed(events, period_ns):
    last, expected = {}, []
    for t, x, y, p in rows(events):
        if t - last.get((x, y), -(10**15)) >= period_ns:
            expected.append((t, x, y, p))
            last[x, y] = t
    one = RefractoryPeriod(period_ns)
    assert rows(one.apply(events, one.initial_state(WIDTH, HEIGHT))) == expected


@given(streams())
def test_a_region_is_cut_out(events):
    one = RegionOfInterest(1, 2, 3, 2)
    inside = [row for row in rows(events) if 1 <= row[1] < 4 and 2 <= row[2] < 4]
    found = one.apply(events, one.initial_state(WIDTH, HEIGHT))
    assert rows(found) == [(t, x - 1, y - 2, p) for t, x, y, p in inside]


@given(streams(), st.integers(1, 5), st.integers(1, 3))
def test_large_pixels_speak_of_what_small_ones_add_up_to(events, factor, events_each):
    level, expected = {}, []
    for t, x, y, p in rows(events):
        cell = (x // factor, y // factor)
        level[cell] = level.get(cell, 0) + (1 if p else -1)
        if abs(level[cell]) >= events_each:
            expected.append((t, *cell, p))
            level[cell] = 0
    one = Downsample(factor, events_each)
    assert rows(one.apply(events, one.initial_state(WIDTH, HEIGHT))) == expected


@pytest.mark.parametrize("factor", [1, 2, 3, 5, 7, 10, 255, 1000, 1023, 1024])
def test_addresses_are_divided_exactly(factor):
    x = np.arange(65536).astype(np.uint16)
    zeros = np.zeros(65536, np.int64)
    events = Events(zeros, x, zeros.astype(np.uint16), zeros.astype(np.uint8), 65536, 1)
    one = Downsample(factor)
    found = one.apply(events, one.initial_state(65536, 1))
    assert np.array_equal(found.x, x // factor)


@pytest.mark.parametrize(
    ("keep", "become", "expected"),
    [
        ("both", "same", [0, 1]),
        ("on", "same", [1]),
        ("off", "same", [0]),
        ("both", "inverted", [1, 0]),
        ("off", "on", [1]),
    ],
)
def test_polarities_pass_or_turn(keep, become, expected):
    one = Polarity(keep, become)
    events = made((0, 1, 1, 0), (1, 1, 1, 1))
    assert one.apply(events, one.initial_state(WIDTH, HEIGHT)).p.tolist() == expected


def test_a_pixel_busier_than_its_neighbours_is_hot_and_an_edge_is_not():
    count = np.zeros((20, 20), np.int64)
    count[:, 10] = 100  # an edge that passed often
    count[5, 3] = 60
    count[15, 15] = count[15, 16] = 80  # two defects beside each other
    count[0, 0] = 90
    found = np.argwhere(hot_pixels(count, 5.0, 20)).tolist()
    assert found == [[0, 0], [5, 3], [15, 15], [15, 16]]


def test_hot_pixels_are_masked_from_the_window_after_on_and_forgiven_later():
    one = HotPixels(window_ns=100 * MS, factor=5.0, least_rate_hz=100.0)
    state = one.initial_state(WIDTH, HEIGHT)
    busy = [(k * MS, 3, 2, 1) for k in range(200)]
    quiet = [(k * MS, 5, 1, 1) for k in range(0, 900, 30)]
    events = made(*sorted(busy + quiet))
    out = one.apply(events, state)
    assert [t for t, x, *_ in rows(out) if x == 3] == [k * MS for k in range(100)]
    assert [t for t, x, *_ in rows(out) if x == 5] == [t for t, *_ in quiet]
    again = one.apply(made((900 * MS, 3, 2, 1)), state)
    assert len(again) == 1


def test_a_chain_counts_what_each_filter_takes_out():
    filters = [Polarity("on"), RegionOfInterest(2, 0, 4, 4), Downsample(2)]
    chain = FilterChain(WIDTH, HEIGHT, filters)
    assert chain.size == (2, 2)
    out = chain.apply(made((0, 1, 1, 1), (1, 2, 1, 0), (2, 5, 3, 1)))
    assert rows(out) == [(2, 1, 1, 1)]
    assert chain.dropped == (("Polarity", 1), ("RegionOfInterest", 1), ("Downsample", 0))
    with pytest.raises(ValueError, match="sensor of 2x2, the filters are for 7x4"):
        chain.apply(out)


def test_a_chain_that_is_reset_begins_anew():
    chain = FilterChain(WIDTH, HEIGHT, [RefractoryPeriod(MS)])
    event = made((0, 1, 1, 1))
    assert [len(chain.apply(event)) for _ in range(2)] == [1, 0]
    chain.reset()
    assert len(chain.apply(event)) == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BackgroundActivity(0), "support_ns is 0; it must be 1 to"),
        (lambda: RefractoryPeriod(-1), "period_ns is -1; it must be 1 to"),
        (lambda: HotPixels(window_ns=1), "window_ns is 1; it must be 10000000"),
        (lambda: HotPixels(factor=1.0), "factor is 1.0; it must be above 1"),
        (lambda: HotPixels(least_rate_hz=float("nan")), "least_rate_hz is nan"),
        (lambda: PixelMask(np.zeros((2, 2))), r"mask is float64\(2, 2\); it must be bool"),
        (lambda: PixelMask([[True]]), r"mask is a list; it must be a numpy bool\[height, width\]"),
        (lambda: HotPixels(factor="3"), "factor is '3'; it must be a number"),
        (lambda: HotPixels(factor=None), "factor is None; it must be a number"),
        (lambda: HotPixels(least_rate_hz=True), "least_rate_hz is True; it must be a number"),
        (lambda: HotPixels(window_ns="1"), "window_ns is '1'; it must be 10000000 to"),
        (lambda: RegionOfInterest(-1, 0, 2, 2), "x is -1; it must be at least 0"),
        (lambda: RegionOfInterest(0, 0, 0, 2), "width is 0; it must be at least 1"),
        (lambda: Downsample(0), "factor is 0; it must be 1 to 1024"),
        (lambda: Downsample(2.5), "factor is 2.5; it must be 1 to 1024, whole"),
        (lambda: RefractoryPeriod(1e6), "period_ns is 1000000.0; it must be .*, whole"),
        (lambda: Downsample(2, 0), "events_each is 0; it must be 1 to 10000"),
        (lambda: Polarity("ON"), "keep is 'ON'; it must be 'on', 'off' or 'both'"),
        (lambda: Polarity(become="off"), "become is 'off'; it must be 'same'"),
        (
            lambda: FilterChain(4, 4, [Downsample(2), RegionOfInterest(0, 0, 3, 2)]),
            "the region 0..2 x 0..1 leaves the sensor of 2x2",
        ),
        (lambda: FilterChain(4, 4, [PixelMask(MASK)]), "mask is for 7x4 pixels, the sensor has"),
    ],
)
def test_what_cannot_be_is_refused_with_what_would_be_right(make, message):
    with pytest.raises(ValueError, match=message):
        make()
