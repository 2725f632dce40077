# SPDX-License-Identifier: Apache-2.0
"""Where the page of a demo is, told once; and that a demo goes on without it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from neuro_control.demo.options import DemoOptions
from neuro_control.demo.page_address import PageAddress
from neuro_control.demo.plan import plan_demo
from neuro_control.demo.processes import Child, ChildProcesses


def news_of(page: PageAddress, count: int) -> list[str]:
    """The first so many things it says."""
    said: list[str] = []
    deadline = time.monotonic() + 60.0
    while len(said) < count:
        assert time.monotonic() < deadline, said
        said += page.news()
        time.sleep(0.01)
    return said


def python(children: ChildProcesses, program: str) -> Child:
    return children.start("dashboard", [sys.executable, "-uc", program], essential=False)


def test_the_address_is_told_once_and_the_end_of_the_page_is_no_failure(tmp_path: Path) -> None:
    program = "print('dashboard: http://here/'); input(); "
    with ChildProcesses(tmp_path) as children:
        page = PageAddress(python(children, program))
        address, end = news_of(page, 2)
        assert address == "see it in a browser: http://here/"
        assert end.startswith("the page is gone: EOFError")
        assert children.failure() is None
        assert list(page.news()) == []


def test_without_a_page_nothing_is_said() -> None:
    assert list(PageAddress(None).news()) == []


def test_the_page_is_one_node_of_the_demo_with_its_own_parameters() -> None:
    options = DemoOptions(dashboard=True, headless=True, overrides=("dashboard.port=0",))
    plan = plan_demo(options)
    assert [node.name for node in plan.bringup.nodes][-1] == "dashboard"
    assert plan.parameters["dashboard"]["port"] == 0
    assert plan.parameters["dashboard"]["open_browser"] is False
    assert plan.parameters["dashboard"]["use_sim_time"] is True
    names = [node.name for node in plan_demo(DemoOptions(headless=True)).bringup.nodes]
    assert "dashboard" not in names
