# SPDX-License-Identifier: Apache-2.0
"""Start, watch and end the processes of a demo, so that none is ever left behind.

Each child leads a session of its own, so that Ctrl-C in the terminal reaches only the parent,
which ends the children in order. Should the parent die without a word (SIGKILL), the kernel
kills the children (PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from neuro_control.worker.priority import step_back

PR_SET_PDEATHSIG = 1
# Looked up here, because the loader's lock must not be needed between fork and exec.
_PRCTL = ctypes.CDLL(None, use_errno=True).prctl


@dataclass(frozen=True)
class ChildFailure:
    """A child that ended although nobody told it to."""

    name: str
    exit_code: int
    last_lines: tuple[str, ...]
    log: Path

    def __str__(self) -> str:
        how = (
            f"was killed by {signal.Signals(-self.exit_code).name}"
            if self.exit_code < 0
            else f"ended with exit code {self.exit_code}"
        )
        lines = "".join(f"\n    {line}" for line in self.last_lines) or "\n    (it said nothing)"
        return f"{self.name} {how}; its last lines:{lines}\n  whole log: {self.log}"


@dataclass
class Child:
    """A running child process and where its output goes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    essential: bool = True

    def has_ended(self) -> bool:
        """Whether it has ended, without reaping it: its process group's number stays taken."""
        if self.process.returncode is not None:
            return True
        try:
            return (
                os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                is not None
            )
        except ChildProcessError:
            return True

    def signal_group(self, number: int) -> None:
        """Send a signal to it and to whatever it has started."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def last_lines(self, count: int = 12) -> tuple[str, ...]:
        """Return the last lines it wrote."""
        with self.log.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - 16_384))
            text = log.read().decode(errors="replace")
        return tuple(line.rstrip() for line in text.splitlines() if line.strip())[-count:]


class ChildProcesses:
    """The children of one demo. A context manager: on leaving it, all of them have ended."""

    def __init__(self, log_folder: Path, environment: Mapping[str, str] | None = None) -> None:
        log_folder.mkdir(parents=True, exist_ok=True)
        self.log_folder = log_folder
        self.environment = dict(os.environ if environment is None else environment)
        self.children: list[Child] = []

    def start(
        self, name: str, command: Sequence[str], niceness: int = 0, essential: bool = True
    ) -> Child:
        """Start `command` with its output going to `<log_folder>/<name>.log`.

        niceness: how far it steps back behind the others where processors are scarce, 0 to 19.
        essential: whether its end is a failure of the whole.
        """
        log = self.log_folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environment,
                start_new_session=True,
                preexec_fn=_before_exec(os.getpid(), niceness),  # noqa: PLW1509 - said there
            )
        child = Child(name, process, log, essential)
        self.children.append(child)
        return child

    def failure(self) -> ChildFailure | None:
        """Return the first essential child that has ended, if any."""
        for child in self.children:
            if child.essential and child.has_ended():
                code = child.process.wait()
                return ChildFailure(child.name, code, child.last_lines(), child.log)
        return None

    def stop(
        self,
        patience_s: float = 4.0,
        hurry: Callable[[], bool] = lambda: False,
    ) -> list[str]:
        """End every child: SIGINT, then SIGTERM, then SIGKILL; return those that needed SIGKILL.

        patience_s: wall time given after SIGINT; half of it again after SIGTERM.
        hurry: asked while waiting; once true, SIGKILL comes at once (a second Ctrl-C).
        """
        for number, seconds in ((signal.SIGINT, patience_s), (signal.SIGTERM, patience_s / 2)):
            if self._living() and not hurry():
                for child in self._living():
                    child.signal_group(number)
                deadline = time.monotonic() + seconds
                while self._living() and time.monotonic() < deadline and not hurry():
                    time.sleep(0.005)
        forced = [child.name for child in self._living()]
        for child in self.children:
            child.signal_group(signal.SIGKILL)  # the rest of its group as well
            child.process.wait()
        return forced

    def _living(self) -> list[Child]:
        return [child for child in self.children if not child.has_ended()]

    def __enter__(self) -> ChildProcesses:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _before_exec(parent: int, niceness: int) -> Callable[[], None]:
    # Runs between fork and exec. It only makes a few system calls and takes no lock, which is
    # what makes preexec_fn safe beside the middleware's threads.
    def prepare() -> None:
        step_back(niceness)
        _PRCTL(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the line above
            os._exit(1)

    return prepare


class Interrupt:
    """Counts requests to end (Ctrl-C, SIGTERM, a closed terminal) instead of dying of them.

    SIGHUP stays ignored where it was, as under nohup.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self.count = 0
        self.signal_number: int | None = None
        self._before: dict[int, Any] = {}

    @property
    def requested(self) -> bool:
        """Whether the user wants the end."""
        return self.count > 0

    @property
    def urgent(self) -> bool:
        """Whether the user has asked twice."""
        return self.count > 1

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.count += 1
        self.signal_number = number

    def __enter__(self) -> Interrupt:
        for number in self.SIGNALS:
            if number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
