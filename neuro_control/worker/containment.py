# SPDX-License-Identifier: Apache-2.0
"""Whatever happens to a worker or its host, nothing of them stays: no process, no shared memory.

Lava forks a process for each of its models and keeps channels in POSIX shared memory. Four nets
hold them: each forked process dies with its parent (prctl); the worker kills its group when its
host is gone; a process that the host starts beside it does so too, whatever has become of the
worker by then; and every segment of shared memory bears a prefix that the host gave, so that what
is left after the worker was killed can be removed.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import threading
from collections.abc import Mapping
from multiprocessing import shared_memory
from pathlib import Path

from .priority import give_up_precedence

_PR_SET_PDEATHSIG = 1
SHARED_MEMORY = Path("/dev/shm")
# Nobody writes: it reads until the other end of its input is closed. A shell, for it starts at once
# and takes little memory for as long as the worker lives.
_AFTER_HOST = 'read -r _; kill -s KILL -- "-$1"; rm -f -- "$2"*'


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


def watch_host(group: int, prefix: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start what ends a group of processes when this process is gone; for the host to call.

    The worker cannot be relied on for that: one that is stopped, or whose driver holds the
    interpreter's lock, sees nothing. Nor can the kernel (prctl): it takes the end of the thread
    that started a process for the end of its parent.

    group: its number. prefix: of the names of shared memory that is removed then. environment: its
    variables. To be killed, and waited for, once nothing is left of the group.

    Raises:
        OSError: no more processes can be started.
    """
    return subprocess.Popen(
        ["/bin/sh", "-c", _AFTER_HOST, "host watch", str(group), str(SHARED_MEMORY / prefix)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        # A signal to the host's group, Ctrl-C among them, is none to this one.
        start_new_session=True,
        preexec_fn=give_up_precedence,  # noqa: PLW1509 - takes no lock
    )


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
