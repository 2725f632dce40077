# SPDX-License-Identifier: Apache-2.0
"""The command `neuro_control doctor`: look at everything, print a table and a verdict."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from neuro_control.doctor import machine, ros
from neuro_control.doctor.finding import Check


def run_checks() -> list[Check]:
    """Look at everything that the project uses, the necessary first."""
    looks: tuple[Callable[[], Check | list[Check]], ...] = (
        machine.python,
        machine.packages,
        machine.share,
        ros.rclpy,
        ros.messages,
        ros.event_packet,
        ros.domain,
        ros.middleware,
        machine.opengl,
        machine.desktop,
        machine.numba_cache,
        lambda: machine.program("ros2 launch", "ros2", "apt install ros-jazzy-ros2launch"),
        lambda: machine.program("Gazebo", "gz", "apt install ros-jazzy-ros-gz"),
        machine.lava,
    )
    # Most of the time goes into child processes, so two wait side by side.
    with ThreadPoolExecutor(max_workers=2) as pool:
        answers = pool.map(lambda look: look(), looks)
        return [
            check
            for answer in answers
            for check in (answer if isinstance(answer, list) else [answer])
        ]


def table(checks: Sequence[Check]) -> str:
    """Return the findings as text: a line each, the mending command below, a verdict at the end."""
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        lines.append(f"{check.status:8}  {check.name:{width}}  {check.found}")
        if check.mend and check.status != "ok":
            lines.append(f"{'':{width + 10}}  to mend: {check.mend}")
    missing = [check.name for check in checks if check.status == "missing"]
    verdict = f"The arm demo cannot run without {', '.join(missing)}." if missing else ""
    return "\n".join([*lines, "", verdict or "The arm demo can run."])


def main(argv: Sequence[str] | None = None) -> int:
    """Print the findings; return 0 where the arm demo can run, 1 where something is missing."""
    parser = argparse.ArgumentParser(
        prog="neuro_control doctor",
        description="Say what is installed, what is missing and the command that mends it. "
        "The exit code is 0 if the arm demo can run, 1 if not.",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    arguments = parser.parse_args(argv)
    checks = run_checks()
    able = all(check.status != "missing" for check in checks)
    if arguments.json:
        print(json.dumps({"able": able, "checks": [asdict(check) for check in checks]}, indent=2))
    else:
        print(table(checks))
    return 0 if able else 1
