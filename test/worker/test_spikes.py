# SPDX-License-Identifier: Apache-2.0
"""Spikes go through a frame as they are; sizes that lie and channels that are not are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.worker.protocol import (
    HEADER,
    Kind,
    Message,
    ProtocolError,
    decode,
    decode_header,
    encode,
)
from neuro_control.worker.spikes import HEAD, Spikes, fault_of, read_spikes, spikes_message

TRAINS = st.lists(st.lists(st.integers(0, 2**31 - 1), max_size=5), max_size=6)


def spikes(trains: list[list[int]], neurons: int = 0) -> Spikes:
    indices = np.array([i for train in trains for i in train], np.int32)
    offsets = np.cumsum([0, *map(len, trains)]).astype(np.int64)
    membranes = None
    if neurons and trains:
        membranes = np.arange(len(trains) * neurons, dtype=np.int32).reshape(-1, neurons)
    return Spikes(indices, offsets, 1.5, membranes)


@given(TRAINS, st.integers(0, 3))
def test_what_is_sent_is_what_arrives(trains: list[list[int]], neurons: int) -> None:
    given_ = spikes(trains, neurons)
    frame = encode(spikes_message(Kind.SPIKES, 7, given_))
    found = read_spikes(decode(decode_header(frame), frame[HEADER.size :]))
    assert found.busy_us == 1.5
    for mine, theirs in zip(found, given_, strict=True):
        if isinstance(theirs, np.ndarray):
            assert mine.dtype == theirs.dtype
        assert np.array_equal(mine, theirs)
    assert fault_of(found.indices, found.offsets, 2**31) == ""


@given(st.binary(max_size=120))
def test_a_body_of_another_size_is_refused(body: bytes) -> None:
    try:
        found = read_spikes(Message(Kind.STEP, 1, body=body))
    except ProtocolError:
        return
    again = spikes_message(Kind.STEP, 1, found)
    assert again.body[8:] == body[8:]


def test_sizes_beyond_all_memory_are_refused() -> None:
    for sizes in [(1 << 62, 0, 0), (0, -1, 0), (0, 0, 1 << 40), (-1, 0, 0)]:
        with pytest.raises(ProtocolError, match="bytes are not"):
            read_spikes(Message(Kind.STEP, 1, body=HEAD.pack(0.0, *sizes) + bytes(8)))


@pytest.mark.parametrize(
    ("indices", "offsets", "says"),
    [
        ([1], [0, 1], ""),
        ([], [0], ""),
        ([1, 2], [0, 2, 1, 2], "offsets must rise from 0 to 2"),
        ([1], [1, 1], "offsets must rise"),
        ([1], [0, 2], "offsets must rise"),
        ([1], [], "offsets must rise"),
        ([3, 10], [0, 2], r"active indices are 3..10; there are 0..9"),
        ([-1], [0, 1], r"active indices are -1..-1"),
    ],
)
@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_what_is_wrong_is_said(indices, offsets, says: str, dtype) -> None:
    found = fault_of(np.array(indices, dtype), np.array(offsets, np.int64), 10)
    assert found.startswith(says)
    assert bool(found) is bool(says)
