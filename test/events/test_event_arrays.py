# SPDX-License-Identifier: Apache-2.0
"""Memory is used again when nobody holds it, and never while somebody does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.events import Events, decoder
from neuro_control.events.event_arrays import EVENT_BYTES, ArrayPool, first

N = 100


def pool(**more: int) -> ArrayPool:
    return ArrayPool(**{"smallest": 1, "largest": 10_000, "blocks": 2, **more})


def address(events: Events) -> int:
    return int(events.t_ns.__array_interface__["data"][0])


def written(made: ArrayPool, value: int, n: int = N) -> Events:
    arrays = made.room_for(n)
    for array in arrays:
        array[:] = value
    return first(arrays, n, 640, 480)


def test_memory_of_events_that_were_dropped_is_used_again() -> None:
    made = pool()
    at = address(written(made, 1))
    assert address(written(made, 2)) == at


@pytest.mark.parametrize(
    "keep",
    [
        lambda events: events,
        lambda events: events[3:5],
        lambda events: events.p[::2],
        lambda events: memoryview(events.x),
        lambda events: np.frombuffer(events.y, np.uint8),
        lambda events: events.t_ns.reshape(10, -1).T,
    ],
    ids=["events", "slice", "view", "memoryview", "buffer", "shape"],
)
def test_what_is_kept_in_whatever_way_is_not_written_over(keep) -> None:
    made = pool()
    kept = keep(written(made, 1))
    for value in range(2, 8):
        written(made, value)
    whole = kept if isinstance(kept, Events) else None
    for array in (whole.t_ns, whole.x, whole.y, whole.p) if whole else (np.asarray(kept),):
        assert set(np.asarray(array).astype(np.int64).ravel().tolist()) <= {0, 1}


@given(st.lists(st.tuples(st.integers(0, 300), st.booleans()), max_size=40))
def test_kept_events_stay_as_they_were_whatever_comes_after(chunks) -> None:
    made = pool(largest=200 * EVENT_BYTES)
    kept = []
    for number, (n, keep) in enumerate(chunks):
        events = written(made, number, n)
        if keep:
            kept.append((number, n, events))
    for number, n, events in kept:
        assert len(events) == n
        assert all((a == number).all() for a in (events.t_ns, events.x, events.y, events.p))


def test_a_small_result_does_not_hold_a_large_block() -> None:
    made = pool()
    written(made, 1, 500)
    small = written(made, 2, 10)
    base = small.t_ns.base
    assert base is not None
    assert base.nbytes <= 4 * 10 * EVENT_BYTES


def test_what_is_larger_than_the_pool_allows_is_not_kept_from_others() -> None:
    made = pool(largest=50)
    events = written(made, 1)
    assert events.t_ns.base is None or events.t_ns.base.nbytes == 8 * N


def test_a_decoder_uses_its_memory_again() -> None:
    words = np.full(20_000, 0x2005, "<u2")
    words[:3] = 0x8000, 0x6001, 0x0007
    made = decoder("evt3", 640, 480)
    at = address(made.decode(words.view(np.uint8)))
    kept = made.decode(words.view(np.uint8))
    assert address(kept) == at
    assert address(made.decode(words.view(np.uint8))) != at
    assert (kept.x == 5).all()
