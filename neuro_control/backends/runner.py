# SPDX-License-Identifier: Apache-2.0
"""What every backend does: step a network on active indices, and show its state.

Spikes are active indices (int32): the numbers of the channels that spike in a tick, concatenated
over the inputs (or outputs) of the network in the order of its nodes. A synapse delivers in the
tick after the spike, inputs from outside included: what is given in tick t reaches a membrane in
tick t + 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuro_control.network import Port

Indices = NDArray[np.int32]
_PLAIN: list[Literal["C", "A", "W"]] = ["C", "A", "W"]


@dataclass(frozen=True)
class RunCounters:
    """Totals since the runner was made or reset; a restore does not change them.

    ``synaptic_operations`` counts the synapses that a spike passed (weights that are zero are not
    stored and not counted), k times where it has a payload of k; ``membrane_updates`` counts every
    neuron in every tick.
    """

    ticks: int = 0
    spikes: int = 0
    synaptic_operations: int = 0
    membrane_updates: int = 0


@dataclass(frozen=True, eq=False)
class RunnerState:
    """Everything that decides the spikes to come; the same for every exact backend.

    ``current`` and ``membrane`` are int64[n] over all populations in order, in Loihi's integers.
    ``pending`` int64[d, n] is the input that waits: row 0 for the next tick, row k for k ticks
    later, d - 1 being the network's longest delay. ``adaptation`` is what thresholds have risen
    by and ``refractory`` the ticks that membranes are still held for, int64[n]. ``network`` is
    the fingerprint of the network that the state belongs to.
    """

    network: str
    current: NDArray[np.int64]
    membrane: NDArray[np.int64]
    pending: NDArray[np.int64]
    adaptation: NDArray[np.int64]
    refractory: NDArray[np.int64]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RunnerState):
            return NotImplemented
        return self.network == other.network and not self.differences(other)

    __hash__ = None  # type: ignore[assignment]

    def differences(self, other: RunnerState) -> dict[str, Indices]:
        """Which neurons differ, by variable; empty where the states are equal."""
        found = {}
        for name in ("current", "membrane", "pending", "adaptation", "refractory"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine.shape != theirs.shape:
                raise ValueError(f"{name} has the shape {mine.shape} here and {theirs.shape} there")
            differs = mine != theirs
            index = np.flatnonzero(differs.reshape(-1, differs.shape[-1]).any(axis=0))
            if len(index):
                found[name] = index.astype(np.int32)
        return found


def as_indices(values: ArrayLike, what: str) -> Indices:
    """Active indices as the engines take them. ValueError naming ``what`` where they are none."""
    array = _as_integers(values, what)
    if array.dtype != np.int32:
        # What 32 bits cannot hold must not wrap round into a valid index.
        limits = np.iinfo(np.int32)
        if array.size and not limits.min <= array.min() <= array.max() <= limits.max:
            raise ValueError(f"{what} holds {array.min()}..{array.max()}, beyond 32 bits")
    return np.require(array, np.int32, _PLAIN)


def as_offsets(values: ArrayLike) -> NDArray[np.int64]:
    """Offsets as the engines take them, to be checked by `check_offsets`; else ValueError."""
    return np.require(_as_integers(values, "offsets"), np.int64, _PLAIN)


def _as_integers(values: ArrayLike, what: str) -> NDArray[np.integer]:
    array = np.asarray(values)
    if array.ndim != 1 or (array.dtype.kind not in "iu" and array.size):
        raise ValueError(
            f"{what} must be a one-dimensional array of integers, not {array.dtype}{array.shape}"
        )
    return array


def check_indices(active: Indices, ports: Mapping[str, Port]) -> None:
    """Raise ValueError naming the first index outside the inputs, and the port that it misses."""
    n_inputs = sum(port.size for port in ports.values())
    outside = active[(active < 0) | (active >= n_inputs)]
    if not len(outside):
        return
    index = int(outside[0])
    if not ports:
        raise ValueError(f"active index {index} was given, but the network has no input")
    end = "first" if index < 0 else "last"
    name = list(ports)[0 if index < 0 else -1]
    port = ports[name]
    raise ValueError(
        f"active index {index} lies outside the inputs: their {end} port, {name!r}, "
        f"is {port.offset}..{port.offset + port.size - 1}"
    )


def check_offsets(indices: Indices, offsets: NDArray[np.int64]) -> None:
    """Raise ValueError where offsets do not rise from 0 to the number of indices."""
    if (
        not len(offsets)
        or offsets[0] != 0
        or offsets[-1] != len(indices)
        or (np.diff(offsets) < 0).any()
    ):
        raise ValueError(f"offsets must rise from 0 to {len(indices)}, the number of indices")


def entering(active: Indices, ports: Mapping[str, Port]) -> Indices:
    """Active inputs ascending, each as often as it counts: up to its port's largest payload."""
    found, counts = np.unique(active, return_counts=True)
    limits = np.ones(len(found), np.int64)
    for port in ports.values():
        mine = (found >= port.offset) & (found < port.offset + port.size)
        limits[mine] = port.largest_payload
    return np.repeat(found, np.minimum(counts, limits)).astype(np.int32)


class Runner(Protocol):
    """A network that can be stepped. Instances share nothing and may live in different threads."""

    @property
    def name(self) -> str:
        """Name of the backend, for people and reports."""

    @property
    def input_ports(self) -> Mapping[str, Port]:
        """Where each input lies in the active indices given."""

    @property
    def output_ports(self) -> Mapping[str, Port]:
        """Where each output lies in the active indices returned."""

    @property
    def counters(self) -> RunCounters:
        """Totals since the runner was made or reset."""

    def step(self, active: Indices) -> Indices:
        """Advance one tick: active inputs int32[n] in, active outputs int32[m] out, ascending.

        An index that is given twice in a tick counts once. Where its input is graded, it counts as
        often as it is given, at most `Port.largest_payload` times.

        Raises:
            ValueError: an index lies outside the inputs; the state is then unchanged.
        """

    def run(
        self, indices: Indices, offsets: NDArray[np.int64]
    ) -> tuple[Indices, NDArray[np.int64]]:
        """Advance ``len(offsets) - 1`` ticks; tick t is given ``indices[offsets[t]:offsets[t+1]]``.

        Returns:
            The active outputs in the same form.

        Raises:
            ValueError: an index lies outside the inputs, or the offsets do not rise from 0 to
                ``len(indices)``; the state is then unchanged.
        """

    def reset(self) -> None:
        """Back to rest: no current, no voltage, nothing pending, counters at zero."""

    def state(self) -> RunnerState:
        """A copy of the state."""

    def restore(self, state: RunnerState) -> None:
        """Go on from a state. ValueError where it belongs to another network."""

    def membrane(self, name: str) -> NDArray[np.int64]:
        """Membranes of a population, in its shape; a threshold of ``vth`` is ``vth << 6`` here."""
