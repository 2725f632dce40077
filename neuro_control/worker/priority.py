# SPDX-License-Identifier: Apache-2.0
"""How far a process steps back behind the others where processors are scarce.

Linux shares a processor first between sessions and then between the processes of one (autogroup,
sched(7)): the niceness of a process counts within its session only. One that leads a session of
its own, as the demo's nodes do, must step back as a session too; one that shares a session with
others must not, for they would step back with it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

AUTOGROUP = Path("/proc/self/autogroup")


def step_back(niceness: int) -> None:
    """Step back as a process, and as a session if it is this one's own; niceness: 0 to 19.

    Takes no lock, so it can be called between fork and exec.
    """
    os.nice(niceness)
    session_steps_back(niceness)


def session_steps_back(niceness: int) -> None:
    """Step back behind other sessions, if this process leads one; nothing where Linux does not."""
    if os.getsid(0) != os.getpid():
        return
    # Kernels without autogroups have no such file; a sandbox may not let it be written.
    with suppress(OSError):
        group = os.open(AUTOGROUP, os.O_WRONLY)
        try:
            os.write(group, str(niceness).encode())
        finally:
            os.close(group)
