# SPDX-License-Identifier: Apache-2.0
"""Encoding `mono`: what is written is what is read, and damage is counted, never raised."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.events import Events, MonoDecoder, encode_mono, read_packets

LARGEST_SPAN_NS = 2**32 - 1


@st.composite
def any_events(draw) -> Events:
    width = draw(st.integers(1, 65536))
    height = draw(st.integers(1, 32768))
    n = draw(st.integers(0, 20))
    base = draw(st.integers(0, 2**63 - 1 - LARGEST_SPAN_NS))

    def column(low, high):
        return draw(st.lists(st.integers(low, high), min_size=n, max_size=n))

    offsets = sorted(column(0, LARGEST_SPAN_NS))
    return Events(
        np.array([base + offset for offset in offsets], np.int64),
        np.array(column(0, width - 1), np.uint16),
        np.array(column(0, height - 1), np.uint16),
        np.array(column(0, 1), np.uint8),
        width,
        height,
    )


@given(any_events())
def test_round_trip(events):
    payload, time_base_ns = encode_mono(events)
    assert payload.dtype == np.uint8
    assert payload.shape == (8 * len(events),)
    decoder = MonoDecoder(events.width, events.height)
    again = decoder.decode(payload, time_base_ns)
    for name in ("t_ns", "x", "y", "p"):
        assert np.array_equal(getattr(again, name), getattr(events, name))
    assert decoder.counters.errors == 0
    assert decoder.counters.events_on == int(events.p.sum())
    assert decoder.counters.events == len(events)


def test_the_bits_are_where_the_message_definition_says():
    events = Events(
        np.array([1_000, 1_003], np.int64),
        np.array([0x0102, 0xFFFF], np.uint16),
        np.array([0x7FFF, 0x0304], np.uint16),
        np.array([0, 1], np.uint8),
        65536,
        32768,
    )
    payload, time_base_ns = encode_mono(events)
    first = 0 | 0x0102 << 32 | 0x7FFF << 48 | 0 << 63
    second = 3 | 0xFFFF << 32 | 0x0304 << 48 | 1 << 63
    assert time_base_ns == 1_000
    assert payload.tobytes() == struct.pack("<QQ", first, second)


@given(st.binary(max_size=200), st.integers(0, 2**64 - 1))
def test_any_bytes_decode_to_sound_events_or_are_counted(payload, time_base_ns):
    decoder = MonoDecoder(20_000, 9_000)
    events = decoder.decode(np.frombuffer(payload, np.uint8), time_base_ns)
    events.check()
    counters = decoder.counters
    tail = 1 if len(payload) % 8 else 0
    assert len(events) + counters.outside_sensor + counters.malformed - tail == len(payload) // 8
    assert counters.events == len(events)


def two(t_ns=(0, 1), x=(0, 0), y=(0, 0), p=(0, 1), height=128) -> Events:
    return Events(
        np.array(t_ns, np.int64),
        np.array(x, np.uint16),
        np.array(y, np.uint16),
        np.array(p, np.uint8),
        128,
        height,
    )


def test_what_does_not_fit_is_refused_with_the_reason():
    encode_mono(two(t_ns=(5, 5 + LARGEST_SPAN_NS)))
    with pytest.raises(ValueError, match="spans 4294967296 ns"):
        encode_mono(two(t_ns=(5, 6 + LARGEST_SPAN_NS)))
    with pytest.raises(ValueError, match="t_ns goes down to -1"):
        encode_mono(two(t_ns=(-1, 0)))
    with pytest.raises(ValueError, match="y goes up to 32768"):
        encode_mono(two(y=(0, 32768), height=40_000))
    with pytest.raises(ValueError, match="p goes up to 2"):
        encode_mono(two(p=(0, 2)))


def test_an_event_outside_the_sensor_is_dropped_and_counted():
    rows, base = encode_mono(two(y=(3, 127)))
    decoder = MonoDecoder(128, 127)
    assert decoder.decode(rows, base).y.tolist() == [3]
    columns, base = encode_mono(two(x=(127, 126)))
    decoder = MonoDecoder(127, 128)
    assert decoder.decode(columns, base).x.tolist() == [126]
    assert decoder.counters.outside_sensor == 1


def test_a_tail_that_is_no_event_is_counted_and_the_rest_is_read():
    payload, base = encode_mono(two())
    decoder = MonoDecoder(128, 128)
    assert len(decoder.decode(payload[:-3], base)) == 1
    assert decoder.counters.malformed == 1


def test_events_out_of_order_are_sorted_and_counted():
    payload, base = encode_mono(two(t_ns=(9, 4)))
    decoder = MonoDecoder(128, 128)
    assert decoder.decode(payload, base).t_ns.tolist() == [4, 9]
    assert decoder.counters.time_reversals == 1


def test_a_read_only_view_at_any_offset_is_read():
    payload, base = encode_mono(two(y=(5, 6)))
    shifted = np.frombuffer(b"\0" + payload.tobytes(), np.uint8)[1:]
    assert MonoDecoder(128, 128).decode(shifted, base).y.tolist() == [5, 6]


def test_recorded_packets_give_the_known_sums(shared_data):
    path = shared_data / "event_camera" / "mono.db3"
    decoder = MonoDecoder(640, 480)
    parts = [decoder.decode(q.payload, q.time_base_ns) for q in read_packets(path)]
    events = Events.concatenate(parts)
    sums = [int(a.sum(dtype=np.int64)) for a in (events.t_ns, events.x, events.y, events.p)]
    assert sums == [4_950_000, 34_450, 26_450, 50]
