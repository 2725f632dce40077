# SPDX-License-Identifier: Apache-2.0
"""What is written is read again as it was."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.events import Events, Triggers, decoder, encoder
from neuro_control.events.encoders import ENCODERS

WIDTH, HEIGHT = 40, 30
UNIT_NS = {"evt2": 1000, "evt3": 1000, "mono": 1}


def same(a: Events, b: Events) -> bool:
    pairs = ((a.t_ns, b.t_ns), (a.x, b.x), (a.y, b.y), (a.p, b.p))
    return all(np.array_equal(one, other) for one, other in pairs)


@st.composite
def event_runs(draw, most=60) -> Events:
    """Events with rows and times that repeat, so that vectors are worth while."""
    n = draw(st.integers(0, most))
    steps = draw(st.lists(st.sampled_from([0, 0, 0, 1, 70, 5000, 70_000]), min_size=n, max_size=n))
    # EVT 3.0 knows the first time modulo 2^24 us only.
    t_us = draw(st.integers(0, 2**24 - 1)) + np.cumsum(np.array([0, *steps], np.int64))[:n]
    x = draw(st.lists(st.integers(0, WIDTH - 1), min_size=n, max_size=n))
    if draw(st.booleans()):
        x = sorted(x)
    y = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    p = draw(st.lists(st.sampled_from([0, 1, 1, 1]), min_size=n, max_size=n))
    return Events(
        t_us * 1000,
        np.array(x, np.uint16),
        np.array(y, np.uint16),
        np.array(p, np.uint8),
        WIDTH,
        HEIGHT,
    )


@pytest.mark.parametrize("encoding", list(ENCODERS))
class TestEvery:
    @given(events=event_runs())
    def test_encode_then_decode_is_identity(self, encoding, events):
        payload, base_ns = encoder(encoding, WIDTH, HEIGHT).encode(events)
        made = decoder(encoding, WIDTH, HEIGHT)
        assert same(made.decode(payload, base_ns), events)
        assert made.counters.errors == 0

    @given(events=event_runs(), cuts=st.lists(st.integers(0, 60), max_size=4))
    def test_events_may_be_written_in_packets_cut_anywhere(self, encoding, events, cuts):
        writer, made = encoder(encoding, WIDTH, HEIGHT), decoder(encoding, WIDTH, HEIGHT)
        bounds = [0, *sorted(min(cut, len(events)) for cut in cuts), len(events)]
        parts = [Events.empty(WIDTH, HEIGHT)]
        for begin, end in pairwise(bounds):
            payload, base_ns = writer.encode(events[begin:end])
            parts.append(made.decode(payload, base_ns))
        assert same(Events.concatenate(parts), events)
        assert made.counters.errors == 0

    def test_events_that_are_not_in_order_are_refused(self, encoding):
        zeros = np.zeros(2, np.uint16)
        events = Events(np.array([2000, 1000]), zeros, zeros, zeros.astype(np.uint8), WIDTH, HEIGHT)
        with pytest.raises(ValueError, match=r"t_ns\[1\] is 1000, before its predecessor's 2000"):
            encoder(encoding, WIDTH, HEIGHT).encode(events)

    def test_events_of_another_sensor_are_refused(self, encoding):
        with pytest.raises(ValueError, match="of a sensor of 3x2, the encoder is for 40x30"):
            encoder(encoding, WIDTH, HEIGHT).encode(Events.empty(3, 2))

    def test_times_before_zero_are_refused(self, encoding):
        zero = np.zeros(1, np.uint16)
        events = Events(np.array([-1]), zero, zero, zero.astype(np.uint8), WIDTH, HEIGHT)
        with pytest.raises(ValueError, match="t_ns begins at -1"):
            encoder(encoding, WIDTH, HEIGHT).encode(events)


@pytest.mark.parametrize("encoding", ["evt2", "evt3"])
def test_a_long_pause_is_no_damage(encoding):
    zeros = np.zeros(2, np.uint16)
    t_ns = np.array([5_000_000, 15_000_000_000])
    events = Events(t_ns, zeros, zeros, zeros.astype(np.uint8), WIDTH, HEIGHT)
    payload, _ = encoder(encoding, WIDTH, HEIGHT).encode(events)
    assert decoder(encoding, WIDTH, HEIGHT).decode(payload).t_ns.tolist() == t_ns.tolist()


@pytest.mark.parametrize("encoding", ["evt2", "evt3"])
def test_packets_that_overlap_in_time_are_refused_until_a_reset(encoding):
    zero = np.zeros(1, np.uint16)
    writer = encoder(encoding, WIDTH, HEIGHT)
    made = [Events(np.array([t]), zero, zero, zero.astype(np.uint8), WIDTH, HEIGHT) for t in (9, 5)]
    writer.encode(made[0][:0])
    late = Events(np.array([9_000]), zero, zero, zero.astype(np.uint8), WIDTH, HEIGHT)
    writer.encode(late)
    with pytest.raises(ValueError, match="before the last packet's end at 9000"):
        writer.encode(made[1])
    writer.reset()
    assert len(writer.encode(made[1])[0])


def test_vectors_make_evt3_shorter_than_single_events():
    x = np.arange(36, dtype=np.uint16)
    same_time = np.zeros(36, np.int64)
    events = Events(same_time, x, np.zeros_like(x), np.ones(36, np.uint8), WIDTH, HEIGHT)
    payload, _ = encoder("evt3", WIDTH, HEIGHT).encode(events)
    # Upper and lower time, row, base, and three vectors of twelve.
    assert len(payload) == 2 * 7


def test_an_address_beyond_eleven_bits_is_refused():
    with pytest.raises(ValueError, match="width is 4096; EVT has 11 bits: at most 2048"):
        encoder("evt3", 4096, 10)


def test_an_encoding_that_cannot_be_written_is_refused_with_those_that_can():
    with pytest.raises(ValueError, match="'evt21' cannot be written; it must be one of: evt2,"):
        encoder("evt21", WIDTH, HEIGHT)


def columns(triggers: Triggers) -> list[list[int]]:
    return [getattr(triggers, name).tolist() for name in ("t_ns", "channel", "value")]


def triggers_of(rows: list[tuple[int, int, int]]) -> Triggers:
    t_us, channel, value = np.array(rows, np.int64).reshape(-1, 3).T
    return Triggers(t_us * 1000, channel.astype(np.uint8), value.astype(np.uint8))


@pytest.mark.parametrize("encoding", ["evt2", "evt3"])
@given(
    events=event_runs(),
    steps=st.lists(
        st.tuples(st.sampled_from([0, 1, 63, 5000, 90_000]), st.integers(0, 15), st.integers(0, 1)),
        max_size=80,
    ),
    begin_us=st.integers(0, 2**24 - 1),
    cut_us=st.integers(0, 2**25),
)
def test_triggers_go_among_the_events(encoding, events, steps, begin_us, cut_us):
    t_us = begin_us + np.cumsum([step[0] for step in steps])
    triggers = triggers_of([(int(t), *step[1:]) for t, step in zip(t_us, steps, strict=True)])
    writer, made = encoder(encoding, WIDTH, HEIGHT), decoder(encoding, WIDTH, HEIGHT)
    at, trigger_at = (t_ns.searchsorted(cut_us * 1000) for t_ns in (events.t_ns, triggers.t_ns))
    found, edges = [], []
    for part, edge in (
        (events[:at], triggers[:trigger_at]),
        (events[at:], triggers[trigger_at:]),
    ):
        found.append(made.decode(writer.encode(part, edge)[0]))
        edges.append(made.triggers)
    assert same(Events.concatenate(found), events)
    assert columns(Triggers.concatenate(edges)) == columns(triggers)
    assert made.counters.errors == 0


@pytest.mark.parametrize("encoding", ["evt2", "evt3"])
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(5, 32, 1)], r"channel\[0\] is 32; it must be 0 to 31"),
        ([(5, 1, 2)], r"value\[0\] is 2; it must be 0 or 1"),
        ([(5, 1, 1), (4, 1, 1)], r"t_ns\[1\] is 4000; it must be ascending"),
        ([(-1, 1, 1)], r"t_ns\[0\] is -1000; it must be not negative"),
    ],
)
def test_triggers_that_cannot_be_are_refused(encoding, rows, message):
    with pytest.raises(ValueError, match=message):
        encoder(encoding, WIDTH, HEIGHT).encode(Events.empty(WIDTH, HEIGHT), triggers_of(rows))


def test_a_channel_that_evt3_cannot_name_is_refused():
    none, edge = Events.empty(WIDTH, HEIGHT), triggers_of([(5, 16, 1)])
    with pytest.raises(ValueError, match="channel goes up to 16; the encoding has 16"):
        encoder("evt3", WIDTH, HEIGHT).encode(none, edge)
    assert len(encoder("evt2", WIDTH, HEIGHT).encode(none, edge)[0]) == 8


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (([5], [1], [1]), "t_ns is a list; give a numpy array"),
        ((np.array([5.0]), *np.ones((2, 1), np.uint8)), r"t_ns is float64\(1,\); give int64"),
        ((np.array([5]), *np.ones((2, 2), np.uint8)), r"channel is uint8\(2,\); give uint8\(1,\)"),
    ],
)
def test_arrays_that_are_no_triggers_are_refused_by_their_names(arrays, message):
    with pytest.raises(ValueError, match=message):
        Triggers(*arrays)
