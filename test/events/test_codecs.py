# SPDX-License-Identifier: Apache-2.0
"""A decoder is asked for by the name that a packet gives its encoding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.events import DecoderCounters, Events, Evt3Decoder, MonoDecoder, codecs


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


@pytest.mark.parametrize("encoding", ["evt2", "evt21", "evt3"])
@given(payload=payloads, cuts=st.lists(st.integers(0, 320), max_size=5))
def test_where_a_stream_is_cut_into_packets_does_not_matter(encoding, payload, cuts):
    whole, cut = codecs.decoder(encoding, 640, 480), codecs.decoder(encoding, 640, 480)
    expected = whole.decode(payload)
    bounds = sorted(min(at, len(payload)) for at in cuts)
    found = Events.concatenate([cut.decode(part) for part in np.split(payload, bounds)])
    for name in ("t_ns", "x", "y", "p"):
        assert np.array_equal(getattr(found, name), getattr(expected, name))
    assert cut.counters == whole.counters


@pytest.mark.parametrize("encoding", codecs.supported_encodings())
def test_every_encoding_has_a_word_that_can_be_turned_round(encoding):
    assert codecs.WORD_BYTES[encoding] in (2, 4, 8)
