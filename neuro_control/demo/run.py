# SPDX-License-Identifier: Apache-2.0
"""A demo from start to end: nodes up, watched, ended, and the report written whatever happens."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

from neuro_control.bringup import DASHBOARD, SIMULATOR
from neuro_control.demo.domain import DomainClaim, ros_environment
from neuro_control.demo.logs import new_log_folder
from neuro_control.demo.options import DemoOptions
from neuro_control.demo.outputs import changed_parameters, record_for, write_outputs
from neuro_control.demo.page_address import PageAddress
from neuro_control.demo.plan import MARGIN_S, DemoPlan, plan_demo
from neuro_control.demo.processes import ChildFailure, ChildProcesses, Interrupt
from neuro_control.demo.progress import Progress, ProgressLine
from neuro_control.demo.record import RunRecord
from neuro_control.demo.shared_memory import sweep_stale_segments
from neuro_control.nodes.recording_place import RecordingError

if TYPE_CHECKING:
    from rclpy.node import Node

    from neuro_control.demo.start_gate import StartGate

Heard = TypeVar("Heard")

SLICE_S = 0.05
# On a robot, controller and guard do not share a processor with the world.
SIMULATOR_NICENESS = 5
START_LIMIT_S = 60.0
# Nodes say how they are once a second; after the end their last word is awaited this long.
LAST_WORD_S = 3.0
LEAST_HEARD = 0.9
"""Share of its time that must have been heard of a simulation that has ended by itself: the
messages that tell the time are sent once, and the last of them may be lost on a busy machine. Such
a run has ended well; its summary says how much of it was heard."""


@dataclass
class Outcome:
    """How a run ended."""

    interrupted: bool = False
    failure: ChildFailure | str | None = None
    finished: bool = False


def run_demo(
    options: DemoOptions,
    out: TextIO = sys.stdout,
    plan: Callable[[DemoOptions], DemoPlan] = plan_demo,
) -> int:
    """Run a demo; return the exit code.

    plan: says what is started for the options.
    0: it ran to its end, or was ended by Ctrl-C. 1: a node died, or samples that the figures need
    were missing. 128 + n: it was ended by another signal n. 2: the options cannot be.
    """
    with Interrupt() as interrupt:
        try:
            planned = plan(options)
        except (ValueError, FileNotFoundError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        line = ProgressLine(out)
        sweep_stale_segments()
        record = record_for(planned.options)
        folder = new_log_folder()
        with contextlib.ExitStack() as stack:
            domain = None
            if "ROS_DOMAIN_ID" not in os.environ:
                domain = stack.enter_context(DomainClaim()).domain
            environment = ros_environment(domain)
            environment["ROS_LOG_DIR"] = str(folder)
            os.environ.update(environment)
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

        def watch(heard: tuple[Node, Callable[[float], None]]) -> None:
            node, spin = heard
            run = _Run(plan, children, record, line, interrupt, outcome, spin)
            gate: StartGate = (
                GuardGate(node, lambda: len(record.target) > 0)
                if plan.lockstep
                else PaceGate(node, plan.real_time_factor)
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


class _Run:
    """The watching loop, in steps."""

    def __init__(
        self,
        plan: DemoPlan,
        children: ChildProcesses,
        record: RunRecord,
        line: ProgressLine,
        interrupt: Interrupt,
        outcome: Outcome,
        spin: Callable[[float], None],
    ) -> None:
        self._plan = plan
        self._children = children
        self._record = record
        self._line = line
        self._interrupt = interrupt
        self._outcome = outcome
        self._spin = spin
        self._end_ns = round(plan.options.seconds * 1e9)
        page = next((c for c in children.children if c.name == DASHBOARD.name), None)
        self._page = PageAddress(page)

    @property
    def goes_on(self) -> bool:
        """Whether neither end, failure nor interruption has come."""
        outcome = self._outcome
        return not (outcome.finished or outcome.interrupted or outcome.failure is not None)

    def step(self) -> None:
        """Listen for a moment, look after the children, tell how it goes."""
        self._spin(SLICE_S)
        for news in self._page.news():
            self._line.say(news)
        if self._interrupt.requested:
            self._outcome.interrupted = True
            return
        failure = self._children.failure()
        if failure is not None:
            at_end = failure.name == "simulator" and failure.exit_code == 0
            if not at_end:
                self._outcome.failure = failure
                return
            self._hear_the_rest()
            if self._ran_to_the_end(LEAST_HEARD):
                self._outcome.finished = True
            else:
                self._outcome.failure = (
                    f"the simulation ended; of its {self._end_ns * 1e-9:g} s only "
                    f"{self._record.simulated_s:.1f} were heard: is the machine overloaded?"
                )
            return
        if len(self._record.target):
            self._line.show(self._progress())

    def until(self, condition: Callable[[], bool], who: str) -> None:
        """Step until a condition holds, the run ends, or patience does."""
        deadline = time.monotonic() + START_LIMIT_S
        while self.goes_on:
            try:
                if condition():
                    return
            except RuntimeError as error:
                self._outcome.failure = str(error)
                return
            if time.monotonic() > deadline:
                self._outcome.failure = (
                    f"{who} was not up within {START_LIMIT_S:g} s (logs: "
                    f"{self._children.log_folder})"
                )
                return
            self.step()

    def await_last_words(self) -> None:
        """After a run to the end: wait for the final counts of controller and guard."""
        heard = {name: self._record.heard[name] for name in ("controller", "guard")}
        deadline = time.monotonic() + LAST_WORD_S
        while (
            self._outcome.finished
            and not self._interrupt.requested
            and time.monotonic() < deadline
            and any(self._record.heard[name] <= n for name, n in heard.items())
        ):
            self._spin(SLICE_S)

    def _hear_the_rest(self) -> None:
        """Listen to what the simulation sent last, for as long as something comes."""
        silent_since, heard_s = time.monotonic(), -1.0
        while time.monotonic() - silent_since < LAST_WORD_S and not self._interrupt.urgent:
            self._spin(SLICE_S)
            if self._ran_to_the_end():
                return
            if self._record.simulated_s != heard_s:
                silent_since, heard_s = time.monotonic(), self._record.simulated_s

    def _ran_to_the_end(self, share: float = 1.0) -> bool:
        return self._record.simulated_s * 1e9 >= share * self._end_ns

    def _progress(self) -> Progress:
        record = self._record
        return Progress(
            simulated_s=record.simulated_s,
            total_s=self._plan.options.seconds,
            real_time_factor=record.real_time_factor(),
            error_deg=record.recent_error_deg(),
            events_per_second=record.latest("controller", "events_per_second"),
            spikes_per_second=record.latest("controller", "spikes_per_second"),
            delay_ms=record.latest("simulator", "latency_recent_ms_median"),
            remark=record.word("controller", "controller_state") or "",
        )


def _finish(
    plan: DemoPlan,
    record: RunRecord,
    outcome: Outcome,
    line: ProgressLine,
    interrupt: Interrupt,
) -> int:
    from neuro_control.demo.figures import missing_samples
    from neuro_control.demo.report import make_report, summary

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
    write_outputs(plan, record, report, line.say, lambda: interrupt.urgent)
    if outcome.failure is not None:
        print(f"error: {outcome.failure}", file=sys.stderr, flush=True)
        return 1
    if outcome.interrupted and interrupt.signal_number not in (None, signal.SIGINT):
        return 128 + int(interrupt.signal_number or 0)
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
