# SPDX-License-Identifier: Apache-2.0
"""What the page costs the robot: `python -m benchmarks.dashboard`.

The demo of separate processes in real time, in turn without the page, with one open page, and with
a page that is closed and opened again every second. The delay is the simulator's: from the
publication of an event packet to that of the first guarded command which takes it in. The page's
process is measured beside it: its share of a core, its frames, its memory; and the share of the
process that takes the network's times for it (`profile_core_share`). The page's reader
stands in for the browser, which on a robot runs on another machine. A stranger, which hears nothing
and computes for a fifth of the time at the page's niceness, shows what any other program costs on
the machine: the floor. Growth over an hour:

    python -m benchmarks.dashboard --only "pages come and go" --runs 1 --seconds 3600 --pace 0.15
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.page import Bars

ROOT = Path(__file__).resolve().parents[1]
WITHOUT = "without"
BESIDE = "with the page beside without, turn by turn"
STRANGER = "a stranger"
# As often as the page draws, and about as long.
STRANGE_WORK = """
import time
from neuro_control.worker.priority import step_back
step_back(15)
while True:
    begun_s = time.monotonic()
    while time.monotonic() < begun_s + 0.01:
        pass
    time.sleep(0.04)
"""
# Name -> how long a page stays open (s); None: there is no dashboard.
LAYOUTS: Mapping[str, float | None] = {
    WITHOUT: None,
    STRANGER: None,
    "one page": 1e9,
    "pages come and go": 1.0,
}
# Of a demo's time, what the reader needs to begin and to settle, and the demo to end.
MARGIN_S = 8.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measured(layout: str, seconds: float, pace: float) -> dict[str, Any]:
    """The demo's report of one run, and what the page's reader found ("page").

    seconds: of the run, on the wall's clock as long as it keeps pace.

    Raises:
        RuntimeError: with what they said, if one failed.
    """
    stays_s = LAYOUTS[layout]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "report.json"
        words = [sys.executable, "-m", "neuro_control.cli", "demo", "arm", "--headless"]
        words += ["--seconds", str(seconds * pace), "--report", str(path)]
        words += ["--set", f"simulator.real_time_factor={pace}"]
        port = free_port()
        if stays_s is not None:
            words += ["--dashboard", "--set", f"dashboard.port={port}"]
        output = folder / "output"
        with output.open("w") as said:
            demo = subprocess.Popen(words, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT)
        reader = stranger = None
        if layout == STRANGER:
            words = [sys.executable, "-c", STRANGE_WORK]
            stranger = subprocess.Popen(words, cwd=ROOT, start_new_session=True)
        if stays_s is not None:
            url = f"http://127.0.0.1:{port}/"
            words = [sys.executable, "-m", "benchmarks.page_reader", url, str(demo.pid)]
            words += [str(max(seconds - MARGIN_S, 2.0)), "--reopen-s", str(stays_s)]
            words += ["--report", str(folder / "page.json")]
            reader = subprocess.Popen(words, cwd=ROOT)
        try:
            failed = demo.wait()
        finally:
            if stranger is not None:
                stranger.kill()
                stranger.wait()
        if failed or (reader is not None and reader.wait()):
            raise RuntimeError(f"{layout}: {output.read_text()}")
        found: dict[str, Any] = json.loads(path.read_text())
        if reader is not None:
            found["page"] = json.loads((folder / "page.json").read_text())
        return found


def layout_row(layout: str, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Medians over the runs of one layout."""
    row: dict[str, Any] = {
        "layout": layout,
        "runs": len(runs),
        "delay_ms_median": float(np.median([run["latency_ms"]["median"] for run in runs])),
        "delay_ms_p99": float(np.median([run["latency_ms"]["p99"] for run in runs])),
        "real_time_factor": float(np.median([run["real_time_factor"] for run in runs])),
    }
    keys = (
        "frames_per_s",
        "core_share",
        "profile_core_share",
        "frame_ms",
        "memory_mb_last",
        "growth_mb_per_h",
    )
    for key in keys if "page" in runs[0] else ():
        row[key] = float(np.median([run["page"][key] for run in runs]))
    return row


def comparison_rows(runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """With the page beside without: medians over the ratios within each turn."""
    rows = []
    for layout, found in runs.items():
        if layout == WITHOUT:
            continue
        row: dict[str, Any] = {"compared": f"{layout} and {WITHOUT}"}
        for figure in ("median", "p99"):
            ratios = [
                one["latency_ms"][figure] / other["latency_ms"][figure]
                for one, other in zip(found, runs[WITHOUT], strict=True)
            ]
            row[f"{figure}_ratio"] = float(np.median(ratios))
            row[f"{figure}_ratio_range"] = f"{min(ratios):.2f} to {max(ratios):.2f}"
        rows.append(row)
    return rows


def main() -> int:
    parser = report.parser("dashboard", (__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=30.0, help="of a run (default: 30)")
    parser.add_argument("--runs", type=int, default=5, help="of each layout (default: 5)")
    parser.add_argument(
        "--pace",
        type=float,
        default=1.0,
        help="simulated time over the wall's clock: below 1 there is less to do (default: 1)",
    )
    parser.add_argument("--only", choices=list(LAYOUTS), help="one layout, beside no other")
    arguments = parser.parse_args()
    if arguments.runs < 1:
        parser.error(f"--runs {arguments.runs}: must be at least 1")
    if arguments.seconds < 2.0 + MARGIN_S:
        parser.error(f"--seconds {arguments.seconds:g}: must be at least {2.0 + MARGIN_S:g}")
    if not 0.05 <= arguments.pace <= 1.0:
        parser.error(f"--pace {arguments.pace:g}: must be from 0.05 to 1")
    layouts = [arguments.only] if arguments.only else list(LAYOUTS)
    runs: dict[str, list[dict[str, Any]]] = {layout: [] for layout in layouts}
    for number in range(arguments.runs):
        for layout, found in runs.items():
            found.append(measured(layout, arguments.seconds, arguments.pace))
            latency, page = found[-1]["latency_ms"], found[-1].get("page")
            words = f"{latency['median']:.2f} ms median, {latency['p99']:.2f} ms p99"
            if page:
                words += (
                    f"; {page['core_share']:.1%} of a core, {page['frames_per_s']:.1f} frames/s,"
                    f" {page['memory_mb_first']:.0f} to {page['memory_mb_last']:.0f} MB"
                )
            print(f"run {number + 1}, {layout}: {words}", flush=True)
    rows = [layout_row(layout, found) for layout, found in runs.items()]
    title = (
        f"event packet to command, and the page's process; {arguments.seconds:g} s a run, "
        f"real-time factor at most {arguments.pace:g}"
    )
    report.print_table(rows, title)
    compared = comparison_rows(runs) if WITHOUT in runs and len(runs) > 1 else []
    if compared:
        report.print_table(compared, BESIDE)
    versions = report.versions("aiohttp", "viser")
    report.print_versions(versions)
    pages = {name: [run.get("page") for run in found] for name, found in runs.items()}
    report.write_json(
        arguments.json,
        "dashboard",
        rows,
        {
            "compared": compared,
            "pages": pages,
            "seconds": arguments.seconds,
            "pace": arguments.pace,
        },
    )
    tables = {title: rows} | ({BESIDE: compared} if compared else {})
    plots = [
        Bars(
            "Sensor to command, with and without the page",
            rows,
            ("layout",),
            "delay_ms_median",
            "delay [ms]",
            mark="delay_ms_p99",
        ),
    ]
    if any("page" in found[0] for found in runs.values()):
        plots.append(Bars("The page's process", rows, ("layout",), "core_share", "share of a core"))
    report.write_page(arguments, "dashboard", __doc__, tables, versions, plots)
    return 0


if __name__ == "__main__":
    sys.exit(main())
