# SPDX-License-Identifier: Apache-2.0
"""The command `neuro_control replay`: recorded events offline, or through the real nodes."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from neuro_control.bringup import CONTROLLER, DASHBOARD, GUARD, REPLAY, ROBOTS
from neuro_control.control.arm import ArmControllerSettings, load_network, make_tracker
from neuro_control.demo.domain import DomainClaim, ros_environment
from neuro_control.demo.logs import new_log_folder
from neuro_control.demo.page_address import PageAddress
from neuro_control.demo.parameters import read_parameter_file, write_parameter_file
from neuro_control.demo.plan import node_command
from neuro_control.demo.processes import ChildProcesses, Interrupt
from neuro_control.demo.progress import Progress, ProgressLine
from neuro_control.demo.record import RunRecord
from neuro_control.demo.report import write_report
from neuro_control.demo.shared_memory import sweep_stale_segments
from neuro_control.events import BagError, Replay, read_packets
from neuro_control.robots.description import share_directory

SLICE_S = 0.05
START_LIMIT_S = 60.0
LAST_WORD_S = 3.0
RATES = (0.01, 100.0)


def replay_offline(
    path: Path, topic: str | None, report: Path | None, out: TextIO = sys.stdout
) -> int:
    """Decode a recording as fast as it goes; say what was in it and where the activity was.

    Returns 0, or 2 with one line on stderr if the recording cannot be read.
    """
    began_s = time.monotonic()
    try:
        replay = Replay(path, topic)
        activity = find_activity(replay)
        found: dict[str, Any] = asdict(replay.report())
    except BagError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    found["drops"] = dict(found["drops"])
    found["activity"] = activity
    if report is not None:
        write_report(report, found)
    print(offline_summary(found, time.monotonic() - began_s), file=out)
    return 0


def find_activity(replay: Replay) -> dict[str, Any]:
    """Step the arm's tracker through a recording; say where in the image it saw a target.

    Returns {"seen_fraction": part of the packets after which there was a target,
    "column", "row": median place in pixels (None if there never was one),
    "column_range", "row_range": 5th to 95th percentile}. The camera counts as standing still.
    """
    from neuro_control.backends import CpuRunner

    network = load_network(str(ArmControllerSettings.model_fields["network"].default))
    tracker = make_tracker(CpuRunner(network), network, ArmControllerSettings())
    places: list[Any] = []
    packets = 0
    for _packet, events in replay:
        packets += 1
        if len(events) == 0:
            continue
        # The tick that the last event lies in ends after it.
        estimate = tracker.step(events, np.zeros(2), int(events.t_ns[-1]) + 1)
        if estimate.position is not None:
            places.append(estimate.position)
    size = np.array([replay.stream.width, replay.stream.height], np.float64)
    pixels = np.array(places, np.float64).reshape(-1, 2) * size
    ranges = np.percentile(pixels, [5, 50, 95], axis=0) if len(pixels) else None
    return {
        "seen_fraction": len(pixels) / packets if packets else 0.0,
        "column": None if ranges is None else float(ranges[1, 0]),
        "row": None if ranges is None else float(ranges[1, 1]),
        "column_range": None if ranges is None else [float(v) for v in ranges[[0, 2], 0]],
        "row_range": None if ranges is None else [float(v) for v in ranges[[0, 2], 1]],
    }


def offline_summary(found: dict[str, Any], wall_s: float) -> str:
    """The findings as lines to read."""
    events = found["events_on"] + found["events_off"]
    drops = ", ".join(f"{count} {reason}" for reason, count in found["drops"].items())
    activity = found["activity"]
    place = "no target seen"
    if activity["column"] is not None:
        place = (
            f"around column {activity['column']:.0f}, row {activity['row']:.0f}; "
            f"a target in {activity['seen_fraction']:.0%} of the packets"
        )
    rows = [
        ("stream", f"{found['topic']}, {found['encoding']}, {found['width']}x{found['height']}"),
        ("events", f"{found['events_on']:,} on, {found['events_off']:,} off"),
        ("packets", f"{found['packets']:,}, {found['packets_lost']:,} lost"),
        ("errors", f"{found['errors']:,}" + (f" ({drops})" if drops else "")),
        ("duration", f"{found['duration_s']:.3f} s, read in {wall_s:.2f} s"),
        ("activity", place),
    ]
    if found["duration_s"] > 0:
        rows.insert(2, ("rate", f"{events / found['duration_s']:,.0f} events/s"))
    return "\n".join(f"  {name:<10} {text}" for name, text in rows)


def replay_online(
    path: Path,
    topic: str | None,
    rate: float,
    report: Path | None,
    out: TextIO = sys.stdout,
    *,
    stay: bool = False,
    dashboard: bool = False,
) -> int:
    """Play a recording through the replay node, the controller and the guard.

    The joints are those of the recording; where it has none, those of an arm at rest. stay: wait
    at the end, to be sent elsewhere (`replay/seek`), until Ctrl-C. dashboard: with the page.

    Returns 0 at its end or on Ctrl-C, 1 if a node dies, 2 if the recording or the rate cannot be.
    """
    if not RATES[0] <= rate <= RATES[1]:
        print(f"error: --rate {rate:g}: must be from {RATES[0]:g} to {RATES[1]:g}", file=sys.stderr)
        return 2
    try:
        first = next(read_packets(path, topic))
    except BagError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    with Interrupt() as interrupt, contextlib.ExitStack() as stack:
        line = ProgressLine(out)
        sweep_stale_segments()
        folder = new_log_folder()
        domain = None
        if "ROS_DOMAIN_ID" not in os.environ:
            domain = stack.enter_context(DomainClaim()).domain
        environment = ros_environment(domain) | {"ROS_LOG_DIR": str(folder)}
        os.environ.update(environment)
        stack.callback(sweep_stale_segments)
        line.say(f"{path}: {first.topic}, {first.encoding}, {first.width}x{first.height}")
        record = RunRecord()
        commands = _replay_commands(path, first.topic, rate, folder, stay, dashboard)
        failure = _play(commands, folder, environment, record, line, interrupt)
    found = _online_findings(record, path, interrupt.requested)
    line.say(f"  {online_summary(found)}")
    if report is not None:
        write_report(report, found)
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
    return (
        f"{found['packets']} packets, {found['packets_lost']} lost, "
        f"{found['packets_dropped']} dropped; {found['commands']} commands, "
        f"{found['guard_interventions']} interventions of the guard"
    )


def _replay_commands(
    path: Path, topic: str, rate: float, folder: Path, stay: bool, dashboard: bool
) -> dict[str, list[str]]:
    share = share_directory()
    parameters = read_parameter_file(share / ROBOTS["arm"].parameter_file)
    chosen = {
        REPLAY.name: {
            "path": str(path.absolute()),
            "topic": topic,
            "rate": float(rate),
            "publish_clock": True,
            "joint_states": True,
            "stay": stay,
            "wait_s": START_LIMIT_S,
        },
        CONTROLLER.name: parameters[CONTROLLER.name] | {"use_sim_time": True},
        GUARD.name: parameters[GUARD.name] | {"use_sim_time": True},
    }
    nodes = [CONTROLLER, GUARD, REPLAY]
    if dashboard:
        page = read_parameter_file(share / DASHBOARD.parameter_file)[DASHBOARD.name]
        chosen[DASHBOARD.name] = page | {"use_sim_time": True}
        nodes.append(DASHBOARD)
    file = folder / "parameters.yaml"
    write_parameter_file(file, chosen)
    return {node.name: node_command(node, file) for node in nodes}


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
            while not interrupt.requested:
                spin(SLICE_S)
                for news in page.news():
                    line.say(news)
                line.show(progress_of(record))
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
    heard = len(record.statuses.get(CONTROLLER.name, []))
    deadline = time.monotonic() + LAST_WORD_S
    while not interrupt.requested and time.monotonic() < deadline:
        spin(SLICE_S)
        if len(record.statuses.get(CONTROLLER.name, [])) > heard:
            return


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
