# SPDX-License-Identifier: Apache-2.0
"""TimeSurface: what is left of each pixel's last event."""

from __future__ import annotations

from itertools import pairwise
from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.encoding import TimeSurface
from neuro_control.events import Events

MS = 1_000_000
TAU_NS = 10 * MS
WIDTH, HEIGHT = 5, 3

rows_of_events = st.lists(
    st.tuples(
        st.integers(0, 60 * MS),
        st.integers(0, WIDTH - 1),
        st.integers(0, HEIGHT - 1),
        st.integers(0, 1),
    ),
    max_size=40,
).map(sorted)


def events(rows, width: int = WIDTH, height: int = HEIGHT) -> Events:
    kinds = (np.int64, np.uint16, np.uint16, np.uint8)
    columns = zip(*rows, strict=True) if rows else ((), (), (), ())
    arrays = (np.array(c, kind) for c, kind in zip(columns, kinds, strict=True))
    return Events(*arrays, width, height)


@pytest.mark.parametrize("decay", ["exponential", "linear"])
class TestBoth:
    @given(rows=rows_of_events, t_ns=st.integers(-MS, 100 * MS))
    def test_each_pixel_shows_the_age_of_its_last_event(self, decay, rows, t_ns) -> None:
        surface = TimeSurface(WIDTH, HEIGHT, TAU_NS, decay)
        surface.add(events(rows))
        last = {(p, y, x): t for t, x, y, p in rows}
        expected = np.zeros((2, HEIGHT, WIDTH))
        for pixel, t in last.items():
            age = max(t_ns - t, 0) / TAU_NS
            expected[pixel] = exp(-age) if decay == "exponential" else max(1 - age, 0)
        found = surface.at(t_ns)
        assert found.dtype == np.float32
        assert np.allclose(found, expected, rtol=1e-6, atol=1e-7)

    @given(rows=rows_of_events, cuts=st.lists(st.integers(0, 40), max_size=4))
    def test_where_a_stream_is_cut_does_not_matter(self, decay, rows, cuts) -> None:
        stream = events(rows)
        whole, parts = (TimeSurface(WIDTH, HEIGHT, TAU_NS, decay) for _ in range(2))
        whole.add(stream)
        bounds = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
        for a, b in pairwise(bounds):
            parts.add(stream[a:b])
        assert np.array_equal(whole.at(60 * MS), parts.at(60 * MS))

    def test_the_age_is_as_exact_late_as_early(self, decay) -> None:
        early, late = (TimeSurface(64, 1, TAU_NS, decay) for _ in range(2))
        epoch_ns = 1_790_000_000_000_000_000
        early.add(events([(0, 63, 0, 1)], 64, 1))
        late.add(events([(epoch_ns, 63, 0, 1)], 64, 1))
        assert np.array_equal(early.at(3 * MS), late.at(epoch_ns + 3 * MS))


def test_a_surface_that_is_reset_is_empty() -> None:
    surface = TimeSurface(WIDTH, HEIGHT, TAU_NS, "linear")
    surface.add(events([(0, 1, 1, 1)]))
    surface.reset()
    assert not surface.at(0).any()


def test_events_of_another_sensor_are_refused_and_leave_no_trace() -> None:
    surface = TimeSurface(WIDTH, HEIGHT, TAU_NS, "linear")
    with pytest.raises(ValueError, match="sensor of 9x8, expected 5x3"):
        surface.add(Events.empty(9, 8))
    assert not surface.at(0).any()
