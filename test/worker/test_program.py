# SPDX-License-Identifier: Apache-2.0
"""A worker answers whatever it is asked: with an answer, or with a refusal that says why."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuro_control.backends.random_networks import random_network
from neuro_control.backends.wire_network import load_message
from neuro_control.worker.channel import Channel, ClosedError
from neuro_control.worker.program import serve
from neuro_control.worker.protocol import DTYPES, Kind, Message, ProtocolError
from neuro_control.worker.spikes import Spikes, read_spikes, spikes_message
from test.backends.board_emulator import EmulatedBoard
from test.backends.engine_wire import EngineWire

NETWORK = random_network(0)
ASKED = [kind for kind in Kind if kind not in (Kind.STOP, Kind.STEP, Kind.SPIKES)]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
NAMES = st.sampled_from(["current", "membrane", "pending", "du.0", "populations", "inputs", "x"])
ARRAYS = st.dictionaries(
    NAMES,
    st.tuples(st.sampled_from(DTYPES), st.lists(st.integers(0, 3), max_size=3)).map(
        lambda pair: np.ones(pair[1], pair[0])
    ),
    max_size=4,
)
FIELDS = st.dictionaries(
    st.sampled_from(["populations", "projections", "inputs", "outputs", "options", "text"]),
    SCALARS | st.lists(SCALARS | st.lists(SCALARS, max_size=7), max_size=3),
)
MESSAGES = st.builds(Message, st.sampled_from(ASKED), st.just(0), FIELDS, ARRAYS) | st.builds(
    lambda kind, body: Message(kind, body=body),
    st.sampled_from([Kind.STEP, Kind.SPIKES]),
    st.binary(max_size=80),
)


@contextmanager
def serving(loaded: bool = True) -> Iterator[tuple[Channel, list[object]]]:
    """A worker in a thread, and how it ended."""
    mine, theirs = socket.socketpair()
    ends: list[object] = []

    def work() -> None:
        try:
            ends.append(serve(Channel(theirs), EmulatedBoard(EngineWire), {}))
        except (ClosedError, ProtocolError) as error:
            ends.append(error)
        theirs.close()

    thread = threading.Thread(target=work)
    thread.start()
    channel = Channel(mine)
    assert channel.receive(30.0).kind is Kind.HELLO
    if loaded:
        channel.send(load_message(NETWORK, 1))
        assert channel.receive(60.0).kind is Kind.DONE
    yield channel, ends
    mine.close()
    thread.join(30.0)
    assert not thread.is_alive()


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(MESSAGES, min_size=1, max_size=20), st.booleans())
def test_any_message_is_answered_once_and_nothing_breaks(messages, loaded: bool) -> None:
    with serving(loaded) as (channel, ends):
        for sequence, message in enumerate(messages, 2):
            channel.send(message._replace(sequence=sequence))
            reply = channel.receive(30.0)
            assert reply.sequence == sequence
            assert reply.kind in (Kind.DONE, Kind.SPIKES, Kind.REFUSED)
            if reply.kind is Kind.REFUSED:
                assert reply.text
        channel.send(Message(Kind.STOP, 99))
        assert channel.receive(30.0).kind is Kind.DONE
    assert ends == [0]


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(min_size=28, max_size=200))
def test_bytes_that_are_no_message_end_it(noise: bytes) -> None:
    with serving(loaded=False) as (channel, ends):
        channel._socket.setblocking(True)
        channel._socket.sendall(b"x" + noise)
        with pytest.raises(ClosedError):
            channel.receive(30.0)
    assert isinstance(ends[0], ProtocolError)


def test_another_version_is_refused_by_both_numbers() -> None:
    from neuro_control.worker.protocol import encode

    with serving(loaded=False) as (channel, ends):
        frame = bytearray(encode(Message(Kind.STATE, 1)))
        frame[4] = 2
        channel._socket.setblocking(True)
        channel._socket.sendall(frame)
        with pytest.raises(ClosedError):
            channel.receive(30.0)
    assert "version 2 of the protocol, this one version 1" in str(ends[0])


def test_a_refused_step_changes_nothing() -> None:
    nothing = Spikes(np.zeros(0, np.int32), np.zeros(2, np.int64))
    wrong = Spikes(np.array([9999], np.int32), np.array([0, 1]))

    def steps(bad: bool) -> list[list[int]]:
        found = []
        with serving() as (channel, _):
            for sequence in range(2, 12):
                if bad:
                    channel.send(spikes_message(Kind.STEP, 1, wrong))
                    assert channel.receive(30.0).kind is Kind.REFUSED
                channel.send(spikes_message(Kind.STEP, sequence, nothing))
                found.append(read_spikes(channel.receive(30.0)).indices.tolist())
        return found

    assert steps(bad=True) == steps(bad=False)
