# SPDX-License-Identifier: Apache-2.0
"""A finding, and the ways to come by one that cannot take the doctor down."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from neuro_control.demo.domain import ros_environment

Status = Literal["ok", "missing", "optional"]

SOURCE_TREE = Path(__file__).resolve().parents[2]
CHILD_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Check:
    """One finding.

    name: what was looked for.
    status: "ok"; "missing": the arm demo cannot run; "optional": absent, and it runs without.
    found: what is there, or why it does not count.
    mend: the command that brings it, empty where nothing is to be done.
    """

    name: str
    status: Status
    found: str
    mend: str = ""


def in_source_tree() -> bool:
    """Whether this is a clone, where `make setup` mends, and not an installed package."""
    return (SOURCE_TREE / "Makefile").is_file() and (SOURCE_TREE / "setup.cfg").is_file()


def ros_mend(package: str) -> str:
    """Return the command that brings a ROS package to the kind of machine that this is."""
    sourced = os.environ.get("ROS_DISTRO", "")
    if sourced and Path("/opt/ros", sourced).is_dir():
        return f"apt install ros-{sourced}-{package.replace('_', '-')}"
    if in_source_tree():
        return "make setup"
    for setup in sorted(Path("/opt/ros").glob("*/setup.bash"), reverse=True):
        return f"source {setup}"
    return 'pip install "neuro_control[ros]"'


def attempt(action: Callable[[], str]) -> tuple[bool, str]:
    """Run an import or a look-up; return whether it worked and what came of it."""
    try:
        return True, action()
    except Exception as error:  # noqa: BLE001 - a broken package raises anything; it is shown
        return False, f"{type(error).__name__}: {error}".split("\n")[0]


def run_child(code: str, **variables: str) -> tuple[bool, str]:
    """Run Python code in a process of its own; return whether it ended well and its last line."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            env={**ros_environment(None), **variables},
            capture_output=True,
            text=True,
            timeout=CHILD_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False, f"gave no answer in {CHILD_TIMEOUT_S:.0f} s"
    if done.returncode < 0:
        return False, f"the process died of signal {-done.returncode}"
    output = done.stdout if done.returncode == 0 else done.stderr
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return done.returncode == 0, lines[-1] if lines else f"exit code {done.returncode}"
