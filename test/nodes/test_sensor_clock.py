# SPDX-License-Identifier: Apache-2.0
"""A sensor's events in the node's time: near the node's clock, and never before those before."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.events import Events, Packet, PacketStream, encode_mono
from neuro_control.nodes.event_input import Declared, EventInput
from neuro_control.nodes.sensor_clock import LARGEST_DELAY_NS, SensorClock

MS = 1_000_000


def events(t_ns: list[int]) -> Events:
    zero = np.zeros(len(t_ns), np.uint16)
    return Events(np.array(t_ns, np.int64), zero, zero, np.ones(len(t_ns), np.uint8), 4, 4)


def given_out(clock: SensorClock, t_ms: list[float], stamp_ms: float) -> list[float]:
    t_ns = [round(t * MS) for t in t_ms]
    return (clock.to_node_time(events(t_ns), round(stamp_ms * MS)).t_ns / MS).tolist()


def test_a_sensor_that_shares_the_clock_is_left_alone() -> None:
    clock, shared = SensorClock(), events([5 * MS, 6 * MS])
    assert clock.to_node_time(shared, 7 * MS) is shared
    assert clock.reanchored == 0


def test_one_that_counts_from_elsewhere_is_shifted_by_a_constant() -> None:
    clock = SensorClock()
    assert given_out(clock, [1, 2], 1000) == [999, 1000]
    assert given_out(clock, [3, 4], 1040) == [1001, 1002]
    assert clock.reanchored == 0, "the first time is not counted"
    assert given_out(clock, [5, 6], 1060) == [1059, 1060]
    assert clock.reanchored == 1


def test_a_fast_clock_is_slowed_until_it_is_right_again() -> None:
    clock = SensorClock()
    assert given_out(clock, [0], 1000) == [1000]
    assert given_out(clock, [60], 1000) == [1000], "60 ms ahead: set back, and held"
    assert clock.reanchored == 1
    clock = SensorClock()
    given_out(clock, [0], 1000)
    given_out(clock, [10], 1080)  # stamped 70 ms late
    assert given_out(clock, [20, 22], 1022) == [1080, 1080], "the node's clock stands"
    # Now 60 ms ahead, at 1080: twice as long until it is caught up with.
    assert given_out(clock, [32, 42], 1042) == [1085, 1090]
    assert given_out(clock, [82, 122, 142, 162], 1162) == [1110, 1130, 1142, 1162]
    assert clock.reanchored == 2


def test_the_nodes_clock_that_begins_anew_begins_a_new_time() -> None:
    clock = SensorClock()
    given_out(clock, [0, 1], 5000)
    assert given_out(clock, [2, 3], 3000) == [5000, 5000], "not without being told"
    clock.begin_anew()
    clock.to_node_time(events([]), 0)
    assert given_out(clock, [4, 5], 3999) == [3998, 3999]
    assert given_out(clock, [6, 7], 3000) == [3999, 3999], "once"
    assert clock.reanchored == 3


STEPS = st.integers(0, 200 * MS)


@given(
    st.lists(
        st.tuples(
            st.lists(STEPS, min_size=1, max_size=4),
            st.integers(-2000 * MS, 2000 * MS),
            st.booleans(),
            st.booleans(),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_times_ascend_and_are_near_the_nodes_clock_or_get_nearer(packets) -> None:
    """Whatever sensor and stamps do; a packet: (steps of the sensor, of the stamp; the sensor
    begins anew, the node's clock does)."""
    clock, t_ns, stamp_ns, last_ns = SensorClock(), 0, 10_000 * MS, -1
    for steps, stamp_step, sensor_anew, anew in packets:
        t_ns = 0 if sensor_anew else t_ns
        times = (t_ns + np.cumsum(steps)).tolist()
        t_ns, before_ns = times[-1], stamp_ns
        if anew:
            clock.begin_anew()
        stamp_ns = max(stamp_ns + stamp_step, 0)
        found = clock.to_node_time(events(times), stamp_ns).t_ns.tolist()
        assert found == sorted(found)
        if not anew:
            assert found[0] >= last_ns
            ahead = last_ns - before_ns if last_ns >= 0 else 0
            slower = ahead - (stamp_ns - before_ns) + max(stamp_ns - before_ns, 0) // 2
            assert found[-1] - stamp_ns <= max(LARGEST_DELAY_NS, slower)
        else:
            assert abs(found[-1] - stamp_ns) <= LARGEST_DELAY_NS
        assert found[-1] - stamp_ns >= -LARGEST_DELAY_NS
        last_ns = found[-1]


@pytest.mark.parametrize("late_ms", [60, 500])
def test_what_is_given_out_is_taken_whole_by_another_stream(late_ms: int) -> None:
    """Of a sensor with one packet stamped late; a stream drops events from before others."""
    source, sink = EventInput(Declared(4, 4)), PacketStream(4, 4, "mono")
    found: list[int] = []
    for seq in range(40):
        t_ns = [seq * 10 * MS + k * MS for k in range(10)]
        stamp_ns = (1010 + seq * 10 + late_ms * (seq == 10)) * MS
        payload, base_ns = encode_mono(events(t_ns))
        read = source.decode(Packet("", seq, base_ns, stamp_ns, "mono", 4, 4, False, payload))
        assert read is not None
        passed = source.to_node_time(read, stamp_ns)
        payload, base_ns = encode_mono(passed)
        again = sink.receive(Packet("", seq, base_ns, stamp_ns, "mono", 4, 4, False, payload))
        assert again is not None
        found += again.t_ns.tolist()
    assert (sink.counters.errors, sink.counters.restarts) == (0, 0)
    assert source.clock_reanchored == 2
    assert all(a <= b for a, b in pairwise(found))
    if late_ms == 60:
        assert found[-1] == 1399 * MS + MS, "right again"
