# SPDX-License-Identifier: Apache-2.0
"""EVT 3.0 as real sensors sent it, whole and damaged."""

from __future__ import annotations

import numpy as np
import pytest

from neuro_control.events import Events, Evt3Decoder, read_packets


@pytest.mark.parametrize(
    ("name", "size", "off", "on"),
    [
        ("evt3_640x480.db3", (640, 480), 218_291, 125_183),
        ("evt3_trigger_1280x720.db3", (1280, 720), None, 41_439),
    ],
)
def test_recordings_give_the_known_counts(shared_data, name, size, off, on):
    decoder = Evt3Decoder(*size)
    for packet in read_packets(shared_data / "event_camera" / name):
        decoder.decode(packet.payload)
    counters = decoder.counters
    assert counters.events_on == on
    assert off is None or counters.events_off == off
    assert counters.errors == 0


def test_a_recording_gives_the_checksums_of_the_upstream_decoder(shared_data):
    # Sums from event_camera_codecs' own test of this recording.
    path = shared_data / "event_camera" / "evt3_trigger_1280x720.db3"
    decoder = Evt3Decoder(1280, 720)
    events = Events.concatenate([decoder.decode(q.payload) for q in read_packets(path)])
    sums = [int(a.sum(dtype=np.int64)) for a in (events.t_ns, events.x, events.y, events.p)]
    assert sums == [1_222_326_831_810_000, 42_078_718, 31_656_267, 41_439]


def test_a_recording_with_flipped_bits_never_gives_unsound_events(shared_data):
    path = shared_data / "event_camera" / "evt3_trigger_1280x720.db3"
    rng = np.random.default_rng(0)
    decoder = Evt3Decoder(1280, 720)
    parts = []
    for packet in read_packets(path):
        damaged = packet.payload.copy()
        where = rng.integers(0, len(damaged), len(damaged) // 100)
        damaged[where] ^= np.uint8(1) << rng.integers(0, 8, len(where)).astype(np.uint8)
        parts.append(decoder.decode(damaged))
    events = Events.concatenate(parts)
    events.check()
    assert decoder.counters.errors > 0
    # One flipped bit in a hundred bytes must not throw the clock off by more than a second.
    assert abs(int(events.t_ns[-1] - events.t_ns[0]) - 1_251_317_000) < 1_000_000_000
