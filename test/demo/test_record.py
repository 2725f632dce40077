# SPDX-License-Identifier: Apache-2.0
"""What a run's record gives back of what it was given."""

from __future__ import annotations

import numpy as np
import pytest

from neuro_control.demo.record import AWAITED_PACKETS, KEPT_STATUSES, RunRecord, Status
from neuro_control.events import Events, encode_mono
from neuro_control.reports.film_tape import FilmSchedule, FilmTape


def test_the_target_comes_back_once_each_in_order_and_cut_at_the_end() -> None:
    record = RunRecord()
    for t_ns in (2, 2, 6, 4, 8):
        record.add_target(t_ns, float(t_ns), 0.0, 1.0, wall_s=float(t_ns))
    t_ns, position = record.target_arrays(until_ns=6)
    np.testing.assert_array_equal(t_ns, [2, 4, 6])
    np.testing.assert_array_equal(position[:, 0], [2, 4, 6])


def test_an_empty_record_knows_nothing() -> None:
    record = RunRecord()
    assert record.real_time_factor() is None
    assert record.recent_error_deg() is None
    assert record.target_arrays()[1].shape == (0, 3)


def test_real_time_factor_is_simulated_over_wall_time() -> None:
    record = RunRecord()
    record.add_target(0, 0, 0, 1, wall_s=10.0)
    record.add_target(3_000_000_000, 0, 0, 1, wall_s=12.0)
    assert record.real_time_factor() == pytest.approx(1.5)


def test_only_the_first_answer_to_a_packet_ends_its_delay() -> None:
    record = RunRecord()
    record.add_packet(10, 0, (128, 128), b"", published_ns=1_000_000)
    record.add_command(10, published_ns=2_500_000)
    record.add_command(10, published_ns=9_500_000)
    record.add_command(11, published_ns=9_500_000)  # answers nothing that was heard
    assert record.delays.values[:, 0].tolist() == [1_500_000]


def test_a_command_answers_all_packets_up_to_its_stamp() -> None:
    record = RunRecord()
    for stamp_ns in (10, 20, 30):
        record.add_packet(stamp_ns, stamp_ns, (128, 128), b"", published_ns=stamp_ns)
    record.add_command(20, published_ns=50)
    assert record.delays.values[:, 0].tolist() == [40, 30]


def test_after_commands_that_were_not_heard_only_the_own_packets_delay_is_known() -> None:
    record = RunRecord()
    for stamp_ns in (10, 20, 30):
        record.add_packet(stamp_ns, stamp_ns, (128, 128), b"", published_ns=stamp_ns)
    record.add_command(20, published_ns=50, missed=True)
    record.add_command(30, published_ns=60)
    assert record.delays.values[:, 0].tolist() == [30, 30]


def test_delays_of_before_the_clock_was_restarted_are_forgotten() -> None:
    record = RunRecord()
    for stamp_ns in (10, 20):
        record.add_packet(stamp_ns, stamp_ns, (128, 128), b"", published_ns=stamp_ns)
    record.add_command(10, published_ns=50_000_000)
    record.restart_clock()
    record.add_packet(30, 30, (128, 128), b"", published_ns=30)
    record.add_command(30, published_ns=35)
    assert record.delays.values[:, 0].tolist() == [5]


def test_rates_are_those_of_simulated_time() -> None:
    record = RunRecord()
    assert record.recent_rate("events") is None
    for t_s, events in ((1.0, 100), (1.5, 600), (1.5, 600)):
        record.add_status("controller", Status(t_s, 0, "ok", {"events": str(events)}))
    assert record.recent_rate("events") == pytest.approx(1000.0)
    record.add_status("controller", Status(2.0, 0, "ok", {"events": "7"}))
    assert record.recent_rate("events") == 0.0


def test_packets_that_nobody_answers_are_forgotten() -> None:
    record = RunRecord()
    for k in range(AWAITED_PACKETS + 1):
        record.add_packet(k, k, (128, 128), bytes(16), published_ns=0)
    record.add_command(0, published_ns=1)
    assert len(record.delays) == 0
    assert record.events_heard == 2 * (AWAITED_PACKETS + 1)


def test_the_latest_number_wins_and_what_is_not_known_is_none() -> None:
    record = RunRecord()
    record.add_status("controller", Status(0.0, 0, "ok", {"ticks": "5", "latency": "nan"}))
    record.add_status("controller", Status(1.0, 0, "ok", {"ticks": "9"}))
    assert record.latest("controller", "ticks") == 9
    assert record.latest("controller", "latency") is None
    assert record.latest("guard", "ticks") is None
    assert record.word("controller", "latency") == "nan"


def test_of_each_nodes_words_the_last_are_kept_and_the_counters_curve() -> None:
    record = RunRecord()
    for k in range(100):
        record.add_status("controller", Status(float(k), 0, "ok", {"events": str(10 * k)}))
    assert len(record.statuses["controller"]) == KEPT_STATUSES
    assert record.heard["controller"] == 100
    assert record.counters["events"].values[:, 0].tolist() == [10.0 * k for k in range(100)]
    assert record.counters["events"].t_ns[-1] == 99_000_000_000
    assert len(record.counters["spikes"]) == 0


def test_a_tape_gets_what_is_heard() -> None:
    record = RunRecord(tape=FilmTape(FilmSchedule.of(1.0, 20, 60.0)))
    assert record.tape is not None
    for k in range(500):
        base_ns = k * 2_000_000
        events = Events(
            t_ns=np.array([base_ns + 1], np.int64),
            x=np.array([k % 100], np.uint16),
            y=np.array([7], np.uint16),
            p=np.array([1], np.uint8),
            width=128,
            height=128,
        )
        payload, first_ns = encode_mono(events)
        record.add_packet(first_ns, k, (128, 128), payload.tobytes(), published_ns=0)
        record.add_target(base_ns, 0.001 * k, 0.0, 1.0, wall_s=0.0)
        record.add_joints(base_ns, {"a": 0.1 * k, "b": 0.0})
    image = record.tape.events_of(0)  # from 30 to 50 ms: packets 15 to 24
    assert image is not None
    assert np.argwhere(image).tolist() == [[7, x] for x in range(15, 25)]
    assert record.tape.vector("joints", 0) == (pytest.approx(2.5), 0.0)
    assert record.tape.vector("target", 0) == (pytest.approx(0.025), 0.0, 1.0)
    assert record.joints == {"a": pytest.approx(49.9), "b": 0.0}
    assert record.tape.last_frame == 19
