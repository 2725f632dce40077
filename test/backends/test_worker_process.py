# SPDX-License-Identifier: Apache-2.0
"""A backend's process starts, answers, and leaves nothing; what goes wrong is said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

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


def test_the_process_dies_with_its_host() -> None:
    program = (
        "import sys, time\n"
        "from neuro_control.backends.worker_process import WorkerProcess\n"
        f"process = WorkerProcess({EMULATOR!r})\n"
        "print(process.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    host = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    worker = int(host.stdout.readline())
    os.kill(host.pid, signal.SIGKILL)
    host.wait()
    host.stdout.close()
    assert gone(worker)
