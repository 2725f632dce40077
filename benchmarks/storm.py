# SPDX-License-Identifier: Apache-2.0
"""A storm of event packets at the controller: `python -m benchmarks.storm`.

The controller node runs in a process of its own, with the shipped network, and is sent joint states
and event packets over its real topics: first as an event camera in front of a quiet scene sends
them, then for ten seconds 20 million events a second, then as before. Measured are the memory of
its process, and the delay from the publication of a packet to the command that answers it: before,
during and after, and how long after the storm's last packet commands are as soon as they were.
What the node says of the storm on /diagnostics stands below.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

# Before rclpy: a domain of its own, on this machine alone.
os.environ.setdefault("ROS_DOMAIN_ID", str(random.SystemRandom().randrange(1, 102)))
os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")

import numpy as np
import psutil
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from trajectory_msgs.msg import JointTrajectory

from benchmarks import report
from benchmarks.arguments import positive
from benchmarks.page import Bars
from neuro_control.nodes import messages, qos
from neuro_control.nodes.spin import make_executor, spin_for

RECOVERED_MS = 10.0
"""A command whose delay is below this, and stays there, has recovered (or twice the calm p99)."""


Mark = tuple[str, float, float, int]
"""A phase: its name, begin and end (s, monotonic), and events sent."""


@dataclass
class Heard:
    """Commands, memory and diagnostics, with the time at which each came (s, monotonic)."""

    commands: list[tuple[float, float]] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    diagnostics: dict[str, str] = field(default_factory=dict)
    messages: list[tuple[float, str]] = field(default_factory=list)


class Listener(Node):
    """Hears what the controller says."""

    def __init__(self, heard: Heard) -> None:
        super().__init__("storm_listener")
        self._heard = heard
        self.create_subscription(
            JointTrajectory, "desired_trajectory", self._on_command, qos.reliable(100)
        )
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)

    def _on_command(self, message: JointTrajectory) -> None:
        delay_ns = time.time_ns() - messages.time_ns(message.header.stamp)
        self._heard.commands.append((time.monotonic(), delay_ns * 1e-6))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.hardware_id == "controller":
                self._heard.diagnostics = {value.key: value.value for value in status.values}
                self._heard.messages.append((time.monotonic(), status.message))


def watch(process: psutil.Process, heard: Heard, goes_on: threading.Event) -> None:
    """Note the resident memory of a process (MiB) twenty times a second."""
    while not goes_on.wait(0.05):
        heard.memory.append((time.monotonic(), process.memory_info().rss / 2**20))


def row(phase: str, begin_s: float, end_s: float, events: int, heard: Heard) -> dict[str, Any]:
    """One line of the table: a phase from begin to end."""
    delays = [delay for at, delay in heard.commands if begin_s <= at < end_s]
    times = [at for at, _ in heard.commands if begin_s <= at < end_s]
    memory = [size for at, size in heard.memory if begin_s <= at < end_s]
    found = report.summary(delays) if delays else {"median": None, "p99": None, "max": None}
    pauses = np.diff([begin_s, *times, end_s]) * 1e3
    return {
        "phase": phase,
        "seconds": round(end_s - begin_s, 1),
        "million events/s": round(events / (end_s - begin_s) / 1e6, 2),
        "commands/s": round(len(delays) / (end_s - begin_s)),
        "delay ms": found["median"],
        "p99 ms": found["p99"],
        "max ms": found["max"],
        "longest pause ms": round(float(pauses.max()), 1),
        "memory MiB": round(float(np.median(memory)), 1) if memory else None,
        "most MiB": round(max(memory), 1) if memory else None,
    }


def recovery_ms(heard: Heard, storm_end_s: float, calm_p99_ms: float) -> float:
    """From the storm's last packet to the first command from which on no delay is above normal."""
    limit_ms = max(RECOVERED_MS, 2 * calm_p99_ms)
    after = [(at, delay) for at, delay in heard.commands if storm_end_s <= at < storm_end_s + 1.0]
    slow = [at for at, delay in after if delay > limit_ms]
    back = [at for at, _ in after if not slow or at > slow[-1]]
    return (back[0] - storm_end_s) * 1e3 if back else float("inf")


def measure(seconds: float, million: float) -> tuple[Heard, list[Mark]]:
    """Run the controller and the source, and listen.

    Raises:
        RuntimeError: one of them ended before its time.
    """
    heard, done = Heard(), threading.Event()
    module = [sys.executable, "-m"]
    settings = ["--ros-args", "-p", "backend:=cpu"]
    controller = subprocess.Popen([*module, "neuro_control.nodes.controller", *settings])
    source = subprocess.Popen(
        [*module, "benchmarks.storm_source", str(seconds), str(million)],
        stdout=subprocess.PIPE,
        text=True,
    )
    watcher = threading.Thread(target=watch, args=(psutil.Process(controller.pid), heard, done))
    rclpy.init()
    listener, executor = Listener(heard), make_executor("events")
    executor.add_node(listener)
    watcher.start()
    try:
        while source.poll() is None:
            if controller.poll() is not None:
                raise RuntimeError("the controller has ended")
            spin_for(executor, 0.05)
        spin_for(executor, 1.2)
    finally:
        done.set()
        watcher.join()
        for process in (controller, source):
            process.terminate()
            try:
                process.wait(10.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        executor.remove_node(listener)
        listener.destroy_node()
        rclpy.try_shutdown()
    assert source.stdout is not None
    marks = [json.loads(line) for line in source.stdout]
    if len(marks) != 4:
        raise RuntimeError("the source has ended before its time")
    return heard, [(str(m[0]), float(m[1]), float(m[2]), int(m[3])) for m in marks]


def main() -> None:
    """Measure and print."""
    parser = report.parser("storm", "A storm of event packets at the controller.")
    parser.add_argument("--seconds", type=positive(float), default=10.0, help="of the storm")
    parser.add_argument(
        "--million", type=positive(float), default=20.0, help="events a second in it"
    )
    options = parser.parse_args()
    heard, marks = measure(options.seconds, options.million)
    rows = [row(*mark, heard) for mark in marks[1:]]
    recovered_ms = recovery_ms(heard, marks[2][2], float(rows[0]["p99 ms"] or 0.0))
    title = f"A storm of {options.million:g} million events/s for {options.seconds:g} s"
    report.print_table(rows, title)
    said = [text for at, text in heard.messages if marks[2][1] <= at < marks[2][2] + 1.0]
    keys = ("packets", "events", "packets_shed", "events_shed", "packets_lost", "packets_late")
    dropped = [
        key for key in heard.diagnostics if "dropped_" in key and heard.diagnostics[key] != "0"
    ]
    notes = [
        f"after the storm commands are as soon as before within {recovered_ms:.0f} ms",
        "the controller's counts: "
        + ", ".join(f"{key} {heard.diagnostics.get(key, '?')}" for key in (*keys, *dropped)),
        "it said meanwhile: " + " | ".join(dict.fromkeys(said)),
    ]
    print(*notes, sep="\n")
    versions = report.versions()
    report.print_versions(versions)
    extra = {"recovered_ms": recovered_ms, "diagnostics": heard.diagnostics}
    report.write_json(options.json, "storm", rows, extra)
    plots = [Bars("Delay of a command, p99", rows, ("phase",), "p99 ms", "ms")]
    report.write_page(options, "storm", __doc__, {title: rows}, versions, plots, notes)


if __name__ == "__main__":
    main()
