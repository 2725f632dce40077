# SPDX-License-Identifier: Apache-2.0
"""Whatever a backend's process answers, the host gets spikes or an error that says why."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuro_control.backends import BackendError, CpuRunner, ProcessRunner
from neuro_control.backends import process_runner as module
from neuro_control.backends.random_networks import random_network
from neuro_control.backends.shadow import ShadowRunner
from neuro_control.backends.trust import ShadowSettings
from neuro_control.backends.worker_process import RefusedError, WorkerProcess
from neuro_control.worker import protocol
from neuro_control.worker.channel import Channel
from neuro_control.worker.protocol import Kind, Message, encode
from neuro_control.worker.spikes import Spikes, fault_of, spikes_message

NETWORK = random_network(1)
N_OUT = sum(port.size for port in NETWORK.outputs.values())
ONE = (np.zeros(0, np.int32), np.zeros(2, np.int64))
PATIENT = settings(
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


class Ended:
    """In place of a process that has ended."""

    pid = 0

    def poll(self) -> int:
        return 3


class Liar(WorkerProcess):
    """A worker that says hello, takes every network, and then answers what it is given."""

    answers: Iterator[bytes] = iter(())

    def __init__(self, command: object, start_s: float = 0.0) -> None:
        mine, self.theirs = socket.socketpair()
        self.channel, self._log, self._sequence = Channel(mine), None, 0
        self._process = Ended()  # type: ignore[assignment]
        self.hello = Message(Kind.HELLO)

    def ask(self, message: Message) -> int:
        if message.kind is Kind.LOAD:
            self.theirs.sendall(encode(Message(Kind.DONE, message.sequence)))
        else:
            self.theirs.sendall(next(self.answers, b""))
        return message.sequence

    def close(self, ask: bool = True) -> None:
        self.theirs.close()
        self.channel.close()


@pytest.fixture
def liar(monkeypatch):
    monkeypatch.setattr(module, "WorkerProcess", Liar)

    def make(answers: list[bytes]) -> ProcessRunner:
        monkeypatch.setattr(Liar, "answers", iter(answers))
        return ProcessRunner(NETWORK, ["nothing"], "liar", answer_s=0.01)

    return make


SPIKES = st.builds(
    lambda indices, ends, sequence, kind: encode(
        spikes_message(
            kind, sequence, Spikes(np.array(indices, np.int32), np.array([0, *ends], np.int64))
        )
    ),
    st.lists(st.integers(-5, N_OUT + 5), max_size=4),
    st.lists(st.integers(-1, 5), max_size=3),
    st.integers(0, 4),
    st.sampled_from([Kind.STEP, Kind.SPIKES]),
)
MESSAGES = st.builds(
    lambda kind, sequence, fields: encode(Message(kind, sequence, fields)),
    st.sampled_from([kind for kind in Kind if kind not in (Kind.STEP, Kind.SPIKES)]),
    st.integers(0, 4),
    st.dictionaries(st.text(max_size=4), st.integers() | st.text() | st.none(), max_size=3),
)
CHANGED = st.tuples(SPIKES, st.integers(0, 200), st.integers(1, 255)).map(
    lambda t: bytes(b ^ t[2] if i == t[1] % len(t[0]) else b for i, b in enumerate(t[0]))
)
ANSWERS = st.lists(SPIKES | MESSAGES | CHANGED | st.binary(max_size=60), max_size=3)


@PATIENT
@given(ANSWERS)
def test_an_answer_is_spikes_or_an_error(liar, answers: list[bytes]) -> None:
    runner = liar([b"".join(answers)])
    try:
        indices, offsets = runner.run(*ONE)
    except BackendError:
        pass
    else:
        assert fault_of(indices, offsets, N_OUT) == ""
        assert len(offsets) == len(ONE[1])
        assert (np.diff(indices) > 0).all()
    runner.close()


@PATIENT
@given(st.lists(ANSWERS, min_size=1, max_size=6))
def test_a_shadow_gives_the_engines_spikes_whatever_is_answered(liar, answers) -> None:
    settings_ = ShadowSettings(deadline_s=0.0, hang_s=0.01, restarts=0)
    shadow = ShadowRunner(NETWORK, lambda: liar([b"".join(a) for a in answers]), "liar", settings_)
    engine = CpuRunner(NETWORK)
    for active in ([], [0], [1, 2], [], [0, 3], [1]):
        given_ = np.array(active, np.int32)
        assert np.array_equal(shadow.step(given_), engine.step(given_))
    assert shadow.state() == engine.state()
    shadow.close()


def test_what_no_message_can_carry_is_refused_so_that_auto_goes_on(liar, monkeypatch) -> None:
    def graded(*_: object) -> None:
        raise ValueError("input 'in0' is graded")

    monkeypatch.setattr(module, "load_message", graded)
    with pytest.raises(RefusedError, match="'in0' is graded"):
        liar([])


def test_a_network_too_large_for_a_frame_is_refused_so_that_auto_goes_on(liar, monkeypatch) -> None:
    monkeypatch.setattr(protocol, "BODY_MAX", 100)
    monkeypatch.setattr(Liar, "ask", WorkerProcess.ask)
    with pytest.raises(RefusedError, match=r"LOAD has \d+ \+ \d+ bytes; at most 1048576 \+ 100"):
        liar([])


def test_answers_to_other_questions_are_passed_over(liar) -> None:
    right = spikes_message(Kind.SPIKES, 2, Spikes(np.array([1], np.int32), np.array([0, 1])))
    runner = liar([encode(right._replace(sequence=1)) + encode(right)])
    indices, _ = runner.run(*ONE)
    assert indices.tolist() == [1]
    runner.close()


def spikes(sequence: int, *ticks: list[int]) -> bytes:
    """A frame with these indices, a list a tick."""
    indices = np.array([index for tick in ticks for index in tick], np.int32)
    offsets = np.cumsum([0, *map(len, ticks)]).astype(np.int64)
    return encode(spikes_message(Kind.SPIKES, sequence, Spikes(indices, offsets)))


@pytest.mark.parametrize(
    ("answered", "says"),
    [
        ([[0]], "1 ticks of 3 asked for"),
        ([[0], [], [1], []], "4 ticks of 3 asked for"),
        ([[0, 1], [1, 0], []], "tick 1 of 3 have 0 after 1"),
        ([[], [1], [0, 1, 1]], "tick 2 of 3 have 1 after 1"),
    ],
)
def test_an_answer_has_the_ticks_asked_for_and_each_spike_once_and_in_order(
    liar, answered, says
) -> None:
    runner = liar([spikes(2, *answered)])
    with pytest.raises(BackendError, match=says):
        runner.run(ONE[0], np.zeros(4, np.int64))
    assert runner.counters.ticks == 0
    runner.close()


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({}, "liar answered no state: DONE: current is missing"),
        (
            {"current": np.zeros(1, "<i8"), "membrane": np.zeros(1, "<i8")}
            | {"pending": np.zeros((1, 1), "<i8")},
            r"liar answered a state of \(\(1,\), \(1,\), \(1, 1\)\), not of",
        ),
    ],
)
def test_what_is_no_state_of_this_network_is_an_error(liar, arrays, says) -> None:
    runner = liar([encode(Message(Kind.DONE, 2, {}, arrays))])
    with pytest.raises(BackendError, match=says):
        runner.state()
    runner.close()


def test_the_ticks_of_every_question_are_its_own(liar) -> None:
    runner = liar([spikes(2, [1]), spikes(3, [0, 1], [], [0]), spikes(4, [1], [0])])
    asked = [runner.begin(ONE[0], np.zeros(ticks + 1, np.int64)) for ticks in (1, 3, 2)]
    indices, offsets = runner.finish(asked[1], 1.0)
    assert (indices.tolist(), offsets.tolist()) == ([0, 1, 0], [0, 2, 2, 3])
    assert runner.finish(asked[2], 1.0)[1].tolist() == [0, 1, 2]
    for answered in asked:
        with pytest.raises(ValueError, match=f"number {answered}"):
            runner.poll(answered, 0.0)
    runner.close()
