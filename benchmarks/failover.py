# SPDX-License-Identifier: Apache-2.0
"""Loss of the backend in mid-motion: `python -m benchmarks.failover`.

The arm follows its target in one process in lockstep, its network stepped by the emulated board of
the tests with the twin in its shadow. At random moments the board is killed, stopped for good,
stopped for 50 ms, or made to answer wrong spikes. Every period must have a command; the motion must
be, to the last bit, that of a run on the CPU without faults; every loss must be named; and no
process may be left. Kinds of fault noted: a kill is a crash, a stop a deadline and then a hang,
lateness a deadline, wrong spikes a divergence; a busy machine misses deadlines of its own. A hang
takes 0.3 s to be one: after the run the network steps on, at rest, until the last loss is named.
How many commands took longer than the 50 ms after which the guard would hold the arm stands beside
how many did in the run without board and faults: what is in both is the machine's.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks import arm_loop, report
from benchmarks.page import Bars
from neuro_control.backends import ProcessRunner, ShadowRunner, ShadowSettings, ShadowState
from neuro_control.control.arm import load_network
from neuro_control.network import FixedNetwork

EMULATOR = Path(__file__).resolve().parents[1] / "test" / "backends" / "board_emulator.py"
KINDS = ("kill", "hang", "late", "wrong")
LATE_S = 0.05
COMMAND_MS = 50.0
NAMED_S = 60.0  # after a run, at most, for the last loss to be named
NAMED = {"kill": "crash", "hang": "hang", "late": "deadline", "wrong": "divergence"}
SETTINGS = ShadowSettings(deadline_s=0.01, hang_s=0.3)


def go_on(pid: int) -> None:
    """Let a stopped process go on, if it has not been given up for a hang meanwhile."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


@dataclass
class Injector:
    """Makes a fault whenever the board is in step and a random wait of periods is over."""

    seed: int
    faults: int
    mean_periods: float
    made: list[tuple[int, str]] = field(default_factory=list)
    boards: list[ProcessRunner] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)
        self._wait = self._draw()
        self._stopped: tuple[int, float] | None = None  # who is late, and how long at least
        self.shadow: ShadowRunner | None = None

    def make(self, network: FixedNetwork) -> ShadowRunner:
        """The shadowed board."""

        def board() -> ProcessRunner:
            self.boards.append(
                ProcessRunner(network, [sys.executable, str(EMULATOR)], "emulated board")
            )
            return self.boards[-1]

        self.shadow = ShadowRunner(network, board, "emulated board", SETTINGS)
        return self.shadow

    def before_answer(self, period: int) -> None:
        """Make a fault in this period, if it is time for one."""
        self._let_go()
        if self.shadow is None or len(self.made) == self.faults:
            return
        if self.shadow.status is not ShadowState.IN_STEP:
            return
        self._wait -= 1
        if self._wait > 0:
            return
        self._wait = self._draw()
        kind = KINDS[len(self.made) % len(KINDS)]
        self.made.append((period, kind))
        pid = self.boards[-1].process.pid
        if kind == "kill":
            os.kill(pid, signal.SIGKILL)
        elif kind == "wrong":
            os.kill(pid, signal.SIGUSR1)
        else:
            os.kill(pid, signal.SIGSTOP)
            if kind == "late":
                self._stopped = (pid, time.monotonic() + LATE_S)

    def unnamed(self) -> int:
        """Faults made of whose kind fewer were noted."""
        if self.shadow is None:
            return len(self.made)
        noted = {kind.value: n for kind, n in self.shadow.totals.faults.items()}
        made = Counter(kind for _, kind in self.made)
        return sum(max(n - noted[NAMED[kind]], 0) for kind, n in made.items())

    def step_on(self) -> None:
        """Until every fault is named and over, or it is clear that one never is."""
        end_s = time.monotonic() + NAMED_S
        while self.unnamed() or self._stopped is not None:
            if self.shadow is None or time.monotonic() > end_s:
                return
            self._let_go()
            self.shadow.step(np.zeros(0, np.int32))
            time.sleep(1e-3)

    def _let_go(self) -> None:
        # Not before it has missed a cycle: a machine that lets this process wait longer than the
        # board is stopped would make it punctual.
        if self._stopped is None or self.shadow is None:
            return
        pid, end_s = self._stopped
        if time.monotonic() >= end_s and self.shadow.status is not ShadowState.IN_STEP:
            go_on(pid)
            self._stopped = None

    def _draw(self) -> int:
        return 1 + int(self._rng.exponential(self.mean_periods))


@dataclass(frozen=True)
class Failover:
    """What a run found; unnamed: faults made of whose kind fewer were noted."""

    injected: dict[str, int]
    noted: dict[str, int]
    unnamed: int
    periods: int
    periods_without_command: int
    slow_answers: int
    slow_answers_calm: int
    longest_answer_ms: float
    same_motion: bool
    median_error_deg: float
    share_of_twin: float
    processes_left: int


def measure(seconds: float, faults: int, seed: int, mean_periods: float = 20.0) -> Failover:
    """Run with faults and without, and compare."""
    scene = {"seed": seed}
    network = load_network("arm_tracker.nir")
    calm = arm_loop.run("spiking", seconds, scene, {"backend": "cpu"})
    injector = Injector(seed, faults, mean_periods)
    shadow = injector.make(network)
    rough = arm_loop.run(
        "spiking", seconds, scene, runner=shadow, before_answer=injector.before_answer
    )
    share_of_twin = shadow.totals.cycles_of_twin / max(shadow.totals.cycles, 1)
    injector.step_on()
    # Those that were lost last may still be on their way.
    shadow.close()
    left = sum(Path(f"/proc/{board.process.pid}").exists() for board in injector.boards)
    noted = {kind.value: n for kind, n in shadow.totals.faults.items()}
    injected = Counter(kind for _, kind in injector.made)
    return Failover(
        dict(injected),
        noted,
        injector.unnamed(),
        len(rough.answer_ms),
        int((rough.answer_ms <= 0).sum()),
        int((rough.answer_ms > COMMAND_MS).sum()),
        int((calm.answer_ms > COMMAND_MS).sum()),
        float(rough.answer_ms.max()),
        bool(
            np.array_equal(calm.error_deg, rough.error_deg)
            and np.array_equal(calm.target_m, rough.target_m)
        ),
        float(np.median(rough.error_deg)),
        share_of_twin,
        left,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = report.parser("failover", str(__doc__))
    parser.add_argument("--seconds", type=float, default=60.0, help="simulated, of each run (60)")
    parser.add_argument("--faults", type=int, default=100, help="wanted in all (100)")
    arguments = parser.parse_args(argv)
    rows = []
    total = seed = 0
    begin = time.perf_counter()
    while total < arguments.faults:
        found = measure(arguments.seconds, arguments.faults - total, seed)
        made = sum(found.injected.values())
        if not made:
            raise SystemExit("no fault could be made: the board was never in step")
        total, seed = total + made, seed + 1
        rows.append(
            {
                "seed": seed - 1,
                **{f"injected_{kind}": n for kind, n in found.injected.items()},
                **{f"noted_{kind}": n for kind, n in found.noted.items()},
                "unnamed": found.unnamed,
                "periods": found.periods,
                "without_command": found.periods_without_command,
                "slow_answers": found.slow_answers,
                "slow_answers_calm": found.slow_answers_calm,
                "longest_answer_ms": round(found.longest_answer_ms, 2),
                "same_motion": found.same_motion,
                "median_error_deg": round(found.median_error_deg, 3),
                "share_of_twin": round(found.share_of_twin, 3),
                "processes_left": found.processes_left,
            }
        )
        print(rows[-1], flush=True)
    print(f"{total} faults in {len(rows)} runs, {time.perf_counter() - begin:.0f} s")
    versions = report.versions()
    report.print_versions(versions)
    report.write_json(arguments.json, "failover", rows)
    plots = [
        Bars(
            "The longest that a control period waited for its answer, by run",
            [{**row, "run": f"seed {row['seed']}"} for row in rows],
            ("run",),
            "longest_answer_ms",
            "time [ms]",
        )
    ]
    title = f"{total} faults in {len(rows)} runs"
    report.write_page(arguments, "failover", __doc__, {title: rows}, versions, plots)
    right = all(
        row["same_motion"]
        and not (row["unnamed"] or row["without_command"] or row["processes_left"])
        for row in rows
    )
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
