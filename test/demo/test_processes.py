# SPDX-License-Identifier: Apache-2.0
"""Whatever happens, no process of a demo is left behind and every failure is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from neuro_control.demo.processes import ChildProcesses, Interrupt

OBEDIENT = "import time\nprint('ready', flush=True)\ntime.sleep(60)"
DEAF = (
    "import signal, time\n"
    "for n in (signal.SIGINT, signal.SIGTERM): signal.signal(n, signal.SIG_IGN)\n"
    "print('ready', flush=True)\ntime.sleep(60)"
)


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for a condition, not for a time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail("the condition never came true")
        time.sleep(0.01)


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_stopping_ends_every_child_and_is_idempotent(tmp_path: Path) -> None:
    with ChildProcesses(tmp_path) as children:
        first = children.start("first", python(OBEDIENT))
        second = children.start("second", python(OBEDIENT))
        wait_until(lambda: "ready" in first.last_lines() and "ready" in second.last_lines())
        assert children.failure() is None
        assert children.stop() == []
        assert children.stop() == []
    assert not psutil.pid_exists(first.process.pid)
    assert not psutil.pid_exists(second.process.pid)


def test_a_child_can_step_back_behind_the_others(tmp_path: Path) -> None:
    with ChildProcesses(tmp_path) as children:
        world = children.start("world", python(OBEDIENT), niceness=5)
        controller = children.start("controller", python(OBEDIENT))
        wait_until(lambda: "ready" in world.last_lines() and "ready" in controller.last_lines())
        nice = [psutil.Process(child.process.pid).nice() for child in (world, controller)]
    assert nice == [min(os.nice(0) + 5, 19), os.nice(0)]


def test_a_deaf_child_is_killed_and_named(tmp_path: Path) -> None:
    children = ChildProcesses(tmp_path)
    child = children.start("deaf", python(DEAF))
    wait_until(lambda: "ready" in child.last_lines())
    assert children.stop(patience_s=0.1) == ["deaf"]
    assert child.process.returncode == -signal.SIGKILL


def test_a_second_interrupt_does_not_wait_for_a_deaf_child(tmp_path: Path) -> None:
    children = ChildProcesses(tmp_path)
    child = children.start("deaf", python(DEAF))
    wait_until(lambda: "ready" in child.last_lines())
    began = time.monotonic()
    assert children.stop(patience_s=30.0, hurry=lambda: True) == ["deaf"]
    assert time.monotonic() - began < 10.0


def test_a_failure_tells_exit_code_last_lines_and_log(tmp_path: Path) -> None:
    program = "import sys\nfor i in range(40): print('line', i)\nsys.exit(3)"
    with ChildProcesses(tmp_path) as children:
        children.start("clumsy", python(program))
        wait_until(lambda: children.failure() is not None)
        failure = children.failure()
    assert failure is not None
    assert failure.exit_code == 3
    assert failure.last_lines[-1] == "line 39"
    assert "clumsy ended with exit code 3" in str(failure)
    assert str(tmp_path / "clumsy.log") in str(failure)


def test_a_killed_child_is_told_by_its_signal(tmp_path: Path) -> None:
    with ChildProcesses(tmp_path) as children:
        child = children.start("victim", python(OBEDIENT))
        os.kill(child.process.pid, signal.SIGKILL)
        wait_until(lambda: children.failure() is not None)
        assert "victim was killed by SIGKILL" in str(children.failure())


def test_what_a_child_has_started_ends_with_it(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys, time\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(p.pid, flush=True)\ntime.sleep(60)"
    )
    with ChildProcesses(tmp_path) as children:
        child = children.start("parent", python(program))
        wait_until(lambda: len(child.last_lines()) == 1)
        grandchild = int(child.last_lines()[0])
    wait_until(lambda: not _lives(grandchild))


def test_no_orphan_even_if_the_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time\nfrom pathlib import Path\n"
        "from neuro_control.demo.processes import ChildProcesses\n"
        "c = ChildProcesses(Path(sys.argv[1]))\n"
        "print(c.start('child', [sys.executable, '-c', sys.argv[2]]).process.pid, flush=True)\n"
        "time.sleep(60)"
    )
    command = [*python(program), str(tmp_path), DEAF]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert _lives(child)
        parent.kill()
    wait_until(lambda: not _lives(child))


def test_an_interrupt_is_noted_and_the_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Interrupt() as interrupt:
        assert not interrupt.requested
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupt.requested
        assert not interrupt.urgent
        assert interrupt.signal_number == signal.SIGTERM
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupt.urgent
    assert signal.getsignal(signal.SIGTERM) is before


def test_under_nohup_a_terminal_that_closes_ends_nothing() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupt() as interrupt:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not interrupt.requested
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_terminal_that_closes_is_heard_elsewhere() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        with Interrupt() as interrupt:
            os.kill(os.getpid(), signal.SIGHUP)
            assert interrupt.signal_number == signal.SIGHUP
    finally:
        signal.signal(signal.SIGHUP, before)


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
