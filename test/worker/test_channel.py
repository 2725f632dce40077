# SPDX-License-Identifier: Apache-2.0
"""Messages come whole over a stream, in any pieces, or not at all within their time."""

from __future__ import annotations

import fcntl
import resource
import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.worker.channel import SELECT_FILES, Channel, ClosedError
from neuro_control.worker.protocol import Kind, Message, ProtocolError, encode


@pytest.fixture
def ends():
    mine, theirs = socket.socketpair()
    yield Channel(mine), theirs
    mine.close()
    theirs.close()


def message(sequence: int = 1, n: int = 3) -> Message:
    return Message(Kind.RESTORE, sequence, {}, {"indices": np.arange(n, dtype=np.int32)})


@given(st.lists(st.integers(1, 60), max_size=12))
def test_any_pieces_make_the_same_messages(cuts: list[int]) -> None:
    mine, theirs = socket.socketpair()
    channel = Channel(mine)
    stream = encode(message(1)) + encode(message(2, 50)) + encode(message(3, 0))
    found, at = [], 0
    for cut in [*cuts, len(stream)]:
        theirs.sendall(stream[at : at + cut])
        at += cut
        while (got := channel.receive(0.0)) is not None:
            found.append(got)
    assert [got.sequence for got in found] == [1, 2, 3]
    assert [len(got.array("indices", "<i4")) for got in found] == [3, 50, 0]
    mine.close()
    theirs.close()


def test_a_time_out_loses_nothing(ends) -> None:
    channel, other = ends
    frame = encode(message())
    other.sendall(frame[:20])
    assert channel.receive(0.01) is None
    other.sendall(frame[20:])
    got = channel.receive(10.0)
    assert got is not None
    assert got.sequence == 1


def test_the_end_of_the_other_side_is_an_error(ends) -> None:
    channel, other = ends
    other.close()
    with pytest.raises(ClosedError, match="gone"):
        channel.receive(10.0)
    with pytest.raises(ClosedError):
        channel.send(message())


def test_garbage_is_an_error(ends) -> None:
    channel, other = ends
    other.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    with pytest.raises(ProtocolError, match="a frame begins with"):
        channel.receive(10.0)


def test_who_does_not_read_is_left(ends) -> None:
    channel, _ = ends
    with pytest.raises(ClosedError, match="did not read RESTORE for"):
        channel.send(message(n=1 << 20), 0.05)


def test_what_is_posted_waits_for_nobody_and_goes_out_whole(ends) -> None:
    channel, other = ends
    # Nobody reads yet: if it waited for that, it would not come back.
    channel.post(message(1, 1 << 20))
    channel.post(message(2))
    end = Channel(other)
    found = []
    while len(found) < 2:
        assert channel.receive(0.0) is None
        got = end.receive(0.0)
        if got is not None:
            found.append(got)
    assert [(got.sequence, len(got.array("indices", "<i4"))) for got in found] == [
        (1, 1 << 20),
        (2, 3),
    ]


@pytest.fixture
def many_files() -> Iterator[None]:
    """As many as the machine lets a process have."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_it_works_beyond_the_descriptors_that_select_knows(many_files) -> None:
    mine, theirs = socket.socketpair()
    high = socket.socket(fileno=fcntl.fcntl(mine, fcntl.F_DUPFD_CLOEXEC, SELECT_FILES))
    mine.close()
    channel = Channel(high)
    assert channel.fileno() >= SELECT_FILES
    assert channel.receive(0.001) is None
    with pytest.raises(ClosedError, match="did not read RESTORE for"):
        channel.send(message(n=1 << 20), 0.01)
    theirs.close()
    high.close()


def test_a_deadline_is_kept_below_a_millisecond(ends) -> None:
    channel, _ = ends
    # The shortest of many waits: what the machine adds to one is not the channel's.
    waited = []
    for _ in range(100):
        begin = time.monotonic()
        assert channel.receive(0.0003) is None
        waited.append(time.monotonic() - begin)
    assert 0.0003 <= min(waited) < 0.001
