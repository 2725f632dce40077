# SPDX-License-Identifier: Apache-2.0
"""Times and causes of silence of a network that steers, found out in a process beside it.

Whoever steers has no time to step its network nine times over. So the input of its last ticks goes
to a process of low priority, which has a copy of the network, goes through the same ticks from
rest, and answers what `profile` and `find_silence` say of them. The process is made with the first
question, and ends when it is closed or when whoever asked is gone.

What it costs: some 200 MB of memory; two seconds of a processor to start it, and then for each
question, of the arm's network and 1000 ticks, 0.25 s (0.7 s where something is silent). Whoever
asks copies the network once, and starts a process.

Program: ``python -m neuro_control.inspection.profile_process``; pickled on its standard input a
network, and then questions (`Question`); a line of JSON on its standard output for each.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.runner import Indices
from neuro_control.inspection.profiler import profile
from neuro_control.inspection.silence_search import find_silence
from neuro_control.network import FixedNetwork
from neuro_control.worker.containment import die_with_parent
from neuro_control.worker.priority import step_back

MOST_SYNAPSES = 5_000_000
"""Of a larger network nothing is found out here: the copies that it takes would be felt."""
TURNS = 3
NICENESS = 10
"""Behind whoever steers, and not so far that on a busy machine nothing is ever found out."""


@dataclass(frozen=True, eq=False)
class Question:
    """An input as `Runner.run` takes it; silent: whether to search for why something is silent."""

    indices: Indices
    offsets: NDArray[np.int64]
    silent: bool


def answer(network: FixedNetwork, question: Question) -> dict[str, Any]:
    """`Profile.as_json`, `SilenceReport.as_json` or None, and the processor time that it took."""
    begin_s = time.process_time()
    times = profile(network, question.indices, question.offsets, turns=TURNS).as_json()
    silence = None
    if question.silent:
        silence = find_silence(network, question.indices, question.offsets).as_json()
    took_s = time.process_time() - begin_s
    return {"times": times, "silence": silence, "processor_s": took_s}


class ProfileProcess:
    """Asks one question at a time, and never waits for the answer."""

    def __init__(self, network: FixedNetwork) -> None:
        self._network = network
        # It does nothing, and has no thread, before the first question.
        self._thread = ThreadPoolExecutor(1, "network profile")
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._ended = 0
        self._asked: Future[dict[str, Any]] | None = None
        synapses = network.n_synapses
        self.refusal = (
            f"the network has {synapses:,} synapses; of more than {MOST_SYNAPSES:,} no times are "
            "taken while it runs: `neuro_control network profile FILE` does"
            if synapses > MOST_SYNAPSES
            else ""
        )

    @property
    def busy(self) -> bool:
        """Whether a question has not been answered yet, or its answer not been taken."""
        return self._asked is not None

    def ask(self, question: Callable[[], Question]) -> None:
        """Ask what a function gives, which is called in a thread: to put it together takes time.

        Raises ValueError where nothing is found out of this network, or a question is open.
        """
        if self.refusal or self.busy:
            raise ValueError(self.refusal or "the last question has not been answered yet")
        self._asked = self._thread.submit(self._ask, question, self._ended)

    def take(self) -> dict[str, Any] | None:
        """The answer, once, or None while there is none.

        Raises RuntimeError, once, where it cannot be had.
        """
        if self._asked is None or not self._asked.done():
            return None
        asked, self._asked = self._asked, None
        try:
            return asked.result()
        except Exception as error:
            self._end()
            raise RuntimeError(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """End the process. Another question makes a new one."""
        self._asked = None
        self._end()

    def _ask(self, question: Callable[[], Question], ended: int) -> dict[str, Any]:
        process, new = self._running(ended)
        if new:
            pickle.dump(self._network, _pipe(process.stdin), pickle.HIGHEST_PROTOCOL)
        pickle.dump(question(), _pipe(process.stdin), pickle.HIGHEST_PROTOCOL)
        _pipe(process.stdin).flush()
        line = _pipe(process.stdout).readline()
        if not line:
            raise RuntimeError(f"the process ended with {process.wait()}")
        found: dict[str, Any] = json.loads(line)
        if "error" in found:
            raise RuntimeError(str(found["error"]))
        return found

    def _running(self, ended: int) -> tuple[subprocess.Popen[bytes], bool]:
        """The process, and whether it has just been started."""
        with self._lock:
            if ended != self._ended:
                raise RuntimeError("closed meanwhile")
            if self._process is not None and self._process.poll() is None:
                return self._process, False
            if self._process is not None:
                _discard(self._process)
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                # Ctrl-C goes to whoever asks, and ends this one by its pipe: it would complain.
                start_new_session=True,
                # Before it loads anything: whoever asks may be in real time. Takes no lock.
                preexec_fn=partial(step_back, NICENESS),  # noqa: PLW1509
            )
            return self._process, True

    def _end(self) -> None:
        with self._lock:
            process, self._process = self._process, None
            self._ended += 1
        if process is not None:
            _discard(process)


def _discard(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):
            _pipe(pipe).close()


def _pipe(pipe: Any) -> BinaryIO:
    return pipe  # type: ignore[no-any-return]


def main() -> int:
    """Answer questions until there are no more."""
    # With what it is at: a question of a large network takes long.
    die_with_parent()
    questions = sys.stdin.buffer
    # What anything else prints must not come between.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        network = pickle.load(questions)
        while True:
            question = pickle.load(questions)
            try:
                found = answer(network, question)
            except (ValueError, ArithmeticError, LookupError) as error:
                found = {"error": f"{type(error).__name__}: {error}"}
            answers.write(json.dumps(found).encode() + b"\n")
            answers.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
