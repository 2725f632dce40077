# SPDX-License-Identifier: Apache-2.0
"""The command `neuro_control replay`: recorded events through the real nodes."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from neuro_control.bringup import CONTROLLER, DASHBOARD, GUARD, REPLAY, ROBOTS
from neuro_control.demo.domain import DomainClaim, ros_environment
from neuro_control.demo.logs import new_log_folder
from neuro_control.demo.page_address import PageAddress
from neuro_control.demo.parameters import (
    ParameterFileError,
    Parameters,
    override,
    read_parameter_file,
    write_parameter_file,
)
from neuro_control.demo.plan import node_command
from neuro_control.demo.processes import ChildProcesses, Interrupt
from neuro_control.demo.progress import PLAIN_PERIOD_S, Progress, ProgressLine
from neuro_control.demo.record import RunRecord
from neuro_control.demo.report import write_report
from neuro_control.demo.settings_check import wrong_settings
from neuro_control.demo.shared_memory import sweep_stale_segments
from neuro_control.events import BagError, read_packets
from neuro_control.nodes.replay_settings import LARGEST_RATE, LEAST_RATE, ReplaySettings
from neuro_control.robots.description import share_directory

NODES = (CONTROLLER, GUARD, REPLAY, DASHBOARD)
SLICE_S = 0.05
START_LIMIT_S = 60.0
LAST_WORD_S = 3.0
# A replay that stands at its end, for hours maybe, is told of for this long, once or twice.
TOLD_S = 2 * PLAIN_PERIOD_S


def replay_online(
    path: Path,
    topic: str | None,
    rate: float,
    report: Path | None,
    out: TextIO | None = None,
    *,
    stay: bool = False,
    dashboard: bool = False,
    overrides: Sequence[str] = (),
) -> int:
    """Play a recording through the replay node, the controller and the guard.

    The joints are those of the recording; where it has none, those of an arm at rest. stay: wait
    at the end, to be sent elsewhere (`replay/seek`), until Ctrl-C. dashboard: with the page.
    overrides: ``node.parameter=value`` texts.

    Returns 0 at its end or on Ctrl-C, 1 if a node dies, 2 if the recording, the rate or a parameter
    cannot be.
    """
    if not LEAST_RATE <= rate <= LARGEST_RATE:
        print(
            f"error: --rate {rate:g}: must be from {LEAST_RATE:g} to {LARGEST_RATE:g}",
            file=sys.stderr,
        )
        return 2
    try:
        first = next(read_packets(path, topic))
        parameters = override(
            _parameters(path, first.topic, rate, stay, dashboard),
            overrides,
            {DASHBOARD.name: "--dashboard"},
        )
    except (BagError, ParameterFileError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    with Interrupt() as interrupt, contextlib.ExitStack() as stack:
        line = ProgressLine(sys.stdout if out is None else out)
        sweep_stale_segments()
        domain = None
        if "ROS_DOMAIN_ID" not in os.environ:
            domain = stack.enter_context(DomainClaim()).domain
        environment = ros_environment(domain)
        os.environ.update(environment)
        stack.callback(sweep_stale_segments)
        if wrong := wrong_settings(NODES, parameters, overrides):
            print(f"error: {wrong}", file=sys.stderr)
            return 2
        folder = new_log_folder()
        os.environ["ROS_LOG_DIR"] = environment["ROS_LOG_DIR"] = str(folder)
        line.say(f"{path}: {first.topic}, {first.encoding}, {first.width}x{first.height}")
        record = RunRecord()
        commands = _commands(parameters, folder)
        failure = _play(commands, folder, environment, record, line, interrupt)
    found = _online_findings(record, path, interrupt.requested)
    line.say(f"  {online_summary(found)}")
    if report is not None:
        write_report(report, found)
        line.say(f"  report  {report}")
    if failure is not None:
        print(f"error: {failure}", file=sys.stderr, flush=True)
        return 1
    if interrupt.requested and interrupt.signal_number != signal.SIGINT:
        return 128 + int(interrupt.signal_number or 0)
    return 0


def online_summary(found: Mapping[str, Any]) -> str:
    """The findings of `replay_online` in a line to read."""
    if found["packets"] is None:
        return "it ended before the controller said anything"
    words = (
        f"{found['packets']} packets, {found['packets_lost']} lost, "
        f"{found['packets_dropped']} dropped; {found['commands']} commands, "
        f"{found['guard_interventions']} interventions of the guard"
    )
    if found["seeks"]:
        # What was played twice is counted twice.
        words += f"; in all of the {found['seeks'] + 1} stretches that were played"
    return words


def _parameters(path: Path, topic: str, rate: float, stay: bool, dashboard: bool) -> Parameters:
    """Of every node that is started, as its parameter file will say."""
    share = share_directory()
    of_robot = read_parameter_file(share / ROBOTS["arm"].parameter_file)
    replay = ReplaySettings(path=str(path.absolute())).model_dump() | {
        "topic": topic,
        "rate": float(rate),
        "publish_clock": True,
        "joint_states": True,
        "stay": stay,
        "wait_s": START_LIMIT_S,
    }
    chosen = {
        CONTROLLER.name: of_robot[CONTROLLER.name] | {"use_sim_time": True},
        GUARD.name: of_robot[GUARD.name] | {"use_sim_time": True},
        REPLAY.name: replay,
    }
    if dashboard:
        page = read_parameter_file(share / DASHBOARD.parameter_file)[DASHBOARD.name]
        chosen[DASHBOARD.name] = page | {"use_sim_time": True}
    return chosen


def _commands(parameters: Parameters, folder: Path) -> dict[str, list[str]]:
    file = folder / "parameters.yaml"
    write_parameter_file(file, parameters)
    return {node.name: node_command(node, file) for node in NODES if node.name in parameters}


def _play(
    commands: dict[str, list[str]],
    folder: Path,
    environment: dict[str, str],
    record: RunRecord,
    line: ProgressLine,
    interrupt: Interrupt,
) -> str | None:
    """Start the nodes and watch until the recording ends; return why it failed, if it did."""
    from neuro_control.demo.monitor import listening

    with ChildProcesses(folder, environment) as children:
        page = _start_listeners(children, commands)
        with listening(record) as (node, spin):

            def up() -> bool:
                return (
                    node.count_subscribers("event_camera/events") > 0
                    and node.count_subscribers("desired_trajectory") > 0
                )

            deadline = time.monotonic() + START_LIMIT_S
            while not up() and not interrupt.requested:
                spin(SLICE_S)
                if (failure := children.failure()) is not None:
                    return str(failure)
                if time.monotonic() > deadline:
                    return f"controller and guard were not up within {START_LIMIT_S:g} s"
            if not interrupt.requested:
                children.start(REPLAY.name, commands[REPLAY.name])
            unchanged = Unchanged()
            while not interrupt.requested:
                spin(SLICE_S)
                for news in page.news():
                    line.say(news)
                progress = progress_of(record)
                if unchanged.for_s(progress, time.monotonic()) < TOLD_S:
                    line.show(progress)
                failure = children.failure()
                if failure is None:
                    continue
                if failure.name == REPLAY.name and failure.exit_code == 0:
                    break
                return str(failure)
            _await_last_word(record, spin, interrupt)
        children.stop(hurry=lambda: interrupt.urgent)
    return None


def _start_listeners(children: ChildProcesses, commands: dict[str, list[str]]) -> PageAddress:
    """Everything but the replay itself, which begins when they are up."""
    page = PageAddress(None)
    for name, command in commands.items():
        if name == DASHBOARD.name:
            page = PageAddress(children.start(name, command, essential=False))
        elif name != REPLAY.name:
            children.start(name, command)
    return page


def _await_last_word(
    record: RunRecord, spin: Callable[[float], None], interrupt: Interrupt
) -> None:
    heard = record.heard[CONTROLLER.name]
    deadline = time.monotonic() + LAST_WORD_S
    while not interrupt.requested and time.monotonic() < deadline:
        spin(SLICE_S)
        if record.heard[CONTROLLER.name] > heard:
            return


class Unchanged:
    """For how long a replay has stood as it does."""

    def __init__(self) -> None:
        self._place: tuple[float, str] | None = None
        self._since_s = 0.0

    def for_s(self, progress: Progress, now_s: float) -> float:
        """Seconds since it came to its place and its remark; rates and delays fade for longer.

        now_s: monotonic wall time.
        """
        place = (progress.simulated_s, progress.remark)
        if place != self._place:
            self._place, self._since_s = place, now_s
        return now_s - self._since_s


def progress_of(record: RunRecord) -> Progress:
    """How a replay goes; one that stands says what would move it."""
    remark = record.word(CONTROLLER.name, "controller_state") or ""
    if record.word(REPLAY.name, "paused") == "true":
        remark = "stands: replay/seek, replay/resume or Ctrl-C"
    return Progress(
        simulated_s=record.latest(REPLAY.name, "sim_time_s") or 0.0,
        events_per_second=record.latest(CONTROLLER.name, "events_per_second"),
        spikes_per_second=record.latest(CONTROLLER.name, "spikes_per_second"),
        delay_ms=record.latest(CONTROLLER.name, "latency_recent_ms_median"),
        remark=remark,
    )


def _online_findings(record: RunRecord, path: Path, interrupted: bool) -> dict[str, Any]:
    counts = {
        key: record.latest(CONTROLLER.name, key)
        for key in (
            "events",
            "packets",
            "packets_lost",
            "packets_dropped",
            "malformed",
            "outside_sensor",
            "spikes",
            "commands",
        )
    }
    return {
        "recording": str(path),
        "seeks": round(record.latest(REPLAY.name, "seeks") or 0),
        "interrupted": interrupted,
        **{key: None if value is None else round(value) for key, value in counts.items()},
        "latency_ms": {
            name: record.latest(CONTROLLER.name, f"latency_ms_{name}")
            for name in ("median", "p99", "max")
        },
        "guard_interventions": round(record.latest(GUARD.name, "interventions") or 0),
        "controller_state": record.word(CONTROLLER.name, "controller_state"),
        "no_data_because": record.word(CONTROLLER.name, "no_data_because"),
    }
