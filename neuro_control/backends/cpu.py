# SPDX-License-Identifier: Apache-2.0
"""The CPU backend: event-driven, compiled, and exact in Loihi's integers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuro_control.backends import cpu_kernels as kernels
from neuro_control.backends import cpu_plan as at
from neuro_control.backends.runner import Indices, RunCounters, RunnerState, check_offsets
from neuro_control.network import FixedNetwork, Port

_PLAIN: list[Literal["C", "A", "W"]] = ["C", "A", "W"]


class CpuRunner:
    """Steps a FixedNetwork on one core; implements `neuro_control.backends.Runner`.

    Cost follows activity: only the synapses of active sources are touched, a convolution keeps
    its kernel and not every pixel's copy of it, and blocks of neurons that are at rest are passed
    over until something reaches them. The compiled code releases the interpreter's lock. The
    first call in a process loads the compiled code, or makes it where it is not on disk yet: call
    `warm` before time counts.
    """

    def __init__(self, network: FixedNetwork) -> None:
        self.network = network
        self._fingerprint = network.fingerprint()
        plan = at.lay_out(network)
        self._n_inputs = plan.n_inputs
        self._rest, self._awake, self._history = plan.memory, plan.awake, plan.history
        n_neurons, n_populations = network.n_neurons, len(network.populations)
        self._memory = plan.memory.copy()
        self._lists = np.zeros(plan.n_inputs + n_neurons + plan.n_output_channels, np.int32)
        self._tallies = np.zeros(at.TALLIES + n_populations + plan.n_inputs, np.int64)
        self._outputs = self._lists[plan.n_inputs + n_neurons :]
        constant = (plan.plan, plan.weights, plan.targets)
        self._arrays = (*constant, self._memory, self._lists, self._tallies)

    @property
    def name(self) -> str:
        """Name of the backend."""
        return "cpu"

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
        """Totals since the runner was made or reset."""
        totals = self._tallies
        return RunCounters(
            int(totals[at.TICKS]),
            int(totals[at.SPIKES]),
            int(totals[at.OPERATIONS]),
            int(totals[at.UPDATES]),
        )

    def step(self, active: Indices) -> Indices:
        """Advance one tick; see `neuro_control.backends.Runner.step`."""
        if (
            active.__class__ is not np.ndarray
            or active.dtype != np.int32
            or active.ndim != 1
            or not active.flags.carray
        ):
            active = _as_indices(active, "active")
        n_out = kernels.step(*self._arrays, active)
        if n_out < 0:
            self._refuse(active)
        return self._outputs[:n_out].copy()

    def run(
        self, indices: Indices, offsets: NDArray[np.int64]
    ) -> tuple[Indices, NDArray[np.int64]]:
        """Advance many ticks in one call; see `neuro_control.backends.Runner.run`."""
        indices = _as_indices(indices, "indices")
        offsets = np.require(_as_integers(offsets, "offsets"), np.int64, _PLAIN)
        check_offsets(indices, offsets)
        if kernels.first_outside(indices, self._n_inputs) >= 0:
            self._refuse(indices)
        result: tuple[Indices, NDArray[np.int64]] = kernels.run(*self._arrays, indices, offsets)
        return result

    def warm(self) -> None:
        """Load or make the compiled code; state and counters stay as they are."""
        memory, tallies, lists = self._memory.copy(), self._tallies.copy(), self._lists.copy()
        nothing = np.zeros(0, np.int32)
        self.step(nothing)
        self.run(nothing, np.zeros(2, np.int64))
        stamp = self._tallies[at.STAMP]
        self._memory[:], self._tallies[:], self._lists[:] = memory, tallies, lists
        self._tallies[at.STAMP] = stamp

    def reset(self) -> None:
        """Back to rest, counters at zero."""
        self._memory[:] = self._rest
        # The stamps of inputs are no state: they only ever rise.
        self._tallies[: at.STAMP] = 0
        self._forget_spikes()

    def state(self) -> RunnerState:
        """A copy of the state."""
        n = self.network.n_neurons
        ring = self.network.longest_delay + 1
        rows = self._memory[: (2 + ring) * n].astype(np.int64).reshape(2 + ring, n)
        pending = np.roll(rows[2:], -self._slot(), axis=0)
        own = np.zeros((2, n), np.int64)
        for name, place in self._history.items():
            own[:, self._neurons(name)] = self._memory[place].reshape(2, -1)
        return RunnerState(self._fingerprint, rows[0], rows[1], pending, own[0], own[1])

    def restore(self, state: RunnerState) -> None:
        """Go on from a state. ValueError where it belongs to another network."""
        if state.network != self._fingerprint:
            raise ValueError(
                f"the state belongs to network {state.network[:12]}, this is "
                f"{self._fingerprint[:12]}"
            )
        pending = np.roll(state.pending, self._slot(), axis=0).ravel()
        values = np.concatenate([state.current, state.membrane, pending])
        self._memory[: len(values)] = values
        for name, place in self._history.items():
            neurons = self._neurons(name)
            own = (state.adaptation[neurons], state.refractory[neurons])
            self._memory[place] = np.concatenate(own)
        self._memory[self._awake] = 1
        self._forget_spikes()

    def membrane(self, name: str) -> NDArray[np.int64]:
        """Membranes of a population, in its shape; ``vth << 6`` is the threshold here."""
        population = self.network.population(name)
        begin = self.network.n_neurons + population.offset
        values = self._memory[begin : begin + population.size]
        return values.astype(np.int64).reshape(population.shape)

    def spikes(self, name: str) -> Indices:
        """Neurons of a population that spiked in the last tick, int32[m], ascending.

        None before the first tick and after a reset or restore. ValueError for an unknown name.
        """
        population = self.network.population(name)
        number = self.network.populations.index(population)
        begin = self._n_inputs + population.offset
        count = int(self._tallies[at.TALLIES + number])
        return self._lists[begin : begin + count].copy()

    def _neurons(self, name: str) -> slice:
        population = self.network.population(name)
        return slice(population.offset, population.offset + population.size)

    def _slot(self) -> int:
        """Row of the ring of pending inputs that is due in the next tick."""
        return int(self._tallies[at.TICKS]) % (self.network.longest_delay + 1)

    def _forget_spikes(self) -> None:
        self._tallies[at.TALLIES : at.TALLIES + len(self.network.populations)] = 0

    def _refuse(self, active: Indices) -> None:
        """Raise ValueError naming the first index out of range and the port that it misses."""
        index = int(active[kernels.first_outside(active, self._n_inputs)])
        if not self.input_ports:
            raise ValueError(f"active index {index} was given, but the network has no input")
        end = "first" if index < 0 else "last"
        name = list(self.input_ports)[0 if index < 0 else -1]
        port = self.input_ports[name]
        raise ValueError(
            f"active index {index} lies outside the inputs: their {end} port, {name!r}, "
            f"is {port.offset}..{port.offset + port.size - 1}"
        )


def _as_integers(values: ArrayLike, what: str) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.ndim != 1 or (array.dtype.kind not in "iu" and array.size):
        raise ValueError(
            f"{what} must be a one-dimensional array of integers, not {array.dtype}{array.shape}"
        )
    return array


def _as_indices(values: ArrayLike, what: str) -> Indices:
    array = _as_integers(values, what)
    if array.dtype != np.int32:
        # What 32 bits cannot hold must not wrap round into a valid index.
        limits = np.iinfo(np.int32)
        if array.size and not limits.min <= array.min() <= array.max() <= limits.max:
            raise ValueError(f"{what} holds {array.min()}..{array.max()}, beyond 32 bits")
    return np.require(array, np.int32, _PLAIN)
