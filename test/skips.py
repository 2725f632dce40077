# SPDX-License-Identifier: Apache-2.0
"""Where everything is set up, nothing is skipped by chance: with NEURO_CONTROL_NO_SKIPS=1 (as
`.ci/run` has it) a test that is skipped fails, unless the reason is the machine's own.

Hooks of pytest, which conftest.py takes over.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

VARIABLE = "NEURO_CONTROL_NO_SKIPS"
# What no command of `.ci/run` could bring.
OF_THE_MACHINE = (
    "launch_ros comes with an installed ROS",
    "no OpenGL renders here",
    "no recordings at",
    "no type hashes in ROS 2",
    "takes minutes: NEURO_CONTROL_LAVA_PYTHONS",
    "there is no Python ",
    "these tests run behind niceness 10",
    "this machine lets nobody mount",
    "time slices of one's own come with Linux 6.12",
)


def judge(report: Any) -> None:
    """Make a skip a failure, where that is wanted; what is expected to fail is none."""
    if not report.skipped or hasattr(report, "wasxfail") or os.environ.get(VARIABLE) != "1":
        return
    why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    why = why.removeprefix("Skipped: ")
    if not why.startswith(OF_THE_MACHINE):
        report.outcome = "failed"
        report.longrepr = f"skipped, and {VARIABLE}=1 lets nothing be skipped for this: {why}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """A test that is skipped."""
    outcome: Any = yield
    judge(outcome.get_result())


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    """A file that is skipped as a whole."""
    outcome: Any = yield
    judge(outcome.get_result())
