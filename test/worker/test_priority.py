# SPDX-License-Identifier: Apache-2.0
"""A process that leads a session steps back as a session; one that shares it leaves it alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from neuro_control.worker.priority import (
    AUTOGROUP,
    SHORTEST_SLICE_NS,
    PriorityError,
    run_in_real_time,
    slice_ns,
)

EMULATOR = Path(__file__).parents[1] / "backends" / "board_emulator.py"
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


def said_by(program: str) -> list[str]:
    """What a program of its own prints, for what it does to itself lasts."""
    program = "from neuro_control.worker import priority\n" + program
    return subprocess.check_output([sys.executable, "-c", program], text=True).splitlines()


@pytest.mark.skipif(not slice_ns(), reason="time slices of one's own come with Linux 6.12")
def test_all_threads_take_short_slices_and_who_steps_back_gives_his_up() -> None:
    waits = """
import threading
priority.give_up_precedence()  # which it may have from whoever runs these tests
go, shorter = threading.Event(), []
def thread():
    go.wait()
    shorter.append(priority.slice_ns())
other = threading.Thread(target=thread)
other.start()
before = priority.slice_ns()
assert priority.take_short_slices()
go.set()
other.join()
print(shorter[0], priority.slice_ns())
priority.step_back(0)
print(priority.slice_ns() == before)
"""
    assert said_by(waits) == [f"{SHORTEST_SLICE_NS} {SHORTEST_SLICE_NS}", "True"]


def test_in_real_time_is_what_is_started_later_too_until_it_gives_it_up() -> None:
    tries = """
import os, threading
try:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(3))
except PermissionError:
    permitted = False
else:
    permitted = True
    priority.give_up_precedence()
try:
    priority.run_in_real_time(3)
except priority.PriorityError:
    print(permitted, "refused", os.sched_getscheduler(0) == os.SCHED_OTHER)
else:
    later = []
    def thread():
        later.append(os.sched_getscheduler(0))
        priority.give_up_precedence()
        later.append(os.sched_getscheduler(0))
    other = threading.Thread(target=thread)
    other.start()
    other.join()
    print(os.sched_getscheduler(0) == os.SCHED_FIFO, os.sched_getparam(0).sched_priority)
    print(later == [os.SCHED_FIFO, os.SCHED_OTHER])
"""
    assert said_by(tries) in (["False refused True"], ["True 3", "True"])


def test_what_is_not_permitted_says_what_would_make_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*arguments: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", denied)
    with pytest.raises(PriorityError, match=r"priority 40 is not permitted: .*rtprio 40"):
        run_in_real_time(40)


def test_threads_step_back_to_a_niceness_and_never_come_forward() -> None:
    steps = """
import os, threading
def niceness():
    return os.getpriority(os.PRIO_PROCESS, 0)
go, others = threading.Event(), []
def thread():
    go.wait()
    others.append(niceness())
other = threading.Thread(target=thread)
other.start()
os.nice(2)
priority.threads_step_back(10)
priority.this_thread_steps_back(15)
go.set()
other.join()
priority.this_thread_steps_back(3)
print(others[0], niceness())
"""
    if os.getpriority(os.PRIO_PROCESS, 0) > 10:
        pytest.skip("these tests run behind niceness 10 already")
    assert said_by(steps) == ["10 15"]


@pytest.mark.skipif(not slice_ns(), reason="time slices of one's own come with Linux 6.12")
def test_what_a_hurried_node_starts_is_in_no_hurry_from_its_first_moment() -> None:
    starts = f"""
import os, sys
from neuro_control.backends.random_networks import random_network
from neuro_control.backends.worker_process import WorkerProcess
from neuro_control.inspection.profile_process import ProfileProcess
priority.give_up_precedence()  # which it may have from whoever runs these tests
usual = priority.slice_ns()
assert priority.take_short_slices()
profile = ProfileProcess(random_network(0))
child, _ = profile._running(0)
print(priority.slice_ns(child.pid) == usual, os.getpriority(os.PRIO_PROCESS, child.pid))
profile.close()
board = WorkerProcess([sys.executable, {str(EMULATOR)!r}])
print(priority.slice_ns(board.pid) == usual)
board.close()
"""
    niceness = min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)
    assert said_by(starts) == [f"True {niceness}", "True"]
