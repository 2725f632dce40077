# SPDX-License-Identifier: Apache-2.0
"""A replay is where its rate, its pauses and its seeks put it, whatever the clock says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.nodes.playback import PREROLL_NS, PREROLL_RATE, Playback

S = 1_000_000_000
MS = 1_000_000


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


class Clocks:
    """Time that passes only when it is told to, on a clock to wait by and one of the stamps."""

    def __init__(self) -> None:
        self.now_s, self.offset_ns = 123.0, 1_700_000_000 * S

    def stamp_ns(self) -> int:
        return self.offset_ns + round(self.now_s * 1e9)


CHANGES = st.one_of(
    st.tuples(st.just("seek"), st.floats(0.0, 20.0)),
    st.tuples(st.just("rate"), st.sampled_from([0.01, 0.1, 0.5, 1.0, 3.0, 10.0, 100.0])),
    st.tuples(st.just("pause"), st.just(0.0)),
    st.tuples(st.just("resume"), st.just(0.0)),
    st.tuples(st.just("set clock, then resume"), st.floats(-50.0, 50.0)),
)


class FakeReplay:
    """The loop of the replay node with something to play every few milliseconds, in fake time."""

    def __init__(self, rate: float, changes: list[tuple[float, tuple[str, float]]]) -> None:
        self.clocks = Clocks()
        self.playback = Playback(rate, self.clocks.now_s, self.clocks.stamp_ns)
        self.todo: list[tuple[float, tuple[str, float]]] = []
        self.late_s = 0.0
        when_s = self.clocks.now_s
        for after_s, change in [*changes, (0.5, ("seek", 0.0))]:
            when_s += after_s
            self.todo.append((when_s, change))

    def tell(self, kind: str, value: float) -> None:
        if kind == "seek":
            self.playback.seek(round(value * 1e9))
        elif kind == "rate":
            self.playback.set_rate(value, self.clocks.now_s)
        elif kind == "pause":
            self.playback.pause(self.clocks.now_s)
        else:
            self.clocks.offset_ns += round(value * 1e9)
            self.playback.resume(self.clocks.now_s)

    def pass_time(self, wait_s: float) -> None:
        self.clocks.now_s += max(wait_s, 0.0) + self.late_s + 1e-7
        while self.todo and self.todo[0][0] <= self.clocks.now_s:
            self.tell(*self.todo.pop(0)[1])

    def published(self, apart_ns: int) -> Iterator[tuple[int, float]]:
        """(stamp - clock [ns], how late it is [s]) of what is published, until all is changed."""
        playback, clocks = self.playback, self.clocks
        place = playback.begin(clocks.now_s)
        while self.todo:
            if playback.sought:
                place = playback.begin(clocks.now_s)
                self.pass_time(0.05)
                playback.resettle(clocks.now_s)
            elif playback.place_ns >= place:
                late_s = -playback.wait_s(place, clocks.now_s)
                yield playback.stamp_ns(place) - clocks.stamp_ns(), late_s
                place += apart_ns
            elif playback.standing:
                self.pass_time(0.02)
            else:
                step = playback.next_ns(place, 5 * MS)
                self.pass_time(min(playback.wait_s(step, clocks.now_s), 0.05))
                if playback.wait_s(step, clocks.now_s) <= 0.0 and playback.moves:
                    playback.reach(step, clocks.now_s)


RATE = st.sampled_from([0.01, 0.1, 1.0, 10.0, 100.0])
CHANGED = st.lists(st.tuples(st.floats(0.001, 1.0), CHANGES), max_size=6)


@given(RATE, CHANGED, st.integers(1, 40))
@settings(max_examples=60)
def test_what_is_due_is_stamped_with_the_time_at_which_it_is_published(
    rate: float, changes: list[tuple[float, tuple[str, float]]], apart_ms: int
) -> None:
    """At any rate, after any seek, pause, resume, change of the rate and also within a preroll."""
    for ahead_ns, _ in FakeReplay(rate, changes).published(apart_ms * MS):
        assert abs(ahead_ns) < 1 * MS


@given(RATE, CHANGED, st.floats(0.0, 0.01))
@settings(max_examples=60)
def test_a_replay_that_lags_never_stamps_the_future(
    rate: float, changes: list[tuple[float, tuple[str, float]]], late_s: float
) -> None:
    replay = FakeReplay(rate, changes)
    replay.late_s = late_s
    for ahead_ns, is_late_s in replay.published(4 * MS):
        assert ahead_ns <= 1_000
        assert ahead_ns == pytest.approx(-is_late_s * 1e9, abs=1_000), "late is late by no more"


@pytest.mark.parametrize("rate", [0.1, 1.0, 10.0, 50.0])
def test_the_preroll_is_stamped_by_its_own_rate(rate: float) -> None:
    playback = Playback(rate, 0.0, lambda: 7 * S)
    playback.seek(5 * S)
    begin = playback.begin(0.0)
    fast = round(PREROLL_NS / PREROLL_RATE)
    assert playback.stamp_ns(begin) == 7 * S
    assert playback.stamp_ns(begin + PREROLL_NS // 2) == 7 * S + fast // 2
    assert playback.stamp_ns(5 * S) == 7 * S + fast
    assert playback.stamp_ns(6 * S) == pytest.approx(7 * S + fast + S / rate, abs=1)


def test_a_step_stops_over_at_the_place_that_is_sought() -> None:
    playback = Playback(1.0, 0.0)
    playback.seek(5 * S)
    playback.begin(0.0)
    playback.reach(5 * S - 2 * MS, 0.1)
    assert playback.next_ns(9 * S, 5 * MS) == 5 * S
    playback.reach(5 * S, 0.2)
    assert playback.next_ns(9 * S, 5 * MS) == 5 * S + 5 * MS
    assert playback.next_ns(5 * S + MS, 5 * MS) == 5 * S + MS
