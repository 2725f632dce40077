# SPDX-License-Identifier: Apache-2.0
"""What a control cycle costs with its network in another process: `python -m benchmarks.backends`.

For 1, 2, 5 and 10 ticks a call (the arm's controller asks for 2: a packet of its camera is 2 ms, a
tick 1 ms): the engine here; the emulated board of the tests, which steps the same engine there; the
same with its twin in the shadow; Lava's model. Beside them the transport's floor: as many bytes
there and back through the same kind of socket, by a process that only returns them.
Engine, floor, board and shadow take turns at every call, so that they see the same machine.

``overhead``: a round trip less the stepping in the other process, as that reports it, and the
floor. ``shadow_own``: what comparing costs this process, beyond the twin's own step and the talk
with the backend: the shadow around a backend that answers at once, right, and for nothing. The twin
steps while the board does; ``shadow_adds`` is what is left of it in the cycle, call by call.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks import engine, report
from benchmarks.failover import EMULATOR
from benchmarks.page import Bars
from neuro_control.backends import BackendError, CpuRunner, ProcessRunner, RunnerState, ShadowRunner
from neuro_control.backends.registry import lava_python
from neuro_control.backends.runner import Indices
from neuro_control.backends.trust import ShadowSettings
from neuro_control.backends.worker_process import worker_command
from neuro_control.control.arm import load_network
from neuro_control.network import FixedNetwork, quantize
from neuro_control.worker.protocol import Kind, encode
from neuro_control.worker.spikes import Spikes, spikes_message

TICKS = (1, 2, 5, 10)
PATIENT = ShadowSettings(deadline_s=1.0, hang_s=10.0)
ECHO = """
import socket, sys
s = socket.socket(fileno=int(sys.argv[1])); n, m = int(sys.argv[2]), int(sys.argv[3])
while True:
    left = n
    while left:
        got = s.recv(left)
        if not got: sys.exit()
        left -= len(got)
    s.sendall(bytes(m))
"""


def cycles(
    network: FixedNetwork, rate: float, ticks: int, count: int
) -> Iterator[tuple[Indices, Any]]:
    """Random input of so many calls."""
    rng = np.random.default_rng(0)
    n = sum(port.size for port in network.inputs.values())
    for _ in range(count):
        parts = [np.flatnonzero(rng.random(n) < rate).astype(np.int32) for _ in range(ticks)]
        yield np.concatenate(parts), np.cumsum([0, *map(len, parts)]).astype(np.int64)


class Floor:
    """Round trips of so many bytes."""

    def __init__(self, question: int, answer: int) -> None:
        self._mine, theirs = socket.socketpair()
        words = [sys.executable, "-c", ECHO, str(theirs.fileno()), str(question), str(answer)]
        self._process = subprocess.Popen(words, pass_fds=(theirs.fileno(),))
        theirs.close()
        self._question, self._answer = bytes(question), answer

    def run(self, *_: object) -> None:
        """There and back."""
        self._mine.sendall(self._question)
        left = self._answer
        while left:
            left -= len(self._mine.recv(left))

    def close(self) -> None:
        """End the other process."""
        self._mine.close()
        self._process.wait()


class Instant:
    """A backend that knows the answers; implements `primary.Primary`."""

    def __init__(self, answers: Sequence[tuple[Indices, Any]]) -> None:
        self._answers = answers
        self._asked = -1

    def begin(self, indices: Indices, offsets: Any) -> int:
        """Ask."""
        del indices, offsets
        self._asked += 1
        return self._asked

    def poll(self, sequence: int, timeout_s: float) -> tuple[Indices, Any]:
        """The answer."""
        del timeout_s
        return self._answers[sequence]

    def begin_restore(self, state: RunnerState) -> int:
        """Never asked for."""
        raise NotImplementedError

    def poll_done(self, sequence: int, timeout_s: float) -> bool:
        """Never asked for."""
        raise NotImplementedError

    def close(self, ask: bool = True) -> None:
        """Nothing to do."""


def in_turn(calls: Sequence[Callable[..., object]], given: Sequence[Any]) -> np.ndarray:
    """Time of each call, microseconds, float64[inputs, calls], without a first tenth."""
    found = np.zeros((len(given), len(calls)))
    for row, one in zip(found, given, strict=True):
        for i, call in enumerate(calls):
            begin = time.perf_counter_ns()
            call(*one)
            row[i] = (time.perf_counter_ns() - begin) / 1e3
    return found[len(given) // 10 :]


def frame_bytes(spikes: tuple[Indices, Any]) -> int:
    """Size of the frame that bears these spikes."""
    return len(encode(spikes_message(Kind.STEP, 1, Spikes(*spikes))))


def row_of(
    name: str, network: FixedNetwork, rate: float, ticks: int, calls: int, lava_calls: int
) -> dict[str, Any]:
    """All figures of a network, for so many ticks a call."""
    board = [sys.executable, str(EMULATOR)]
    given = list(cycles(network, rate, ticks, calls))
    knows = CpuRunner(network)
    answers = [knows.run(*one) for one in given]
    here = CpuRunner(network)
    here.warm()
    instant, alone = ShadowRunner(network, lambda: Instant(answers), "-", PATIENT), Instant(answers)
    there = ProcessRunner(network, board, "board")
    shadow = ShadowRunner(network, lambda: ProcessRunner(network, board, "board"), "board", PATIENT)
    floor = Floor(
        int(np.mean([frame_bytes(one) for one in given])),
        int(np.mean([frame_bytes(one) for one in answers])),
    )
    busy: list[float] = []

    def asked(indices: Indices, offsets: Any) -> None:
        there.run(indices, offsets)
        busy.append(there.last.busy_us)

    def talk(indices: Indices, offsets: Any) -> None:
        alone.poll(alone.begin(indices, offsets), 0.0)

    # The three that stay in this process first: what waits for another cools the caches.
    inside = in_turn((here.run, talk, instant.run), given)
    outside = in_turn((floor.run, asked, shadow.run), given)
    if shadow.totals.cycles_of_twin or instant.totals.cycles_of_twin:
        raise RuntimeError("a shadowed call was answered by the twin: its time says nothing")
    for runner in (there, shadow, floor):
        runner.close()
    engine_us = float(np.median(inside[:, 0]))
    floor_us, trip_us, shadowed_us = np.median(outside, axis=0)
    own_us = float(np.median(inside[:, 2] - inside[:, 0] - inside[:, 1]))
    extra = outside[:, 1] - np.array(busy[-len(outside) :]) - floor_us
    return {
        "network": name,
        "ticks": ticks,
        "engine_us": engine_us,
        "floor_us": floor_us,
        "board_us": trip_us,
        "board_p99_us": float(np.percentile(outside[:, 1], 99)),
        "stepping_us": float(np.median(busy)),
        "overhead_us": float(np.median(extra)),
        "shadow_own_us": own_us,
        "shadow_own_percent": 100 * own_us / engine_us,
        "shadowed_us": shadowed_us,
        "shadow_adds_us": float(np.median(outside[:, 2] - outside[:, 1])),
        "lava_us": lava_us(network, rate, ticks, lava_calls),
    }


def lava_us(network: FixedNetwork, rate: float, ticks: int, calls: int) -> float | None:
    """Median round trip with Lava, None where it is not set up."""
    try:
        runner = ProcessRunner(network, worker_command(lava_python(), "lava"), "lava")
    except BackendError as error:
        print(f"lava: {error}", file=sys.stderr)
        return None
    found = in_turn((runner.run,), list(cycles(network, rate, ticks, calls)))
    runner.close()
    return float(np.median(found))


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = report.parser("backends", str(__doc__))
    parser.add_argument("--calls", type=int, default=2000, help="of each (2000)")
    parser.add_argument("--lava-calls", type=int, default=100, help="of Lava (100)")
    arguments = parser.parse_args(argv)
    rng = np.random.default_rng(0)
    networks = [("arm_tracker", load_network("arm_tracker.nir"), 0.01)]
    for sizes in ((64, 64, 6), (1024, 512, 6)):
        network = quantize(engine.layered(sizes, rng))
        networks.append(("-".join(map(str, sizes)), network, 0.05))
    rows = [
        row_of(name, network, rate, ticks, arguments.calls, arguments.lava_calls)
        for name, network, rate in networks
        for ticks in TICKS
    ]
    title = "a control cycle, medians, microseconds"
    report.print_table(rows, title)
    versions = report.versions()
    report.print_versions(versions)
    report.write_json(arguments.json, "backends", rows)
    plots = [
        Bars(
            "What a board's process adds to stepping and to the transport's floor",
            rows,
            ("network", "ticks"),
            "overhead_us",
            "time of a cycle [µs]",
        ),
        Bars(
            "A control cycle with a board, and its 99th percentile",
            rows,
            ("network", "ticks"),
            "board_us",
            "time of a cycle [µs]",
            mark="board_p99_us",
        ),
    ]
    report.write_page(arguments, "backends", __doc__, {title: rows}, versions, plots)
    return 0


if __name__ == "__main__":
    sys.exit(main())
