# SPDX-License-Identifier: Apache-2.0
"""How long a command takes, beside the middleware's floor: `python -m benchmarks.latency`.

The delay is from the moment that an event packet is published to the moment that the first command
which takes it in is published to the robot, in a running demo of separate processes in real time.
Beside it, in turn, the same simulator with empty nodes in place of controller and guard: one,
which is the least that any node could do, and two, which is as many hops as the demo has. The
clock, the topics, the quality of service, the executor and the monitor are the same in all, and
in all the simulator measures: from the start at full pace to its last status, which comes once a
second. It hears only the newest command, so a packet whose own answer was overtaken on its way
counts with the next one's time: where processors are scarce that makes every layout look slower.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.page import Bars, Boxes
from neuro_control.demo.options import DemoOptions
from neuro_control.demo.plan import DemoPlan, plan_demo
from neuro_control.demo.run import run_demo

ROOT = Path(__file__).resolve().parents[1]
EVENTS, DESIRED, ROBOT = (
    "event_camera/events",
    "desired_trajectory",
    "arm_controller/joint_trajectory",
)
DEMO = "demo"
# Name -> the hops that replace controller and guard; None: nothing is replaced.
LAYOUTS: Mapping[str, Sequence[tuple[str, str]] | None] = {
    "one empty node": [(EVENTS, ROBOT)],
    "two empty nodes": [(EVENTS, DESIRED), (DESIRED, ROBOT)],
    DEMO: None,
}


@dataclass(frozen=True)
class RelayPlan(DemoPlan):
    """A demo whose controller and guard are empty nodes."""

    hops: tuple[tuple[str, str], ...] = ()

    def commands(self, folder: Path) -> dict[str, list[str]]:
        """See DemoPlan."""
        chosen = {"simulator": super().commands(folder)["simulator"]}
        for number, hop in enumerate(self.hops, 1):
            chosen[f"relay_{number}"] = [sys.executable, "-m", "benchmarks.relay_node", *hop]
        return chosen


def plan_of(layout: str, options: DemoOptions) -> DemoPlan:
    plan, hops = plan_demo(options), LAYOUTS[layout]
    if hops is None:
        return plan
    return RelayPlan(
        plan.options, plan.bringup, plan.parameters, plan.real_time_factor, tuple(hops)
    )


def one_run(layout: str, seconds: float, path: Path) -> int:
    """Run one layout in this process and leave its report."""
    options = DemoOptions(seconds=seconds, headless=True, reports=(path,))
    return run_demo(options, plan=lambda wanted: plan_of(layout, wanted))


def measured(layout: str, seconds: float) -> dict[str, Any]:
    """The report of one run in a process of its own.

    Raises RuntimeError with what it said, if it failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        words = ["--layout", layout, "--seconds", str(seconds), "--report", str(path)]
        result = subprocess.run(
            [sys.executable, "-m", "benchmarks.latency", *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise RuntimeError(f"{layout}: {result.stdout}{result.stderr}")
        found: dict[str, Any] = json.loads(path.read_text())
        return found


def layout_row(layout: str, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Medians over the runs, and the worst of the 99th percentiles."""

    def over_runs(key: str, figure: str) -> list[float]:
        return [float(run[key][figure]) for run in runs]

    row: dict[str, Any] = {
        "layout": layout,
        "runs": len(runs),
        "median_ms": float(np.median(over_runs("latency_ms", "median"))),
        "p99_ms": float(np.median(over_runs("latency_ms", "p99"))),
        "p99_ms_worst": max(over_runs("latency_ms", "p99")),
        "max_ms": max(over_runs("latency_ms", "max")),
        "real_time_factor": float(np.median([run["real_time_factor"] for run in runs])),
        "real_time_factor_worst": float(min(run["real_time_factor"] for run in runs)),
    }
    if LAYOUTS[layout] is None:
        row["tick_us"] = float(np.median(over_runs("tick_us", "median")))
        row["tick_us_p99"] = float(np.median(over_runs("tick_us", "p99")))
    return row


def comparison_rows(runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """The demo beside each floor: medians over the differences and ratios within each turn.

    Within a turn, because the runs of one follow each other: what the machine does for longer
    than that hits them alike.
    """
    rows = []
    for floor in LAYOUTS:
        if floor == DEMO:
            continue
        row: dict[str, Any] = {"compared": f"{DEMO} and {floor}"}
        for figure in ("median", "p99"):
            demo_ms = np.array([run["latency_ms"][figure] for run in runs[DEMO]])
            floor_ms = np.array([run["latency_ms"][figure] for run in runs[floor]])
            row[f"{figure}_more_ms"] = float(np.median(demo_ms - floor_ms))
            row[f"{figure}_ratio"] = float(np.median(demo_ms / floor_ms))
        rows.append(row)
    return rows


def figures_of(runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """What was found in each run, for whoever wants other figures than these."""
    keys = ("latency_ms", "tick_us", "real_time_factor")
    return {
        name: [{key: run[key] for key in keys} for run in found] for name, found in runs.items()
    }


def main() -> int:
    parser = report.parser("latency", (__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="of a run (default: 20)")
    parser.add_argument("--runs", type=int, default=5, help="of each layout (default: 5)")
    parser.add_argument("--layout", choices=list(LAYOUTS), help="only one run of this one")
    parser.add_argument("--report", type=Path, help="of that one run")
    arguments = parser.parse_args()
    if arguments.layout:
        return one_run(arguments.layout, arguments.seconds, arguments.report)
    if arguments.runs < 1:
        parser.error(f"--runs {arguments.runs}: must be at least 1")
    runs: dict[str, list[dict[str, Any]]] = {layout: [] for layout in LAYOUTS}
    for number in range(arguments.runs):
        for layout, found in runs.items():
            found.append(measured(layout, arguments.seconds))
            latency = found[-1]["latency_ms"]
            print(
                f"run {number + 1}, {layout}: {latency['median']:.2f} ms median, "
                f"{latency['p99']:.2f} ms p99",
                flush=True,
            )
    rows = [layout_row(layout, found) for layout, found in runs.items()]
    title = f"event packet to command, {arguments.seconds:g} s a run, in turn"
    report.print_table(rows, title)
    compared = comparison_rows(runs)
    beside = "the demo beside empty nodes, turn by turn"
    report.print_table(compared, beside)
    versions = report.versions()
    report.print_versions(versions)
    report.write_json(
        arguments.json,
        "latency",
        rows,
        {"compared": compared, "runs": figures_of(runs), "seconds": arguments.seconds},
    )
    plots = [
        Bars(
            "Event packet to command: median over the runs, p99 as a mark",
            rows,
            ("layout",),
            "median_ms",
            "delay [ms]",
            mark="p99_ms",
        ),
        Boxes(
            "The 99th percentile of each run, by layout",
            {name: [run["latency_ms"]["p99"] for run in found] for name, found in runs.items()},
            "delay, p99 of a run [ms]",
        ),
    ]
    tables = {title: rows, beside: compared}
    report.write_page(arguments, "latency", __doc__, tables, versions, plots)
    return 0


if __name__ == "__main__":
    sys.exit(main())
