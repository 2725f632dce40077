# SPDX-License-Identifier: Apache-2.0
"""Events are put into packets as a driver sends them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.events import Events, PacketStream, packets_of

SIZE = (8, 6)
MS = 1_000_000


def at(times) -> Events:
    n = len(times)
    zeros = np.zeros(n, np.uint16)
    return Events(np.array(times, np.int64), zeros, zeros, np.zeros(n, np.uint8), *SIZE)


def test_a_packet_holds_a_period_and_is_stamped_with_its_end():
    packets = list(packets_of([at([1, 4 * MS - 1, 4 * MS, 21 * MS])], SIZE))
    assert [packet.stamp_ns for packet in packets] == [4 * MS, 8 * MS, 24 * MS]
    assert [packet.seq for packet in packets] == [0, 1, 2]
    assert [len(packet.payload) // 8 for packet in packets] == [2, 1, 1]


@given(
    steps=st.lists(st.sampled_from([0, 1000, MS, 9 * MS]), max_size=40),
    cuts=st.lists(st.integers(0, 40), max_size=4),
    encoding=st.sampled_from(["mono", "evt2", "evt3"]),
)
def test_no_event_is_lost_wherever_chunks_end(steps, cuts, encoding):
    events = at(np.cumsum(steps)) if steps else at([])
    bounds = [0, *sorted(min(cut, len(events)) for cut in cuts), len(events)]
    chunks = [events[a:b] for a, b in pairwise(bounds)]
    packets = list(packets_of(chunks, SIZE, encoding))
    whole = list(packets_of([events], SIZE, encoding))
    assert [p.stamp_ns for p in packets] == [p.stamp_ns for p in whole]
    stream = PacketStream(*SIZE, encoding)
    times = [t for packet in packets for t in stream.receive(packet).t_ns.tolist()]
    assert times == events.t_ns.tolist()
    assert stream.counters.errors == 0


def test_a_period_below_one_is_refused():
    with pytest.raises(ValueError, match="period_ns is 0; it must be at least 1"):
        next(packets_of([at([1])], SIZE, period_ns=0))
