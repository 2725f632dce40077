# SPDX-License-Identifier: Apache-2.0
"""A sensor's packets between two frames: all that fits the budget, and an honest count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.dashboard.sensor_view import SensorView, decode_mono
from neuro_control.events import Events, MonoDecoder, Packet, encode_mono


def packet(seq: int, events: int, size: int = 16, stamp_ns: int | None = None) -> Packet:
    t_ns = np.arange(events, dtype=np.int64) + seq * 1_000_000
    place = (np.arange(events) % size).astype(np.uint16)
    batch = Events(t_ns, place, place, np.ones(events, np.uint8), size, size)
    payload, base_ns = encode_mono(batch)
    stamp = (seq + 1) * 1_000_000 if stamp_ns is None else stamp_ns
    return Packet("", seq, base_ns, stamp, "mono", size, size, False, payload)


def test_within_the_budget_everything_is_shown() -> None:
    view = SensorView(1000)
    sampled = view.take([packet(n, 10) for n in range(5)])
    assert sampled.shown == sampled.carried == 50
    assert sum(map(len, sampled.events)) == 50
    assert view.take([]).shown == 0


def test_beyond_it_the_newest_packets_are_shown_and_all_are_counted() -> None:
    view = SensorView(25)
    sampled = view.take([packet(n, 10) for n in range(5)])
    assert sampled.carried == 50
    assert sampled.shown == 20
    assert int(sampled.events[0].t_ns[0]) == 3_000_000


def test_of_one_huge_packet_every_nth_event_is_shown() -> None:
    sampled = SensorView(100).take([packet(0, 1000)])
    assert sampled.carried == 1000
    assert sampled.shown == 100
    assert np.diff(sampled.events[0].t_ns).tolist() == [10] * 99


def test_packets_that_fell_out_on_the_way_are_counted_too() -> None:
    view = SensorView(1000)
    view.take([packet(0, 10)])
    sampled = view.take([packet(n, 10) for n in (8, 9, 10)])
    assert sampled.shown == 30
    assert sampled.carried == pytest.approx(100)


def test_another_sensor_or_another_time_begins_a_new_picture() -> None:
    resets: list[int] = []
    view = SensorView(1000, lambda: resets.append(1))
    view.take([packet(100, 10)])
    view.take([packet(101, 10)])
    assert len(resets) == 1
    view.take([packet(0, 10)])  # the publisher was started anew
    assert len(resets) == 2
    view.take([packet(1, 10, size=32)])
    assert len(resets) == 3
    assert (view.width, view.height) == (32, 32)


def test_of_a_recording_that_jumps_back_only_what_comes_after_is_shown() -> None:
    resets: list[int] = []
    view = SensorView(1000, lambda: resets.append(1))
    sampled = view.take([packet(500, 10), packet(501, 10), packet(3, 7)])
    assert len(resets) == 2
    assert sampled.shown == 7


def test_a_straggler_begins_nothing_anew() -> None:
    resets: list[int] = []
    view = SensorView(1000, lambda: resets.append(1))
    assert view.take([packet(n, 10) for n in (5, 7, 6, 8)]).shown == 40
    assert len(resets) == 1


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8))
def test_many_mono_packets_at_once_are_what_each_gives(sizes: list[int]) -> None:
    packets = [packet(number, size) for number, size in enumerate(sizes)]
    decoder = MonoDecoder(16, 16)
    one_by_one = [decoder.decode(p.payload, p.time_base_ns) for p in packets]
    wanted, found = Events.concatenate(one_by_one), decode_mono(packets, 16, 16)
    for field in ("t_ns", "x", "y", "p"):
        np.testing.assert_array_equal(getattr(found, field), getattr(wanted, field))


def test_events_outside_the_sensor_are_left_out_and_order_is_time() -> None:
    late, early = packet(5, 10), packet(1, 10)
    found = decode_mono([late, early], 4, 16)
    assert int(found.x.max()) < 4
    assert bool((np.diff(found.t_ns) >= 0).all())


def test_what_cannot_be_decoded_is_told_and_does_no_harm() -> None:
    view = SensorView(1000)
    strange = Packet("", 0, 0, 0, "nobody_knows", 4, 4, False, np.zeros(8, np.uint8))
    assert view.take([strange]).shown == 0
    assert "nobody_knows" in view.refused
    assert view.take([packet(1, 10)]).shown == 10
    assert view.refused == ""


def test_the_sensors_own_time_goes_on_with_empty_packets() -> None:
    view = SensorView(1000)
    view.take([packet(0, 10, stamp_ns=5_000_000)])
    now_ns = view.now_ns
    assert now_ns == 9
    view.take([packet(1, 0, stamp_ns=7_000_000)])
    assert view.now_ns == now_ns + 2_000_000
