# SPDX-License-Identifier: Apache-2.0
"""A storm is answered with what is new; what waited longest is let go, and commands go on."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.nodes.load_shedding import LoadShedder

AFTER_NS = 20_000_000
FRESH_NS = AFTER_NS // 2
MS = 1_000_000


def test_what_has_not_waited_too_long_is_taken() -> None:
    shedder = LoadShedder(AFTER_NS)
    assert not any(shedder.sheds(waited, 0) for waited in (-1, 0, FRESH_NS, AFTER_NS))


def test_once_one_waited_too_long_all_go_until_one_has_waited_half_as_long() -> None:
    shedder = LoadShedder(AFTER_NS)
    waits = (AFTER_NS + 1, AFTER_NS, FRESH_NS + 1, FRESH_NS, AFTER_NS)
    assert [shedder.sheds(waited, 0) for waited in waits] == [True, True, True, False, False]


def test_nothing_is_shed_if_that_is_wanted() -> None:
    shedder = LoadShedder(0)
    assert not shedder.sheds(1 << 62, 0)


@given(st.lists(st.tuples(st.integers(0, 10 * AFTER_NS), st.integers(0, AFTER_NS)), max_size=200))
def test_packets_go_for_no_longer_than_the_limit_before_one_is_taken(
    steps: list[tuple[int, int]],
) -> None:
    shedder = LoadShedder(AFTER_NS)
    now_ns, since_ns = 0, None
    for waited_ns, pause_ns in steps:
        now_ns += pause_ns
        if not shedder.sheds(waited_ns, now_ns):
            since_ns = None
        elif since_ns is None:
            since_ns = now_ns
        else:
            assert now_ns - since_ns <= AFTER_NS


def simulate(
    arrivals_us: list[int], answer_us: int, fetch_us: int, depth: int
) -> tuple[list[tuple[int, int]], int, int]:
    """A queue that keeps the last `depth`, and a node that fetches, and answers or sheds.

    Returns when each answered packet arrived and was answered (us), how many were shed, and how
    many the queue let go.
    """
    shedder = LoadShedder(AFTER_NS)
    queue: deque[int] = deque()
    answered, overwritten, shed = [], 0, 0
    now_us, coming = 0, deque(arrivals_us)
    while coming or queue:
        if not queue:
            now_us = max(now_us, coming[0])
        while coming and coming[0] <= now_us:
            queue.append(coming.popleft())
            if len(queue) > depth:
                queue.popleft()
                overwritten += 1
        came_us = queue.popleft()
        now_us += fetch_us
        if shedder.sheds((now_us - came_us) * 1000, now_us * 1000):
            shed += 1
            continue
        now_us += answer_us
        answered.append((came_us, now_us))
    return answered, shed, overwritten


# A packet a millisecond for a second, and then one every two.
STORM = list(range(0, 1_000_000, 1000))
CALM = list(range(1_000_000, 1_400_000, 2000))


@settings(deadline=None, max_examples=25)
@given(st.integers(1_000, 8_000), st.integers(20, 600), st.sampled_from([8, 64, 1000]))
def test_a_storm_neither_delays_what_is_answered_nor_outlasts_itself(
    answer_us: int, fetch_us: int, depth: int
) -> None:
    answered, shed, overwritten = simulate(STORM, answer_us, fetch_us, depth)
    calm = simulate(STORM + CALM, min(answer_us, 1_000), min(fetch_us, 200), depth)[0]
    # None is older than the limit, its own answer and the one before it.
    assert max(done - came for came, done in answered) <= 20_000 + 2 * (answer_us + fetch_us)
    assert len(answered) + shed + overwritten == len(STORM)
    # Commands never pause for as long as the guard would wait (50 ms).
    gaps = [b[1] - a[1] for a, b in pairwise(answered)]
    assert max(gaps) <= 50_000
    # A tenth of a second after the storm each packet is answered as if there had been none.
    late = [done - came for came, done in calm if came >= 1_100_000]
    assert late
    assert max(late) <= 3_000


def test_without_shedding_the_same_storm_delays_every_command() -> None:
    """The simulation can fail: a deep queue alone keeps what is old."""
    now_us, worst_us = 0, 0
    for came_us in STORM:
        now_us = max(now_us, came_us) + 2_000
        worst_us = max(worst_us, now_us - came_us)
    assert worst_us > 900_000
