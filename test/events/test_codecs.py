# SPDX-License-Identifier: Apache-2.0
"""A decoder is asked for by the name that a packet gives its encoding."""

from __future__ import annotations

import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.events import (
    DecoderCounters,
    Events,
    Evt3Decoder,
    MonoDecoder,
    Triggers,
    codecs,
    encoder,
)


def test_a_decoder_is_found_by_the_name_of_its_encoding():
    assert isinstance(codecs.decoder("mono", 4, 3), MonoDecoder)
    assert isinstance(codecs.decoder("evt3", 4, 3), Evt3Decoder)


def test_an_unknown_encoding_is_refused_with_those_that_would_do():
    with pytest.raises(ValueError, match="'evt4' is not supported; it must be one of: evt2, "):
        codecs.decoder("evt4", 4, 3)


@pytest.mark.parametrize("encoding", codecs.supported_encodings())
def test_every_decoder_keeps_the_same_promises(encoding):
    decoder = codecs.decoder(encoding, 4, 3)
    assert (decoder.width, decoder.height) == (4, 3)
    assert decoder.counters == DecoderCounters()
    decoder.discontinuity()
    decoder.reset()
    with pytest.raises(ValueError, match="height is 0"):
        codecs.decoder(encoding, 4, 0)


@pytest.mark.parametrize("encoding", codecs.supported_encodings())
@pytest.mark.parametrize("value", ["640", 640.0, None, True, np.float64(4), [4]])
def test_a_size_that_is_no_whole_number_is_refused_by_its_name(encoding, value):
    with pytest.raises(ValueError, match=r"width is .*; it must be a whole number of 1 to 65536"):
        codecs.decoder(encoding, value, 480)
    with pytest.raises(ValueError, match=r"height is .*; it must be a whole number of 1 to 65536"):
        codecs.decoder(encoding, np.int64(640), value)


def arrays(events: Events) -> list[list[int]]:
    return [getattr(events, name).tolist() for name in ("t_ns", "x", "y", "p")]


def random_words(draw) -> np.ndarray:
    """Bytes of which half have the type of a sound word, so that decoders get beyond the start."""
    words = draw(st.lists(st.integers(0, 2**64 - 1), max_size=40))
    made = np.array(words, "<u8")
    if draw(st.booleans()):
        low, types = np.uint64(0x0FFF_FFFF_0FFF_FFFF), np.uint64(0x8000_0000_8000_0000)
        made[::2] = (made[::2] & low) | types
    payload = made.view(np.uint8)
    return payload[: len(payload) - draw(st.integers(0, min(7, len(payload))))]


payloads = st.composite(random_words)()
sizes = st.sampled_from([(640, 480), (2048, 2048), (5, 3)])


@pytest.mark.parametrize("encoding", codecs.supported_encodings())
@given(packets=st.lists(payloads, max_size=4), size=sizes, base_ns=st.integers(0, 2**62))
def test_any_bytes_decode_to_sound_events_that_are_counted(encoding, packets, size, base_ns):
    decoder = codecs.decoder(encoding, *size)
    n = 0
    for packet in packets:
        before = packet.copy()
        events = decoder.decode(packet, base_ns)
        events.check()
        n += len(events)
        assert np.array_equal(packet, before)
    assert decoder.counters.events == n


def sound_payload(encoding: str, seed: int) -> np.ndarray:
    """A few packets' worth of bytes as a device of this encoding sends them."""
    rng = np.random.default_rng(seed)
    n = 60
    if encoding in ("evt2", "evt3", "mono"):
        t = np.cumsum(rng.integers(0, 3_000, n)) * 1000
        x, y, p = (rng.integers(0, most, n) for most in (640, 480, 2))
        arrays = (x.astype(np.uint16), y.astype(np.uint16), p.astype(np.uint8))
        return encoder(encoding, 640, 480).encode(Events(t, *arrays, 640, 480))[0]
    if encoding == "evt21":
        words = rng.integers(0, 640, n) << 43 | rng.integers(0, 480, n) << 32
        words |= rng.integers(0, 2**32, n) | rng.integers(0, 2, n) << 60
        words = words.astype("<u8")
        words[::10] = (8 << 60) + (np.arange(len(words[::10])).astype("<u8") << np.uint64(32))
        return words.view(np.uint8)
    if encoding == "libcaer":
        words = np.empty((n, 2), "<u4")
        words[:, 0] = 1 | rng.integers(0, 2, n) << 1 | rng.integers(0, 480, n) << 2
        words[:, 0] |= (rng.integers(0, 640, n) << 17).astype("<u4")
        words[:, 1] = np.cumsum(rng.integers(0, 1000, n))
        return words.view(np.uint8).reshape(-1)
    words = rng.integers(0, 6, n) << 12 | rng.integers(0, 480, n)
    words[:4] = (0 << 12, 1 << 12 | 5, 2 << 12 | 7, 4 << 12 | 9)
    return words.astype("<u2").view(np.uint8)


@st.composite
def mutations(draw) -> tuple[int, list[tuple[str, int, int]]]:
    kinds = st.sampled_from(["flip", "set", "delete", "insert", "repeat"])
    change = st.tuples(kinds, st.integers(0, 2**16), st.integers(0, 255))
    return draw(st.integers(0, 1000)), draw(st.lists(change, max_size=12))


def mutated(payload: np.ndarray, changes: list[tuple[str, int, int]]) -> np.ndarray:
    made = bytearray(payload.tobytes())
    for kind, place, value in changes:
        at = place % max(len(made), 1)
        if kind == "insert":
            made.insert(at, value)
        elif kind == "repeat":
            made[at:at] = made[at : at + value]
        elif made and kind == "delete":
            del made[at : at + 1 + value % 9]
        elif made and kind == "flip":
            made[at] ^= 1 << value % 8
        elif made:
            made[at] = value
    return np.frombuffer(bytes(made), np.uint8)


@pytest.mark.parametrize("encoding", codecs.supported_encodings())
def test_what_a_device_sends_is_decoded(encoding):
    """The bytes that are mutated below are sound before."""
    decoder = codecs.decoder(encoding, 640, 480)
    assert len(decoder.decode(sound_payload(encoding, 0))) >= 30
    assert decoder.counters.malformed == 0


@pytest.mark.parametrize("encoding", codecs.supported_encodings())
@given(made=mutations(), cut=st.integers(0, 2**16), lost=st.booleans())
def test_damaged_bytes_decode_to_sound_events_and_counters_add_up(encoding, made, cut, lost):
    seed, changes = made
    payload = mutated(sound_payload(encoding, seed), changes)
    decoder = codecs.decoder(encoding, 640, 480)
    on = n = 0
    for part in np.split(payload, [cut % (len(payload) + 1)]):
        events = decoder.decode(part)
        events.check()
        on += int(events.p.sum())
        n += len(events)
        if lost:
            decoder.discontinuity()
    counters = decoder.counters
    assert (counters.events_on, counters.events_off) == (on, n - on)
    assert min(counters.errors, counters.triggers) >= 0


@pytest.mark.parametrize("encoding", ["evt2", "evt21", "evt3"])
@given(payload=payloads, cuts=st.lists(st.integers(0, 320), max_size=5))
def test_where_a_stream_is_cut_into_packets_does_not_matter(encoding, payload, cuts):
    whole, cut = codecs.decoder(encoding, 640, 480), codecs.decoder(encoding, 640, 480)
    expected = whole.decode(payload)
    bounds = sorted(min(at, len(payload)) for at in cuts)
    found = Events.concatenate([cut.decode(part) for part in np.split(payload, bounds)])
    assert arrays(found) == arrays(expected)
    assert cut.counters == whole.counters


def columns(triggers: Triggers) -> list[list[int]]:
    return [getattr(triggers, name).tolist() for name in ("t_ns", "channel", "value")]


def with_triggers(encoding: str, seed: int, share: float) -> np.ndarray:
    """Words of a device between which there are triggers, after each with some probability."""
    rng = np.random.default_rng(seed)
    words = sound_payload(encoding, seed).view(f"<u{codecs.WORD_BYTES[encoding]}")
    edges = rng.integers(0, 16, len(words)) << 8 | rng.integers(0, 2, len(words))
    bits = 8 * words.itemsize
    edges = (edges.astype(words.dtype) << (32 if encoding == "evt21" else 0)) | 0xA << (bits - 4)
    kept = np.stack([np.ones(len(words), bool), rng.random(len(words)) < share], axis=1)
    return np.stack([words, edges.astype(words.dtype)], axis=1)[kept].view(np.uint8)


@pytest.mark.parametrize("encoding", ["evt2", "evt21", "evt3"])
@given(
    seed=st.integers(0, 1000),
    share=st.sampled_from([0.0, 0.01, 0.5, 1.0]),
    times=st.integers(1, 4),
    cuts=st.lists(st.integers(0, 3000), max_size=4),
)
def test_triggers_are_kept_however_many_and_wherever_they_are_cut(
    encoding, seed, share, times, cuts
):
    payload = np.tile(with_triggers(encoding, seed, share), times)
    whole, cut = codecs.decoder(encoding, 640, 480), codecs.decoder(encoding, 640, 480)
    expected = whole.decode(payload)
    bounds = sorted(min(at, len(payload)) for at in cuts)
    events, triggers = [], []
    for part in np.split(payload, bounds):
        events.append(cut.decode(part))
        triggers.append(cut.triggers)
    assert columns(Triggers.concatenate(triggers)) == columns(whole.triggers)
    assert arrays(Events.concatenate(events)) == arrays(expected)
    assert cut.counters == whole.counters
    assert cut.counters.triggers == len(whole.triggers)
    assert cut.counters.events == len(expected)
    assert (np.diff(whole.triggers.t_ns) >= 0).all()


@pytest.mark.parametrize("encoding", ["libcaer", "libcaer_cmp", "mono"])
def test_encodings_without_triggers_give_none(encoding):
    decoder = codecs.decoder(encoding, 640, 480)
    decoder.decode(sound_payload(encoding, 0))
    assert len(decoder.triggers) == decoder.counters.triggers == 0


@pytest.mark.parametrize("encoding", codecs.supported_encodings())
@pytest.mark.parametrize(
    "held",
    [bytes, bytearray, memoryview, lambda data: array.array("B", data)],
    ids=["bytes", "bytearray", "memoryview", "array"],
)
def test_a_payload_is_whatever_holds_bytes(encoding, held):
    data = bytes(range(256)) * 2
    expected = codecs.decoder(encoding, 640, 480).decode(np.frombuffer(data, np.uint8))
    found = codecs.decoder(encoding, 640, 480).decode(held(data))
    assert arrays(found) == arrays(expected)


@pytest.mark.parametrize("encoding", codecs.supported_encodings())
@pytest.mark.parametrize("kind", ["i1", "<u2", ">u2", "<i4", "<u4", "<i8", "<u8"])
def test_an_array_of_whole_numbers_is_the_bytes_that_it_lies_in(encoding, kind):
    data = sound_payload(encoding, 1)
    data = data[: len(data) // 16 * 16]
    expected = codecs.decoder(encoding, 640, 480).decode(data)
    assert len(expected)
    words = data.view(kind)
    gaps = np.repeat(words, 2)[::2]
    for held in (words, words.reshape(-1, 2), gaps, words[None, :, None]):
        assert arrays(codecs.decoder(encoding, 640, 480).decode(held)) == arrays(expected)


@pytest.mark.parametrize("encoding", codecs.supported_encodings())
def test_an_array_of_bytes_may_have_gaps_and_rows(encoding):
    data = sound_payload(encoding, 1)
    expected = codecs.decoder(encoding, 640, 480).decode(data)
    for held in (np.repeat(data, 3)[::3], data[None], data.reshape(-1, 2)):
        assert arrays(codecs.decoder(encoding, 640, 480).decode(held)) == arrays(expected)


@pytest.mark.parametrize("encoding", codecs.supported_encodings())
@pytest.mark.parametrize("kind", ["f4", "f8", "c16", "?", "O", "U3", "S3", "M8[ns]", "u1,u1"])
def test_an_array_of_anything_else_is_refused_by_its_name(encoding, kind):
    payload = np.zeros(64, kind)
    with pytest.raises(ValueError, match=r"payload is .*\(64,\); it must be uint8\[n\]"):
        codecs.decoder(encoding, 640, 480).decode(payload)


@pytest.mark.parametrize("encoding", codecs.supported_encodings())
@pytest.mark.parametrize("payload", [[1, 2, 3], "abc", None, 5], ids=["list", "str", "None", "int"])
def test_what_holds_no_bytes_is_refused_by_its_name(encoding, payload):
    with pytest.raises(TypeError, match=rf"payload is a {type(payload).__name__}; it must hold"):
        codecs.decoder(encoding, 640, 480).decode(payload)


@pytest.mark.parametrize("encoding", codecs.supported_encodings())
def test_a_buffer_with_gaps_is_refused(encoding):
    with pytest.raises(ValueError, match="payload is no run of bytes"):
        codecs.decoder(encoding, 640, 480).decode(memoryview(bytes(64))[::2])


@pytest.mark.parametrize("encoding", codecs.supported_encodings())
def test_every_encoding_has_a_word_that_can_be_turned_round(encoding):
    assert codecs.WORD_BYTES[encoding] in (2, 4, 8)
