# SPDX-License-Identifier: Apache-2.0
"""A process beside a running network takes its times and finds why it is silent."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from neuro_control.inspection import find_silence, profile_process
from neuro_control.inspection.profile_process import ProfileProcess, Question, answer
from test.inspection.test_running import chain

MISSES = chain((60, 1, 60))
OFFSETS = np.arange(0, 404, 4, dtype=np.int64)
INDICES = np.tile(np.arange(4, dtype=np.int32), 100)


@pytest.fixture
def process() -> Iterator[ProfileProcess]:
    made = ProfileProcess(MISSES)
    yield made
    made.close()


def answered(process: ProfileProcess):
    """The answer, waited for."""
    done = threading.Event()
    process._asked.add_done_callback(lambda _: done.set())
    assert done.wait(60.0)
    return process.take()


def test_its_answers_are_those_of_the_profiler_and_of_the_search(process):
    assert process.take() is None
    threads = []

    def question() -> Question:
        threads.append(threading.get_ident())
        return Question(INDICES, OFFSETS, silent=True)

    process.ask(question)
    with pytest.raises(ValueError, match="has not been answered"):
        process.ask(lambda: Question(INDICES, OFFSETS, silent=True))
    found = answered(process)
    assert len(threads) == 1
    assert threads[0] != threading.get_ident(), "who asks has no time to put a question together"
    wanted = find_silence(MISSES, INDICES, OFFSETS).as_json()
    (cause,) = found["silence"]["findings"]
    assert cause == wanted["findings"][0]
    assert cause["node"] == "b"
    assert cause["figures"]["weight_factor"] > 1
    times = found["times"]
    assert times["ticks"] == 100
    assert {p["name"] for p in times["populations"]} == {"a", "b", "c"}
    assert (
        times["counters"]["synaptic_operations"]
        == answer(MISSES, Question(INDICES, OFFSETS, silent=False))["times"]["counters"][
            "synaptic_operations"
        ]
    )
    assert found["processor_s"] > 0
    group = os.getpgid(process._process.pid)
    assert group == process._process.pid, "a Ctrl-C of the group of whoever asks does not reach it"

    # What cannot be asked is told.
    process.ask(lambda: Question(INDICES, np.array([0, 3], np.int64), silent=False))
    with pytest.raises(RuntimeError, match="offsets"):
        answered(process)
    assert process.take() is None
    process.ask(lambda: Question(INDICES[:4], OFFSETS[:2], silent=False))
    assert answered(process)["silence"] is None

    # One that has died is replaced.
    process._process.kill()
    process._process.wait()
    process.ask(lambda: Question(INDICES, OFFSETS, silent=False))
    assert answered(process)["times"]["ticks"] == 100


def test_a_closed_one_leaves_no_process(process):
    held = []

    def question() -> Question:
        # Until it is closed it has no answer, however late that is.
        os.kill(process._process.pid, signal.SIGSTOP)
        held.append(process._process)
        return Question(INDICES, OFFSETS, silent=False)

    process.ask(question)
    asked = process._asked
    limit = time.monotonic() + 60
    while not held:
        assert time.monotonic() < limit, "it was not asked"
        time.sleep(0.01)
    process.close()
    try:
        assert not running(held[0].pid)
        with pytest.raises((RuntimeError, OSError, ValueError)):
            asked.result(60.0)
    finally:
        held[0].kill()
    assert process._process is None
    assert not process.busy


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


HOST = f"""
import subprocess, sys, time
words = [sys.executable, "-m", {profile_process.__name__!r}]
print(subprocess.Popen(words, stdin=0, stdout=2, stderr=subprocess.DEVNULL).pid, flush=True)
time.sleep(600)
"""


def test_it_dies_with_whoever_asks_whatever_it_is_at():
    host = subprocess.Popen(
        [sys.executable, "-c", HOST],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    pid = int(host.stdout.readline())
    pickle.dump(MISSES, host.stdin)
    pickle.dump(Question(INDICES, OFFSETS, silent=False), host.stdin)
    host.stdin.flush()
    assert b"processor_s" in host.stderr.readline()
    host.kill()
    host.wait()
    # Its input has not ended: this process holds the other end.
    limit = time.monotonic() + 30
    while running(pid):
        assert time.monotonic() < limit, "it lives on"
        time.sleep(0.01)
    for pipe in (host.stdin, host.stdout, host.stderr):
        pipe.close()


def test_of_a_large_network_it_says_why_not(monkeypatch):
    monkeypatch.setattr(profile_process, "MOST_SYNAPSES", 10)
    process = ProfileProcess(MISSES)
    assert "the network has 48 synapses" in process.refusal
    with pytest.raises(ValueError, match="network profile FILE"):
        process.ask(lambda: Question(INDICES, OFFSETS, silent=False))
