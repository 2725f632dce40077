# SPDX-License-Identifier: Apache-2.0
"""A process that leads a session steps back as a session; one that shares it leaves it alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from neuro_control.worker.priority import AUTOGROUP

STEPS_BACK = """
import os, sys
from pathlib import Path
from neuro_control.worker import priority
priority.AUTOGROUP = Path(sys.argv[1])
priority.step_back(7)
print(os.getpriority(os.PRIO_PROCESS, 0))
print(priority.AUTOGROUP.read_text() if priority.AUTOGROUP.exists() else "")
"""


def stepped_back(autogroup: Path, new_session: bool) -> tuple[int, str]:
    """The niceness of a process that has stepped back by 7, and what its session's file says."""
    niceness, session = subprocess.check_output(
        [sys.executable, "-c", STEPS_BACK, str(autogroup)],
        text=True,
        start_new_session=new_session,
    ).split("\n", 1)
    return int(niceness), session.strip()


def seven_behind_this_process() -> int:
    return min(19, os.getpriority(os.PRIO_PROCESS, 0) + 7)


@pytest.mark.parametrize(("new_session", "said"), [(True, "7"), (False, "")])
def test_only_the_leader_of_a_session_takes_its_session_with_it(
    tmp_path: Path, new_session: bool, said: str
) -> None:
    autogroup = tmp_path / "autogroup"
    autogroup.touch()
    assert stepped_back(autogroup, new_session) == (seven_behind_this_process(), said)


def test_where_sessions_are_not_grouped_the_process_steps_back_alone(tmp_path: Path) -> None:
    assert stepped_back(tmp_path / "absent", True) == (seven_behind_this_process(), "")


def test_this_kernel_takes_the_niceness_of_a_session() -> None:
    niceness, session = stepped_back(AUTOGROUP, True)
    assert niceness == seven_behind_this_process()
    # The file is absent without autogroups, and empty where a control group divides the processor.
    assert session == "" or session.split()[-1] == "7"
