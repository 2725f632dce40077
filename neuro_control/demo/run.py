# SPDX-License-Identifier: Apache-2.0
"""A demo from start to end: nodes up, watched, ended, and the report written whatever happens."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

from neuro_control.bringup import DASHBOARD, SIMULATOR
from neuro_control.demo.domain import DomainClaim, ros_environment
from neuro_control.demo.logs import new_log_folder
from neuro_control.demo.options import DemoOptions
from neuro_control.demo.outputs import changed_parameters, record_for, write_outputs
from neuro_control.demo.plan import MARGIN_S, DemoPlan, plan_demo
from neuro_control.demo.processes import ChildProcesses, Interrupt
from neuro_control.demo.progress import ProgressLine
from neuro_control.demo.record import RunRecord
from neuro_control.demo.run_loop import START_LIMIT_S, Outcome, RunLoop
from neuro_control.demo.settings_check import wrong_settings
from neuro_control.demo.shared_memory import sweep_stale_segments
from neuro_control.nodes.recording_place import RecordingError

if TYPE_CHECKING:
    from rclpy.node import Node

    from neuro_control.demo.start_gate import StartGate

Heard = TypeVar("Heard")

# On a robot, controller and guard do not share a processor with the world.
SIMULATOR_NICENESS = 5


def run_demo(
    options: DemoOptions,
    out: TextIO | None = None,
    plan: Callable[[DemoOptions], DemoPlan] = plan_demo,
) -> int:
    """Run a demo; return the exit code.

    plan: says what is started for the options.
    0: it ran to its end, or was ended by Ctrl-C. 1: a node died, or samples that the figures need
    were missing. 128 + n: it was ended by another signal n, or by a second Ctrl-C before all files
    were written. 2: the options, or parameters of the nodes, cannot be.
    """
    with Interrupt() as interrupt:
        try:
            planned = plan(options)
        except (ValueError, FileNotFoundError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        line = ProgressLine(sys.stdout if out is None else out)
        sweep_stale_segments()
        record = record_for(planned.options)
        with contextlib.ExitStack() as stack:
            domain = None
            if "ROS_DOMAIN_ID" not in os.environ:
                domain = stack.enter_context(DomainClaim()).domain
            environment = ros_environment(domain)
            os.environ.update(environment)
            nodes, texts = planned.bringup.nodes, options.overrides
            if wrong := wrong_settings(nodes, planned.parameters, texts):
                print(f"error: {wrong}", file=sys.stderr)
                return 2
            folder = new_log_folder()
            os.environ["ROS_LOG_DIR"] = environment["ROS_LOG_DIR"] = str(folder)
            outcome = _watched_run(planned, folder, environment, record, line, interrupt)
        sweep_stale_segments()
        return _finish(planned, record, outcome, line, interrupt)


def _watched_run(
    plan: DemoPlan,
    folder: Path,
    environment: dict[str, str],
    record: RunRecord,
    line: ProgressLine,
    interrupt: Interrupt,
) -> Outcome:
    # Here and not above: rclpy reads the environment when it is loaded.
    from neuro_control.demo.monitor import listening
    from neuro_control.demo.start_gate import GuardGate, PaceGate

    outcome = Outcome()
    commands = plan.commands(folder)
    robot = plan.bringup.robot
    line.say(f"{robot.name}: {robot.task}; {', '.join(commands)} start (logs: {folder})")
    with ChildProcesses(folder, environment) as children:
        for name, command in commands.items():
            niceness = SIMULATOR_NICENESS if name == SIMULATOR.name else 0
            children.start(name, command, niceness, essential=name != DASHBOARD.name)

        def spikes_heard() -> bool:
            # The controller makes itself ready for whoever listens to spikes only then, which may
            # take seconds: of a run that went on meanwhile they would be missing.
            return record.network is None or record.network.packets > 0

        def watch(heard: tuple[Node, Callable[[float], None]]) -> None:
            node, spin = heard
            run = RunLoop(plan, children, record, line, interrupt, outcome, spin)
            gate: StartGate = (
                GuardGate(node, lambda: len(record.target) > 0)
                if plan.lockstep
                else PaceGate(node, plan.real_time_factor, spikes_heard, START_LIMIT_S)
            )
            run.until(gate.is_open, "the way from sensor to robot")
            record.restart_clock()
            while run.goes_on:
                run.step()
            run.await_last_words()

        options = plan.options
        watch_recorded(listening(record, options.draws, options.bag), watch, outcome, line.say)
        forced = children.stop(hurry=lambda: interrupt.urgent)
        if forced and not interrupt.urgent:
            line.say(f"had to be killed: {', '.join(forced)} (logs: {folder})")
    return outcome


def watch_recorded(
    listening: AbstractContextManager[Heard],
    watch: Callable[[Heard], None],
    outcome: Outcome,
    say: Callable[[str], None],
) -> None:
    """Watch within what listens and records; an error of the recording is the outcome's failure.

    It hides neither a failure of the run nor what was raised: then it is said, and those go on.
    """
    raised: BaseException | None = None
    try:
        with listening as heard:
            try:
                watch(heard)
            except BaseException as error:
                raised = error
                raise
    except RecordingError as error:
        if raised is None and outcome.failure is None:
            outcome.failure = str(error)
        else:
            say(f"error: {error}")
        if raised is not None:
            raise raised from None
    else:
        outcome.recorded = True


def _finish(
    plan: DemoPlan,
    record: RunRecord,
    outcome: Outcome,
    line: ProgressLine,
    interrupt: Interrupt,
) -> int:
    from neuro_control.demo.figures import missing_samples
    from neuro_control.demo.report import make_report
    from neuro_control.demo.summary import summary

    options = plan.options
    last_ns = round(options.seconds * 1e9) if outcome.finished else -1
    t_ns, _ = record.target_arrays()
    if not outcome.finished and len(t_ns):
        last_ns = int(t_ns[-1])
    # Out of lockstep nobody waits for the monitor, which may not have heard the very first.
    first_ns = plan.camera_period_ns if plan.lockstep or not len(t_ns) else int(t_ns[0])
    # Of a run of hours only every so manieth sample is kept.
    period_ns = plan.truth_period_ns * record.target.stride
    missing = missing_samples(t_ns, period_ns, first_ns, last_ns)
    if missing and plan.lockstep and outcome.failure is None:
        outcome.failure = (
            f"{missing} of the target's samples were not heard: the figures are not those of the "
            "whole run; is the machine overloaded?"
        )
    report = make_report(
        record,
        options,
        task=plan.bringup.robot.task,
        field_of_view_deg=plan.field_of_view_deg,
        interrupted=outcome.interrupted,
        missing=missing,
        simulated_s=max(last_ns, 0) * 1e-9,
        totals=_totals(record, options.seconds + MARGIN_S if outcome.finished else None)
        | {"dense_operations_a_step": _dense_operations(plan)},
        failure=None if outcome.failure is None else str(outcome.failure),
        changed=changed_parameters(plan),
    )
    line.say("")
    line.say(summary(report))
    written = write_outputs(plan, record, report, line.say, lambda: interrupt.urgent)
    if options.bag is not None and outcome.recorded:
        line.say(f"  recording          {options.bag}")
    if outcome.failure is not None:
        print(f"error: {outcome.failure}", file=sys.stderr, flush=True)
        return 1
    ended_by = interrupt.signal_number
    by_another = outcome.interrupted and ended_by != signal.SIGINT
    if ended_by is not None and (by_another or not written):
        return 128 + ended_by
    return 0


def _dense_operations(plan: DemoPlan) -> float | None:
    """None where nothing was run: a network that cannot be read is why the controller ended."""
    from neuro_control.demo.energy import dense_operations_a_step

    try:
        return float(dense_operations_a_step(str(plan.parameters["controller"]["network"])))
    except (OSError, ValueError):
        return None


def _totals(record: RunRecord, simulated_s: float | None) -> dict[str, float | None]:
    """The controller's counters at its last word, and the simulated time that they cover."""
    statuses = record.statuses.get("controller", ())
    last = statuses[-1] if statuses else None
    totals: dict[str, float | None] = {
        name: None if last is None else last.number(name)
        for name in ("events", "spikes", "ticks", "neurons", "synaptic_operations")
    }
    covered = last.simulated_s if last is not None else None
    totals["seconds"] = simulated_s if simulated_s is not None else covered
    return totals
