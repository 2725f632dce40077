# SPDX-License-Identifier: Apache-2.0
"""A run while it goes on: what is listened to, who has died, when it is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from neuro_control.bringup import DASHBOARD
from neuro_control.demo.page_address import PageAddress
from neuro_control.demo.plan import DemoPlan
from neuro_control.demo.processes import ChildFailure, ChildProcesses, Interrupt
from neuro_control.demo.progress import Progress, ProgressLine, remark_of
from neuro_control.demo.record import RunRecord

SLICE_S = 0.05
START_LIMIT_S = 60.0
# Nodes say how they are once a second; after the end their last word is awaited this long.
LAST_WORD_S = 3.0
LEAST_HEARD = 0.9
"""Share of its time that must have been heard of a simulation that has ended by itself: the
messages that tell the time are sent once, and the last of them may be lost on a busy machine. Such
a run has ended well; its summary says how much of it was heard."""


@dataclass
class Outcome:
    """How a run ended, and whether it was recorded to where it should be."""

    interrupted: bool = False
    failure: ChildFailure | str | None = None
    finished: bool = False
    recorded: bool = False


class RunLoop:
    """Watching a run, in steps. spin: listens for some seconds, and so fills the record."""

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
            # Of simulated time, as the summary has them.
            events_per_second=record.recent_rate("events"),
            spikes_per_second=record.recent_rate("spikes"),
            delay_ms=record.latest("simulator", "latency_recent_ms_median"),
            remark=remark_of(record),
        )
