# SPDX-License-Identifier: Apache-2.0
"""What a control cycle costs with its network in another process: `python -m benchmarks.backends`.

For 1, 5 and 10 ticks a call: the engine here; the emulated board of the tests, which steps the same
engine there; the same with its twin in the shadow; Lava's model. Beside them the transport's floor:
as many bytes there and back through the same kind of socket, by a process that only returns them.
Overhead is a round trip less the stepping in the other process, as that reports it, and the floor.
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
from neuro_control.backends import BackendError, CpuRunner, ProcessRunner, ShadowRunner
from neuro_control.backends.registry import lava_python
from neuro_control.backends.runner import Indices
from neuro_control.backends.shadow import ShadowSettings
from neuro_control.backends.worker_process import worker_command
from neuro_control.network import FixedNetwork, quantize
from neuro_control.worker.protocol import Kind, Message, encode

TICKS = (1, 5, 10)
RATE = 0.05
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


def cycles(network: FixedNetwork, ticks: int, count: int) -> Iterator[tuple[Indices, Any]]:
    """Random input of so many calls."""
    rng = np.random.default_rng(0)
    n = sum(port.size for port in network.inputs.values())
    for _ in range(count):
        parts = [np.flatnonzero(rng.random(n) < RATE).astype(np.int32) for _ in range(ticks)]
        yield np.concatenate(parts), np.cumsum([0, *map(len, parts)]).astype(np.int64)


def times_us(call: Callable[[Indices, Any], object], given: Sequence[Any]) -> list[float]:
    """Time of each call, after a tenth of them unmeasured."""
    found = []
    for indices, offsets in given:
        begin = time.perf_counter_ns()
        call(indices, offsets)
        found.append((time.perf_counter_ns() - begin) / 1e3)
    return found[len(found) // 10 :]


def floor_us(question: int, answer: int, count: int) -> list[float]:
    """Round trips of so many bytes."""
    mine, theirs = socket.socketpair()
    words = [sys.executable, "-c", ECHO, str(theirs.fileno()), str(question), str(answer)]
    with subprocess.Popen(words, pass_fds=(theirs.fileno(),)) as process:
        theirs.close()
        payload = bytes(question)

        def there_and_back(*_: object) -> None:
            mine.sendall(payload)
            left = answer
            while left:
                left -= len(mine.recv(left))

        found = times_us(there_and_back, [(0, 0)] * count)
        mine.close()
        process.wait()
    return found


def frame_bytes(indices: Indices, offsets: Any) -> int:
    """Size of the frame that bears these spikes."""
    arrays = {"indices": indices, "offsets": offsets}
    return len(encode(Message(Kind.DONE, 1, {"busy_us": 1.2345}, arrays)))


def rows_of(name: str, network: FixedNetwork, calls: int, lava_calls: int) -> list[dict[str, Any]]:
    """All figures of a network."""
    board = [sys.executable, str(EMULATOR)]
    rows = []
    for ticks in TICKS:
        given = list(cycles(network, ticks, calls))
        here = CpuRunner(network)
        here.warm()
        there = ProcessRunner(network, board, "board")
        alone = float(np.median(times_us(here.run, given)))
        sizes = [frame_bytes(*one) for one in given[:50]]
        floor = float(np.median(floor_us(int(np.mean(sizes)), 200, calls)))
        busy: list[float] = []

        def asked(indices: Indices, offsets: Any, to: ProcessRunner = there) -> None:
            to.run(indices, offsets)
            busy.append(to.busy_us)  # noqa: B023 - called before the next turn of the loop

        trips = times_us(asked, given)
        there.close()
        trip = report.summary(trips)
        stepping = float(np.median(busy))
        shadow = ShadowRunner(
            network,
            lambda: ProcessRunner(network, board, "board"),
            "board",
            ShadowSettings(deadline_s=1.0, hang_s=10.0),
        )
        shadowed = float(np.median(times_us(shadow.run, given)))
        shadow.close()
        rows.append(
            {
                "network": name,
                "ticks": ticks,
                "engine_us": alone,
                "floor_us": floor,
                "board_us": trip["median"],
                "stepping_us": stepping,
                "board_p99_us": trip["p99"],
                "overhead_us": trip["median"] - stepping - floor,
                "shadowed_us": shadowed,
                "shadow_adds_us": shadowed - trip["median"],
                "lava_us": lava_us(network, ticks, lava_calls),
            }
        )
    return rows


def lava_us(network: FixedNetwork, ticks: int, calls: int) -> float | None:
    """Median round trip with Lava, None where it is not set up."""
    try:
        runner = ProcessRunner(network, worker_command(lava_python(), "lava"), "lava")
    except BackendError as error:
        print(f"lava: {error}", file=sys.stderr)
        return None
    found = float(np.median(times_us(runner.run, list(cycles(network, ticks, calls)))))
    runner.close()
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = report.parser("backends", str(__doc__))
    parser.add_argument("--calls", type=int, default=2000, help="of each (2000)")
    parser.add_argument("--lava-calls", type=int, default=100, help="of Lava (100)")
    arguments = parser.parse_args(argv)
    rng = np.random.default_rng(0)
    rows = []
    for sizes in ((64, 64, 6), (1024, 512, 6)):
        network = quantize(engine.layered(sizes, rng))
        name = "-".join(map(str, sizes))
        rows += rows_of(name, network, arguments.calls, arguments.lava_calls)
    report.print_table(rows, "a control cycle, medians, one call each")
    report.print_versions(report.versions())
    report.write_json(arguments.json, "backends", rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
