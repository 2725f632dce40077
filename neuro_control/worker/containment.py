# SPDX-License-Identifier: Apache-2.0
"""Whatever happens to a worker or its host, nothing of them stays: no process, no shared memory.

Lava forks a process for each of its models and keeps channels in POSIX shared memory. Three nets
hold them: each forked process dies with its parent (prctl), the worker kills its group when its
host is gone, and every segment of shared memory bears a prefix that the host gave, so that the
host can remove what is left after the worker was killed.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import threading
from multiprocessing import shared_memory
from pathlib import Path

_PR_SET_PDEATHSIG = 1
SHARED_MEMORY = Path("/dev/shm")


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies; elsewhere nothing."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    except (OSError, AttributeError):
        return


def name_shared_memory(prefix: str) -> None:
    """Let every segment of shared memory that is made from now on begin with a prefix."""
    # The standard library has no public setting for this; the names are the same in 3.8 to 3.14.
    vars(shared_memory).update(
        _SHM_NAME_PREFIX=f"/{prefix}", _SHM_SAFE_NAME_LENGTH=len(prefix) + 14
    )


def remove_shared_memory(prefix: str) -> int:
    """Remove the segments of that prefix; return how many there were."""
    removed = 0
    if SHARED_MEMORY.is_dir() and prefix:
        for path in SHARED_MEMORY.glob(f"{prefix}*"):
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def contain(descriptor: int, prefix: str) -> None:
    """Hold this worker: to be called once, first thing, by a process that leads its own group.

    Args:
        descriptor: the socket to the host; when the other end closes, the group is killed.
        prefix: of the names of shared memory.
    """
    name_shared_memory(prefix)
    os.register_at_fork(after_in_child=die_with_parent)

    def watch() -> None:
        poll = select.poll()
        # Not for input: only for the end of the other side.
        poll.register(descriptor, select.POLLHUP | getattr(select, "POLLRDHUP", 0))
        poll.poll()
        remove_shared_memory(prefix)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, name="host watch", daemon=True).start()
