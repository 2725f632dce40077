# SPDX-License-Identifier: Apache-2.0
"""What is sent is what arrives; anything else is refused by name, and nothing is executed."""

from __future__ import annotations

import json
import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from neuro_control.worker.protocol import (
    DTYPES,
    HEADER,
    MAGIC,
    VERSION,
    Kind,
    Message,
    ProtocolError,
    decode,
    decode_header,
    encode,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
ARRAYS = st.dictionaries(
    st.text(max_size=8),
    st.sampled_from(DTYPES).flatmap(
        lambda dtype: arrays_of.arrays(dtype, arrays_of.array_shapes(min_dims=0, min_side=0))
    ),
    max_size=4,
)
MESSAGES = st.builds(
    Message,
    st.sampled_from([kind for kind in Kind if kind not in (Kind.STEP, Kind.SPIKES)]),
    st.integers(0, 2**32 - 1),
    st.dictionaries(st.text(), JSON),
    ARRAYS,
)


def read(frame: bytes) -> Message:
    return decode(decode_header(frame[: HEADER.size]), frame[HEADER.size :])


# What a busy machine takes to draw an example is no fault of the protocol's.
PATIENT = settings(suppress_health_check=[HealthCheck.too_slow])


@PATIENT
@given(MESSAGES)
def test_what_is_sent_is_what_arrives(message: Message) -> None:
    found = read(encode(message))
    assert (found.kind, found.sequence, found.fields) == (
        message.kind,
        message.sequence,
        message.fields,
    )
    assert list(found.arrays) == list(message.arrays)
    for name, array in message.arrays.items():
        assert found.arrays[name].dtype == array.dtype
        assert found.arrays[name].shape == array.shape
        assert np.array_equal(found.arrays[name], array)


@PATIENT
@given(MESSAGES, st.data())
def test_a_changed_byte_is_noticed_or_harmless(message: Message, data: st.DataObject) -> None:
    frame = bytearray(encode(message))
    at = data.draw(st.integers(0, len(frame) - 1))
    frame[at] ^= data.draw(st.integers(1, 255))
    try:
        found = read(bytes(frame))
    except ProtocolError:
        return
    # Only kind and sequence stand outside the checksum; both are checked against the question.
    assert 6 <= at < 12
    assert found.fields == message.fields


@given(st.sampled_from([Kind.STEP, Kind.SPIKES]), st.integers(0, 2**32 - 1), st.binary())
def test_a_body_without_a_head_arrives(kind: Kind, sequence: int, body: bytes) -> None:
    found = read(encode(Message(kind, sequence, body=body)))
    assert (found.kind, found.sequence, found.body) == (kind, sequence, body)
    with pytest.raises(ProtocolError, match="has a body only"):
        encode(Message(kind, sequence, {"x": 1}))


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(noise: bytes) -> None:
    frame = noise.ljust(HEADER.size, b"\0")
    with pytest.raises(ProtocolError):
        read(frame)


def framed(head: object, body: bytes = b"", kind: int = Kind.DONE) -> bytes:
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    checksum = zlib.crc32(body, zlib.crc32(text))
    return HEADER.pack(MAGIC, VERSION, kind, 1, len(text), len(body), checksum) + text + body


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (framed(b"not json"), "no JSON"),
        (framed(b"[" * 100_000), "no JSON"),
        (framed([]), "no fields"),
        (framed({"fields": {}}), "no arrays"),
        (framed({"fields": {}, "arrays": [["x", "O", [1]]]}), "describes no array"),
        (framed({"fields": {}, "arrays": [["x", "<f8", [1]]]}, b"\0" * 8), "describes no array"),
        (framed({"fields": {}, "arrays": [["x", "<i4", [-1]]]}), "describes no array"),
        (framed({"fields": {}, "arrays": [["x", "<i4", [True]]]}), "describes no array"),
        (framed({"fields": {}, "arrays": [["x", "<i4", [3]]]}, b"\0" * 8), "beyond the body"),
        (framed({"fields": {}, "arrays": []}, b"\0"), "1 bytes belong to no array"),
        (framed({"fields": {}, "arrays": [["x", "<i4", [0] + [1 << 32] * 7]]}), "array 'x'"),
        (framed({"fields": {}, "arrays": []}, kind=Kind.STEP), "STEP has a head"),
        (framed({"fields": {}, "arrays": []}, kind=99), "kind 99"),
    ],
)
def test_a_head_that_lies_is_refused(frame: bytes, message: str) -> None:
    with pytest.raises(ProtocolError, match=message):
        read(frame)


def test_another_version_says_both() -> None:
    frame = bytearray(encode(Message(Kind.HELLO)))
    struct.pack_into("<H", frame, 4, 7)
    with pytest.raises(ProtocolError, match="version 7 of the protocol, this one version 1"):
        read(bytes(frame))


def test_a_frame_too_large_is_refused_before_it_is_read() -> None:
    header = HEADER.pack(MAGIC, VERSION, Kind.STEP, 1, 0, 1 << 40, 0)
    with pytest.raises(ProtocolError, match="announces 0 \\+ 1099511627776 bytes"):
        decode_header(header)


def test_floats_cannot_be_sent() -> None:
    with pytest.raises(ProtocolError, match="x is float64"):
        encode(Message(Kind.DONE, 1, {}, {"x": np.zeros(1)}))
