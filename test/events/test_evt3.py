# SPDX-License-Identifier: Apache-2.0
"""EVT 3.0: word by word, against a plain decoder, and any bytes at all."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.events import Events, Evt3Decoder, Trigger, evt3_kernel

WIDTH, HEIGHT = 640, 480


def row(y):
    return 0x0000 | y


def single(x, p=0):
    return 0x2000 | p << 11 | x


def base(x, p=0):
    return 0x3000 | p << 11 | x


def vector12(bits):
    return 0x4000 | bits


def vector8(bits):
    return 0x5000 | bits


def low(time_us):
    return 0x6000 | time_us & 0xFFF


def high(time_us):
    return 0x8000 | (time_us >> 12) & 0xFFF


def payload(*words) -> np.ndarray:
    return np.array(words, "<u2").view(np.uint8)


def decode(*words, decoder=None) -> list[tuple[int, int, int, int]]:
    return tuples((decoder or Evt3Decoder(WIDTH, HEIGHT)).decode(payload(*words)))


def tuples(events: Events) -> list[tuple[int, int, int, int]]:
    arrays = (events.t_ns, events.x, events.y, events.p)
    return list(zip(*(array.tolist() for array in arrays), strict=True))


START = (high(0), low(100), row(7))


def test_a_single_event():
    assert decode(*START, single(12, 1)) == [(100_000, 12, 7, 1)]


def test_a_vector_is_one_event_for_each_set_bit_and_moves_the_base():
    words = (base(20, 1), vector12(0b1000_0000_0001), vector8(0b0000_0010), vector8(0b1))
    assert [event[1:] for event in decode(*START, *words)] == [
        (20, 7, 1),
        (31, 7, 1),
        (33, 7, 1),
        (40, 7, 1),
    ]


def test_the_second_camera_bit_is_no_part_of_the_row():
    assert decode(high(0), low(1), 0x0800 | row(9), single(1)) == [(1_000, 1, 9, 0)]


def test_time_goes_on_over_the_roll_over():
    end = 2**24 - 1
    words = (high(end), low(end), row(1), single(1), high(0), low(3), single(1))
    assert [event[0] for event in decode(*words)] == [end * 1000, (2**24 + 3) * 1000]


def test_several_roll_overs_add_up():
    decoder = Evt3Decoder(WIDTH, HEIGHT)
    decode(high(0), row(1), decoder=decoder)
    for time_us in range(0, 3 * 2**24 + 1, 2**15):
        last = decode(high(time_us), low(time_us), single(1), decoder=decoder)
    assert last[0][0] == 3 * 2**24 * 1000
    assert decoder.counters.errors == 0


def test_the_lower_bits_do_not_outlive_their_period():
    words = (high(0), low(4095), row(1), single(1), high(4096), single(1))
    assert [event[0] for event in decode(*words)] == [4_095_000, 4_096_000]


def test_a_lower_time_that_runs_backwards_is_held_and_counted():
    decoder = Evt3Decoder(WIDTH, HEIGHT)
    words = (*START, single(1), low(50), single(2), low(150), single(3))
    assert [e[0] for e in decode(*words, decoder=decoder)] == [100_000, 100_000, 150_000]
    assert decoder.counters.time_reversals == 1


def test_an_upper_time_a_little_late_is_ignored_and_counted():
    decoder = Evt3Decoder(WIDTH, HEIGHT)
    words = (high(8192), low(8200), row(1), single(1), high(4096), low(8210), single(2))
    assert [e[0] for e in decode(*words, decoder=decoder)] == [8_200_000, 8_210_000]
    assert decoder.counters.time_reversals == 1


def test_room_is_made_for_exactly_the_events_that_every_word_can_hold():
    for word in range(2**16):
        code, value = word >> 12, word & 0xFFF
        events = {0x2: 1, 0x4: value.bit_count(), 0x5: (value & 0xFF).bit_count()}.get(code, 0)
        assert evt3_kernel.most_events(np.array([word], "<u2")) == events


def test_events_before_the_first_time_and_row_are_dropped_and_counted():
    decoder = Evt3Decoder(WIDTH, HEIGHT)
    words = (single(1), row(1), single(1), low(5), base(0), vector8(0b111), high(0), single(1))
    assert len(decode(*words, decoder=decoder)) == 1
    assert decoder.counters.unreferenced == 5


def test_a_vector_without_a_base_is_dropped_and_counted():
    decoder = Evt3Decoder(WIDTH, HEIGHT)
    assert decode(*START, vector12(0b11), decoder=decoder) == []
    assert decoder.counters.unreferenced == 2


def test_an_event_outside_the_sensor_is_dropped_and_counted():
    decoder = Evt3Decoder(WIDTH, HEIGHT)
    words = (single(640), row(480), single(1), row(1), base(636), vector12(0xFFF))
    assert [event[1] for event in decode(*START, *words, decoder=decoder)] == [636, 637, 638, 639]
    assert decoder.counters.outside_sensor == 2 + 8


def test_external_triggers_are_counted_and_the_last_is_kept():
    decoder = Evt3Decoder(WIDTH, HEIGHT)
    assert decoder.last_trigger is None
    assert decode(*START, 0xA601, 0xA300, decoder=decoder) == []
    assert decoder.counters.triggers == 2
    assert decoder.last_trigger == Trigger(100_000, 3, False)


def test_each_payload_gives_its_external_triggers():
    decoder = Evt3Decoder(WIDTH, HEIGHT)
    decode(*START, 0xA601, low(107), 0xA600, 0xAF01, decoder=decoder)
    found = decoder.triggers
    assert found.t_ns.tolist() == [100_000, 107_000, 107_000]
    assert (found.channel.tolist(), found.value.tolist()) == ([6, 6, 15], [1, 0, 1])
    assert [array.dtype for array in (found.t_ns, found.channel, found.value)] == ["i8", "u1", "u1"]
    decode(low(108), single(1), decoder=decoder)
    assert len(decoder.triggers) == 0
    assert len(found) == 3


def test_a_trigger_whose_time_is_not_known_is_dropped_and_counted():
    decoder = Evt3Decoder(WIDTH, HEIGHT)
    decode(0xA601, *START, 0xA600, decoder=decoder)
    decoder.discontinuity()
    decode(0xA601, decoder=decoder)
    assert (decoder.counters.triggers, decoder.counters.unreferenced) == (1, 2)
    assert len(decoder.triggers) == 0


def test_reserved_word_9_and_continuations_say_nothing_and_unknown_words_are_counted():
    decoder = Evt3Decoder(WIDTH, HEIGHT)
    words = (0x9ABC, 0x7001, 0xE123, 0xF456, single(2), 0x1000, 0xB000, 0xC000, 0xD000, single(3))
    assert [event[1] for event in decode(*START, *words, decoder=decoder)] == [2, 3]
    assert decoder.counters.malformed == 4


def test_a_flipped_bit_in_the_time_does_not_move_the_clock():
    decoder = Evt3Decoder(WIDTH, HEIGHT)
    words = (*START, high(2**22), single(1), high(4096), low(1), single(2))
    assert [e[0] for e in decode(*words, decoder=decoder)] == [100_000, 4_097_000]
    assert decoder.counters.malformed == 1


def test_a_jump_that_is_confirmed_is_believed():
    far = 2**22
    times = [e[0] for e in decode(*START, high(far), high(far + 4096), low(far), single(1))]
    assert times == [(far + 4096) * 1000]


def test_a_sensor_clock_that_begins_anew_goes_on_from_where_it_was():
    start = 2**23
    words = (high(start), low(5), row(1), single(1), high(0), high(4096), low(7), single(1))
    first, second = (event[0] for event in decode(*words))
    assert first == (start + 5) * 1000
    assert second == (start + 4096 + 7) * 1000


def test_after_a_loss_nothing_is_taken_until_time_and_row_are_known_again():
    decoder = Evt3Decoder(WIDTH, HEIGHT)
    decode(*START, base(5), decoder=decoder)
    decoder.discontinuity()
    assert decode(single(1), vector8(1), row(3), single(1), decoder=decoder) == []
    later = 2**23 - 4096
    words = (high(later), low(9), single(4), vector8(1))
    assert decode(*words, decoder=decoder) == [((later + 9) * 1000, 4, 3, 0)]
    assert decoder.counters.unreferenced == 4


def test_a_reset_begins_the_time_anew_and_keeps_the_counters():
    decoder = Evt3Decoder(WIDTH, HEIGHT)
    decode(high(2**23), low(0), row(1), single(1), decoder=decoder)
    decoder.reset()
    assert decode(*START, single(1), decoder=decoder) == [(100_000, 1, 7, 0)]
    assert decoder.counters.events_off == 2


def plain(stream: list[int]) -> list[tuple[int, int, int, int]]:
    """A decoder of sound streams, written for reading: no loss, no damage, no roll-over."""
    events = []
    y = x = p = upper = lower = 0
    for word in stream:
        code, value = word >> 12, word & 0xFFF
        if code == 0x0:
            y = value & 0x7FF
        elif code == 0x2:
            events.append((value & 0x7FF, y, value >> 11, upper + lower))
        elif code == 0x3:
            x, p = value & 0x7FF, value >> 11
        elif code in (0x4, 0x5):
            size = {0x4: 12, 0x5: 8}[code]
            events += [(x + i, y, p, upper + lower) for i in range(size) if value >> i & 1]
            x += size
        elif code == 0x6:
            lower = value
        elif code == 0x8 and value << 12 != upper:
            upper, lower = value << 12, 0
    return [(t * 1000, x, y, p) for x, y, p, t in events if x < WIDTH and y < HEIGHT]


@st.composite
def sound_streams(draw) -> list[int]:
    words = [high(0), low(0), row(0), base(0)]
    time_us = 0
    for _ in range(draw(st.integers(0, 40))):
        kind = draw(st.integers(0, 5))
        if kind == 0:
            time_us += draw(st.integers(0, 9000))
            words += [high(time_us), low(time_us)]
        elif kind == 1:
            words.append(row(draw(st.integers(0, 2047))))
        elif kind == 2:
            words.append(single(draw(st.integers(0, 2047)), draw(st.integers(0, 1))))
        elif kind == 3:
            words.append(base(draw(st.integers(0, 2047)), draw(st.integers(0, 1))))
        elif kind == 4:
            words.append(vector12(draw(st.integers(0, 4095))))
        else:
            words.append(vector8(draw(st.integers(0, 255))))
    return words


@given(sound_streams())
def test_a_sound_stream_decodes_as_the_plain_decoder_says(stream):
    decoder = Evt3Decoder(WIDTH, HEIGHT)
    assert decode(*stream, decoder=decoder) == plain(stream)
    counters = decoder.counters
    assert counters.errors == counters.outside_sensor


@given(sound_streams(), st.lists(st.integers(0, 200), max_size=6))
def test_where_a_stream_is_cut_into_packets_does_not_matter(stream, cuts):
    whole = payload(*stream)
    decoder = Evt3Decoder(WIDTH, HEIGHT)
    parts = [decoder.decode(part) for part in np.split(whole, sorted(c % len(whole) for c in cuts))]
    assert tuples(Events.concatenate(parts)) == plain(stream)


@given(st.lists(st.binary(max_size=120), max_size=8), st.sampled_from([(640, 480), (5, 3)]))
def test_any_bytes_decode_to_sound_events(packets, size):
    decoder = Evt3Decoder(*size)
    parts = [Events.empty(*size)]
    for packet in packets:
        parts.append(decoder.decode(np.frombuffer(packet, np.uint8)))
        if packet[:1] == b"\0":
            decoder.discontinuity()
    Events.concatenate(parts).check()
    assert decoder.counters.events == sum(len(part) for part in parts)


@given(st.lists(st.integers(0, 0xFFFF), max_size=200))
def test_any_words_after_a_sound_start_decode_to_sound_events(words):
    decoder = Evt3Decoder(WIDTH, HEIGHT)
    events = decoder.decode(payload(*START, *words))
    events.check()
    assert decoder.counters.events == len(events)


@st.composite
def groups_and_damage(draw) -> list[int]:
    """Mostly the groups that are decoded at once, some of them damaged, and any words between."""
    words = list(START)
    time_us = 100
    for _ in range(draw(st.integers(0, 30))):
        time_us += draw(st.sampled_from([0, 0, 1, 40, 3000, -50, 70_000]))
        if draw(st.booleans()):
            words.append(high(time_us))
        if draw(st.booleans()):
            words.append(low(time_us))
        words += [row(draw(st.integers(0, 500))), single(draw(st.integers(0, 660)))]
        words += draw(st.lists(st.integers(0, 0xFFFF), max_size=2))
    return words


@given(groups_and_damage(), st.booleans())
def test_a_group_decoded_at_once_is_what_its_words_say_one_by_one(stream, lost):
    at_once, one_by_one = Evt3Decoder(WIDTH, HEIGHT), Evt3Decoder(WIDTH, HEIGHT)
    if lost:
        at_once.discontinuity()
        one_by_one.discontinuity()
    whole = tuples(at_once.decode(payload(*stream)))
    parts = [event for word in stream for event in tuples(one_by_one.decode(payload(word)))]
    assert whole == parts
    assert at_once.counters == one_by_one.counters
    assert at_once.last_trigger == one_by_one.last_trigger


def test_no_kind_of_array_makes_the_kernel_compile_again():
    decoder = Evt3Decoder(WIDTH, HEIGHT)
    before = len(evt3_kernel.decode.signatures)
    data = payload(*START, single(1)).tobytes()
    kinds = [
        np.frombuffer(data, np.uint8),
        np.frombuffer(bytearray(data), np.uint8),
        np.frombuffer(b"\0" + data, np.uint8)[1:],
        np.repeat(np.frombuffer(data, np.uint8), 2)[::2],
    ]
    assert [len(decoder.decode(kind)) for kind in kinds] == [1] * len(kinds)
    assert len(evt3_kernel.decode.signatures) == before == 1
