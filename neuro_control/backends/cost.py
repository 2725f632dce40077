# SPDX-License-Identifier: Apache-2.0
"""What a network and a run of it cost, in NeuroBench's figures.

Sources: J. Yik et al., "The neurobench framework for benchmarking neuromorphic computing
algorithms and systems", Nature Communications 16:1545 (2025), and the package ``neurobench``
2.3.0, against which the figures are tested. Where the two leave room, this is what is counted:

- Workload figures are totals here and means over samples in `Cost.neurobench`. A sample is one
  run from rest, all of its ticks.
- An activation is the output of a neuron in a tick. Inputs of the network are none.
- An operation is counted in the tick in which its source is active. Biases are no operations.
- Spikes of neurons and of binary inputs are 0 or 1, so that their effective operations are
  accumulates (AC). Those of a graded input are multiply-accumulates (MAC), one for each synapse of
  an active source, whatever its payload.
- A membrane update, in NeuroBench, is a membrane that differs from the tick before, both after
  the reset; in a sample's first tick all are counted. The reset here is that of the same tick;
  snnTorch's default, ``reset_delay=True``, gives the same spikes and more updates. What an engine
  computes is every neuron in every tick: that is ``neuron_updates`` (and
  `RunCounters.membrane_updates`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.recorder import RecordableRunner, check_trains, step_through
from neuro_control.backends.runner import Indices
from neuro_control.network import FixedNetwork, FixedPopulation, FixedProjection, Network
from neuro_control.network.lowering import Lowering
from neuro_control.network.neurons import NEURONS
from neuro_control.network.synapses import Affine, Linear, Scale
from neuro_control.network.windows import Conv1d, Conv2d

_STATE_BYTES = 4
"""Of one variable of a neuron: current, membrane, and the input of each tick that waits."""

Sample = tuple[Indices, NDArray[np.int64]]


@dataclass(frozen=True)
class SynapticOperations:
    """Synaptic operations; NeuroBench's ``SynapticOperations``.

    ``dense`` counts every position of the weights in every tick, zero or not;
    ``effective_macs`` and ``effective_acs`` only weights that are not zero with an active source.
    """

    dense: int = 0
    effective_macs: int = 0
    effective_acs: int = 0


@dataclass(frozen=True)
class ProjectionCost:
    """One projection.

    ``positions`` are the places that its weights could take, ``synapses`` those that are not zero;
    ``footprint_bytes`` are the arrays of the `FixedProjection`, which leave zeros out.
    """

    name: str
    source: str
    target: str
    positions: int
    synapses: int
    footprint_bytes: int
    operations: SynapticOperations = SynapticOperations()

    @property
    def connection_sparsity(self) -> float:
        """Share of positions whose weight is zero, 0..1; 0 where there is no position."""
        return _zeros(self.synapses, self.positions)


@dataclass(frozen=True)
class PopulationCost:
    """One population.

    ``footprint_bytes`` are its parameters as a `FixedPopulation` has them, and 4 bytes for each
    variable of a neuron: current, membrane, and what waits, one for the next tick and one more for
    each tick of the longest delay into it. Neurons that their own spikes hold, or whose threshold
    they raise, have three parameters and two variables more. The updates are told apart at the head
    of this module.
    """

    name: str
    neurons: int
    footprint_bytes: int
    neuron_updates: int = 0
    membrane_updates: int = 0
    spikes: int = 0

    @property
    def activation_sparsity(self) -> float:
        """Share of activations that are zero, 0..1; 0 before any tick, as in NeuroBench."""
        return _zeros(self.spikes, self.neuron_updates)


@dataclass(frozen=True)
class Cost:
    """The cost of a network and of ``samples`` runs of ``ticks`` ticks in all; totals over both."""

    projections: tuple[ProjectionCost, ...]
    populations: tuple[PopulationCost, ...]
    samples: int = 0
    ticks: int = 0

    @property
    def footprint_bytes(self) -> int:
        """Bytes of weights, parameters and state in this project's integers.

        NeuroBench counts the parameters and buffers of a torch module instead: floats, zero
        weights included, and buffers of state in the size of the last batch.
        """
        weights = sum(projection.footprint_bytes for projection in self.projections)
        return weights + sum(population.footprint_bytes for population in self.populations)

    @property
    def connection_sparsity(self) -> float:
        """Share of all positions of all projections whose weight is zero."""
        positions = sum(projection.positions for projection in self.projections)
        return _zeros(sum(projection.synapses for projection in self.projections), positions)

    @property
    def activation_sparsity(self) -> float:
        """Share of all activations of all populations and ticks that are zero."""
        return _zeros(self.spikes, self.neuron_updates)

    @property
    def operations(self) -> SynapticOperations:
        """Synaptic operations of all projections."""
        counts = [dataclasses.astuple(projection.operations) for projection in self.projections]
        return SynapticOperations(*(sum(column) for column in zip(*counts, strict=True)))

    @property
    def spikes(self) -> int:
        """Spikes of all populations."""
        return sum(population.spikes for population in self.populations)

    @property
    def neuron_updates(self) -> int:
        """Neurons that were computed, every one in every tick."""
        return sum(population.neuron_updates for population in self.populations)

    @property
    def membrane_updates(self) -> int:
        """NeuroBench's membrane updates: membranes that changed, and all of a first tick."""
        return sum(population.membrane_updates for population in self.populations)

    def neurobench(self) -> dict[str, float | dict[str, float]]:
        """The figures under the names of NeuroBench's results; workload figures per sample."""
        n = max(self.samples, 1)
        operations = self.operations
        return {
            "Footprint": self.footprint_bytes,
            "ConnectionSparsity": self.connection_sparsity,
            "ActivationSparsity": self.activation_sparsity,
            "SynapticOperations": {
                "Effective_MACs": operations.effective_macs / n,
                "Effective_ACs": operations.effective_acs / n,
                "Dense": operations.dense / n,
            },
            "MembraneUpdates": self.membrane_updates / n,
        }


def network_cost(network: FixedNetwork, description: Network | None = None) -> Cost:
    """What a network costs before it runs: footprint and connection sparsity.

    Args:
        network: the network in integers.
        description: what it was quantised from. With it, the positions of a convolution are the
            pairs of pixels that its windows join; without it, and for dense weights, all pairs of
            source and target. (NeuroBench takes the sparsity of the kernel, which differs a little
            at the borders of an image.)

    Raises:
        ValueError: the network was not quantised from the description.
    """
    known = {} if description is None else _possible_synapses(description)
    if description is not None and list(known) != [q.name for q in network.projections]:
        raise ValueError(
            f"the description gives the projections {list(known)}, "
            f"but the network has {[q.name for q in network.projections]}"
        )
    projections = tuple(
        ProjectionCost(
            q.name,
            q.source,
            q.target,
            known.get(q.name, q.n_source * q.n_target),
            len(q.weight),
            q.row_start.nbytes + q.target_index.nbytes + q.weight.nbytes,
        )
        for q in network.projections
    )
    populations = tuple(
        PopulationCost(p.name, p.size, _footprint(network, p)) for p in network.populations
    )
    return Cost(projections, populations)


def _footprint(network: FixedNetwork, population: FixedPopulation) -> int:
    """Bytes of a population's parameters and state."""
    parameters: list[Any] = [
        population.du,
        population.dv,
        population.vth,
        population.bias_mantissa,
    ]
    into = (q.delay for q in network.projections if q.target == population.name)
    variables = 2 + 1 + max(into, default=0)
    if population.has_memory_of_spikes:
        parameters += [
            population.refractory,
            population.threshold_decay,
            population.threshold_step,
        ]
        variables += 2
    return sum(values.nbytes for values in parameters) + variables * _STATE_BYTES * population.size


def measure_cost(
    runner: RecordableRunner, samples: Sequence[Sample], description: Network | None = None
) -> Cost:
    """What samples cost: each is run from rest and counted tick by tick, exactly.

    The runner is reset before each sample and left as it is after the last one.

    Args:
        runner: what to run.
        samples: for each, active inputs and offsets as `Runner.run` takes them.
        description: see `network_cost`.

    Raises:
        ValueError: naming what of a sample or of the description does not fit the network; or the
            runner computes in float.
    """
    network = runner.network
    if not isinstance(network, FixedNetwork):
        raise ValueError(
            f"the cost is that of Loihi's integers, and {runner.name!r} computes in float: "
            "measure_cost(CpuRunner(quantize(network)), ...)"
        )
    empty = network_cost(network, description)
    trains = [check_trains(runner, *sample) for sample in samples]
    n_ticks = sum(len(offsets) - 1 for _, offsets in trains)
    fan_out = [np.diff(q.row_start) for q in network.projections]
    effective = np.zeros(len(network.projections), np.int64)
    spikes = np.zeros(len(network.populations), np.int64)
    changed = np.zeros(network.n_neurons, np.int64)
    for indices, offsets in trains:
        runner.reset()
        before: NDArray[np.int64] | None = None
        for active in step_through(runner, indices, offsets):
            fired = {p.name: runner.spikes(p.name) for p in network.populations}
            spikes += [len(found) for found in fired.values()]
            for number, projection in enumerate(network.projections):
                sources = _active_sources(network, projection, active, fired)
                effective[number] += fan_out[number][np.unique(sources)].sum()
            membrane = runner.state().membrane
            changed += 1 if before is None else membrane != before
            before = membrane
    return Cost(
        tuple(
            dataclasses.replace(
                part,
                operations=_operations(network, part, n_ticks, int(effective[i])),
            )
            for i, part in enumerate(empty.projections)
        ),
        tuple(
            dataclasses.replace(
                part,
                neuron_updates=n_ticks * part.neurons,
                membrane_updates=int(changed[p.offset : p.offset + p.size].sum()),
                spikes=int(spikes[i]),
            )
            for i, (part, p) in enumerate(zip(empty.populations, network.populations, strict=True))
        ),
        len(trains),
        n_ticks,
    )


def _operations(
    network: FixedNetwork, projection: ProjectionCost, n_ticks: int, effective: int
) -> SynapticOperations:
    port = network.inputs.get(projection.source)
    graded = port is not None and port.message_bits > 0
    dense = n_ticks * projection.positions
    return SynapticOperations(dense, effective if graded else 0, 0 if graded else effective)


def _active_sources(
    network: FixedNetwork, projection: FixedProjection, active: Indices, fired: dict[str, Indices]
) -> Indices:
    if projection.source in fired:
        return fired[projection.source]
    port = network.inputs[projection.source]
    return active[(active >= port.offset) & (active < port.offset + port.size)] - port.offset


def _possible_synapses(description: Network) -> dict[str, int]:
    """Projection -> pairs that it could join: its entries where no weight is zero."""
    nodes = dict(description.nodes)
    for name, node in nodes.items():
        if isinstance(node, (Linear, Affine, Conv1d, Conv2d)):
            nodes[name] = dataclasses.replace(node, weight=np.ones_like(node.weight))
        elif isinstance(node, Scale):
            nodes[name] = dataclasses.replace(node, scale=np.ones_like(node.scale))
    filled = Network(nodes, description.edges, description.dt_s)
    lowering = Lowering(filled)
    return {
        path.name(name): len(path.map.weight)
        for name, node in nodes.items()
        if isinstance(node, NEURONS)
        for path in lowering.into(name)
    }


def _zeros(nonzero: int, total: int) -> float:
    return (total - nonzero) / total if total else 0.0
