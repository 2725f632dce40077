# SPDX-License-Identifier: Apache-2.0
"""A decoder is asked for by the name that a packet gives its encoding."""

from __future__ import annotations

import pytest

from neuro_control.events import DecoderCounters, Evt3Decoder, MonoDecoder, codecs


def test_a_decoder_is_found_by_the_name_of_its_encoding():
    assert isinstance(codecs.decoder("mono", 4, 3), MonoDecoder)
    assert isinstance(codecs.decoder("evt3", 4, 3), Evt3Decoder)


def test_an_unknown_encoding_is_refused_with_those_that_would_do():
    with pytest.raises(ValueError, match="'evt2' is not supported; it must be one of: evt3, mono"):
        codecs.decoder("evt2", 4, 3)


@pytest.mark.parametrize("encoding", codecs.supported_encodings())
def test_every_decoder_keeps_the_same_promises(encoding):
    decoder = codecs.decoder(encoding, 4, 3)
    assert (decoder.width, decoder.height) == (4, 3)
    assert decoder.counters == DecoderCounters()
    decoder.discontinuity()
    decoder.reset()
    with pytest.raises(ValueError, match="height is 0"):
        codecs.decoder(encoding, 4, 0)
