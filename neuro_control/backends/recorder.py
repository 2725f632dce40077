# SPDX-License-Identifier: Apache-2.0
"""Record what happens inside a network: the spikes of every population, membranes and currents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuro_control.backends.float_cpu import FloatRunner
from neuro_control.backends.runner import Indices, Runner, entering
from neuro_control.network import FixedNetwork, Network
from neuro_control.network.fixed_neurons import threshold_above_rest
from neuro_control.network.neurons import INTEGRATORS, NEURONS


class RecordableRunner(Runner, Protocol):
    """A Runner that also shows the spikes of populations that are no output."""

    @property
    def network(self) -> FixedNetwork:
        """The network that it steps."""

    def spikes(self, name: str) -> Indices:
        """Neurons of a population that spiked in the last tick, int32[m], ascending."""


@dataclass(frozen=True, eq=False)
class SpikeTrain:
    """The spikes of one population, in the order of time and, within a tick, of neurons.

    ``tick`` int64[m] counts from the first tick that was recorded, ``neuron`` int32[m] is the
    neuron's number in its population, ``n_neurons`` the population's size.
    """

    tick: NDArray[np.int64]
    neuron: NDArray[np.int32]
    n_neurons: int


@dataclass(frozen=True, eq=False)
class Traces:
    """Membranes and currents of chosen neurons of one population, after every tick.

    ``neuron`` int32[n]; ``membrane`` and ``current`` int64[ticks, n] in Loihi's integers, in which
    ``threshold`` int64[n] is ``vth << 6``. A neuron that spikes is reset in the same tick: its
    membrane then reads 0, and no membrane ever reads more than its threshold, but for populations
    that do not spike, which go up to 63 beyond it. Of a FloatRunner, the first two are float32 and
    the last float64, above rest in the network's own unit, infinite for populations that do not
    spike.
    """

    neuron: NDArray[np.int32]
    membrane: NDArray[np.int64] | NDArray[np.float32]
    current: NDArray[np.int64] | NDArray[np.float32]
    threshold: NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Recording:
    """What `record` saw in ``n_ticks`` ticks of ``dt_s`` seconds, by name of population."""

    dt_s: float
    n_ticks: int
    spikes: Mapping[str, SpikeTrain]
    traces: Mapping[str, Traces]


def record(
    runner: RecordableRunner | FloatRunner,
    indices: Indices,
    offsets: NDArray[np.int64],
    *,
    spikes: Sequence[str] | None = None,
    traces: Mapping[str, ArrayLike] | None = None,
) -> Recording:
    """Advance a runner as its ``run`` would, and record every tick.

    The runner goes on from its present state. A run that is not recorded costs nothing for this;
    a recorded one is stepped tick by tick, and traces copy the whole state in every tick.

    Args:
        runner: what to advance.
        indices: active inputs of all ticks, int32[k].
        offsets: tick t is given ``indices[offsets[t]:offsets[t+1]]``, int64[ticks + 1].
        spikes: names of the populations whose spikes to record; all of them by default.
        traces: population -> numbers of the neurons whose membrane and current to record.

    Raises:
        ValueError: an index, the offsets, a population or a neuron does not fit the network; the
            runner's state is then unchanged.
    """
    there = _populations(runner.network)
    names = list(there) if spikes is None else list(spikes)
    for name in (*names, *(traces or {})):
        if name not in there:
            raise ValueError(f"no population {name!r}; there are {list(there)}")
    chosen = {
        name: _neurons(name, there[name].size, given) for name, given in (traces or {}).items()
    }
    trains = check_trains(runner, indices, offsets)
    n_ticks = len(trains[1]) - 1
    seen: dict[str, list[Indices]] = {name: [] for name in names}
    kind = np.float32 if isinstance(runner, FloatRunner) else np.int64
    membrane: dict[str, NDArray[Any]] = {
        name: np.zeros((n_ticks, len(n)), kind) for name, n in chosen.items()
    }
    current = {name: values.copy() for name, values in membrane.items()}
    place = {name: there[name].offset + n for name, n in chosen.items()}
    for tick, _ in enumerate(step_through(runner, *trains)):
        for name in names:
            seen[name].append(runner.spikes(name))
        if place:
            state = runner.state()
            for name, index in place.items():
                membrane[name][tick] = state.membrane[index]
                current[name][tick] = state.current[index]
    return Recording(
        runner.network.dt_s,
        n_ticks,
        MappingProxyType({name: _train(found, there[name].size) for name, found in seen.items()}),
        MappingProxyType(
            {
                name: Traces(neurons, membrane[name], current[name], there[name].threshold[neurons])
                for name, neurons in chosen.items()
            }
        ),
    )


def check_trains(
    runner: Runner | FloatRunner, indices: Indices, offsets: NDArray[np.int64]
) -> tuple[Indices, NDArray[np.int64]]:
    """Spike trains in the form that `Runner.run` takes, or ValueError saying what is wrong."""
    given, starts = np.asarray(indices), np.asarray(offsets)
    for name, array in (("indices", given), ("offsets", starts)):
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            raise ValueError(
                f"{name} must be a one-dimensional array of integers, "
                f"not {array.dtype}{array.shape}"
            )
    if not (
        starts.size
        and starts[0] == 0
        and starts[-1] == len(given)
        and (starts[1:] >= starts[:-1]).all()
    ):
        raise ValueError(f"offsets must rise from 0 to {len(given)}, the number of indices")
    n_inputs = sum(port.size for port in runner.input_ports.values())
    if given.size and not 0 <= given.min() <= given.max() < n_inputs:
        raise ValueError(
            f"indices hold {given.min()}..{given.max()}, but the network's {n_inputs} inputs are "
            f"0..{n_inputs - 1}"
            if n_inputs
            else f"indices hold {given.min()}..{given.max()}, but the network has no input"
        )
    return given.astype(np.int32), starts.astype(np.int64)


def step_through(
    runner: Runner | FloatRunner, indices: Indices, offsets: NDArray[np.int64]
) -> Iterator[Indices]:
    """Step through spike trains; gives the active inputs of each tick after it, as they count."""
    for tick in range(len(offsets) - 1):
        active = entering(indices[offsets[tick] : offsets[tick + 1]], runner.input_ports)
        runner.step(active)
        yield active


class _Population(NamedTuple):
    """Where its neurons begin among those of the network, how many, and their thresholds."""

    offset: int
    size: int
    threshold: NDArray[np.int64] | NDArray[np.float64]


def _populations(network: FixedNetwork | Network) -> dict[str, _Population]:
    if isinstance(network, FixedNetwork):
        return {
            p.name: _Population(p.offset, p.size, p.vth.astype(np.int64) << 6)
            for p in network.populations
        }
    found: dict[str, _Population] = {}
    offset = 0
    for name, node in network.nodes.items():
        if isinstance(node, NEURONS):
            threshold = threshold_above_rest(name, node)
            if isinstance(node, INTEGRATORS):
                threshold = np.full(threshold.shape, np.inf)
            found[name] = _Population(offset, len(threshold), threshold)
            offset += len(threshold)
    return found


def _neurons(name: str, size: int, given: ArrayLike) -> NDArray[np.int32]:
    neurons = np.atleast_1d(np.asarray(given))
    if neurons.ndim != 1 or (neurons.size and neurons.dtype.kind not in "iu"):
        raise ValueError(
            f"traces of {name!r} must be numbers of neurons in one dimension, "
            f"not {neurons.dtype}{neurons.shape}"
        )
    if neurons.size and not 0 <= neurons.min() <= neurons.max() < size:
        raise ValueError(
            f"traces of {name!r} ask for neurons {neurons.min()}..{neurons.max()}; "
            f"it has 0..{size - 1}"
        )
    return neurons.astype(np.int32)


def _train(found: list[Indices], n_neurons: int) -> SpikeTrain:
    tick = np.repeat(np.arange(len(found), dtype=np.int64), [len(f) for f in found])
    return SpikeTrain(tick, np.concatenate([np.zeros(0, np.int32), *found]), n_neurons)
