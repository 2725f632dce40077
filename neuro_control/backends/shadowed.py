# SPDX-License-Identifier: Apache-2.0
"""A backend as its shadow sees it: what it is asked, what it has missed, and what becomes of it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from neuro_control.backends.fault import Fault, FaultKind, disorder_of, divergence, same
from neuro_control.backends.primary import Offsets, Outputs, Primary, Successor
from neuro_control.backends.runner import Indices, RunnerState
from neuro_control.backends.trust import Punctuality, ShadowSettings
from neuro_control.backends.worker_process import BackendError
from neuro_control.network import Port
from neuro_control.worker.protocol import ProtocolError
from neuro_control.worker.spikes import fault_of

FAULTS_KEPT = 100


class ShadowState(str, Enum):
    """Where the backend stands."""

    IN_STEP = "in step"
    BEHIND = "behind"
    STARTING = "starting"
    GIVEN_UP = "given up"


@dataclass(slots=True)
class Cycle:
    """The input of some ticks from ``tick`` on, and what the twin made of it, once it has."""

    tick: int
    indices: Indices
    offsets: Offsets
    twin: Outputs | None = None


@dataclass(slots=True)
class Asked:
    """The question that is out: the cycles it covers (none: a restore), and since when."""

    sequence: int
    cycles: list[Cycle]
    since: float
    stale: bool = False


@dataclass
class ShadowTotals:
    """Counted since the runner was made."""

    cycles: int = 0
    cycles_of_twin: int = 0
    ticks_compared: int = 0
    spikes_differing: int = 0
    restarts: int = 0
    rejoined: int = 0
    faults: dict[FaultKind, int] = field(default_factory=lambda: dict.fromkeys(FaultKind, 0))


class Shadowed:
    """Nothing here raises for the backend's sake: its faults are noted, and the twin goes on.

    ``tick`` is the network's, so far; ``asked`` the question that is out, None in most cycles;
    ``refusal`` why it did not take the last input that was offered, empty if it did.
    """

    def __init__(
        self,
        make_primary: Callable[[], Primary],
        settings: ShadowSettings,
        output_ports: Mapping[str, Port],
    ) -> None:
        """Start it; what ``make_primary`` raises goes through."""
        self.settings = settings
        self.totals = ShadowTotals()
        self.faults: deque[Fault] = deque(maxlen=FAULTS_KEPT)
        self.primary: Primary | None = make_primary()
        self.punctual = Punctuality()
        self.asked: Asked | None = None
        self.failures = 0
        self.tick = 0
        self.refusal = ""
        self._output_ports = output_ports
        self._n_outputs = sum(port.size for port in output_ports.values())
        self._successor = Successor(make_primary)
        self._backlog: deque[Cycle] = deque()
        self._lag = 0
        self._restore = False

    @property
    def status(self) -> ShadowState:
        """Where it stands."""
        if self.primary is None:
            return ShadowState.STARTING if self._successor.expected else ShadowState.GIVEN_UP
        return ShadowState.IN_STEP if self.punctual.in_step else ShadowState.BEHIND

    def offer(self, cycle: Cycle, state: Callable[[], RunnerState]) -> None:
        """Give it this cycle, with all that it has missed, if it waits for work.

        state: the twin's, from which it goes on where it cannot catch up.
        """
        self.refusal = ""
        if self.primary is None:
            self._take_successor()
        if self.primary is None:
            return
        ticks = len(cycle.offsets) - 1
        if self._lag + ticks > self.settings.lag_ticks:
            # What it was asked is still compared; what it was not is passed over.
            self._backlog.clear()
            self._restore = True
        try:
            if self._restore and self.asked is None:
                sequence = self.primary.begin_restore(state())
                self.asked = Asked(sequence, [], time.monotonic())
                self._restore, self._lag = False, 0
            if self._restore:
                return
            self._backlog.append(cycle)
            self._lag += ticks
            if self.asked is None:
                sequence = self.primary.begin(*_joined(self._backlog))
                self.asked = Asked(sequence, list(self._backlog), time.monotonic())
                self._backlog.clear()
        except (BackendError, ProtocolError) as error:
            self.crash(error)
        except ValueError as error:
            # The twin refuses the same input, says it better, and `take_back` follows; or `refuse`.
            self.refusal = said_of(error)
        except Exception as error:  # noqa: BLE001 - noted as a fault
            self.crash(error)

    def take_back(self, cycle: Cycle, asked_before: Asked | None) -> None:
        """Undo `offer` of what the twin refused."""
        if self.asked is not asked_before and self.asked is not None:
            # It went out with what was missed before: state and stream are uncertain.
            self.begin_anew()
        elif self._backlog and self._backlog[-1] is cycle:
            self._backlog.pop()
            self._lag -= len(cycle.offsets) - 1

    def look(self, timeout_s: float) -> Outputs | None:
        """Take the answer if it is there; the last cycle's output where that is in it and right."""
        asked = self.asked
        if asked is None or self.primary is None:
            return None
        try:
            if not asked.cycles:
                if self.primary.poll_done(asked.sequence, timeout_s):
                    self.asked = None
                else:
                    self.check_hang()
                return None
            found = self.primary.poll(asked.sequence, timeout_s)
        except Exception as error:  # noqa: BLE001 - noted as a fault
            self.crash(error)
            return None
        if found is None:
            self.check_hang()
            return None
        self.asked = None
        if asked.stale:
            return None
        self._lag -= sum(len(cycle.offsets) - 1 for cycle in asked.cycles)
        return self.compare(asked.cycles, *found)

    def miss(self, asked: Asked) -> None:
        """What it was asked while it was in step is still out when the cycle ends."""
        self.asked = asked
        self._lag = sum(len(cycle.offsets) - 1 for cycle in asked.cycles)
        self.check_hang()

    def check_hang(self) -> None:
        """Lose it where the question that is out has been so for too long."""
        if self.asked is None:
            return
        waited_s = time.monotonic() - self.asked.since
        if waited_s > self.settings.hang_s:
            self.lose(FaultKind.HANG, f"no answer for {waited_s:.2f} s")

    def compare(self, cycles: list[Cycle], indices: Indices, offsets: Offsets) -> Outputs | None:
        """The last cycle's output of an answer to these, None where it is not to be trusted."""
        wanted = sum(len(cycle.offsets) - 1 for cycle in cycles)
        if len(offsets) - 1 != wanted:
            self.lose(
                FaultKind.CRASH, f"it answered with {len(offsets) - 1} ticks of {wanted} asked for"
            )
            return None
        if fault := fault_of(indices, offsets, self._n_outputs) or disorder_of(indices, offsets):
            # What no network can answer is beyond every tolerance.
            self.lose(FaultKind.CRASH, f"it answered no spikes: {fault}")
            return None
        at = 0
        answer = (indices, offsets)
        for cycle in cycles:
            ticks = len(cycle.offsets) - 1
            if ticks < wanted:
                first, last = offsets[at], offsets[at + ticks]
                answer = (indices[first:last], offsets[at : at + ticks + 1] - first)
                at += ticks
            self.totals.ticks_compared += ticks
            if cycle.twin is None:
                raise RuntimeError("a cycle was compared before its twin had stepped")
            if same(answer, cycle.twin):
                answer = cycle.twin
                continue
            differing, found = divergence(cycle.tick, answer, cycle.twin, self._output_ports)
            self.totals.spikes_differing += differing
            if differing > self.settings.tolerance_spikes:
                self._differ(found)
                return None
        if self.punctual.in_step:
            self.failures = 0
        return answer

    def refuse(self, tick: int) -> None:
        """What it has refused with ``refusal`` in the cycle from that tick on, the twin took."""
        text = f"it refuses what its twin takes: {self.refusal}"
        self._differ(Fault(FaultKind.DIVERGENCE, tick, text))

    def _differ(self, fault: Fault) -> None:
        self.note(fault)
        self.begin_anew()
        self.failures += 1
        if self.failures > self.settings.restarts:
            self.lose(FaultKind.CRASH, f"it has differed {self.failures} times in a row")

    def begin_anew(self) -> None:
        """Let it go on from the twin's state with the next cycle."""
        self._backlog.clear()
        self.punctual.leave()
        self._lag, self._restore = 0, True
        if self.asked is not None:
            self.asked.stale = True

    def note(self, fault: Fault) -> None:
        """Keep a fault, and count it."""
        self.faults.append(fault)
        self.totals.faults[fault.kind] += 1

    def lose(self, kind: FaultKind, text: str) -> None:
        """It is of no more use: end it, and start another in the background."""
        self.note(Fault(kind, self.tick, text))
        lost, self.primary = self.primary, None
        self._backlog.clear()
        self.punctual.leave()
        self._lag, self.asked = 0, None
        self.failures += 1
        self._successor.follow(lost, again=self.failures <= self.settings.restarts)

    def crash(self, error: Exception) -> None:
        """Lose it for what it raised; one of other people's may raise anything."""
        self.lose(FaultKind.CRASH, said_of(error))

    def close(self) -> None:
        """End it, and what may just be starting; that by itself, if it takes longer."""
        self._successor.close()
        if self.primary is not None:
            self.primary.close()
        self.primary = self.asked = None

    def _take_successor(self) -> None:
        started = self._successor.take()
        if isinstance(started, Exception):
            self.lose(FaultKind.CRASH, f"it cannot be started again: {said_of(started)}")
        elif started is not None:
            self.primary = started
            self._restore = True
            self.totals.restarts += 1


def said_of(error: Exception) -> str:
    """What is to be said of an error; those that are made for it speak for themselves."""
    known = isinstance(error, (BackendError, ProtocolError))
    return str(error) if known else f"{type(error).__name__}: {error}"


def _joined(cycles: deque[Cycle]) -> tuple[Indices, Offsets]:
    """Their inputs as one run."""
    if len(cycles) == 1:
        return cycles[0].indices, cycles[0].offsets
    counts = np.concatenate([np.diff(cycle.offsets) for cycle in cycles])
    indices = np.concatenate([cycle.indices for cycle in cycles])
    return indices, np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
