# SPDX-License-Identifier: Apache-2.0
"""An offline replay counts what a recording held and why the rest was dropped."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest

from neuro_control.events import (
    BagError,
    Events,
    Packet,
    Replay,
    count,
    encode_mono,
    write_packets,
)


def packet(seq: int, t_ns: int) -> Packet:
    events = Events(
        np.array([t_ns, t_ns + 1_000_000], np.int64),
        np.array([1, 2], np.uint16),
        np.array([3, 4], np.uint16),
        np.array([0, 1], np.uint8),
        16,
        8,
    )
    payload, base_ns = encode_mono(events)
    return Packet("/eye/events", seq, base_ns, t_ns, "mono", 16, 8, False, payload)


def test_a_sound_recording(tmp_path):
    write_packets(tmp_path / "bag", [packet(seq, seq * 2_000_000) for seq in range(6)])
    report = asdict(count(tmp_path / "bag"))
    assert report == {
        "events_on": 6,
        "events_off": 6,
        "packets": 6,
        "packets_lost": 0,
        "duplicates": 0,
        "errors": 0,
        "duration_s": pytest.approx(0.011),
        "topic": "/eye/events",
        "encoding": "mono",
        "width": 16,
        "height": 8,
        "restarts": 0,
        "triggers": 0,
        "drops": {},
    }


def test_every_drop_has_its_reason(tmp_path):
    sound = [packet(seq, seq * 2_000_000) for seq in range(8)]
    sound[1] = replace(sound[1], width=17)
    sound[2] = replace(sound[2], encoding="evt3")
    sound[4] = replace(sound[4], payload=sound[4].payload[:-1])
    del sound[6]
    write_packets(tmp_path / "bag", sound)
    report = count(tmp_path / "bag")
    assert report.packets == 7
    # The two dropped for what they claim are not trusted for their number either.
    assert report.packets_lost == 3
    assert report.errors == 3
    assert report.drops == {"size": 1, "encoding": 1, "malformed": 1}


def test_a_packet_that_is_there_twice_is_no_error(tmp_path):
    write_packets(tmp_path / "bag", [packet(seq, seq * 2_000_000) for seq in (0, 1, 1, 2)])
    report = count(tmp_path / "bag")
    assert (report.packets, report.duplicates, report.errors, report.drops) == (4, 1, 0, {})
    assert report.events_on == 3


def test_the_time_of_a_device_that_restarts_is_the_sum_of_its_runs(tmp_path):
    runs = [packet(seq, 10**9 + seq * 2_000_000) for seq in range(1000, 1003)]
    runs += [packet(seq, seq * 2_000_000) for seq in range(2)]
    for i, one in enumerate(runs):
        runs[i] = replace(one, stamp_ns=i)
    write_packets(tmp_path / "bag", runs)
    report = count(tmp_path / "bag")
    assert report.restarts == 1
    assert report.duration_s == pytest.approx(0.005 + 0.003)


def test_packets_and_their_events_can_be_followed_more_than_once(tmp_path):
    write_packets(tmp_path / "bag", [packet(seq, seq * 2_000_000) for seq in range(3)])
    replay = Replay(tmp_path / "bag")
    for _ in range(2):
        assert [(p.seq, len(events)) for p, events in replay] == [(0, 2), (1, 2), (2, 2)]
        assert replay.report().packets == 3


def test_an_encoding_that_cannot_be_read_is_refused_by_name(tmp_path):
    write_packets(tmp_path / "bag", [replace(packet(0, 0), encoding="evt4")])
    with pytest.raises(BagError, match="bag: /eye/events: encoding 'evt4' is not supported"):
        count(tmp_path / "bag")


def test_a_recording_of_a_real_sensor(shared_data):
    report = count(shared_data / "event_camera" / "evt3_640x480.db3")
    assert (report.events_off, report.events_on) == (218_291, 125_183)
    assert (report.packets, report.packets_lost, report.errors) == (517, 0, 0)
    assert report.duration_s == pytest.approx(2.078, abs=0.001)


def test_lost_packets_of_a_real_sensor_are_counted_and_cost_few_events(shared_data, tmp_path):
    path = shared_data / "event_camera" / "evt3_640x480.db3"
    kept = [p for i, (p, _) in enumerate(Replay(path)) if i % 50 != 25]
    write_packets(tmp_path / "bag", kept)
    report = count(tmp_path / "bag")
    assert report.packets == len(kept)
    assert report.packets_lost == 517 - len(kept) == 10
    whole = 218_291 + 125_183
    assert 0.96 * whole < report.events_on + report.events_off < whole
    assert set(report.drops) <= {"unreferenced"}
