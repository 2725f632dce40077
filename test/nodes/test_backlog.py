# SPDX-License-Identifier: Apache-2.0
"""Packets that have waited are put together, in order, and none is lost or kept for long."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.events import Events
from neuro_control.nodes.backlog import Backlog

LATE_NS = 3_000_000


def packet(t_ns: int) -> Events:
    x = np.zeros(1, np.uint16)
    return Events(np.array([t_ns]), x, x, np.ones(1, np.uint8), 8, 8)


@pytest.mark.parametrize("waited_ns", [-1, 0, LATE_NS])
def test_a_packet_that_did_not_wait_is_answered_at_once(waited_ns: int) -> None:
    backlog = Backlog(LATE_NS)
    assert backlog.add(packet(5), 7, 100, waited_ns)
    joined = backlog.take()
    assert joined.events.t_ns.tolist() == [5]
    assert joined.stamp_ns == 7
    assert joined.published_ns == [100]
    assert len(backlog) == 0


def test_those_that_waited_are_answered_with_the_first_that_did_not() -> None:
    backlog = Backlog(LATE_NS)
    assert not backlog.add(packet(1), 2, 100, LATE_NS + 1)
    assert not backlog.add(packet(2), 4, 200, LATE_NS + 1)
    assert backlog.add(packet(3), 6, 300, 0)
    joined = backlog.take()
    assert joined.events.t_ns.tolist() == [1, 2, 3]
    assert joined.stamp_ns == 6
    assert joined.published_ns == [100, 200, 300]


@given(st.lists(st.integers(0, 2 * LATE_NS), min_size=1, max_size=60), st.integers(1, 10))
def test_every_packet_is_taken_once_in_order_and_never_more_than_so_many_at_once(
    waits_ns: list[int], most: int
) -> None:
    backlog = Backlog(LATE_NS, most)
    taken: list[int] = []
    for number, waited_ns in enumerate(waits_ns):
        if backlog.add(packet(number), number, number, waited_ns):
            joined = backlog.take()
            assert len(joined.events) == len(joined.published_ns) <= most
            taken += joined.published_ns
    assert taken == list(range(len(taken)))
    assert len(taken) + len(backlog) == len(waits_ns)
    assert len(backlog) < most


def test_what_is_forgotten_is_not_answered() -> None:
    backlog = Backlog(LATE_NS)
    backlog.add(packet(1), 2, 100, LATE_NS + 1)
    backlog.clear()
    assert backlog.add(packet(2), 4, 200, 0)
    assert backlog.take().published_ns == [200]
