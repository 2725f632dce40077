# SPDX-License-Identifier: Apache-2.0
"""What waits becomes one answer: the newest events, and every packet and event is accounted for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.events import DropReason, Events, Packet, encode_mono
from neuro_control.nodes.event_input import Declared
from neuro_control.nodes.packet_intake import IntakeCounts, PacketIntake
from neuro_control.nodes.sensor_clock import LARGEST_DELAY_NS

MS = 1_000_000


def packet(seq: int, stamp_ns: int, events: int) -> Packet:
    """Events a microsecond apart, the last of them at the stamp."""
    t_ns = stamp_ns - 1000 * np.arange(events - 1, -1, -1)
    x = np.zeros(events, np.uint16)
    payload, base = encode_mono(Events(t_ns, x, x, np.ones(events, np.uint8), 32, 32))
    return Packet("", seq, base, stamp_ns, "mono", 32, 32, False, payload)


@settings(max_examples=60)
@given(
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=12),
    most=st.integers(0, 60),
    warm=st.booleans(),
)
def test_the_newest_events_are_taken_in_order_and_all_others_are_counted(sizes, most, warm):
    counts = IntakeCounts()
    intake = PacketIntake(Declared(), most, counts)
    if warm:  # how many events a packet has is expected from the one before
        intake.hold(packet(0, MS, 5), 0)
        assert intake.take(-1) is not None
    began, events_before = int(warm), intake.input.events
    held = [packet(began + k, (began + k + 1) * MS, size) for k, size in enumerate(sizes)]
    for number, each in enumerate(held):
        intake.hold(each, number)
    taken = intake.take(began * MS if warm else -1)
    assert taken is not None
    assert taken.stamp_ns == held[-1].stamp_ns
    first = len(held) - len(taken.published_ns)
    assert taken.published_ns == list(range(first, len(held)))
    assert counts.packets_shed == first
    assert counts.packets_late == 0
    every_ns = np.concatenate(
        [
            each.stamp_ns - 1000 * np.arange(n - 1, -1, -1)
            for each, n in zip(held, sizes, strict=True)
        ]
    )
    n = len(taken.events)
    assert taken.events.t_ns.tolist() == every_ns[len(every_ns) - n :].tolist()
    assert intake.input.events - events_before == n
    assert n + counts.events_shed == sum(sizes[first:])
    if most and len(held) > 1:
        assert n <= most
    else:
        assert n == sum(sizes)
    assert len(intake) == intake.held == 0


def test_for_a_packet_of_another_sensor_none_of_this_one_is_let_go():
    counts = IntakeCounts()
    intake = PacketIntake(Declared(), 10, counts)
    intake.hold(packet(0, MS, 5), 0)
    assert intake.take(-1) is not None
    intake.hold(packet(1, 2 * MS, 5), 1)
    intake.hold(replace(packet(2, 3 * MS, 1000), width=64), 2)
    taken = intake.take(MS)
    assert taken is not None
    assert (taken.published_ns, len(taken.events), taken.stamp_ns) == ([1], 5, 2 * MS)
    assert counts.packets_shed == 0


@settings(max_examples=60)
@given(
    sizes=st.lists(st.integers(0, 40), min_size=2, max_size=8),
    most=st.integers(1, 60),
    answers=st.sets(st.integers(0, 7)),
    again=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=6),
)
def test_a_packet_that_is_sent_again_changes_nothing(sizes, most, answers, again):
    """Whether the first is still held, was answered, or was let go; again: (of which, after)."""
    sent = [packet(k, (k + 1) * MS, size) for k, size in enumerate(sizes)]

    def outcome(repeated):
        counts, answered_ns, found = IntakeCounts(), -1, []
        intake = PacketIntake(Declared(), most, counts)
        for number, each in enumerate(sent):
            copies = [of for of, after in repeated if of <= number == after]
            for held in (each, *(sent[of] for of in copies)):
                intake.hold(held, held.seq)
            if number in answers or number in (0, len(sent) - 1):
                taken = intake.take(answered_ns)
                answered_ns = answered_ns if taken is None else taken.stamp_ns
                found.append(None if taken is None else (taken.events.t_ns.tolist(), taken.stamp_ns,
                                                         taken.published_ns))  # fmt: skip
        return found, counts, intake.input.counters.drops

    found, counts, drops = outcome(again)
    once, once_counts, once_drops = outcome([])
    assert found == once
    assert counts == once_counts
    repeats = sum(of <= after < len(sent) for of, after in again)
    assert drops == once_drops | {DropReason.DUPLICATE: repeats}


def test_a_large_packet_is_answered_whole_though_it_was_sent_twice():
    counts = IntakeCounts()
    intake = PacketIntake(Declared(), 10, counts)
    intake.hold(packet(0, MS, 5), 0)
    assert intake.take(-1) is not None
    for _ in range(2):
        intake.hold(packet(1, 2 * MS, 50), 1)
    taken = intake.take(MS)
    assert taken is not None
    assert (len(taken.events), taken.published_ns) == (50, [1])
    assert counts == IntakeCounts()


def test_what_waits_when_a_time_begins_anew_is_not_answered_but_counted() -> None:
    counts = IntakeCounts()
    intake = PacketIntake(Declared(), 0, counts)
    payload, base = packet(0, 5, 1).payload, 5
    for seq, stamp_ns in ((0, 10_000 * MS), (1, 10_001 * MS), (2, 5 * MS), (3, 4 * MS)):
        intake.hold(Packet("", seq, base, stamp_ns, "mono", 32, 32, False, payload), seq)
    taken = intake.take(10_001 * MS)
    assert taken is not None
    assert taken.begins_anew
    assert taken.stamp_ns == 5 * MS
    assert taken.published_ns == [2]
    assert counts.packets_late == 3


def test_a_packet_stamped_far_ahead_that_could_not_be_answered_holds_up_no_other() -> None:
    counts = IntakeCounts()
    intake = PacketIntake(Declared(), 0, counts)
    intake.hold(packet(0, 60_000 * MS, 5), 0)
    assert intake.take(-1) is not None
    intake.hold(replace(packet(1, 60_001 * MS, 5), stamp_ns=1_000 * MS), 1)
    taken = intake.take(-1)  # nothing was answered yet
    assert taken is not None
    assert taken.begins_anew
    assert (taken.stamp_ns, counts.packets_late) == (1_000 * MS, 0)


def test_after_the_clock_was_set_back_a_little_no_packet_is_late() -> None:
    counts = IntakeCounts()
    intake = PacketIntake(Declared(), 0, counts)
    for seq, stamp_ms in enumerate((10_000, 10_010)):
        intake.hold(sensed(seq, 5_000 + 10 * seq, stamp_ms), seq)
        if seq == 0:
            assert intake.take(-1) is not None
    intake.begin_anew()
    assert (len(intake), counts.packets_late, intake.stamp_ns) == (0, 1, -1)
    intake.hold(sensed(2, 5_020, 9_520), 2)
    taken = intake.take(-1)
    assert taken is not None
    assert not taken.begins_anew
    assert (taken.stamp_ns, taken.events.t_ns[-1], len(taken.events)) == (9_520 * MS,) * 2 + (5,)
    assert counts.packets_late == 1


def sensed(seq: int, sensor_ms: float, stamp_ms: float) -> Packet:
    """Five events of a sensor with its own clock, a millisecond apart, the last at `sensor_ms`."""
    t_ns = round(sensor_ms * MS) - MS * np.arange(4, -1, -1)
    x = np.zeros(5, np.uint16)
    payload, base = encode_mono(Events(t_ns, x, x, np.ones(5, np.uint8), 32, 32))
    return Packet("", seq, base, round(stamp_ms * MS), "mono", 32, 32, False, payload)


@pytest.mark.parametrize("late_ms", [100, 500, 900])
def test_after_a_packet_stamped_late_events_are_right_as_soon_as_packets_are_taken(
    late_ms: int,
) -> None:
    """Those that are dropped meanwhile do not push the sensor's clock ahead."""
    counts, answered_ns = IntakeCounts(), -1
    intake = PacketIntake(Declared(), 0, counts)
    for seq in range(150):
        stamp_ms = 10_000 + 10 * seq + late_ms * (seq == 10)
        intake.hold(sensed(seq, 10_000 + 10 * seq, stamp_ms), seq)
        taken = intake.take(answered_ns)
        if taken is not None:
            assert not taken.begins_anew
            assert taken.events.t_ns[-1] <= taken.stamp_ns
            answered_ns = taken.stamp_ns
    assert counts.packets_late == late_ms // 10 - 1
    assert answered_ns == 11_490 * MS


def test_a_new_time_is_judged_once_for_the_events_and_for_who_takes_them() -> None:
    """By the packets' stamps, whether the sensor is ahead of the node's clock or behind it."""
    counts = IntakeCounts()
    intake = PacketIntake(Declared(), 0, counts)
    for seq, stamp_ms in enumerate((10_000, 10_010, 9_045, 10_030)):
        intake.hold(sensed(seq, 10_040 + 10 * seq, stamp_ms), seq)
    taken = intake.take(-1)
    assert taken is not None
    assert not taken.begins_anew
    assert np.diff(taken.events.t_ns).min() >= 0
    assert counts.packets_late == 1

    intake = PacketIntake(Declared(), 0, counts)
    intake.hold(sensed(0, 9_960, 10_000), 0)
    assert intake.take(-1) is not None
    intake.hold(sensed(1, 9_970, 8_975), 1)
    taken = intake.take(10_000 * MS)
    assert taken is not None
    assert taken.begins_anew
    assert taken.events.t_ns[-1] == 8_975 * MS


@settings(max_examples=100)
@given(
    packets=st.lists(
        st.tuples(st.integers(-100, 200), st.integers(-1500, 1500), st.booleans()),
        min_size=1,
        max_size=20,
    )
)
def test_events_ascend_unless_a_time_begins_anew_and_then_are_near_the_stamp(packets) -> None:
    """A packet: (steps of the sensor, of the stamp in ms, whether it is answered at once)."""
    intake = PacketIntake(Declared(), 0, IntakeCounts())
    sensor_ms, stamp_ms, answered_ns, last_ns = 5_000, 20_000, -1, -1
    for seq, (sensor_step, stamp_step, answered) in enumerate(packets):
        sensor_ms, stamp_ms = sensor_ms + sensor_step, max(stamp_ms + stamp_step, 0)
        intake.hold(sensed(seq, sensor_ms, stamp_ms), seq)
        taken = intake.take(answered_ns) if answered else None
        if taken is None:
            continue
        t_ns = taken.events.t_ns
        assert np.diff(t_ns, prepend=t_ns[0] if taken.begins_anew else last_ns).min() >= 0
        if taken.begins_anew and len(taken.published_ns) == 1:
            assert t_ns[-1] <= taken.stamp_ns + LARGEST_DELAY_NS
        answered_ns, last_ns = taken.stamp_ns, int(t_ns[-1])
