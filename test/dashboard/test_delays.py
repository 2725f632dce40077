# SPDX-License-Identifier: Apache-2.0
"""The delay from packet to command, as the page shows it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.dashboard.delays import BINS, FIRST_MS, PER_DECADE, DelayMeter
from neuro_control.dashboard.panel import FrameParts

MS = 1_000_000


def drawn(meter: DelayMeter, now_s: float = 0.0) -> FrameParts:
    parts = FrameParts()
    meter.draw(now_s, parts)
    return parts


def test_a_command_answers_its_packet_and_those_before() -> None:
    meter = DelayMeter()
    for number in range(3):
        meter.packet(number, number * MS)
    meter.command(2, 5 * MS)
    meter.command(2, 9 * MS)  # once only
    parts = drawn(meter)
    assert parts.state["delay"]["count"] == 3
    assert parts.state["delay"]["max_ms"] == pytest.approx(5.0)
    assert parts.state["delay"]["median_ms"] == pytest.approx(4.0, rel=0.03)
    counts = parts.arrays["delays"]
    assert int(counts.sum()) == 3
    edges = FIRST_MS * 10 ** (np.arange(BINS + 1) / PER_DECADE)
    np.testing.assert_array_equal(counts, np.histogram([3.0, 4.0, 5.0], edges)[0])


def test_a_hold_that_answers_nothing_is_not_counted_and_nothing_is_drawn() -> None:
    meter = DelayMeter()
    meter.packet(5, 0)
    meter.command(7, MS)
    parts = drawn(meter)
    assert "delay" not in parts.state
    assert "delays" not in parts.arrays


@given(
    gap_ms=st.integers(0, 20),
    frame_ms=st.integers(20, 120),
    order=st.permutations(["packets", "commands"]),
)
def test_whatever_comes_between_the_two_takes_of_a_frame_no_delay_is_longer_than_it_was(
    gap_ms: int, frame_ms: int, order: list[str]
) -> None:
    """A packet every 4 ms is answered 2 ms later; a frame takes one topic, then the other."""
    sent = {
        "packets": [(n, 4 * n * MS) for n in range(250)],
        "commands": [(n, (4 * n + 2) * MS) for n in range(250)],
    }
    meter = DelayMeter()
    take = {"packets": meter.packet, "commands": meter.command}
    for frame in range(1 + 1000 // frame_ms):
        for late, topic in enumerate(order):
            now_ns = (frame * frame_ms + late * gap_ms) * MS
            while sent[topic] and sent[topic][0][1] <= now_ns:
                take[topic](*sent[topic].pop(0))
        parts = drawn(meter)
    assert parts.state["delay"]["max_ms"] == pytest.approx(2.0)


def test_a_command_waits_for_its_packet_until_the_next_frame_and_no_longer() -> None:
    meter = DelayMeter()
    meter.command(1, 3 * MS)
    assert "delay" not in drawn(meter).state
    meter.packet(1, MS)
    assert drawn(meter).state["delay"]["max_ms"] == pytest.approx(2.0)
    meter.command(2, 5 * MS)
    drawn(meter)
    drawn(meter)
    meter.packet(2, 4 * MS)
    assert drawn(meter).state["delay"]["count"] == 1


def test_after_commands_that_were_not_heard_only_the_own_packets_delay_is_known() -> None:
    meter = DelayMeter()
    for number in range(100):
        meter.packet(number, number * MS)
    meter.command(99, 101 * MS, missed=True)  # the first that is heard
    meter.packet(100, 102 * MS)
    meter.packet(101, 103 * MS)
    meter.command(101, 106 * MS)
    parts = drawn(meter)
    assert parts.state["delay"]["count"] == 3
    assert parts.state["delay"]["max_ms"] == pytest.approx(4.0)


def test_packets_whose_answer_was_not_heard_are_not_left_to_a_later_command() -> None:
    meter = DelayMeter()
    for number in range(5):
        meter.packet(number, number * MS)
    # While nothing was taken, packets up to the 500th fell out, and so did all but late commands.
    for number in range(500, 504):
        meter.packet(number, number * MS)
    meter.command(499, 501 * MS, missed=True)
    meter.command(501, 503 * MS)
    meter.command(503, 505 * MS)
    parts = drawn(meter)
    assert parts.state["delay"]["count"] == 4
    assert parts.state["delay"]["max_ms"] == pytest.approx(3.0)


def test_what_is_beyond_the_axis_counts_at_its_end() -> None:
    meter = DelayMeter()
    meter.packet(0, 0)
    meter.command(0, 1)
    meter.packet(1, 0)
    meter.command(1, 100_000 * MS)
    counts = drawn(meter).arrays["delays"]
    assert counts[0] == counts[BINS - 1] == 1


def test_after_ten_seconds_it_is_forgotten() -> None:
    meter = DelayMeter()
    meter.packet(0, 0)
    meter.command(0, MS)
    assert drawn(meter, 0.0).state["delay"]["count"] == 1
    for second in range(1, 11):
        parts = drawn(meter, float(second))
    assert "delay" not in parts.state


def test_a_clock_that_begins_anew_begins_anew_here() -> None:
    meter = DelayMeter()
    meter.packet(1000, 0)
    meter.packet(10, 5 * MS)
    meter.command(10, 7 * MS)
    assert drawn(meter).state["delay"]["max_ms"] == pytest.approx(2.0)
