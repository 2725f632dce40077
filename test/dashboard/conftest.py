# SPDX-License-Identifier: Apache-2.0
"""A page in a real browser, before a robot whose every message is known."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Before anything imports rclpy.
from test.ros_domain import little_to_collect, no_participant_left  # noqa: F401

rclpy = pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("event_camera_msgs", reason="needs event_camera_msgs built")
pytest.importorskip("aiohttp", reason="needs aiohttp")

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 120.0
CHROMIUM = (
    os.environ.get("NEURO_CONTROL_CHROMIUM")
    or shutil.which("chromium")
    or shutil.which("chromium-browser")
)
# No other traffic than ours, no sandbox in a container, and no GPU.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def until(condition: Callable[[], Any], what: str, seconds: float = LIMIT_S) -> Any:
    """Wait for a condition to hold; what it returns then."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.01)
    return found


def wait(page: Any, expression: str, seconds: float = LIMIT_S) -> None:
    """Wait for a JavaScript expression to hold on a page, whose policy lets nothing evaluate it."""
    end = time.monotonic() + seconds
    while not page.evaluate(f"Boolean({expression})"):
        assert time.monotonic() < end, f"never on the page: {expression}"
        page.wait_for_timeout(10)


class Processes:
    """Nodes in processes of their own, ended at the end whatever happens."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.started: list[subprocess.Popen[bytes]] = []

    def start(
        self, module: str, namespace: str = "/", **parameters: Any
    ) -> tuple[subprocess.Popen[bytes], Path]:
        """Start a node; the process and the file with what it says."""
        words = [f"{key.replace('__', '.')}:={value}" for key, value in parameters.items()]
        log = self._folder / f"{module}_{len(self.started)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", module, "--ros-args", "-r", f"__ns:={namespace}"]
                + [part for word in words for part in ("-p", word)],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )
        self.started.append(process)
        return process, log

    def dashboard(self, namespace: str = "/", **parameters: Any) -> str:
        """Start a dashboard on a free port; its address."""
        # Not behind the robot's nodes here: a test's machine is short of processors.
        chosen = {"port": 0, "record_folder": self._folder, "niceness": 0} | parameters
        process, log = self.start("neuro_control.dashboard.node", namespace, **chosen)

        def address() -> str:
            assert process.poll() is None, log.read_text()
            lines = [x for x in log.read_text().splitlines() if x.startswith("dashboard: ")]
            return lines[0].removeprefix("dashboard: ") if lines else ""

        return str(until(address, "the dashboard tells its address"))

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.terminate()
        for process in self.started:
            try:
                process.wait(20.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    made = Processes(tmp_path)
    yield made
    made.end()


class Robot:
    """A node of the test's own whose `publish` functions are called again and again."""

    PERIOD_S = 0.02

    def __init__(self, namespace: str = "/") -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node("robot", context=self.context, namespace=namespace)
        self._every: list[Callable[[], None]] = []
        self._end = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def repeat(self, publish: Callable[[], None]) -> None:
        """Call this fifty times a second from now on."""
        self._every.append(publish)

    def _run(self) -> None:
        try:
            while not self._end.wait(self.PERIOD_S):
                for publish in list(self._every):
                    publish()
        except Exception as error:  # noqa: BLE001 - told where the robot is closed
            self._failure = error

    def close(self) -> None:
        self._end.set()
        self._thread.join()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)
        assert self._failure is None, self._failure


@pytest.fixture
def robot() -> Iterator[Robot]:
    made = Robot()
    yield made
    made.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if CHROMIUM is None:
        pytest.skip("needs Chromium (Debian: apt install chromium, or NEURO_CONTROL_CHROMIUM)")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


class Pages:
    """Open pages; what they complain of, and whether they asked anybody else for anything."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._contexts: list[Any] = []
        self.complaints: list[str] = []
        self.refusals = False  # browsers call an answer of 4xx an error
        self.foreign: list[str] = []

    def open(
        self,
        address: str,
        width: int = 1600,
        height: int = 900,
        scheme: str = "light",
        script: str = "",
    ) -> Any:
        """Open a page. script: runs in it before its own."""
        context = self._browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        self._contexts.append(context)
        page = context.new_page()
        page.add_init_script(script)
        page.set_default_timeout(LIMIT_S * 1e3)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        ours = address.split("?", maxsplit=1)[0]
        allowed = (ours, ours.replace("http", "ws"), "data:", "blob:")
        page.on(
            "request",
            lambda r: None if r.url.startswith(allowed) else self.foreign.append(r.url),
        )
        page.goto(address)
        return page

    def _on_console(self, message: Any) -> None:
        refused = "status of 409" in message.text or "status of 400" in message.text
        if message.type == "error" and not (self.refusals and refused):
            self.complaints.append(message.text)

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def pages(browser: Any) -> Iterator[Pages]:
    """Pages; at the end none has complained of anything."""
    made = Pages(browser)
    yield made
    made.close()
    assert made.complaints == []
    assert made.foreign == []
