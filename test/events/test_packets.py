# SPDX-License-Identifier: Apache-2.0
"""A packet stream takes what is sound, drops the rest, and can say why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.events import DropReason, Events, Packet, PacketStream, encode_mono

WIDTH, HEIGHT = 32, 16
PERIOD_NS = 2_000_000


def events_at(t_ns: int) -> Events:
    return Events(
        np.array([t_ns, t_ns + 5], np.int64),
        np.array([1, 2], np.uint16),
        np.array([3, 4], np.uint16),
        np.array([0, 1], np.uint8),
        WIDTH,
        HEIGHT,
    )


def packet(seq: int, t_ns: int | None = None) -> Packet:
    t_ns = seq * PERIOD_NS if t_ns is None else t_ns
    payload, base_ns = encode_mono(events_at(t_ns))
    return Packet("events", seq, base_ns, t_ns, "mono", WIDTH, HEIGHT, False, payload)


def stream() -> PacketStream:
    return PacketStream(WIDTH, HEIGHT, "mono")


def play(a_stream: PacketStream, *seqs: int) -> list[bool]:
    return [a_stream.receive(packet(seq)) is not None for seq in seqs]


def test_sound_packets_are_decoded():
    a_stream = stream()
    for seq in range(3):
        events = a_stream.receive(packet(seq))
        assert events is not None
        assert events.t_ns.tolist() == [seq * PERIOD_NS, seq * PERIOD_NS + 5]
        assert a_stream.last_drop is None
    counters = a_stream.counters
    assert (counters.packets, counters.packets_lost, counters.errors) == (3, 0, 0)
    assert (counters.decoder.events_on, counters.decoder.events_off) == (3, 3)


def test_a_stream_of_an_unknown_encoding_is_refused():
    with pytest.raises(ValueError, match="'evt4' is not supported; it must be one of: evt2, "):
        PacketStream(WIDTH, HEIGHT, "evt4")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"width": 31}, DropReason.SIZE),
        ({"height": 0}, DropReason.SIZE),
        ({"width": 2**32 - 1}, DropReason.SIZE),
        ({"encoding": "evt3"}, DropReason.ENCODING),
        ({"encoding": ""}, DropReason.ENCODING),
        ({"is_bigendian": True, "payload": np.zeros(9, np.uint8)}, DropReason.BYTE_ORDER),
        ({"payload": np.zeros(2, np.uint16)}, DropReason.PAYLOAD),
        ({"payload": np.zeros((2, 8), np.uint8)}, DropReason.PAYLOAD),
    ],
)
def test_a_packet_that_claims_to_be_another_is_dropped_and_the_next_is_taken(change, reason):
    a_stream = stream()
    a_stream.receive(packet(0))
    assert a_stream.receive(replace(packet(1), **change)) is None
    assert a_stream.last_drop is reason
    assert a_stream.counters.drops[reason] == a_stream.counters.packets_dropped == 1
    assert a_stream.receive(packet(2)) is not None


def test_a_packet_of_the_other_byte_order_says_the_same():
    a_stream, turned = stream(), packet(0)
    turned = replace(
        turned, is_bigendian=True, payload=turned.payload.reshape(-1, 8)[:, ::-1].reshape(-1)
    )
    events, expected = a_stream.receive(turned), stream().receive(packet(0))
    for name in ("t_ns", "x", "y", "p"):
        assert np.array_equal(getattr(events, name), getattr(expected, name))


def test_a_gap_is_counted_as_lost_packets():
    a_stream = stream()
    assert play(a_stream, 5, 6, 9, 10) == [True] * 4
    assert a_stream.counters.packets_lost == 2
    assert a_stream.counters.restarts == 0


def test_what_was_sent_before_the_first_packet_received_is_no_loss():
    a_stream = stream()
    play(a_stream, 1_000_000)
    assert a_stream.counters.packets_lost == 0


def test_after_a_gap_an_evt3_stream_waits_for_its_references():
    def evt3(seq, *words):
        payload = np.array(words, "<u2").view(np.uint8)
        return Packet("events", seq, 0, 0, "evt3", WIDTH, HEIGHT, False, payload)

    a_stream = PacketStream(WIDTH, HEIGHT, "evt3")
    first = a_stream.receive(evt3(0, 0x8000, 0x6001, 0x0003, 0x2001))
    after = a_stream.receive(evt3(2, 0x2001))
    assert first is not None
    assert after is not None
    assert (len(first), len(after)) == (1, 0)
    assert a_stream.counters.decoder.unreferenced == 1


def test_the_triggers_of_the_last_packet_are_had_and_counted_if_it_was_taken():
    def evt3(seq, *words):
        payload = np.array(words, "<u2").view(np.uint8)
        return Packet("events", seq, 0, 0, "evt3", WIDTH, HEIGHT, False, payload)

    a_stream = PacketStream(WIDTH, HEIGHT, "evt3")
    assert len(a_stream.triggers) == 0
    a_stream.receive(evt3(0, 0x8001, 0x6001, 0x0003, 0x2001, 0xA501, 0xA500))
    found = a_stream.triggers
    assert found.t_ns.tolist() == [4_097_000] * 2
    assert (found.channel.tolist(), found.value.tolist()) == ([5, 5], [1, 0])
    a_stream.receive(evt3(0, 0xA501))
    assert a_stream.last_drop is DropReason.DUPLICATE
    assert len(a_stream.triggers) == 0
    a_stream.receive(evt3(1))
    assert len(a_stream.triggers) == 0
    assert a_stream.counters.decoder.triggers == 2


def test_a_restarted_evt3_stream_trusts_nothing_from_before():
    def evt3(seq, *words):
        payload = np.array(words, "<u2").view(np.uint8)
        return Packet("events", seq, 0, 0, "evt3", WIDTH, HEIGHT, False, payload)

    a_stream = PacketStream(WIDTH, HEIGHT, "evt3")
    times = []
    for one in (
        evt3(1000, 0x8010, 0x6001, 0x0003, 0x2001),
        evt3(0, 0x2001, 0x8000, 0x6005, 0x2001, 0x0002, 0x2001),
    ):
        events = a_stream.receive(one)
        assert events is not None
        times.append(events.t_ns.tolist())
    assert times == [[(16 * 4096 + 1) * 1000], [5000]]
    assert a_stream.counters.decoder.unreferenced == 2


def test_a_duplicate_is_dropped():
    a_stream = stream()
    assert play(a_stream, 0, 1, 1, 0, 2) == [True, True, False, False, True]
    assert a_stream.counters.drops[DropReason.DUPLICATE] == 2
    assert a_stream.counters.packets_lost == 0


def test_a_straggler_is_dropped_and_stays_lost():
    a_stream = stream()
    assert play(a_stream, 0, 2, 1, 1, 3) == [True, True, False, False, True]
    drops = a_stream.counters.drops
    assert (drops[DropReason.OUT_OF_ORDER], drops[DropReason.DUPLICATE]) == (1, 1)
    assert a_stream.counters.packets_lost == 1


@pytest.mark.parametrize("last", [1_000, 2**63])
def test_a_publisher_that_counts_anew_is_a_restart_and_no_loss(last):
    a_stream = stream()
    a_stream.receive(packet(last, t_ns=10**12))
    assert play(a_stream, 0, 1) == [True, True]
    counters = a_stream.counters
    assert (counters.restarts, counters.packets_lost, counters.packets_dropped) == (1, 0, 0)
    assert a_stream.restarts == 1


def test_a_sequence_number_far_ahead_is_a_restart_and_no_loss():
    a_stream = stream()
    a_stream.receive(packet(0))
    assert a_stream.receive(packet(2**60, t_ns=PERIOD_NS)) is not None
    assert (a_stream.counters.restarts, a_stream.counters.packets_lost) == (1, 0)


def test_a_restart_soon_after_the_start_is_noticed_within_eight_packets():
    a_stream = stream()
    play(a_stream, *range(20))
    assert play(a_stream, *range(12)) == [False] * 7 + [True] * 5
    assert a_stream.counters.restarts == 1


def test_now_and_then_a_duplicate_is_no_restart():
    a_stream = stream()
    for seq in range(40):
        assert play(a_stream, seq, seq) == [True, False]
    assert a_stream.counters.restarts == 0


def test_events_from_the_past_are_dropped():
    a_stream = stream()
    a_stream.receive(packet(0, t_ns=10**9))
    assert a_stream.receive(packet(1, t_ns=10**9 - 1)) is None
    assert a_stream.last_drop is DropReason.TIME_BACKWARDS
    assert a_stream.receive(packet(2, t_ns=10**9 + 5)) is not None
    assert a_stream.counters.decoder.events == 4


def test_a_clock_that_stays_in_the_past_is_a_restart():
    a_stream = stream()
    a_stream.receive(packet(0, t_ns=10**12))
    taken = [a_stream.receive(packet(seq)) is not None for seq in range(1, 11)]
    assert taken == [False] * 7 + [True] * 3
    assert a_stream.counters.restarts == 1


def test_an_empty_packet_is_taken():
    a_stream = stream()
    events = a_stream.receive(replace(packet(0), payload=np.empty(0, np.uint8)))
    assert events is not None
    assert len(events) == 0


@given(
    st.lists(
        st.builds(
            Packet,
            topic=st.just("events"),
            seq=st.one_of(st.integers(0, 80), st.integers(0, 2**64 - 1)),
            time_base_ns=st.one_of(st.integers(0, 2**34), st.integers(0, 2**64 - 1)),
            stamp_ns=st.integers(0, 2**62),
            encoding=st.sampled_from(["mono", "mono", "mono", "evt3", "\0"]),
            width=st.sampled_from([65536, 65536, 65536, 0]),
            height=st.just(32768),
            is_bigendian=st.sampled_from([False, False, False, True]),
            payload=st.binary(max_size=40).map(lambda data: np.frombuffer(data, np.uint8)),
        ),
        max_size=30,
    ),
    st.sampled_from(["mono", "evt3"]),
)
def test_whatever_comes_every_packet_is_taken_or_has_a_reason(packets, encoding):
    a_stream = PacketStream(65536, 32768, encoding)
    given_out = taken = restarts = 0
    last_ns = -1
    for one in packets:
        events = a_stream.receive(one)
        if events is None:
            assert a_stream.last_drop is not None
            continue
        assert a_stream.last_drop is None
        events.check()
        taken += 1
        given_out += len(events)
        if a_stream.restarts != restarts:
            restarts, last_ns = a_stream.restarts, -1
        if len(events):
            assert events.t_ns[0] >= last_ns
            last_ns = int(events.t_ns[-1])
    counters = a_stream.counters
    assert counters.packets == len(packets) == taken + counters.packets_dropped
    assert counters.decoder.events == given_out
    assert counters.packets_lost <= len(packets) << 20
