# SPDX-License-Identifier: Apache-2.0
"""How a process stands to the others where processors are scarce: behind them, or before.

Linux shares a processor first between sessions and then between the processes of one (autogroup,
sched(7)): the niceness of a process counts within its session only. One that leads a session of
its own, as the demo's nodes do, must step back as a session too; one that shares a session with
others must not, for they would step back with it.
"""

from __future__ import annotations

import ctypes
import os
import platform
from contextlib import suppress
from pathlib import Path

AUTOGROUP = Path("/proc/self/autogroup")
THREADS = Path("/proc/self/task")

SHORTEST_SLICE_NS = 100_000
"""The shortest time slice that Linux gives."""

CALLER = 0
"""The thread that asks."""

# Of sched_setattr and sched_getattr, which the C library has no functions for.
_LIBRARY = ctypes.CDLL(None, use_errno=True)
_CALLS = {"x86_64": (314, 315), "aarch64": (274, 275)}


class PriorityError(RuntimeError):
    """The system does not give what was asked for; the message says what would make it."""


def step_back(niceness: int) -> None:
    """Step back as a process, and as a session if it is this one's own; niceness: 0 to 19.

    Takes no lock, so it can be called between fork and exec.
    """
    give_up_precedence()
    os.nice(niceness)
    session_steps_back(niceness)


def threads_step_back(niceness: int) -> None:
    """Let every thread of this process that is before this niceness step back to it."""
    for thread in _threads():
        with suppress(ProcessLookupError):
            _step_back_to(thread, niceness)


def this_thread_steps_back(niceness: int) -> None:
    """Let the calling thread alone step back to this niceness, if it is before it."""
    _step_back_to(CALLER, niceness)
    _set_slice(CALLER, 0)


def _step_back_to(thread: int, niceness: int) -> None:
    if os.getpriority(os.PRIO_PROCESS, thread) < niceness:
        os.setpriority(os.PRIO_PROCESS, thread, niceness)


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


def run_in_real_time(priority: int) -> None:
    """Run every thread of this process before all that are not in real time (SCHED_FIFO).

    priority: 1 to 99, as in sched(7). What it starts afterwards is in real time too, threads and
    processes; those that should not be call `give_up_precedence`. Raises PriorityError where the
    system does not permit it.
    """
    for thread in _threads():
        try:
            os.sched_setscheduler(thread, os.SCHED_FIFO, os.sched_param(priority))
        except ProcessLookupError:
            continue  # it ended meanwhile
        except PermissionError as error:
            raise PriorityError(
                f"real-time priority {priority} is not permitted: give the user rtprio {priority} "
                "in /etc/security/limits.conf and log in anew, or in a service LimitRTPRIO="
            ) from error
        except OSError as error:
            raise PriorityError(f"real-time priority {priority}: {error.strerror}") from error


def give_up_precedence() -> None:
    """Run the calling thread, and what it starts, as any other: not in real time, no short slices.

    Takes no lock, so it can be called between fork and exec.
    """
    if hasattr(os, "sched_getscheduler") and os.sched_getscheduler(CALLER) == os.SCHED_FIFO:
        os.sched_setscheduler(CALLER, os.SCHED_OTHER, os.sched_param(0))
    _set_slice(CALLER, 0)


class _Attributes(ctypes.Structure):
    """struct sched_attr of linux/sched/types.h, its first version."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
    )


def take_short_slices() -> bool:
    """Let every thread of this process, and what it starts, go on as soon as it wakes.

    From Linux 6.12 on a thread that has woken need not wait until another's time slice is over if
    its own is shorter. It needs no permission and gives no larger share of the processor. Returns
    whether it was taken; older kernels take it and do nothing.
    """
    taken = [_set_slice(thread, SHORTEST_SLICE_NS) for thread in _threads()]
    return any(taken)


def _set_slice(thread: int, slice_ns: int) -> bool:
    """Of a thread that is not in real time; 0: the system's own. Whether it is so now."""
    attributes = _attributes(thread)
    if attributes is None or attributes.policy != os.SCHED_OTHER:
        return False
    attributes.runtime = slice_ns
    set_number = _CALLS[platform.machine()][0]
    return bool(_LIBRARY.syscall(set_number, thread, ctypes.byref(attributes), 0) == 0)


def slice_ns(thread: int = CALLER) -> int | None:
    """A thread's time slice; None or 0 where the system does not say."""
    attributes = _attributes(thread)
    return None if attributes is None else int(attributes.runtime)


def _attributes(thread: int) -> _Attributes | None:
    numbers = _CALLS.get(platform.machine()) if platform.system() == "Linux" else None
    if numbers is None:
        return None
    attributes = _Attributes()
    size = ctypes.sizeof(attributes)
    ended = _LIBRARY.syscall(numbers[1], thread, ctypes.byref(attributes), size, 0)
    return None if ended else attributes


def _threads() -> list[int]:
    return [int(thread.name) for thread in THREADS.iterdir()] if THREADS.exists() else []
