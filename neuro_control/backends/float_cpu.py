# SPDX-License-Identifier: Apache-2.0
"""The CPU backend in float32: a network's own equations, event-driven, without quantisation."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends import float_kernels as kernels
from neuro_control.backends.runner import (
    Indices,
    RunCounters,
    as_indices,
    as_offsets,
    check_indices,
    check_offsets,
)
from neuro_control.network import Network, Port
from neuro_control.network.euler import EulerPopulation, check_waiting, euler_population
from neuro_control.network.lowering import Lowering
from neuro_control.network.neurons import NEURONS
from neuro_control.network.ports import ports_of

Float32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class FloatState:
    """Everything that decides the spikes to come.

    network: fingerprint of the network that it belongs to, `FloatRunner.fingerprint`. state:
    float32[4, n], current, membrane, adaptation and ticks still held, over all populations in
    order. pending: float32[d, n], row k arrives in k ticks (0: in the next).
    """

    network: str
    state: Float32
    pending: Float32

    @property
    def current(self) -> Float32:
        """Currents, float32[n]."""
        return cast(Float32, self.state[kernels.CURRENT])

    @property
    def membrane(self) -> Float32:
        """Membranes above their rest, float32[n]."""
        return cast(Float32, self.state[kernels.MEMBRANE])


class FloatRunner:
    """Steps a Network in float32 by the equations of `neuro_control.network.neurons`.

    Forward Euler, spikes delivered in the tick after, as `EulerNetwork` in float64. The steps have
    the form of `neuro_control.backends.Runner`; it deviates from it in the state, which is float.
    Deterministic: what arrives is summed in the order of sources. Voltages are counted from rest.

    Raises:
        ValueError: a neuron's reset and rest differ, as in `quantize`; or the network has no
            population; or its longest delay, kept for all neurons, is beyond memory.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        lowering = Lowering(network)
        ports = ports_of(network)
        self._inputs, self._outputs = ports.inputs, ports.outputs
        made = {
            name: euler_population(name, node, lowering, network.dt_s)
            for name, node in network.nodes.items()
            if isinstance(node, NEURONS)
        }
        if not made:
            raise ValueError("the network has no population: put a LIF, CubaLIF or IF into it")
        self._places: dict[str, slice] = {}
        begin = 0
        for name, population in made.items():
            self._places[name] = slice(begin, begin + population.threshold.size)
            begin += population.threshold.size
        self._shapes = {name: network.shapes[name] for name in made}
        self._n = begin
        self._n_inputs = sum(port.size for port in ports.inputs.values())
        self._shown = [
            (port.offset, self._places[ports.output_populations[name]])
            for name, port in ports.outputs.items()
        ]
        constants = np.concatenate([_constants(p) for p in made.values()], axis=1)
        # One ring for all: the longest delay of any population is kept for every neuron.
        longest = max(check_waiting(name, p.connections, self._n) for name, p in made.items())
        self._arrays = (constants.astype(np.float32), *self._state(longest), *self._synapses(made))
        self._given = np.zeros(self._n_inputs, np.int32)
        ports_in = self._inputs.values()
        self._largest = np.repeat(
            np.array([port.largest_payload for port in ports_in], np.int32),
            [port.size for port in ports_in],
        )
        self._counts = np.zeros(kernels.COUNTS, np.int64)
        self._spikes = np.zeros(self._n, np.int32)
        self._last = 0

    def _state(self, longest: int) -> tuple[Float32, Float32]:
        self._memory = np.zeros((kernels.STATE, self._n), np.float32)
        self._pending = np.zeros((longest + 1, self._n), np.float32)
        return self._memory, self._pending

    def _synapses(
        self, made: Mapping[str, EulerPopulation]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], Float32, NDArray[np.int32]]:
        """Rows of all sources, inputs first: where they begin, targets, weights and delays."""
        first = {name: port.offset for name, port in self._inputs.items()}
        first |= {name: self._n_inputs + place.start for name, place in self._places.items()}
        nothing = np.empty(0, np.int64)
        sources, targets, delays = ([nothing] for _ in range(3))
        weights = [np.empty(0)]
        for name, population in made.items():
            for path in population.connections:
                sources.append(path.map.sources() + first[path.source])
                targets.append(path.map.target + self._places[name].start)
                weights.append(path.map.weight * population.gain[path.map.target])
                delays.append(np.full(len(path.map.target), path.delay))
        source = np.concatenate(sources)
        order = np.lexsort((np.concatenate(delays), source))
        starts = np.searchsorted(source[order], np.arange(self._n_inputs + self._n + 1))
        return (
            starts.astype(np.int64),
            np.concatenate(targets)[order].astype(np.int32),
            np.concatenate(weights)[order].astype(np.float32),
            np.concatenate(delays)[order].astype(np.int32),
        )

    @property
    def name(self) -> str:
        """Name of the backend."""
        return "cpu, float32"

    @property
    def input_ports(self) -> Mapping[str, Port]:
        """Where each input lies in the active indices given."""
        return self._inputs

    @property
    def output_ports(self) -> Mapping[str, Port]:
        """Where each output lies in the active indices returned."""
        return self._outputs

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of everything that decides the spikes, as hexadecimal digits."""
        digest = hashlib.sha256(repr([*self._shapes.items(), *self._inputs.items()]).encode())
        digest.update(repr([len(self._pending), *self._outputs.items(), self._shown]).encode())
        constants, _, _, *synapses = self._arrays
        for array in (constants, *synapses):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    @property
    def counters(self) -> RunCounters:
        """Totals since the runner was made or reset."""
        ticks, spikes, operations = self._counts.tolist()
        return RunCounters(ticks, spikes, operations, ticks * self._n)

    def step(self, active: Indices) -> Indices:
        """Advance one tick; see `neuro_control.backends.Runner.step`."""
        return self._tick(self._checked(active, "active"))

    def run(
        self, indices: Indices, offsets: NDArray[np.int64]
    ) -> tuple[Indices, NDArray[np.int64]]:
        """Advance many ticks; see `neuro_control.backends.Runner.run`."""
        offsets = as_offsets(offsets)
        indices = as_indices(indices, "indices")
        check_offsets(indices, offsets)
        indices = self._checked(indices, "indices")
        parts = [self._tick(indices[offsets[t] : offsets[t + 1]]) for t in range(len(offsets) - 1)]
        ends = np.cumsum([0, *map(len, parts)])
        return np.concatenate([np.zeros(0, np.int32), *parts]), ends.astype(np.int64)

    def _tick(self, active: Indices) -> Indices:
        kernels.enter(active, self._largest, self._given)
        self._last = kernels.tick(*self._arrays, self._given, self._counts, self._spikes)
        self._given[active] = 0
        fired = self._spikes[: self._last]
        parts = [
            fired[(fired >= place.start) & (fired < place.stop)] - (place.start - offset)
            for offset, place in self._shown
        ]
        return np.concatenate([np.zeros(0, np.int32), *parts]).astype(np.int32)

    def reset(self) -> None:
        """Back to rest, counters at zero."""
        for array in (self._memory, self._pending, self._counts):
            array[:] = 0
        self._last = 0

    def state(self) -> FloatState:
        """A copy of the state."""
        ring = len(self._pending)
        now = int(self._counts[kernels.TICKS]) % ring
        pending = np.roll(self._pending, -now, axis=0)
        return FloatState(self.fingerprint, self._memory.copy(), pending)

    def restore(self, state: FloatState) -> None:
        """Go on from a state.

        Raises:
            ValueError: it belongs to another network, or holds NaN or infinite values; the state
                is then unchanged.
        """
        if state.network != self.fingerprint:
            raise ValueError(
                f"the state belongs to network {state.network[:12]}, this is "
                f"{self.fingerprint[:12]}"
            )
        if (state.state.shape, state.pending.shape) != (self._memory.shape, self._pending.shape):
            raise ValueError(
                f"the state has the shapes {state.state.shape} and {state.pending.shape}, this"
                f" network {self._memory.shape} and {self._pending.shape}"
            )
        for what, values in (("state", state.state), ("pending", state.pending)):
            if not np.isfinite(values).all():
                raise ValueError(
                    f"{what} holds NaN or infinite values; a network never reaches them"
                )
        now = int(self._counts[kernels.TICKS]) % len(self._pending)
        self._memory[:] = state.state
        self._pending[:] = np.roll(state.pending, now, axis=0)
        self._last = 0

    def membrane(self, name: str) -> Float32:
        """Membranes of a population above their rest, in its shape and the network's own unit."""
        values = self._memory[kernels.MEMBRANE, self._place(name)]
        return values.reshape(self._shapes[name]).copy()

    def spikes(self, name: str) -> Indices:
        """Neurons of a population that spiked in the last tick, int32[m], ascending."""
        place, fired = self._place(name), self._spikes[: self._last]
        inside = (fired >= place.start) & (fired < place.stop)
        return (fired[inside] - place.start).astype(np.int32)

    def all_spikes(self) -> list[Indices]:
        """`spikes` of every population of the network, in its order."""
        return [self.spikes(name) for name in self._places]

    def _place(self, name: str) -> slice:
        if name not in self._places:
            raise ValueError(f"no population {name!r}; there are {list(self._places)}")
        return self._places[name]

    def _checked(self, active: Indices, what: str) -> Indices:
        if active.__class__ is not np.ndarray or active.dtype != np.int32 or active.ndim != 1:
            active = as_indices(active, what)
        if kernels.first_outside(active, self._n_inputs) >= 0:
            check_indices(active, self._inputs)
        return active


def _constants(population: EulerPopulation) -> NDArray[np.float64]:
    table = np.empty((kernels.CONSTANTS, population.threshold.size))
    table[kernels.KEEP_CURRENT] = population.keep_current
    table[kernels.KEEP_MEMBRANE] = population.keep_membrane
    table[kernels.CONSTANT] = population.constant
    table[kernels.THRESHOLD] = population.threshold if population.spiking else np.inf
    table[kernels.KEEP_ADAPTATION] = population.keep_adaptation
    table[kernels.RISE] = population.rise
    table[kernels.REFRACTORY] = population.refractory
    return table
