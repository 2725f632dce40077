# SPDX-License-Identifier: Apache-2.0
"""One byte a cell: how long ago its last event was, and which."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.dashboard.event_picture import (
    LARGEST_SIDE,
    NEWEST_NS,
    OLDEST_NS,
    EventPicture,
)
from neuro_control.events import Events


def age_ns(code: int) -> float:
    """The age that a code stands for, as the page (senses.js) computes it."""
    return NEWEST_NS * math.exp((127 - (code & 127)) * math.log(OLDEST_NS / NEWEST_NS) / 126)


def events(rows: list[tuple[int, int, int, int]], width: int = 8, height: int = 6) -> Events:
    """Of (t_ns, x, y, p)."""
    t, x, y, p = (np.array(v) for v in zip(*rows, strict=True))
    return Events(
        t.astype(np.int64), x.astype(np.uint16), y.astype(np.uint16), p.astype(np.uint8),
        width, height,
    )  # fmt: skip


@given(st.integers(NEWEST_NS, OLDEST_NS - 1), st.integers(0, 1))
def test_a_code_tells_age_to_five_percent_and_polarity(age: int, polarity: int) -> None:
    picture = EventPicture(8, 6)
    picture.add(events([(1_000, 3, 2, polarity)]))
    code = int(picture.codes(1_000 + age)[2, 3])
    assert age_ns(code) == pytest.approx(age, rel=0.05)
    assert (code >> 7) == polarity


def test_where_nothing_was_for_ten_seconds_there_is_nothing() -> None:
    picture = EventPicture(8, 6)
    picture.add(events([(0, 3, 2, 1)]))
    assert np.count_nonzero(picture.codes(0)) == 1
    assert picture.codes(0)[2, 3] == 128 + 127
    assert np.count_nonzero(picture.codes(OLDEST_NS)) == 0
    picture.add(events([(5, 0, 0, 1)]))
    picture.reset()
    assert np.count_nonzero(picture.codes(5)) == 0


def test_the_newest_event_counts_whatever_the_order_of_batches() -> None:
    picture = EventPicture(8, 6)
    picture.add(events([(2_000, 1, 1, 0)]))
    picture.add(events([(1_000, 1, 1, 1)]))
    assert picture.codes(2_000)[1, 1] == 127
    assert picture.newest_ns == 2_000


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (346, 260), (1, 1), (3000, 2)])
def test_a_large_sensor_is_binned_to_what_a_panel_shows(width: int, height: int) -> None:
    picture = EventPicture(width, height)
    picture.add(events([(0, width - 1, height - 1, 1)], width, height))
    codes = picture.codes(0)
    assert max(codes.shape) <= LARGEST_SIDE
    assert codes[-1, -1] == 255
    assert np.count_nonzero(codes) == 1


def test_a_sensor_without_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="0 x 4 pixels"):
        EventPicture(0, 4)
