# SPDX-License-Identifier: Apache-2.0
"""A replay is where its rate, its pauses and its seeks put it, whatever the clock says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.nodes.playback import PREROLL_NS, PREROLL_RATE, Playback

S = 1_000_000_000


@given(st.floats(0.01, 100.0), st.integers(0, 100 * S), st.floats(0.0, 1e5))
def test_a_place_is_due_after_its_time_over_the_rate(rate: float, place: int, now: float) -> None:
    playback = Playback(rate, now)
    assert playback.begin(now) == 0
    assert playback.wait_s(place, now) == pytest.approx(place * 1e-9 / rate, abs=1e-6)
    assert playback.wait_s(place, now + 1.0) == pytest.approx(place * 1e-9 / rate - 1.0, abs=1e-6)


def test_a_pause_takes_no_recorded_time() -> None:
    playback = Playback(1.0, 0.0)
    playback.begin(0.0)
    playback.reach(2 * S, 2.0)
    playback.pause(2.0)
    assert playback.standing
    playback.resume(60.0)
    assert not playback.standing
    assert playback.wait_s(3 * S, 60.0) == pytest.approx(1.0)


def test_another_rate_counts_from_where_it_is() -> None:
    playback = Playback(1.0, 0.0)
    playback.begin(0.0)
    playback.reach(2 * S, 2.0)
    playback.set_rate(4.0, 2.0)
    assert playback.wait_s(4 * S, 2.0) == pytest.approx(0.5)


@pytest.mark.parametrize("paused", [False, True])
def test_a_seek_plays_a_little_before_it_fast(paused: bool) -> None:
    playback = Playback(0.5, 0.0)
    playback.begin(0.0)
    playback.reach(1 * S, 2.0)
    if paused:
        playback.pause(2.0)
    playback.seek(7 * S)
    assert playback.sought
    assert playback.begin(3.0) == 7 * S - PREROLL_NS
    assert not playback.sought
    fast_s = PREROLL_NS * 1e-9 / PREROLL_RATE
    assert not playback.standing, "what lies before the place is played even in a pause"
    assert playback.wait_s(7 * S, 3.0) == pytest.approx(fast_s)
    playback.reach(7 * S, 3.0 + fast_s)
    assert playback.standing == paused
    playback.resume(3.0 + fast_s)
    assert playback.wait_s(8 * S, 3.0 + fast_s) == pytest.approx(2.0)


def test_a_seek_before_the_start_is_the_start() -> None:
    playback = Playback(1.0, 0.0)
    playback.seek(-5)
    assert playback.begin(0.0) == 0
    assert playback.wait_s(S, 0.0) == pytest.approx(1.0)


def test_the_last_of_several_seeks_counts() -> None:
    playback = Playback(1.0, 0.0)
    for place in (5, 9, 2):
        playback.seek(place * S)
    assert playback.begin(0.0) == 2 * S - PREROLL_NS
    assert playback.seeks == 3
