# SPDX-License-Identifier: Apache-2.0
"""A backend's process starts, answers, and leaves nothing; what goes wrong is said."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from neuro_control.backends import worker_process
from neuro_control.backends.parity import compare_with_engine
from neuro_control.backends.process_runner import ProcessRunner, rest
from neuro_control.backends.random_networks import random_network
from neuro_control.backends.worker_process import BackendError, RefusedError, WorkerProcess
from neuro_control.worker.protocol import Kind

ENGINE = [sys.executable, str(Path(__file__).with_name("board_emulator.py"))]
EMULATOR = [*ENGINE, "--dense"]


def gone(pid: int, limit_s: float = 30.0) -> bool:
    end = time.monotonic() + limit_s
    while Path(f"/proc/{pid}").exists():
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        if state == "Z":
            return True
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def until(done: Callable[[], bool], limit_s: float = 30.0) -> None:
    end = time.monotonic() + limit_s
    while not done():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)


def children() -> set[int]:
    """Processes that this one has started, and not waited for."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.add(int(stat.parent.name))
    return found


@pytest.mark.parametrize(
    ("seed", "command"), [(0, ENGINE), *((seed, EMULATOR) for seed in range(4))]
)
def test_the_board_emulator_is_exact(seed, command) -> None:
    network = random_network(seed)
    runner = ProcessRunner(network, command, "emulated")
    found = compare_with_engine(runner, network, 100, seed=seed, batch=7, states_every=3)
    runner.close()
    assert found.exact
    assert found.ticks >= 100
    assert found.states == 5


def test_state_goes_out_and_comes_back() -> None:
    network = random_network(1)
    runner = ProcessRunner(network, EMULATOR, "emulated")
    for _ in range(20):
        runner.step(np.zeros(0, np.int32))
    state = runner.state()
    assert runner.counters.ticks == 20
    runner.reset()
    assert runner.counters.ticks == 0
    assert not runner.state().membrane.any()
    runner.restore(state)
    assert runner.state() == state
    name = network.populations[0].name
    assert runner.membrane(name).shape == network.populations[0].shape
    assert runner.measurements() == {"power_w": 0.1}
    runner.close()


def test_wrong_input_and_other_states_are_refused_here() -> None:
    network = random_network(1)
    runner = ProcessRunner(network, EMULATOR, "emulated")
    with pytest.raises(ValueError, match=r"active indices are 9999\.\.9999"):
        runner.step(np.array([9999], np.int32))
    with pytest.raises(ValueError, match="another network"):
        runner.restore(rest(random_network(2)))
    runner.close()


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        ("neurons", RefusedError, "128 neurocores"),
        ("version", BackendError, "version 99 of the protocol"),
    ],
)
def test_what_does_not_start_says_why(fault, error, message) -> None:
    with pytest.raises(error, match=message):
        ProcessRunner(random_network(0), [*EMULATOR, "--fault", fault], "emulated")


def test_a_process_that_says_nothing_is_not_waited_for() -> None:
    with pytest.raises(BackendError, match=r"did not say hello within 0\.5 s"):
        WorkerProcess([*EMULATOR, "--fault", "silent"], start_s=0.5)


def test_no_program_is_an_error_that_names_it() -> None:
    with pytest.raises(BackendError, match="/nowhere/python cannot be started"):
        WorkerProcess(["/nowhere/python"])


def test_a_program_that_ends_is_quoted() -> None:
    words = [sys.executable, "-c", "raise SystemExit('lava is not for me')"]
    with pytest.raises(BackendError, match="lava is not for me"):
        WorkerProcess(words)


def test_two_live_side_by_side() -> None:
    one, two = random_network(3), random_network(4)
    runners = [ProcessRunner(network, EMULATOR, "emulated") for network in (one, two)]
    assert runners[0].process.pid != runners[1].process.pid
    found = [
        compare_with_engine(runner, network, 30)
        for runner, network in zip(runners, (one, two), strict=True)
    ]
    assert all(parity.exact for parity in found)
    runners[0].close()
    assert compare_with_engine(runners[1], two, 0, states_every=1).ticks == 10
    runners[1].close()
    with pytest.raises(BackendError, match="emulated: the other side is gone"):
        runners[1].step(np.zeros(0, np.int32))


def test_a_full_disk_keeps_no_process_from_starting(monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    process = WorkerProcess(EMULATOR)
    assert process.hello.kind is Kind.HELLO
    process.close()


HOST = f"""
import sys, time
from neuro_control.backends.worker_process import WorkerProcess
process = WorkerProcess({EMULATOR!r} + sys.argv[1:])
print(process.pid, process.prefix, flush=True)
time.sleep(600)
"""


def seconds_of_processor(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("state", ["idle", "stopped", "busy"])
def test_the_process_dies_with_its_host(state) -> None:
    """Whatever it does: a worker that is stopped, or busy in a driver, does not see its host go."""
    words = ["--fault", "busy"] if state == "busy" else []
    host = subprocess.Popen([sys.executable, "-c", HOST, *words], stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    said = host.stdout.readline().split()
    worker, segment = int(said[0]), Path("/dev/shm") / f"{said[1]}0"
    segment.touch()
    if state == "stopped":
        os.kill(worker, signal.SIGSTOP)
    elif state == "busy":
        begun = seconds_of_processor(worker)
        until(lambda: seconds_of_processor(worker) > begun + 0.1)
    os.kill(host.pid, signal.SIGKILL)
    host.wait()
    host.stdout.close()
    try:
        assert gone(worker)
        until(lambda: not segment.exists())
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
        segment.unlink(missing_ok=True)


def test_what_watches_the_host_goes_with_the_process() -> None:
    before = children()
    process = WorkerProcess(EMULATOR)
    assert len(children() - before) == 2
    process.close()
    assert children() <= before


def test_what_waits_for_a_process_that_is_killed_gets_an_error() -> None:
    process = WorkerProcess([*EMULATOR, "--fault", "busy"])
    killer = threading.Thread(target=process.kill)
    killer.start()
    with pytest.raises(BackendError, match="the other side is gone"):
        process.request(Kind.STATE, 60.0)
    killer.join()
    process.close()
    process.kill()


def test_without_a_watch_over_its_host_no_process_starts(monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(worker_process, "watch_host", full)
    before = children()
    with pytest.raises(BackendError, match="with this process cannot be started: Resource temp"):
        WorkerProcess(EMULATOR)
    assert children() <= before
