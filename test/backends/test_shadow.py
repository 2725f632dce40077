# SPDX-License-Identifier: Apache-2.0
"""A shadowed backend gives the engine's spikes in every cycle, whatever the backend does."""

from __future__ import annotations

import dataclasses
import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from neuro_control.backends import CpuRunner
from neuro_control.backends.fault import FaultKind
from neuro_control.backends.process_runner import ProcessRunner
from neuro_control.backends.shadow import ShadowRunner
from neuro_control.backends.shadowed import ShadowState
from neuro_control.backends.trust import LONGEST_PAUSE, STEADY, TRIALS, ShadowSettings
from neuro_control.backends.worker_process import BackendError, RefusedError
from neuro_control.network import Port

EMULATOR = Path(__file__).with_name("board_emulator.py")
PATIENT = ShadowSettings(deadline_s=30.0, hang_s=60.0)


@pytest.fixture
def network(fixed_network):
    found = fixed_network(5, 2, 3, 6)
    assert sum(port.size for port in found.outputs.values()) > 0
    plain = [
        dataclasses.replace(p, refractory=0, threshold_step=0, threshold_decay=0)
        for p in found.populations
    ]
    binary = {name: Port(port.offset, port.size, port.shape) for name, port in found.inputs.items()}
    return dataclasses.replace(found, populations=tuple(plain), inputs=binary)


@pytest.fixture
def board(network):
    made = []

    def make(fault: str = "", at: int = 1, *more: str) -> ProcessRunner:
        words = ["--dense", "--fault", fault, "--at", str(at), *more]
        command = [sys.executable, str(EMULATOR), *words]
        made.append(ProcessRunner(network, command, "emulated", start_s=60.0))
        return made[-1]

    yield make
    for runner in made:
        runner.close()


def cycles(network, count: int, ticks: int = 3, seed: int = 0):
    rng = np.random.default_rng(seed)
    n = sum(port.size for port in network.inputs.values())
    for _ in range(count):
        parts = [np.flatnonzero(rng.random(n) < 0.3).astype(np.int32) for _ in range(ticks)]
        offsets = np.cumsum([0, *map(len, parts)]).astype(np.int64)
        yield np.concatenate(parts), offsets


def until(done: Callable[[], bool], limit_s: float = 60.0) -> None:
    end = time.monotonic() + limit_s
    while not done():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.002)


def same(one, other) -> bool:
    return np.array_equal(one[0], other[0]) and np.array_equal(one[1], other[1])


def test_a_board_that_behaves_answers_every_cycle(network, board) -> None:
    shadow, engine = ShadowRunner(network, board, "board", PATIENT), CpuRunner(network)
    for given in cycles(network, 50):
        assert same(shadow.run(*given), engine.run(*given))
    assert shadow.status is ShadowState.IN_STEP
    assert shadow.totals.cycles_of_twin == 0
    assert shadow.totals.ticks_compared == 150
    assert not shadow.faults
    assert shadow.state() == engine.state()
    assert shadow.counters == engine.counters
    shadow.close()


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        ("die", FaultKind.CRASH, "gone"),
        ("failed", FaultKind.CRASH, "too hot"),
        ("corrupt", FaultKind.CRASH, "checksum"),
        ("garbage", FaultKind.CRASH, "a frame begins with"),
        ("short", FaultKind.CRASH, "2 ticks of 3"),
        ("beyond", FaultKind.CRASH, "1048576"),
        ("wrong", FaultKind.DIVERGENCE, "the twin's"),
    ],
)
def test_a_fault_is_named_and_nothing_is_lost(network, board, fault, kind, says) -> None:
    faults = iter([fault, ""])
    shadow = ShadowRunner(network, lambda: board(next(faults), 4), "board", PATIENT)
    engine = CpuRunner(network)
    for given in cycles(network, 10):
        assert same(shadow.run(*given), engine.run(*given))
    first = shadow.faults[0]
    assert first.kind is kind
    assert says in str(first)
    assert 9 <= first.tick <= 12
    assert shadow.totals.faults[kind] == 1

    def back() -> bool:
        given = next(cycles(network, 1))
        assert same(shadow.run(*given), engine.run(*given))
        return shadow.status is ShadowState.IN_STEP

    until(back)
    assert shadow.totals.rejoined == 1
    before = shadow.totals.cycles_of_twin
    for given in cycles(network, 10, seed=1):
        assert same(shadow.run(*given), engine.run(*given))
    assert shadow.totals.cycles_of_twin == before
    assert len(shadow.faults) == 1
    shadow.close()


def test_a_divergence_says_tick_neuron_and_both_values(network, board) -> None:
    shadow = ShadowRunner(network, lambda: board("wrong", 4), "board", PATIENT)
    engine = CpuRunner(network)
    spikes = [(shadow.run(*given), engine.run(*given))[1] for given in cycles(network, 4)]
    fault = shadow.faults[0]
    name, port = list(network.outputs.items())[-1]
    assert (fault.tick, fault.output, fault.neuron) == (9, name, port.size - 1)
    indices, offsets = spikes[3]
    spiked = int(port.offset + fault.neuron in indices[: offsets[1]])
    assert (fault.primary, fault.twin) == (1 - spiked, spiked)
    shadow.close()


def test_what_differs_within_the_tolerance_is_counted_and_taken(network, board) -> None:
    tolerant = dataclasses.replace(PATIENT, tolerance_spikes=1)
    shadow = ShadowRunner(network, lambda: board("wrong", 4), "board", tolerant)
    engine = CpuRunner(network)
    equal = [same(shadow.run(*given), engine.run(*given)) for given in cycles(network, 8)]
    assert equal == [True] * 3 + [False] + [True] * 4
    assert shadow.totals.spikes_differing == 1
    assert not shadow.faults
    shadow.close()


def test_a_late_board_misses_its_cycle_and_catches_up(network, board) -> None:
    primary = board()
    shadow, engine = ShadowRunner(network, lambda: primary, "board", PATIENT), CpuRunner(network)
    for cycle, given in enumerate(cycles(network, 3)):
        if cycle == 2:
            # Late until it is let go on: this process may itself be late, by any time.
            os.kill(primary.process.pid, signal.SIGSTOP)
            shadow.settings = dataclasses.replace(PATIENT, deadline_s=0.2)
        assert same(shadow.run(*given), engine.run(*given))
    assert [fault.kind for fault in shadow.faults] == [FaultKind.DEADLINE]
    assert shadow.faults[0].tick == 6
    assert shadow.status is ShadowState.BEHIND
    for given in cycles(network, 7, seed=1):
        assert same(shadow.run(*given), engine.run(*given))
    os.kill(primary.process.pid, signal.SIGCONT)

    def back() -> bool:
        given = next(cycles(network, 1))
        assert same(shadow.run(*given), engine.run(*given))
        return shadow.status is ShadowState.IN_STEP

    until(back)
    assert shadow.totals.restarts == 0
    assert shadow.totals.spikes_differing == 0
    shadow.close()


class OfOthers:
    """Somebody else's backend in this process: at first right, and then it does what it is told."""

    def __init__(self, network, fault: Callable[[], None], answer: tuple | None) -> None:
        self.engine, self.fault, self.answer, self.calls = CpuRunner(network), fault, answer, 0
        self.closed = False

    def begin(self, indices, offsets) -> int:
        self.calls += 1
        self.found = self.engine.run(indices, offsets)
        if self.calls == 3 and self.answer is None:
            self.fault()
        return self.calls

    def poll(self, sequence, timeout_s):
        if self.calls == 3 and self.answer is not None:
            self.fault()
            return self.answer
        return self.found

    def begin_restore(self, state) -> int:
        self.engine.restore(state)
        return 0

    def poll_done(self, sequence, timeout_s) -> bool:
        return True

    def close(self, ask: bool = True) -> None:
        self.closed = True


def unplugged() -> None:
    raise OSError("the cable is out")


TWICE = (np.array([0, 0], np.int32), np.array([0, 0, 0, 2]))
BEYOND = (np.array([1 << 20], np.int32), np.array([0, 0, 0, 1]))


@pytest.mark.parametrize(
    ("fault", "answer", "says"),
    [
        (unplugged, None, "OSError: the cable is out"),
        (unplugged, BEYOND, "OSError: the cable is out"),
        (lambda: None, BEYOND, "it answered no spikes: active indices are 1048576"),
        (lambda: None, TWICE, "it answered no spikes: active indices must ascend, each once"),
    ],
)
def test_whatever_a_backend_of_others_raises_or_answers_the_twin_goes_on(
    network, fault, answer, says
) -> None:
    made = iter([OfOthers(network, fault, answer), OfOthers(network, lambda: None, None)])
    tolerant = dataclasses.replace(PATIENT, tolerance_spikes=1_000_000)
    shadow = ShadowRunner(network, lambda: next(made), "others", tolerant)
    engine = CpuRunner(network)
    for given in cycles(network, 5):
        assert same(shadow.run(*given), engine.run(*given))
    assert [fault.kind for fault in shadow.faults] == [FaultKind.CRASH]
    assert shadow.faults[0].text.startswith(says)

    def back() -> bool:
        given = next(cycles(network, 1))
        assert same(shadow.run(*given), engine.run(*given))
        return shadow.status is ShadowState.IN_STEP

    until(back)
    shadow.close()


def no_thread(*_: object) -> None:
    raise RuntimeError("can't start new thread")


def test_where_no_thread_can_be_had_the_twin_goes_on_and_it_is_tried_again(
    network, monkeypatch
) -> None:
    boards = [OfOthers(network, unplugged, None), OfOthers(network, lambda: None, None)]
    made = iter(boards)
    shadow = ShadowRunner(network, lambda: next(made), "others", PATIENT)
    engine = CpuRunner(network)
    with monkeypatch.context() as full:
        full.setattr("threading.Thread.start", no_thread)
        for given in cycles(network, 5):
            assert same(shadow.run(*given), engine.run(*given))
    assert [fault.text for fault in list(shadow.faults)[:2]] == [
        "OSError: the cable is out",
        "it cannot be started again: RuntimeError: can't start new thread",
    ]
    assert not boards[0].closed

    def back() -> bool:
        given = next(cycles(network, 1))
        assert same(shadow.run(*given), engine.run(*given))
        return shadow.status is ShadowState.IN_STEP

    until(back)
    assert boards[0].closed, "what was lost is ended as soon as there is a thread"
    shadow.close()


def test_what_cannot_even_be_ended_keeps_nothing_from_going_on(network, caplog) -> None:
    lost, next_one = OfOthers(network, unplugged, None), OfOthers(network, lambda: None, None)

    def stuck(ask: bool = True) -> None:
        raise OSError("it is stuck")

    lost.close = stuck  # type: ignore[method-assign]
    made = iter([lost, next_one])
    shadow = ShadowRunner(network, lambda: next(made), "others", PATIENT)
    engine = CpuRunner(network)

    def back() -> bool:
        given = next(cycles(network, 1))
        assert same(shadow.run(*given), engine.run(*given))
        return bool(shadow.faults) and shadow.status is ShadowState.IN_STEP

    until(back)
    shadow.close()
    assert next_one.closed
    assert "a backend that was lost cannot be ended" in caplog.text


def test_where_no_thread_comes_to_be_had_it_is_given_up_and_ended_at_the_end(
    network, monkeypatch
) -> None:
    lost = OfOthers(network, unplugged, None)
    shadow = ShadowRunner(network, lambda: lost, "others", PATIENT)
    engine = CpuRunner(network)
    monkeypatch.setattr("threading.Thread.start", no_thread)
    for given in cycles(network, 50):
        assert same(shadow.run(*given), engine.run(*given))
    assert shadow.status is ShadowState.GIVEN_UP
    assert len(shadow.faults) == PATIENT.restarts + 1
    shadow.close()
    assert lost.closed


@pytest.mark.parametrize("fault", ["hang", "drop"])
def test_a_board_that_says_nothing_is_ended_and_replaced(network, board, fault) -> None:
    # Slow machines hang too: as many boards as it takes.
    impatient = ShadowSettings(deadline_s=0.05, hang_s=1.0, restarts=1000)
    faults = itertools.chain([fault], itertools.repeat(""))
    shadow = ShadowRunner(network, lambda: board(next(faults), 2), "board", impatient)
    engine = CpuRunner(network)

    def replaced() -> bool:
        given = next(cycles(network, 1))
        assert same(shadow.run(*given), engine.run(*given))
        return shadow.totals.restarts > 0 and shadow.status is ShadowState.IN_STEP

    until(replaced)
    kinds = [fault.kind for fault in shadow.faults]
    assert FaultKind.DEADLINE in kinds
    assert FaultKind.HANG in kinds
    shadow.close()


def test_a_board_too_far_behind_is_given_the_state_instead(network, board) -> None:
    settings = ShadowSettings(deadline_s=0.0, hang_s=60.0, lag_ticks=5)
    shadow = ShadowRunner(network, lambda: board("late", 1, "--late-s", "0.3"), "board", settings)
    engine = CpuRunner(network)

    def back() -> bool:
        given = next(cycles(network, 1))
        assert same(shadow.run(*given), engine.run(*given))
        time.sleep(0.001)
        return shadow.totals.ticks_compared > 0

    until(back)
    assert shadow.totals.restarts == 0
    assert shadow.totals.spikes_differing == 0
    shadow.close()


def test_a_board_that_cannot_start_again_is_given_up(network, board) -> None:
    first = iter([board("die", 1)])

    def make() -> ProcessRunner:
        try:
            return next(first)
        except StopIteration:
            raise BackendError("no board answers on the network") from None

    settings = dataclasses.replace(PATIENT, restarts=2)
    shadow, engine = ShadowRunner(network, make, "board", settings), CpuRunner(network)

    def given_up() -> bool:
        given = next(cycles(network, 1))
        assert same(shadow.run(*given), engine.run(*given))
        return shadow.status is ShadowState.GIVEN_UP

    until(given_up)
    assert "no board answers" in shadow.faults[-1].text
    assert shadow.totals.faults[FaultKind.CRASH] == 3
    shadow.close()


def test_a_board_without_neurons_to_spare_is_refused_at_once(network, board) -> None:
    with pytest.raises(RefusedError, match="128 neurocores"):
        ShadowRunner(network, lambda: board("neurons"), "board", PATIENT)


def test_wrong_input_is_refused_and_changes_nothing(network, board) -> None:
    shadow, engine = ShadowRunner(network, board, "board", PATIENT), CpuRunner(network)
    given = list(cycles(network, 6))
    for one in given[:3]:
        assert same(shadow.run(*one), engine.run(*one))
    with pytest.raises(ValueError, match="active index 999"):
        shadow.run(np.array([999], np.int32), np.array([0, 1]))
    for one in given[3:]:
        assert same(shadow.run(*one), engine.run(*one))
    assert not shadow.faults
    shadow.close()


def test_what_the_backend_alone_refuses_is_a_fault_of_it(network, board) -> None:
    shadow, engine = ShadowRunner(network, board, "board", PATIENT), CpuRunner(network)

    def unsigned(given):
        return given[0].astype(np.uint32), given[1]

    first, *rest = cycles(network, 20)
    assert same(shadow.run(*first), engine.run(*first))
    assert same(shadow.run(*unsigned(rest[0])), engine.run(*rest[0]))
    (fault,) = shadow.faults
    assert (fault.kind, fault.tick) == (FaultKind.DIVERGENCE, 3)
    assert fault.text.startswith("it refuses what its twin takes: ")
    assert "uint32" in fault.text
    assert shadow.status is ShadowState.BEHIND

    def back() -> bool:
        assert same(shadow.run(*first), engine.run(*first))
        return shadow.status is ShadowState.IN_STEP

    until(back)
    assert len(shadow.faults) == 1, "what both take is no fault"

    # What is refused again and again, also while it catches up, is given up like what is wrong.
    def given_up() -> bool:
        assert same(shadow.run(*unsigned(first)), engine.run(*first))
        return shadow.status is ShadowState.GIVEN_UP

    until(given_up)
    found = [fault.kind for fault in shadow.faults]
    assert found == [FaultKind.DIVERGENCE] * (PATIENT.restarts + 2) + [FaultKind.CRASH]
    shadow.close()


@pytest.mark.parametrize("how", ["reset", "restore"])
def test_both_begin_anew(network, board, how) -> None:
    shadow, engine = ShadowRunner(network, board, "board", PATIENT), CpuRunner(network)
    early = engine.state()
    for given in cycles(network, 5):
        shadow.run(*given), engine.run(*given)
    if how == "reset":
        shadow.reset(), engine.reset()
    else:
        shadow.restore(early), engine.restore(early)
    for given in cycles(network, 10, seed=2):
        assert same(shadow.run(*given), engine.run(*given))
    until(lambda: shadow.run(*next(cycles(network, 1))) and shadow.status is ShadowState.IN_STEP)
    assert not shadow.faults
    shadow.close()


def test_nothing_is_left_of_a_shadow_that_was_closed(network, board) -> None:
    runner = board()
    shadow = ShadowRunner(network, lambda: runner, "board", PATIENT)
    shadow.run(*next(cycles(network, 1)))
    shadow.close()
    assert not Path(f"/proc/{runner.process.pid}").exists()
    shadow.close()


@pytest.mark.parametrize(
    ("name", "value"), [("deadline_s", -1), ("hang_s", 0), ("lag_ticks", 0), ("restarts", -1)]
)
def test_settings_out_of_range_are_refused_by_name(name, value) -> None:
    with pytest.raises(ValueError, match=name):
        ShadowSettings(**{name: value})


def test_a_board_that_is_always_wrong_is_given_up(network, board) -> None:
    settings = dataclasses.replace(PATIENT, restarts=2)
    shadow = ShadowRunner(network, lambda: board("wrong", 1, "--every"), "board", settings)
    engine = CpuRunner(network)

    def given_up() -> bool:
        given = next(cycles(network, 1))
        assert same(shadow.run(*given), engine.run(*given))
        return shadow.status is ShadowState.GIVEN_UP

    until(given_up)
    assert shadow.totals.faults[FaultKind.DIVERGENCE] == 3
    assert "differed 3 times in a row" in shadow.faults[-1].text
    shadow.close()


def test_a_board_that_cannot_be_given_a_state_is_given_up(network, board) -> None:
    settings = dataclasses.replace(PATIENT, restarts=1)
    shadow = ShadowRunner(network, lambda: board("no_restore"), "board", settings)
    engine = CpuRunner(network)
    shadow.reset()

    def given_up() -> bool:
        given = next(cycles(network, 1))
        assert same(shadow.run(*given), engine.run(*given))
        return shadow.status is ShadowState.GIVEN_UP

    until(given_up)
    assert "cannot be given a state" in shadow.faults[-1].text
    shadow.close()


def test_closing_does_not_wait_for_a_board_that_takes_long_to_start(
    network, board, monkeypatch
) -> None:
    monkeypatch.setattr("neuro_control.backends.primary.CLOSE_S", 0.05)
    first, entered, release = iter([board("die", 1)]), threading.Event(), threading.Event()
    late: list[ProcessRunner] = []

    def make() -> ProcessRunner:
        if (found := next(first, None)) is not None:
            return found
        entered.set()
        release.wait(60)
        late.append(board())
        return late[0]

    shadow = ShadowRunner(network, make, "board", PATIENT)

    def starting() -> bool:
        shadow.run(*next(cycles(network, 1)))
        return entered.is_set()

    until(starting)
    assert shadow.status is ShadowState.STARTING
    shadow.close()
    release.set()
    until(lambda: bool(late) and not Path(f"/proc/{late[0].process.pid}").exists())


class Punctual:
    """An engine that answers in time while ``prompt`` holds, and else when it is next looked at."""

    def __init__(self, network) -> None:
        self.engine, self.prompt = CpuRunner(network), True
        self.answer: tuple[np.ndarray, np.ndarray] | None = None
        self.sequence = self.waits = 0

    def begin(self, indices: np.ndarray, offsets: np.ndarray) -> int:
        self.answer = self.engine.run(indices, offsets)
        self.sequence += 1
        return self.sequence

    def poll(self, sequence: int, timeout_s: float) -> tuple[np.ndarray, np.ndarray] | None:
        assert sequence == self.sequence
        self.waits += timeout_s > 0
        return self.answer if self.prompt or timeout_s == 0 else None

    def begin_restore(self, state) -> int:
        self.engine.restore(state)
        self.sequence += 1
        return self.sequence

    def poll_done(self, sequence: int, timeout_s: float) -> bool:
        return True

    def close(self, ask: bool = True) -> None:
        """Nothing to end."""


@pytest.fixture
def punctual(network):
    primary = Punctual(network)
    shadow = ShadowRunner(network, lambda: primary, "punctual", PATIENT)
    engine, given = CpuRunner(network), list(cycles(network, 7))

    def go(count: int, prompt: bool) -> int:
        """Run so many cycles; how many waited for the answer."""
        primary.prompt, before = prompt, primary.waits
        for i in range(count):
            one = given[i % len(given)]
            assert same(shadow.run(*one), engine.run(*one))
        return primary.waits - before

    yield shadow, go
    shadow.close()


def test_a_board_that_is_always_late_is_waited_for_ever_less_often(punctual) -> None:
    shadow, go = punctual
    assert go(200, prompt=False) <= 9
    assert go(5000, prompt=False) <= 10
    assert go(20 * (LONGEST_PAUSE + 1), prompt=False) == 20
    assert shadow.totals.faults[FaultKind.DEADLINE] == 1
    assert shadow.totals.rejoined == 0
    assert shadow.totals.ticks_compared > 0
    assert shadow.status is ShadowState.BEHIND


def test_a_board_rejoins_after_answers_in_time_in_a_row(punctual) -> None:
    shadow, go = punctual
    go(1, prompt=False)
    go(1, prompt=True)  # The pause after one late answer.
    go(TRIALS - 1, prompt=True)
    go(1, prompt=False)
    go(2, prompt=True)  # Twice as long.
    go(TRIALS - 1, prompt=True)
    assert shadow.status is ShadowState.BEHIND
    assert go(1, prompt=True) == 1
    assert shadow.status is ShadowState.IN_STEP
    assert shadow.totals.rejoined == 1
    assert shadow.totals.faults[FaultKind.DEADLINE] == 1


@pytest.mark.parametrize(("in_step", "pause"), [(STEADY, 1), (STEADY - 1, 4)])
def test_what_was_late_is_forgotten_after_a_steady_time_in_step(punctual, in_step, pause) -> None:
    shadow, go = punctual
    go(3, prompt=False)  # Late in step, a pause of one cycle, late on trial: a pause of two.
    go(2 + TRIALS + in_step, prompt=True)
    assert shadow.status is ShadowState.IN_STEP
    go(1, prompt=False)
    assert go(pause, prompt=True) == 0
    assert go(1, prompt=True) == 1


@pytest.mark.parametrize("error", [OSError(24, "Too many open files"), MemoryError("no room")])
def test_whatever_a_start_raises_is_noted_and_the_start_is_tried_again(
    network, board, error
) -> None:
    faults = iter(["die", error, ""])

    def make() -> ProcessRunner:
        found = next(faults)
        if isinstance(found, Exception):
            raise found
        return board(found)

    shadow, engine = ShadowRunner(network, make, "board", PATIENT), CpuRunner(network)

    def back() -> bool:
        given = next(cycles(network, 1))
        assert same(shadow.run(*given), engine.run(*given))
        return shadow.status is ShadowState.IN_STEP and shadow.totals.restarts == 1

    until(back)
    assert [fault.kind for fault in shadow.faults] == [FaultKind.CRASH] * 2
    assert str(error) in shadow.faults[1].text
    assert type(error).__name__ in shadow.faults[1].text
    shadow.close()
