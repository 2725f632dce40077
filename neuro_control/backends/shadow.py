# SPDX-License-Identifier: Apache-2.0
"""A backend and its twin on the CPU in lockstep: the robot does not notice when the backend goes.

The twin steps in every cycle while the backend works, so that its output is there whatever
happens. The backend's answer is awaited until the deadline of the cycle, and compared spike by
spike. Where it is late, wrong, or gone, the twin's output is what the caller gets, from that very
tick; the backend catches up, is given the twin's state, or is started anew in the background, and
rejoins when it is in step again (`trust` says when). No call waits longer than the deadline beyond
the twin's own time.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.cpu import CpuRunner
from neuro_control.backends.fault import Fault, FaultKind, same
from neuro_control.backends.primary import Offsets, Outputs, Primary
from neuro_control.backends.runner import Indices, RunCounters, Runner, RunnerState
from neuro_control.backends.shadowed import (
    Asked,
    Cycle,
    Shadowed,
    ShadowState,
    ShadowTotals,
    said_of,
)
from neuro_control.backends.trust import ShadowSettings
from neuro_control.backends.worker_process import BackendError
from neuro_control.network import FixedNetwork, Port
from neuro_control.worker.protocol import ProtocolError


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
        warm = CpuRunner(network)
        warm.warm()
        # Replaced by one that looks inside while somebody watches (control.network_watch).
        self.twin: Runner = warm
        self._backend = Shadowed(make_primary, self.settings, network.outputs)
        self.totals: ShadowTotals = self._backend.totals
        self.faults: deque[Fault] = self._backend.faults

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
        return self._backend.status

    def step(self, active: Indices) -> Indices:
        """Advance one tick; see `neuro_control.backends.Runner.step`."""
        indices, _ = self.run(np.asarray(active), np.array([0, len(active)], np.int64))
        return indices

    def run(self, indices: Indices, offsets: Offsets) -> tuple[Indices, Offsets]:
        """Advance many ticks; see `neuro_control.backends.Runner.run`."""
        backend = self._backend
        primary = backend.primary
        if primary is None or not backend.punctual.in_step:
            return self._run_out_of_step(indices, offsets)
        # As nearly always: it is in step, and nothing is asked of it, or missed.
        began = time.monotonic()
        sequence = None
        try:
            sequence = primary.begin(indices, offsets)
        except (BackendError, ProtocolError) as error:
            backend.crash(error)
        except ValueError as error:
            # The twin refuses the same input, and says it better; or it is a fault, below.
            backend.refusal = said_of(error)
        except Exception as error:  # noqa: BLE001 - noted as a fault
            backend.crash(error)
        try:
            twin = self.twin.run(indices, offsets)
        except ValueError:
            if sequence is not None:
                backend.asked = Asked(sequence, [Cycle(backend.tick, indices, offsets)], began)
                backend.begin_anew()
            raise
        first, ticks = backend.tick, len(offsets) - 1
        backend.tick = first + ticks
        self.totals.cycles += 1
        if sequence is None:
            if backend.primary is not None:
                backend.refuse(first)
            return self._of_twin(twin)
        left_s = began + self.settings.deadline_s - time.monotonic()
        try:
            answer = primary.poll(sequence, left_s if left_s > 0 else 0.0)
        except Exception as error:  # noqa: BLE001 - noted as a fault
            backend.crash(error)
            return self._of_twin(twin)
        if answer is not None and same(answer, twin):
            self.totals.ticks_compared += ticks
            backend.failures = 0
            backend.punctual.answer_in_time()
            return twin
        cycle = Cycle(first, indices, offsets, twin)
        if answer is None:
            backend.miss(Asked(sequence, [cycle], began))
        else:
            answer = backend.compare([cycle], *answer)
        return self._settle(cycle, answer, began)

    def reset(self) -> None:
        """Back to rest, counters of the run at zero; what is known of the backend stays."""
        self.twin.reset()
        self._backend.begin_anew()

    def state(self) -> RunnerState:
        """A copy of the twin's state."""
        return self.twin.state()

    def restore(self, state: RunnerState) -> None:
        """Go on from a state. ValueError where it belongs to another network."""
        self.twin.restore(state)
        self._backend.begin_anew()

    def membrane(self, name: str) -> NDArray[np.int64]:
        """Membranes of a population, in its shape, from the twin."""
        return self.twin.membrane(name)

    def close(self) -> None:
        """End the backend, and what may just be starting; that by itself, if it takes longer."""
        self._backend.close()

    def _run_out_of_step(self, indices: Indices, offsets: Offsets) -> Outputs:
        """As `run`, with a backend that has something to catch up with, or none."""
        backend = self._backend
        began = time.monotonic()
        backend.look(0.0)
        cycle = Cycle(backend.tick, indices, offsets)
        asked_before = backend.asked
        backend.offer(cycle, self.twin.state)
        try:
            cycle.twin = twin = self.twin.run(indices, offsets)
        except ValueError:
            backend.take_back(cycle, asked_before)
            raise
        backend.tick += len(offsets) - 1
        self.totals.cycles += 1
        if backend.refusal:
            backend.refuse(cycle.tick)
            return self._of_twin(twin)
        asked = backend.asked
        if asked is None or asked is asked_before or not backend.punctual.try_now():
            return self._of_twin(twin)
        if len(asked.cycles) != 1:
            # With what it has missed before in the question, being late would prove nothing.
            return self._of_twin(twin)
        left_s = began + self.settings.deadline_s - time.monotonic()
        return self._settle(cycle, backend.look(max(left_s, 0.0)), began)

    def _of_twin(self, twin: Outputs) -> Outputs:
        self.totals.cycles_of_twin += 1
        return twin

    def _settle(self, cycle: Cycle, answer: Outputs | None, began: float) -> Outputs:
        """The output of a cycle whose answer was awaited, and what it says of the backend."""
        if cycle.twin is None:
            raise RuntimeError("a cycle was settled before its twin had stepped")
        backend, punctual = self._backend, self._backend.punctual
        if answer is None:
            if backend.asked is not None and not backend.asked.stale:
                was_in_step = punctual.in_step
                punctual.be_late()
                if was_in_step:
                    text = (
                        f"no answer within {self.settings.deadline_s * 1e3:g} ms "
                        f"({(time.monotonic() - began) * 1e3:.1f} ms waited)"
                    )
                    backend.note(Fault(FaultKind.DEADLINE, cycle.tick, text))
        elif punctual.answer_in_time():
            backend.failures = 0
            self.totals.rejoined += 1
        if answer is None or not punctual.in_step:
            return self._of_twin(cycle.twin)
        return answer
