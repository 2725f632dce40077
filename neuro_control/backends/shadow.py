# SPDX-License-Identifier: Apache-2.0
"""A backend and its twin on the CPU in lockstep: the robot does not notice when the backend goes.

The twin steps in every cycle while the backend works, so that its output is there whatever
happens. The backend's answer is awaited until the deadline of the cycle, and compared spike by
spike. Where it is late, wrong, or gone, the twin's output is what the caller gets, from that very
tick; the backend catches up, is given the twin's state, or is started anew in the background, and
rejoins when it is in step again. No call waits longer than the deadline beyond the twin's own
time.

To rejoin, a backend must have answered `TRIALS` questions in a row within the deadline. Trying it
is waiting for it, so that each answer that is late doubles the cycles until it is tried again, to
`LONGEST_PAUSE` at most: one that is always late costs a cycle in a thousand its deadline.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.cpu import CpuRunner
from neuro_control.backends.runner import Indices, RunCounters, Runner, RunnerState
from neuro_control.backends.worker_process import BackendError
from neuro_control.network import FixedNetwork, Port
from neuro_control.worker.protocol import ProtocolError

Offsets = NDArray[np.int64]
FAULTS_KEPT = 100
CLOSE_S = 5.0
TRIALS = 3
"""Answers in a row within the deadline before a backend rejoins."""
LONGEST_PAUSE = 1024
"""Cycles, at most, from an answer that was late to the next trial."""
STEADY = 100
"""Cycles in step after which earlier late answers are forgotten."""


class Primary(Protocol):
    """What is shadowed; `process_runner.ProcessRunner` is one."""

    def begin(self, indices: Indices, offsets: Offsets) -> int:
        """Ask for some ticks."""

    def poll(self, sequence: int, timeout_s: float) -> tuple[Indices, Offsets] | None:
        """Their outputs, if they have come."""

    def begin_restore(self, state: RunnerState) -> int:
        """Ask to go on from a state."""

    def poll_done(self, sequence: int, timeout_s: float) -> bool:
        """Whether it does."""

    def close(self, ask: bool = True) -> None:
        """End it."""


class FaultKind(str, Enum):
    """What may go wrong with a backend."""

    DEADLINE = "deadline"
    DIVERGENCE = "divergence"
    CRASH = "crash"
    HANG = "hang"


@dataclass(frozen=True)
class Fault:
    """Something went wrong at ``tick``; for a divergence, which output and what both said."""

    kind: FaultKind
    tick: int
    text: str
    output: str = ""
    neuron: int = -1
    primary: int = -1
    twin: int = -1

    def __str__(self) -> str:
        return f"tick {self.tick}: {self.kind.value}: {self.text}"


@dataclass(frozen=True)
class ShadowSettings:
    """When to trust a backend.

    Attributes:
        deadline_s: how long a cycle waits for the answer, from when it was asked.
        tolerance_spikes: outputs that may differ in one cycle before it counts as a divergence.
        hang_s: time without an answer after which the process is ended.
        lag_ticks: ticks that it may be behind; beyond, it is given the twin's state instead.
        restarts: failures in a row (ends, hangs, divergences), without having been in step between,
            before it is given up.
    """

    deadline_s: float = 0.002
    tolerance_spikes: int = 0
    hang_s: float = 1.0
    lag_ticks: int = 2000
    restarts: int = 5

    def __post_init__(self) -> None:
        for name, least in (("deadline_s", 0), ("hang_s", 1e-3)):
            value = getattr(self, name)
            if not least <= value <= 3600:
                raise ValueError(f"{name} must be {least}..3600 seconds, not {value}")
        for name, low in (("tolerance_spikes", 0), ("lag_ticks", 1), ("restarts", 0)):
            if getattr(self, name) < low:
                raise ValueError(f"{name} must be at least {low}, not {getattr(self, name)}")


class ShadowState(str, Enum):
    """Where the backend stands."""

    IN_STEP = "in step"
    BEHIND = "behind"
    STARTING = "starting"
    GIVEN_UP = "given up"


@dataclass(slots=True)
class _Cycle:
    tick: int
    indices: Indices
    offsets: Offsets
    twin: tuple[Indices, Offsets] | None = None


@dataclass(slots=True)
class _Asked:
    """The question that is out: the cycles it covers (none: a restore), and since when."""

    sequence: int
    cycles: list[_Cycle]
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


class ShadowRunner:
    """Implements `neuro_control.backends.Runner`; see the module."""

    def __init__(
        self,
        network: FixedNetwork,
        make_primary: Callable[[], Primary],
        name: str,
        settings: ShadowSettings | None = None,
    ) -> None:
        """Start the backend (what ``make_primary`` raises goes through) and warm the twin."""
        self.network = network
        self.name = f"{name} with a shadow"
        self.settings = settings or ShadowSettings()
        self.totals = ShadowTotals()
        self.faults: deque[Fault] = deque(maxlen=FAULTS_KEPT)
        self._make_primary = make_primary
        warm = CpuRunner(network)
        warm.warm()
        # Replaced by one that looks inside while somebody watches (control.network_watch).
        self.twin: Runner = warm
        self._primary: Primary | None = make_primary()
        self._started: Primary | Exception | None = None
        self._starter: threading.Thread | None = None
        self._backlog: deque[_Cycle] = deque()
        self._lag = 0
        self._asked: _Asked | None = None
        self._restore = False
        self._in_step = True
        self._cycles_in_step = 0
        self._pause = self._until_trial = self._trials_passed = 0
        self._failures = 0
        self._tick = 0
        self._closed = threading.Event()

    @property
    def input_ports(self) -> Mapping[str, Port]:
        """Where each input lies in the active indices given."""
        return self.network.inputs

    @property
    def output_ports(self) -> Mapping[str, Port]:
        """Where each output lies in the active indices returned."""
        return self.network.outputs

    @property
    def counters(self) -> RunCounters:
        """The twin's."""
        return self.twin.counters

    @property
    def status(self) -> ShadowState:
        """Where the backend stands; the twin is always in step."""
        if self._primary is None:
            return ShadowState.STARTING if self._starter is not None else ShadowState.GIVEN_UP
        return ShadowState.IN_STEP if self._in_step else ShadowState.BEHIND

    def step(self, active: Indices) -> Indices:
        """Advance one tick; see `neuro_control.backends.Runner.step`."""
        indices, _ = self.run(np.asarray(active), np.array([0, len(active)], np.int64))
        return indices

    def run(self, indices: Indices, offsets: Offsets) -> tuple[Indices, Offsets]:
        """Advance many ticks; see `neuro_control.backends.Runner.run`."""
        began = time.monotonic()
        if self._asked is not None:
            self._look(0.0)
        cycle = _Cycle(self._tick, indices, offsets)
        asked_before = self._asked
        self._offer(cycle)
        try:
            twin = self.twin.run(indices, offsets)
        except ValueError:
            self._take_back(cycle, asked_before)
            raise
        cycle.twin = twin
        self._tick += len(offsets) - 1
        self.totals.cycles += 1
        answer = None
        if self._asked is not asked_before and (self._in_step or self._on_trial()):
            left_s = self.settings.deadline_s - (time.monotonic() - began)
            answer = self._await(cycle, max(left_s, 0.0), began)
        if answer is None or not self._in_step:
            self.totals.cycles_of_twin += 1
            return twin
        return answer

    def reset(self) -> None:
        """Back to rest, counters of the run at zero; what is known of the backend stays."""
        self.twin.reset()
        self._begin_anew()

    def state(self) -> RunnerState:
        """A copy of the twin's state."""
        return self.twin.state()

    def restore(self, state: RunnerState) -> None:
        """Go on from a state. ValueError where it belongs to another network."""
        self.twin.restore(state)
        self._begin_anew()

    def membrane(self, name: str) -> NDArray[np.int64]:
        """Membranes of a population, in its shape, from the twin."""
        return self.twin.membrane(name)

    def close(self) -> None:
        """End the backend, and what may just be starting; that by itself, if it takes longer."""
        self._closed.set()
        if self._starter is not None:
            self._starter.join(CLOSE_S)
        for primary in (self._primary, self._started):
            if primary is not None and not isinstance(primary, Exception):
                primary.close()
        self._primary = self._started = self._asked = None

    # What follows never raises for the backend's sake: its faults are noted, and the twin goes on.

    def _on_trial(self) -> bool:
        """Whether a backend that is behind is to show in this cycle that it answers in time."""
        if self._until_trial > 0:
            self._until_trial -= 1
            return False
        # With what it has missed before in the question, being late would prove nothing.
        return self._asked is not None and len(self._asked.cycles) == 1

    def _await(
        self, cycle: _Cycle, timeout_s: float, began: float
    ) -> tuple[Indices, Offsets] | None:
        """Wait for the answer of a backend that is in step, or on trial to be."""
        was_in_step = self._in_step
        answer = self._look(timeout_s)
        if answer is None:
            self._trials_passed = 0
            if self._asked is not None and not self._asked.stale:
                self._be_late(cycle, was_in_step, time.monotonic() - began)
            return None
        if was_in_step:
            self._cycles_in_step += 1
            if self._cycles_in_step >= STEADY:
                self._pause = 0
            return answer
        self._trials_passed += 1
        if self._trials_passed >= TRIALS:
            self._in_step = True
            self._cycles_in_step = self._trials_passed = self._failures = 0
            self.totals.rejoined += 1
        return answer

    def _be_late(self, cycle: _Cycle, was_in_step: bool, waited_s: float) -> None:
        """No answer came in time: out of step, and the next trial twice as far away."""
        self._in_step = False
        self._pause = min(max(2 * self._pause, 1), LONGEST_PAUSE)
        self._until_trial = self._pause
        if was_in_step:
            self._note(
                Fault(
                    FaultKind.DEADLINE,
                    cycle.tick,
                    f"no answer within {self.settings.deadline_s * 1e3:g} ms "
                    f"({waited_s * 1e3:.1f} ms waited)",
                )
            )

    def _offer(self, cycle: _Cycle) -> None:
        """Give the backend this cycle, with all that it has missed, if it waits for work."""
        if self._primary is None:
            self._take_started()
        if self._primary is None:
            return
        ticks = len(cycle.offsets) - 1
        if self._lag + ticks > self.settings.lag_ticks:
            # What it was asked is still compared; what it was not is passed over.
            self._backlog.clear()
            self._restore = True
        try:
            if self._restore and self._asked is None:
                sequence = self._primary.begin_restore(self.twin.state())
                self._asked = _Asked(sequence, [], time.monotonic())
                self._restore, self._lag = False, 0
            if self._restore:
                return
            self._backlog.append(cycle)
            self._lag += ticks
            if self._asked is None:
                sequence = self._primary.begin(*_joined(self._backlog))
                self._asked = _Asked(sequence, list(self._backlog), time.monotonic())
                self._backlog.clear()
        except (BackendError, ProtocolError) as error:
            self._lose(FaultKind.CRASH, str(error))
        except ValueError:
            # The twin refuses the same input, says it better, and `_take_back` follows.
            return

    def _take_back(self, cycle: _Cycle, asked_before: _Asked | None) -> None:
        """Undo `_offer` of what the twin refused."""
        if self._asked is not asked_before and self._asked is not None:
            # It went out with what was missed before: state and stream are uncertain.
            self._begin_anew()
        elif self._backlog and self._backlog[-1] is cycle:
            self._backlog.pop()
            self._lag -= len(cycle.offsets) - 1

    def _look(self, timeout_s: float) -> tuple[Indices, Offsets] | None:
        """Take the answer if it is there; the last cycle's output where that is in it and right."""
        asked = self._asked
        if asked is None or self._primary is None:
            return None
        try:
            if not asked.cycles:
                if self._primary.poll_done(asked.sequence, timeout_s):
                    self._asked = None
                else:
                    self._check_hang(asked)
                return None
            found = self._primary.poll(asked.sequence, timeout_s)
        except (BackendError, ProtocolError) as error:
            self._lose(FaultKind.CRASH, str(error))
            return None
        if found is None:
            self._check_hang(asked)
            return None
        self._asked = None
        if asked.stale:
            return None
        return self._compare(asked.cycles, *found)

    def _check_hang(self, asked: _Asked) -> None:
        waited_s = time.monotonic() - asked.since
        if waited_s > self.settings.hang_s:
            self._lose(FaultKind.HANG, f"no answer for {waited_s:.2f} s")

    def _compare(
        self, cycles: list[_Cycle], indices: Indices, offsets: Offsets
    ) -> tuple[Indices, Offsets] | None:
        wanted = sum(len(cycle.offsets) - 1 for cycle in cycles)
        self._lag -= wanted
        if len(offsets) - 1 != wanted:
            self._lose(
                FaultKind.CRASH, f"it answered with {len(offsets) - 1} ticks of {wanted} asked for"
            )
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
            if _same(answer, cycle.twin):
                answer = cycle.twin
                continue
            differing, fault = _difference(cycle, answer, self.output_ports)
            self.totals.spikes_differing += differing
            if differing > self.settings.tolerance_spikes:
                self._note(fault)
                self._begin_anew()
                self._failures += 1
                if self._failures > self.settings.restarts:
                    self._lose(FaultKind.CRASH, f"it has differed {self._failures} times in a row")
                return None
        if self._in_step:
            self._failures = 0
        return answer

    def _begin_anew(self) -> None:
        """Let the backend go on from the twin's state with the next cycle."""
        self._backlog.clear()
        self._lag, self._restore, self._in_step, self._trials_passed = 0, True, False, 0
        if self._asked is not None:
            self._asked.stale = True

    def _note(self, fault: Fault) -> None:
        self.faults.append(fault)
        self.totals.faults[fault.kind] += 1

    def _lose(self, kind: FaultKind, text: str) -> None:
        """The backend is of no more use: end it, and start another in the background."""
        self._note(Fault(kind, self._tick, text))
        lost, self._primary = self._primary, None
        self._backlog.clear()
        self._lag, self._asked, self._in_step, self._trials_passed = 0, None, False, 0
        self._failures += 1
        again = self._failures <= self.settings.restarts

        def start() -> None:
            # Whatever is raised, files or memory that ran out among it, is a fault of the backend.
            try:
                if lost is not None:
                    lost.close(ask=False)
                if not again or self._closed.is_set():
                    return
                started = self._make_primary()
            except Exception as error:  # noqa: BLE001 - noted as a fault
                self._started = error
                return
            if self._closed.is_set():
                started.close(ask=False)
            else:
                self._started = started

        self._starter = threading.Thread(target=start, name="backend start", daemon=True)
        self._starter.start()

    def _take_started(self) -> None:
        if self._primary is not None or self._starter is None or self._starter.is_alive():
            return
        started, self._started, self._starter = self._started, None, None
        if isinstance(started, Exception):
            kind = "" if isinstance(started, BackendError) else f"{type(started).__name__}: "
            self._lose(FaultKind.CRASH, f"it cannot be started again: {kind}{started}")
        elif started is not None:
            self._primary = started
            self._restore = True
            self.totals.restarts += 1


def _joined(cycles: deque[_Cycle]) -> tuple[Indices, Offsets]:
    """Their inputs as one run."""
    if len(cycles) == 1:
        return cycles[0].indices, cycles[0].offsets
    counts = np.concatenate([np.diff(cycle.offsets) for cycle in cycles])
    indices = np.concatenate([cycle.indices for cycle in cycles])
    return indices, np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])


def _same(one: tuple[Indices, Offsets], other: tuple[Indices, Offsets]) -> bool:
    return _equal(one[0], other[0]) and _equal(one[1], other[1])


def _equal(mine: NDArray[Any], theirs: NDArray[Any]) -> bool:
    """As np.array_equal, in a tenth of its time where the types are the same."""
    if mine.dtype == theirs.dtype:
        return mine.tobytes() == theirs.tobytes()
    return np.array_equal(mine, theirs)


def _difference(
    cycle: _Cycle, answer: tuple[Indices, Offsets], ports: Mapping[str, Port]
) -> tuple[int, Fault]:
    """How many outputs differ in a cycle, and the first of them as a fault."""
    if cycle.twin is None:
        raise RuntimeError("a cycle was compared before its twin had stepped")
    differing, first = 0, None
    for tick in range(len(cycle.offsets) - 1):
        mine, theirs = (
            set(indices[offsets[tick] : offsets[tick + 1]].tolist())
            for indices, offsets in (answer, cycle.twin)
        )
        odd = mine ^ theirs
        differing += len(odd)
        if odd and first is None:
            first = (cycle.tick + tick, min(odd), int(min(odd) in mine))
    if first is None:
        # The same spikes in another order, or one twice: no answer that a backend may give.
        text = "its spikes are not in order"
        return len(cycle.twin[0]) + 1, Fault(FaultKind.DIVERGENCE, cycle.tick, text)
    tick, channel, spiked = first
    name, port = next(
        (name, port) for name, port in ports.items() if 0 <= channel - port.offset < port.size
    )
    neuron = channel - port.offset
    words = ("is silent", "spikes")
    text = (
        f"neuron {neuron} of {name!r} {words[spiked]}, the twin's {words[1 - spiked]}"
        f" ({differing} outputs differ in this cycle)"
    )
    return differing, Fault(FaultKind.DIVERGENCE, tick, text, name, neuron, spiked, 1 - spiked)
