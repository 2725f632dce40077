# SPDX-License-Identifier: Apache-2.0
"""EVT 2.0 and EVT 2.1, word by word."""

from __future__ import annotations

import numpy as np
import pytest

from neuro_control.events import Events, Trigger, decoder

WIDTH, HEIGHT = 640, 480


def high(time_us, bits=32):
    return (0x8 << (bits - 4)) | ((time_us >> 6) & 0xFFFFFFF) << (bits - 32)


def event(time_us, x, y, p):
    return p << 28 | (time_us & 0x3F) << 22 | x << 11 | y


def vector(time_us, x, y, p, valid):
    return p << 60 | (time_us & 0x3F) << 54 | x << 43 | y << 32 | valid


def payload(encoding, *words):
    return np.array(words, "<u4" if encoding == "evt2" else "<u8").view(np.uint8)


def tuples(events: Events):
    arrays = (events.t_ns, events.x, events.y, events.p)
    return list(zip(*(array.tolist() for array in arrays), strict=True))


def test_an_evt2_word_is_one_event():
    found = decoder("evt2", WIDTH, HEIGHT).decode(
        payload("evt2", high(640), event(643, 12, 7, 1), event(650, 639, 479, 0))
    )
    assert tuples(found) == [(643_000, 12, 7, 1), (650_000, 639, 479, 0)]


def test_an_evt21_word_is_one_event_for_each_set_bit():
    words = (high(640, 64), vector(643, 32, 7, 1, 0x8000_0001), vector(644, 0, 8, 0, 0b110))
    found = decoder("evt21", WIDTH, HEIGHT).decode(payload("evt21", *words))
    assert tuples(found) == [
        (643_000, 32, 7, 1),
        (643_000, 63, 7, 1),
        (644_000, 1, 8, 0),
        (644_000, 2, 8, 0),
    ]


@pytest.mark.parametrize(
    ("encoding", "word"), [("evt2", 0xA << 28 | 3 << 22 | 5 << 8 | 1), ("evt21", 0xA0C0_0501 << 32)]
)
def test_external_triggers_are_counted_and_the_last_is_kept(encoding, word):
    made = decoder(encoding, WIDTH, HEIGHT)
    assert made.last_trigger is None
    bits = 32 if encoding == "evt2" else 64
    assert len(made.decode(payload(encoding, high(64, bits), word))) == 0
    assert made.counters.triggers == 1
    assert made.last_trigger == Trigger(67_000, 5, True)


def trigger(encoding, time_us, channel, value):
    word = 0xA << 28 | (time_us & 0x3F) << 22 | channel << 8 | value
    return word if encoding == "evt2" else word << 32


@pytest.mark.parametrize("encoding", ["evt2", "evt21"])
def test_each_payload_gives_its_external_triggers(encoding):
    made = decoder(encoding, WIDTH, HEIGHT)
    bits = 32 if encoding == "evt2" else 64
    before = trigger(encoding, 3, 1, 1)
    edges = [(67, 5, 1), (70, 31, 0), (70, 0, 1)]
    words = (trigger(encoding, *edge) for edge in edges)
    made.decode(payload(encoding, before, high(64, bits), *words))
    found = made.triggers
    assert found.t_ns.tolist() == [t_us * 1000 for t_us, _, _ in edges]
    assert found.channel.tolist() == [channel for _, channel, _ in edges]
    assert found.value.tolist() == [value for _, _, value in edges]
    assert (made.counters.triggers, made.counters.unreferenced) == (3, 1)
    made.decode(payload(encoding))
    assert len(made.triggers) == 0


@pytest.mark.parametrize("encoding", ["evt2", "evt21"])
def test_a_trigger_that_runs_backwards_is_held_and_counted(encoding):
    made = decoder(encoding, WIDTH, HEIGHT)
    bits = 32 if encoding == "evt2" else 64
    words = (trigger(encoding, t_us, 2, 1) for t_us in (70, 67, 71))
    made.decode(payload(encoding, high(64, bits), *words))
    assert made.triggers.t_ns.tolist() == [70_000, 70_000, 71_000]
    assert made.counters.time_reversals == 1


def one_event(encoding, time_us):
    bits = 32 if encoding == "evt2" else 64
    said = event(time_us, 1, 2, 1) if encoding == "evt2" else vector(time_us, 1, 2, 1, 1)
    return high(time_us, bits), said


@pytest.mark.parametrize("encoding", ["evt2", "evt21"])
class TestBoth:
    def times_us(self, encoding, *times, made=None):
        made = made or decoder(encoding, WIDTH, HEIGHT)
        words = [word for time_us in times for word in one_event(encoding, time_us)]
        return (made.decode(payload(encoding, *words)).t_ns // 1000).tolist()

    def test_time_goes_on_over_the_roll_over(self, encoding):
        end = 2**34 - 1
        assert self.times_us(encoding, end, 2**34 + 3) == [end, 2**34 + 3]

    def test_events_before_the_first_time_are_dropped_and_counted(self, encoding):
        made = decoder(encoding, WIDTH, HEIGHT)
        said = one_event(encoding, 5)[1]
        assert len(made.decode(payload(encoding, said))) == 0
        assert made.counters.unreferenced == 1

    def test_after_a_loss_nothing_is_taken_until_the_time_is_known_again(self, encoding):
        made = decoder(encoding, WIDTH, HEIGHT)
        self.times_us(encoding, 100, made=made)
        made.discontinuity()
        assert len(made.decode(payload(encoding, one_event(encoding, 101)[1]))) == 0
        assert self.times_us(encoding, 10**9, made=made) == [10**9]

    def test_a_flipped_bit_in_the_time_does_not_move_the_clock(self, encoding):
        made = decoder(encoding, WIDTH, HEIGHT)
        assert self.times_us(encoding, 100, 100 + 2**30, 200, made=made)[::2] == [100, 200]
        assert made.counters.malformed == 1

    def test_a_clock_that_begins_anew_goes_on_from_where_it_was(self, encoding):
        first, _, third, fourth = self.times_us(encoding, 2**31, 0, 64, 128)
        assert first == 2**31
        assert first < third < fourth < first + 1000

    def test_an_event_a_little_late_is_held_and_counted(self, encoding):
        made = decoder(encoding, WIDTH, HEIGHT)
        first, said = one_event(encoding, 10)
        late = one_event(encoding, 7)[1]
        found = made.decode(payload(encoding, first, said, late))
        assert (found.t_ns // 1000).tolist() == [10, 10]
        assert made.counters.time_reversals == 1

    def test_an_event_outside_the_sensor_is_dropped_and_counted(self, encoding):
        made = decoder(encoding, 1, 9)
        assert self.times_us(encoding, 5, made=made) == []
        assert made.counters.outside_sensor == 1

    def test_what_means_nothing_is_counted_and_what_others_need_is_not(self, encoding):
        made = decoder(encoding, WIDTH, HEIGHT)
        top = 28 if encoding == "evt2" else 60
        codes = (0x2, 0x7, 0x9, 0xB, 0xC, 0xD, 0xE, 0xF)
        made.decode(payload(encoding, *(code << top for code in codes)))
        assert made.counters.malformed == 6
