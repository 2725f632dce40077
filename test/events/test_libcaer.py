# SPDX-License-Identifier: Apache-2.0
"""What libcaer's cameras say, plain and compressed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.events import Events, Packet, PacketStream, decoder, read_packets

WIDTH, HEIGHT = 346, 260


def tuples(events: Events):
    arrays = (events.t_ns, events.x, events.y, events.p)
    return list(zip(*(array.tolist() for array in arrays), strict=True))


def plain(*events):
    words = [(1 | p << 1 | y << 2 | x << 17, t) for t, x, y, p in events]
    return np.array(words, "<u4").reshape(-1).view(np.uint8)


def compressed(*words):
    return np.array(words, "<u2").view(np.uint8)


def test_a_plain_event_is_eight_bytes():
    events = [(5, 12, 7, 1), (9, 345, 259, 0)]
    found = decoder("libcaer", WIDTH, HEIGHT).decode(plain(*events), 1_000_000)
    assert tuples(found) == [(1_000_000 + t * 1000, x, y, p) for t, x, y, p in events]


def test_a_time_that_rolls_over_within_a_packet_goes_on():
    end = 2**31 - 1
    found = decoder("libcaer", WIDTH, HEIGHT).decode(plain((end, 1, 1, 1), (2, 1, 1, 1)))
    assert (found.t_ns // 1000).tolist() == [end, 2**31 + 2]


def test_a_small_step_back_is_no_roll_over():
    made = decoder("libcaer", WIDTH, HEIGHT)
    found = made.decode(plain((100, 1, 1, 1), (90, 1, 1, 1), (110, 1, 1, 1)))
    assert (found.t_ns // 1000).tolist() == [100, 100, 110]
    assert made.counters.time_reversals == 1


def test_an_event_that_libcaer_has_marked_invalid_is_not_given():
    made = decoder("libcaer", WIDTH, HEIGHT)
    assert len(made.decode(np.array([2, 5], "<u4").view(np.uint8))) == 0
    assert made.counters.malformed == 1


def test_compressed_words_say_only_what_changes():
    made = decoder("libcaer_cmp", WIDTH, HEIGHT)
    column = 0x2000 | 9
    one, base, vector = 0x3800 | 20, 0x4000 | 100, 0x5000 | 0b1000_0001
    words = (0x0000 | 2, 0x1000 | 3, column, one, base, vector, vector)
    t_ns = 7_000 + (2 * 4096 + 3) * 1000
    assert tuples(made.decode(compressed(*words), 7_000)) == [
        (t_ns, 9, 20, 1),
        (t_ns, 9, 100, 0),
        (t_ns, 9, 107, 0),
        (t_ns, 9, 108, 0),
        (t_ns, 9, 115, 0),
    ]


def packet_of_the_driver(seq, start_ns, events):
    """A `libcaer_cmp` packet of single events (us, x, y, p) as libcaer_driver makes it.

    start_ns: the host's clock when the sensor's began. A word is sent when what it says changes.
    """
    first_us = events[0][0]
    words, high, low, column = [], 0, 0, None
    for t_us, x, y, p in events:
        if (t_us - first_us) >> 12 != high:
            high = (t_us - first_us) >> 12
            words.append(high)
        if (t_us - first_us) & 0xFFF != low:
            low = (t_us - first_us) & 0xFFF
            words.append(0x1000 | low)
        if x != column:
            column = x
            words.append(0x2000 | x)
        words.append(0x3000 | p << 11 | y)
    base_ns, size = first_us * 1000 + start_ns, (WIDTH, HEIGHT)
    return Packet("events", seq, base_ns, base_ns, "libcaer_cmp", *size, False, compressed(*words))


def test_compressed_packets_of_the_driver_have_the_hosts_time():
    start_ns = 1_702_669_729_000_000_000
    parts = [
        [(864_452, 10, 20, 0), (864_459, 10, 21, 0)],
        [(874_460, 345, 0, 1), (874_460, 0, 259, 0)],
    ]
    stream = PacketStream(WIDTH, HEIGHT, "libcaer_cmp")
    for seq, part in enumerate(parts):
        found = stream.receive(packet_of_the_driver(seq, start_ns, part))
        assert found is not None
        assert tuples(found) == [(start_ns + t_us * 1000, x, y, p) for t_us, x, y, p in part]
    assert (stream.counters.errors, stream.counters.decoder.events) == (0, 4)


def test_an_upper_time_word_alone_moves_the_time():
    low, column, high = 0x1005, 0x200A, 0x0001
    found = decoder("libcaer_cmp", WIDTH, HEIGHT).decode(
        compressed(column, low, 0x3014, high, 0x3015)
    )
    assert (found.t_ns // 1000).tolist() == [5, 4096 + 5]


def test_a_new_period_begins_where_its_lower_word_says():
    made = decoder("libcaer_cmp", WIDTH, HEIGHT)
    found = made.decode(compressed(0x200A, 0x1FFF, 0x3014, 0x0001, 0x1002, 0x3015))
    assert (found.t_ns // 1000).tolist() == [4095, 4096 + 2]
    assert made.counters.time_reversals == 0


def test_a_compressed_time_that_runs_backwards_is_held_and_counted():
    made = decoder("libcaer_cmp", WIDTH, HEIGHT)
    found = made.decode(compressed(0x200A, 0x1009, 0x3014, 0x1007, 0x3015, 0x3016, 0x100A, 0x3017))
    assert (found.t_ns // 1000).tolist() == [9, 9, 9, 10]
    assert made.counters.time_reversals == 1


singles = st.tuples(
    st.one_of(st.sampled_from([0, 1, 4095, 4096, 8192]), st.integers(0, 20_000)),
    st.integers(0, WIDTH - 1),
    st.integers(0, HEIGHT - 1),
    st.integers(0, 1),
)


@given(start_us=st.integers(0, 2**40), steps=st.lists(singles, min_size=1, max_size=30))
def test_what_the_driver_compresses_is_what_is_decoded(start_us, steps):
    times_us = start_us + np.cumsum([step[0] for step in steps])
    events = [(int(t), *step[1:]) for t, step in zip(times_us, steps, strict=True)]
    stream = PacketStream(WIDTH, HEIGHT, "libcaer_cmp")
    found = stream.receive(packet_of_the_driver(0, 0, events))
    assert found is not None
    assert tuples(found) == [(t_us * 1000, x, y, p) for t_us, x, y, p in events]
    assert stream.counters.errors == 0


def test_after_a_loss_compressed_addresses_must_be_said_again():
    made = decoder("libcaer_cmp", WIDTH, HEIGHT)
    made.decode(compressed(0x2001, 0x4001))
    made.discontinuity()
    assert len(made.decode(compressed(0x3001, 0x5001))) == 0
    assert made.counters.unreferenced == 2


@pytest.mark.parametrize(("encoding", "size"), [("libcaer", 8), ("libcaer_cmp", 2)])
def test_a_tail_that_fills_no_event_is_counted(encoding, size):
    made = decoder(encoding, WIDTH, HEIGHT)
    made.decode(np.zeros(size - 1, np.uint8))
    assert made.counters.malformed == 1


@pytest.mark.parametrize("encoding", ["libcaer", "libcaer_cmp"])
def test_a_time_base_that_no_event_fits_is_refused(encoding):
    made = decoder(encoding, WIDTH, HEIGHT)
    for base_ns in (-1, 2**63 - 1, 2**64 - 1):
        assert len(made.decode(plain((5, 1, 1, 1)), base_ns)) == 0
    assert made.counters.malformed >= 3


def test_time_never_runs_backwards_in_a_recording_with_a_roll_over(shared_data):
    packets = list(read_packets(shared_data / "event_camera" / "libcaer_rollover.db3"))
    first = packets[0]
    stream = PacketStream(first.width, first.height, first.encoding)
    parts = [stream.receive(packet) for packet in packets]
    assert all(part is not None for part in parts)
    events = Events.concatenate(parts)
    events.check()
    counters = stream.counters
    assert (counters.packets, counters.errors, counters.packets_lost) == (201, 0, 0)
    assert len(events) == sum(len(packet.payload) for packet in packets) // 8
    # The sensor's 31 bits of microseconds are left behind, and nothing jumps with them.
    gaps_ns = np.diff(events.t_ns)
    assert gaps_ns.max() < 100_000_000
