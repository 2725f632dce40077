# SPDX-License-Identifier: Apache-2.0
"""A process that leads a session steps back as a session; one that shares it leaves it alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

from neuro_control.worker.priority import AUTOGROUP

SAYS = """
import os
from neuro_control.worker.priority import AUTOGROUP, step_back
step_back(7)
print(os.getpriority(os.PRIO_PROCESS, 0), AUTOGROUP.read_text().split()[-1])
"""


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel has no autogroups")
def test_a_session_of_its_own_steps_back_and_a_shared_one_does_not() -> None:
    def said(new_session: bool) -> tuple[int, int]:
        words = subprocess.check_output(
            [sys.executable, "-c", SAYS], text=True, start_new_session=new_session
        ).split()
        return int(words[0]), int(words[1])

    shared = int(AUTOGROUP.read_text().split()[-1])
    assert said(new_session=True) == (7, 7)
    assert said(new_session=False) == (7, shared)
