# SPDX-License-Identifier: Apache-2.0
"""Starts a backend's process, talks to it, and leaves nothing of it behind."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from neuro_control import worker
from neuro_control.worker.channel import Channel, ClosedError
from neuro_control.worker.containment import remove_shared_memory, watch_host
from neuro_control.worker.priority import give_up_precedence
from neuro_control.worker.protocol import Kind, Message, ProtocolError

START_S = 60.0
STOP_S = 3.0
# They would lead another interpreter to this one's libraries.
_LEAKING = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "_ROS_WHEELS_BOOTSTRAP_COMPLETE")


class BackendError(RuntimeError):
    """A backend cannot be started, or broke; the message says why and what would mend it."""


class StartError(BackendError):
    """Its process said no hello: what was started is the wrong program, or lacks something."""


def worker_command(python: str | Path, backend: str) -> list[str]:
    """What starts the worker with Lava's interpreter."""
    # Lava warns of every file that it looks into; the last line of the log is for errors.
    return [str(python), "-W", "ignore", str(Path(worker.__file__).parent), "--backend", backend]


def clean_environment() -> dict[str, str]:
    """This process's variables, but for those by which another interpreter finds its libraries."""
    return {key: value for key, value in os.environ.items() if key not in _LEAKING}


class WorkerProcess:
    """A backend's process. It is killed by `close`, and by its host's end, whatever state it is in.

    The socket is a pair without a name: nobody else can reach it, two controllers do not meet, and
    no file is made but the log, which has no name either. ``prefix`` begins the name of every
    segment of shared memory that the process makes.
    """

    def __init__(self, command: Sequence[str], start_s: float = START_S) -> None:
        """Start it and wait for its HELLO.

        Raises:
            StartError: it does not start, says that it cannot, or speaks another protocol.
        """
        self.prefix = f"neuro{secrets.token_hex(4)}_"
        self._sequence = 0
        self._closed = False
        self._ending = threading.Lock()
        self._log = _log_file()
        self._watch: subprocess.Popen[bytes] | None = None
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        words = [
            *command,
            "--socket",
            str(theirs.fileno()),
            "--shared-memory",
            self.prefix,
        ]
        environment = clean_environment()
        output = self._log if self._log is not None else subprocess.DEVNULL
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                # Its host may be in real time; Lava's processes poll, and would keep a computer
                # from all else. What it does between fork and exec takes no lock.
                preexec_fn=give_up_precedence,  # noqa: PLW1509
                env=environment | {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
            )
        except OSError as error:
            mine.close()
            if self._log is not None:
                self._log.close()
            raise StartError(f"{words[0]} cannot be started: {error.strerror}") from error
        finally:
            theirs.close()
        self.channel = Channel(mine)
        try:
            self._watch = self._watched(environment)
            self.hello = self._expect_hello(words[0], start_s)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Process number; also its group's."""
        return self._process.pid

    def ask(self, message: Message) -> int:
        """Send a question and do not wait, not even for room; returns its sequence.

        ClosedError where the process is gone.
        """
        self.channel.post(message)
        return message.sequence

    def next_sequence(self) -> int:
        """A number for the next question, 1 to 2^32 - 1."""
        self._sequence = self._sequence % 0xFFFFFFFF + 1
        return self._sequence

    def wait(self, sequence: int, timeout_s: float) -> Message:
        """The reply to that question; older replies are passed over.

        Raises:
            BackendError: none in time, a failure, an end, or no message of the protocol.
            RefusedError: the backend cannot do what was asked.
        """
        reply = self.poll(sequence, timeout_s)
        if reply is None:
            raise BackendError(f"no answer within {timeout_s:g} s{self.said()}")
        return reply

    def poll(self, sequence: int, timeout_s: float) -> Message | None:
        """As `wait`, but None where no reply has come in time."""
        end = time.monotonic() + timeout_s
        try:
            while True:
                reply = self.channel.receive(max(end - time.monotonic(), 0.0))
                if reply is None:
                    return None
                if reply.kind is Kind.FAILED:
                    raise BackendError(f"it broke: {reply.text}{self.said()}")
                if reply.sequence != sequence:
                    continue
                if reply.kind is Kind.REFUSED:
                    raise RefusedError(reply.text)
                return reply
        except (ClosedError, ProtocolError) as error:
            raise BackendError(f"{error}{self.said()}") from error

    def request(self, kind: Kind, timeout_s: float, **parts: object) -> Message:
        """Ask and wait; ``parts`` are the message's fields and arrays."""
        sequence = self.next_sequence()
        try:
            self.ask(Message(kind, sequence, **parts))  # type: ignore[arg-type]
        except ClosedError as error:
            raise BackendError(f"{error}{self.said()}") from error
        return self.wait(sequence, timeout_s)

    def said(self) -> str:
        """The last line that it wrote, and how it ended if it did, as the end of a sentence."""
        code = self._process.poll()
        end = "" if code is None else f"; it ended with {_ending(code)}"
        if self._log is None or self._log.closed:
            return end
        self._log.seek(0, os.SEEK_END)
        self._log.seek(max(self._log.tell() - 4000, 0))
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return end + (f"; its last line was: {lines[-1][:300]}" if lines else "")

    def kill(self) -> None:
        """Kill it, from any thread: whoever waits for an answer gets a BackendError.

        It has still to be closed, by whoever made it.
        """
        with self._ending:
            if not self._closed:
                self._kill()

    def close(self, ask: bool = True) -> None:
        """End it: politely if it listens, by force if not. Nothing of it is left."""
        with self._ending:
            if self._closed:
                return
            self._closed = True
        if ask and self._process.poll() is None:
            try:
                self.channel.post(Message(Kind.STOP, self.next_sequence()))
                self._process.wait(STOP_S)
            except (ClosedError, subprocess.TimeoutExpired):
                pass
        self._kill()
        self._process.wait()
        self.channel.close()
        remove_shared_memory(self.prefix)
        if self._watch is not None:
            with self._watch:
                self._watch.kill()
        if self._log is not None:
            self._log.close()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _watched(self, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        try:
            return watch_host(self._process.pid, self.prefix, environment)
        except OSError as error:
            text = f"what would end it with this process cannot be started: {error.strerror}"
            raise StartError(text) from error

    def _expect_hello(self, program: str, timeout_s: float) -> Message:
        try:
            hello = self.channel.receive(timeout_s)
        except ClosedError:
            raise StartError(
                f"{program} ended without a hello; wanted is a program that speaks the worker's "
                "protocol, for Lava the interpreter that `neuro_control backend setup lava` makes"
                f"{self.said()}"
            ) from None
        except ProtocolError as error:
            raise StartError(f"{error}{self.said()}") from error
        if hello is None:
            raise StartError(f"{program} did not say hello within {timeout_s:g} s{self.said()}")
        if hello.kind is not Kind.HELLO:
            raise StartError(f"it cannot start: {hello.text or hello.kind.name}")
        return hello


class RefusedError(BackendError):
    """The backend works, and cannot do what was asked; the message says why."""


def _log_file() -> IO[bytes] | None:
    try:
        return tempfile.TemporaryFile()
    except OSError:
        # A full disk or no place to write is no reason to stop a robot.
        return None


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
