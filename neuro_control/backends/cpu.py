# SPDX-License-Identifier: Apache-2.0
"""The CPU backend: event-driven, compiled, and exact in Loihi's integers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends import cpu_kernels as kernels
from neuro_control.backends.cpu_plan import EngineMemory, lay_out
from neuro_control.backends.runner import (
    Indices,
    RunCounters,
    RunnerState,
    as_indices,
    as_offsets,
    check_indices,
    check_offsets,
)
from neuro_control.network import FixedNetwork, Port

_MEMBRANE_MAX = 2**23 - 1
_INT32, _INT64 = np.dtype(np.int32), np.dtype(np.int64)


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
        plan = lay_out(network)
        self._arena, self._tallies, self._outputs = plan.arena, plan.tallies, plan.outputs
        self._populations = plan.populations
        self._largest_current = plan.largest_current
        self._memory = plan.memory
        self._state = self._arena[plan.state]
        self._rest = self._state.copy()
        # Where each neuron of a population that is reordered lies, made when first asked for.
        self._places: dict[str, NDArray[np.int64]] = {}
        self._step = kernels.step_wide if plan.wide else kernels.step
        self._run = kernels.run_wide if plan.wide else kernels.run

    def __getstate__(self) -> dict[str, object]:
        """What a copy needs: views into the arena would be copied apart from it."""
        return {"network": self.network, "arena": self._arena}

    def __setstate__(self, given: dict[str, Any]) -> None:
        self.__init__(given["network"])  # type: ignore[misc]
        self._arena[:] = given["arena"]

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
            int(totals[kernels.TICKS]),
            int(totals[kernels.SPIKES_SO_FAR]),
            int(totals[kernels.OPERATIONS]),
            int(totals[kernels.UPDATES]),
        )

    @property
    def memory(self) -> EngineMemory:
        """Bytes that the engine holds, beside the network itself."""
        return self._memory

    def step(self, active: Indices) -> Indices:
        """Advance one tick; see `neuro_control.backends.Runner.step`."""
        if (
            active.__class__ is not np.ndarray
            or active.dtype is not _INT32
            or active.ndim != 1
            or not active.flags.carray
        ):
            active = as_indices(active, "active")
        n_out = self._step(self._arena, active)
        if n_out < 0:
            check_indices(active, self.input_ports)
        return self._outputs[:n_out].copy()

    def run(
        self, indices: Indices, offsets: NDArray[np.int64]
    ) -> tuple[Indices, NDArray[np.int64]]:
        """Advance many ticks in one call; see `neuro_control.backends.Runner.run`."""
        if (
            indices.__class__ is not np.ndarray
            or indices.dtype is not _INT32
            or indices.ndim != 1
            or not indices.flags.carray
        ):
            indices = as_indices(indices, "indices")
        if (
            offsets.__class__ is not np.ndarray
            or offsets.dtype is not _INT64
            or offsets.ndim != 1
            or not offsets.flags.carray
        ):
            offsets = as_offsets(offsets)
        result: tuple[Indices, NDArray[np.int64]] = self._run(self._arena, indices, offsets)
        if not len(result[1]):
            check_offsets(indices, offsets)
            check_indices(indices, self.input_ports)
        return result

    def warm(self) -> None:
        """Load or make the compiled code; state and counters stay as they are."""
        state, tallies = self._state.copy(), self._tallies.copy()
        nothing = np.zeros(0, np.int32)
        self.step(nothing)
        self.run(nothing, np.zeros(2, np.int64))
        stamp = self._tallies[kernels.STAMP]
        self._state[:], self._tallies[:] = state, tallies
        self._tallies[kernels.STAMP] = stamp

    def reset(self) -> None:
        """Back to rest, counters at zero."""
        self._state[:] = self._rest
        # The stamps of inputs are no state: they only ever rise.
        self._tallies[: kernels.STAMP] = 0
        self._forget_spikes()

    def state(self) -> RunnerState:
        """A copy of the state."""
        n, ring = self.network.n_neurons, self.network.longest_delay + 1
        current, membrane, adaptation, refractory = np.zeros((4, n), np.int64)
        pending = np.zeros((ring, n), np.int64)
        for view in self._populations.values():
            place = view.place
            current[place] = view.shown_current()
            membrane[place] = view.outside(view.membrane)
            pending[:, place] = np.roll(view.outside(view.pending), -self._slot(), axis=0)
            if view.own is not None:
                adaptation[place], refractory[place] = view.outside(view.own)
        return RunnerState(self._fingerprint, current, membrane, pending, adaptation, refractory)

    def restore(self, state: RunnerState) -> None:
        """Go on from a state.

        Raises:
            ValueError: it belongs to another network, or holds what this one cannot reach; the
                state is then unchanged.
        """
        if state.network != self._fingerprint:
            raise ValueError(
                f"the state belongs to network {state.network[:12]}, this is "
                f"{self._fingerprint[:12]}"
            )
        n = self.network.n_neurons
        for what in ("current", "membrane", "adaptation", "refractory", "pending"):
            shape = np.shape(getattr(state, what))
            wanted = (self.network.longest_delay + 1, n) if what == "pending" else (n,)
            if shape != wanted:
                raise ValueError(
                    f"the state's {what} has the shape {shape}, this network's is {wanted}"
                )
        self._check_reachable("membrane", state.membrane, _MEMBRANE_MAX)
        self._check_reachable("current", state.current, self._largest_current)
        pending = np.roll(state.pending, self._slot(), axis=0)
        stored: list[tuple[NDArray[np.integer], NDArray[np.int64]]] = []
        for view in self._populations.values():
            place = view.place
            current = view.stored_current(state.current[place])
            stored += [
                (view.membrane, view.inside(state.membrane[place])),
                (view.current, view.inside(current)),
                (view.pending, view.inside(pending[:, place])),
            ]
            if view.own is not None:
                own = np.stack([state.adaptation[place], state.refractory[place]])
                stored.append((view.own, view.inside(own)))
        for there, values in stored:
            limits = np.iinfo(there.dtype)
            if values.size and not limits.min <= values.min() <= values.max() <= limits.max:
                raise ValueError(
                    f"the state holds {values.min()}..{values.max()} where this network stays "
                    f"within {limits.min}..{limits.max}"
                )
        for there, values in stored:
            there[:] = values
        for view in self._populations.values():
            view.awake[:] = 1
        self._forget_spikes()

    def membrane(self, name: str) -> NDArray[np.int64]:
        """Membranes of a population, in its shape; ``vth << 6`` is the threshold here."""
        population = self.network.population(name)
        view = self._populations[name]
        return view.outside(view.membrane).reshape(population.shape)

    def neurons(
        self, name: str, chosen: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Membranes of some neurons, and by how much their thresholds have risen: int64[m] each.

        A copy of these alone, where `state` copies the whole network with all that is on its way.

        Args:
            name: of the population.
            chosen: int64[m], numbers of neurons in it; all of them if None.

        Raises:
            ValueError: a population of this name, or a neuron, is not there.
        """
        self.network.population(name)
        view = self._populations[name]
        if chosen is None:
            membrane = view.outside(view.membrane)
            risen = np.zeros_like(membrane) if view.own is None else view.outside(view.own[0])
            return membrane, risen
        places = self._places_of(name, chosen)
        membrane = view.membrane[places].astype(np.int64)
        if view.own is None:
            return membrane, np.zeros_like(membrane)
        return membrane, view.own[0, places].astype(np.int64)

    def currents(self, name: str, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Currents of some neurons, int64[m], as `state` has them; see `neurons`."""
        self.network.population(name)
        view = self._populations[name]
        return view.current_at(self._places_of(name, chosen))

    def _places_of(self, name: str, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where chosen neurons lie in the arena. ValueError for one that is not there."""
        view = self._populations[name]
        size = view.population.size
        if len(chosen) and not 0 <= chosen.min() <= chosen.max() < size:
            raise ValueError(
                f"chosen holds {chosen.min()}..{chosen.max()}; {name} has the neurons 0 to "
                f"{size - 1}"
            )
        if view.order is None:
            return chosen
        if name not in self._places:
            self._places[name] = view.outside(np.arange(size))
        return self._places[name][chosen]

    def spikes(self, name: str) -> Indices:
        """Neurons of a population that spiked in the last tick, int32[m], ascending.

        None before the first tick and after a reset or restore. ValueError for an unknown name.
        """
        self.network.population(name)
        view = self._populations[name]
        return view.last_spikes(int(view.count[0]))

    def all_spikes(self) -> list[Indices]:
        """`spikes` of every population of the network, in its order, at the price of a few."""
        counts = self._tallies[kernels.COUNTS :].tolist()
        return [
            view.last_spikes(count)
            for view, count in zip(self._populations.values(), counts, strict=True)
        ]

    def _check_reachable(
        self, what: str, values: NDArray[np.int64], largest: int | NDArray[np.float64]
    ) -> None:
        """ValueError naming the first neuron whose magnitude lies beyond its largest."""
        # Not by the magnitude: that of the least int64 is negative.
        beyond = np.flatnonzero((values > largest) | (values < -largest))
        if not len(beyond):
            return
        at = int(beyond[0])
        population = next(p for p in self.network.populations if p.offset <= at < p.offset + p.size)
        bound = int(np.broadcast_to(largest, values.shape)[at])
        raise ValueError(
            f"the state's {what} of neuron {at - population.offset} of {population.name!r} is "
            f"{int(values[at])}; this network stays within {-bound}..{bound}"
        )

    def _slot(self) -> int:
        """Row of the rings of pending inputs that is due in the next tick."""
        return int(self._tallies[kernels.TICKS]) % (self.network.longest_delay + 1)

    def _forget_spikes(self) -> None:
        self._tallies[kernels.COUNTS :] = 0
