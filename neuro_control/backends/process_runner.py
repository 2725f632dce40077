# SPDX-License-Identifier: Apache-2.0
"""A network that is stepped in another process: Lava's model, a board, or what speaks for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.fault import disorder_of
from neuro_control.backends.runner import Indices, RunCounters, RunnerState
from neuro_control.backends.wire_network import load_message
from neuro_control.backends.worker_process import (
    START_S,
    BackendError,
    RefusedError,
    WorkerProcess,
)
from neuro_control.network import FixedNetwork, Port
from neuro_control.worker.channel import ClosedError
from neuro_control.worker.protocol import Kind, Message, ProtocolError
from neuro_control.worker.spikes import Spikes, fault_of, read_spikes, spikes_message

LOAD_S = 120.0
ANSWER_S = 30.0


class ProcessRunner:
    """Implements `neuro_control.backends.Runner`; every call waits for the other process.

    What it counts of spikes are those of the network's outputs, and of synaptic operations none:
    the rest happens where nobody here sees it. (`ShadowRunner` knows them from the twin.)
    ``last`` is the last answer: its spikes, the microseconds that the other process took to step,
    as it says itself, and the membranes after each tick where the option ``record_membranes`` asked
    for them and the backend has them.

    Raises:
        BackendError: from every call, where the process is gone, broke, or gave no answer within
            ``answer_s``; the runner is then of no more use but to be closed.
    """

    def __init__(
        self,
        network: FixedNetwork,
        command: Sequence[str],
        name: str,
        options: Mapping[str, Any] | None = None,
        *,
        start_s: float = START_S,
        answer_s: float = ANSWER_S,
        started: Callable[[WorkerProcess], None] | None = None,
    ) -> None:
        """Start the process and load the network.

        Args:
            network: in Loihi's integers.
            command: what starts the process, see `worker_process.worker_command`.
            name: of the backend.
            options: board, partition, host, ... for the process.
            start_s: time for the process to say hello.
            answer_s: time for each later answer, loading (LOAD_S) apart.
            started: called with the process before the network is loaded, so that another thread
                can end what waits for it (`WorkerProcess.kill`).

        Raises:
            RefusedError: the backend cannot step this network; the message says what and why.
            BackendError: it does not start.
        """
        self.network = network
        self._fingerprint = network.fingerprint()
        self.name = name
        self.answer_s = answer_s
        self._ticks = self._spikes = 0
        self._ticks_asked: dict[int, int] = {}
        self.last = Spikes(np.zeros(0, np.int32), np.zeros(1, np.int64))
        self._n_inputs = sum(port.size for port in network.inputs.values())
        self._n_outputs = sum(port.size for port in network.outputs.values())
        self.process = WorkerProcess(command, start_s)
        try:
            if started is not None:
                started(self.process)
            sequence = self.process.next_sequence()
            try:
                # A frame has an end: what is too large for one (ProtocolError) is refused as well.
                self._ask(load_message(network, sequence, options))
            except ValueError as error:
                raise RefusedError(str(error)) from error
            self.loaded: Mapping[str, Any] = self.process.wait(sequence, LOAD_S).fields
        except BaseException:
            self.close()
            raise

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
        """Totals since the runner was made or reset; see the class."""
        return RunCounters(self._ticks, self._spikes, 0, self._ticks * self.network.n_neurons)

    def step(self, active: Indices) -> Indices:
        """Advance one tick; see `neuro_control.backends.Runner.step`."""
        indices, _ = self.run(np.asarray(active), np.array([0, len(active)], np.int64))
        return indices

    def run(
        self, indices: Indices, offsets: NDArray[np.int64]
    ) -> tuple[Indices, NDArray[np.int64]]:
        """Advance many ticks; see `neuro_control.backends.Runner.run`."""
        return self.finish(self.begin(indices, offsets), self.answer_s)

    def begin(self, indices: Indices, offsets: NDArray[np.int64]) -> int:
        """Ask for some ticks and do not wait; returns the number to `finish` or `poll` with.

        Raises:
            ValueError: as `run`; nothing was asked then.
        """
        if fault := fault_of(indices, offsets, self._n_inputs):
            raise ValueError(fault)
        sequence = self.process.next_sequence()
        self._ask(spikes_message(Kind.STEP, sequence, Spikes(indices, offsets)))
        self._ticks_asked[sequence] = len(offsets) - 1
        return sequence

    def begin_restore(self, state: RunnerState) -> int:
        """Ask to go on from a state and do not wait; finish with `poll_done`."""
        if state.network != self._fingerprint:
            raise ValueError("the state belongs to another network")
        arrays = {name: getattr(state, name) for name in ("current", "membrane", "pending")}
        return self._question(Kind.RESTORE, arrays)

    def finish(self, sequence: int, timeout_s: float) -> tuple[Indices, NDArray[np.int64]]:
        """Wait for the answer to `begin`; BackendError where none comes in time."""
        found = self.poll(sequence, timeout_s)
        if found is None:
            raise BackendError(f"{self.name}: no answer within {timeout_s:g} s")
        return found

    def poll(self, sequence: int, timeout_s: float) -> tuple[Indices, NDArray[np.int64]] | None:
        """The answer to `begin`, or None where none has come within ``timeout_s``; 0: look only.

        Raises:
            BackendError: the process is gone or broke, or answered what cannot be: another number
                of ticks than asked for, no output's index, or a tick's not ascending, each once.
            ValueError: ``sequence`` is not from `begin`, or was answered.
        """
        if sequence not in self._ticks_asked:
            raise ValueError(f"no ticks wait for an answer under the number {sequence}")
        reply = self.process.poll(sequence, timeout_s)
        if reply is None:
            return None
        wanted = self._forget_until(sequence)
        try:
            last = read_spikes(reply)
        except ProtocolError as error:
            raise BackendError(f"{self.name} answered no spikes: {error}") from error
        if fault := fault_of(last.indices, last.offsets, self._n_outputs):
            raise BackendError(f"{self.name} answered no spikes: {fault}")
        if len(last.offsets) - 1 != wanted:
            raise BackendError(
                f"{self.name} answered with {len(last.offsets) - 1} ticks of {wanted} asked for"
            )
        if fault := disorder_of(last.indices, last.offsets):
            raise BackendError(f"{self.name} answered no spikes: {fault}")
        self.last = last
        self._ticks += len(last.offsets) - 1
        self._spikes += len(last.indices)
        return last.indices, last.offsets

    def poll_done(self, sequence: int, timeout_s: float) -> bool:
        """Whether the answer to `begin_restore` has come within ``timeout_s``."""
        return self.process.poll(sequence, timeout_s) is not None

    def reset(self) -> None:
        """Back to rest, counters at zero."""
        self.restore(rest(self.network))
        self._ticks = self._spikes = 0

    def state(self) -> RunnerState:
        """A copy of the state, read back from the other process."""
        reply = self.process.wait(self._question(Kind.STATE, {}), self.answer_s)
        n = self.network.n_neurons
        try:
            current, membrane = (reply.array(name, "<i8") for name in ("current", "membrane"))
            pending = reply.array("pending", "<i8", 2)
        except ProtocolError as error:
            raise BackendError(f"{self.name} answered no state: {error}") from error
        shapes = (current.shape, membrane.shape, pending.shape)
        wanted = ((n,), (n,), (self.network.longest_delay + 1, n))
        if shapes != wanted:
            raise BackendError(f"{self.name} answered a state of {shapes}, not of {wanted}")
        nothing = np.zeros(n, np.int64)
        return RunnerState(self._fingerprint, current, membrane, pending, nothing, nothing)

    def restore(self, state: RunnerState) -> None:
        """Go on from a state. ValueError where it belongs to another network."""
        self.process.wait(self.begin_restore(state), self.answer_s)

    def membrane(self, name: str) -> NDArray[np.int64]:
        """Membranes of a population, in its shape; see `neuro_control.backends.Runner`."""
        population = self.network.population(name)
        begin = population.offset
        return self.state().membrane[begin : begin + population.size].reshape(population.shape)

    def measurements(self) -> Mapping[str, Any]:
        """What the chip measures of itself: power, time; none on a model."""
        return self.process.wait(self._question(Kind.PROBE, {}), self.answer_s).fields

    def close(self, ask: bool = True) -> None:
        """End the process; ask: politely first. It may be called twice."""
        self.process.close(ask)

    def _forget_until(self, sequence: int) -> int:
        """Ticks asked for under that number; older answers are passed over and not remembered."""
        while True:
            oldest = next(iter(self._ticks_asked))
            ticks = self._ticks_asked.pop(oldest)
            if oldest == sequence:
                return ticks

    def _question(self, kind: Kind, arrays: Mapping[str, NDArray[Any]]) -> int:
        return self._ask(Message(kind, self.process.next_sequence(), {}, arrays))

    def _ask(self, message: Message) -> int:
        try:
            return self.process.ask(message)
        except ClosedError as error:
            raise BackendError(f"{self.name}: {error}{self.process.said()}") from error


def rest(network: FixedNetwork) -> RunnerState:
    """The state of a network before its first tick."""
    n = network.n_neurons
    nothing = np.zeros(n, np.int64)
    pending = np.zeros((network.longest_delay + 1, n), np.int64)
    return RunnerState(network.fingerprint(), nothing, nothing, pending, nothing, nothing)
