# SPDX-License-Identifier: Apache-2.0
"""The engine for a network as the worker gets it."""

from __future__ import annotations

import numpy as np

from neuro_control.backends import CpuRunner, RunnerState
from neuro_control.network import FixedNetwork, FixedPopulation, FixedProjection, Port
from neuro_control.worker.wire_network import WireNetwork


class EngineWire:
    """Steps with `CpuRunner`."""

    def __init__(self, wire: WireNetwork) -> None:
        self.n_inputs, self.n_outputs = wire.n_inputs, wire.n_outputs
        self.runner = CpuRunner(engine_network(wire))
        self.runner.warm()

    def run(self, indices: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.runner.run(indices, offsets)

    def state(self) -> dict[str, np.ndarray]:
        found = self.runner.state()
        return {name: getattr(found, name) for name in ("current", "membrane", "pending")}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        network = self.runner.network
        rows = network.longest_delay + 1
        if any(len(state[name]) != network.n_neurons for name in ("current", "membrane")) or (
            state["pending"].shape != (rows, network.n_neurons)
        ):
            raise ValueError("the state is of another size")
        nothing = np.zeros_like(state["current"])
        fingerprint = network.fingerprint()
        self.runner.restore(
            RunnerState(fingerprint, *state.values(), adaptation=nothing, refractory=nothing)
        )


def engine_network(wire: WireNetwork) -> FixedNetwork:
    """The network that was sent, for the engine."""
    populations = tuple(
        FixedPopulation(
            p.name,
            (len(p.du),),
            p.offset,
            p.du,
            p.dv,
            p.vth,
            p.bias_mantissa,
            p.bias_exponent,
            p.spiking,
        )
        for p in wire.populations
    )
    projections = tuple(
        FixedProjection(
            f"{q.source} -> {q.target}",
            q.source,
            q.target,
            q.n_target,
            q.row_start,
            q.target_index,
            q.weight.astype(np.int16),
            q.weight_exponent,
            q.num_weight_bits,
            q.delay,
        )
        for q in wire.projections
    )
    inputs = {name: Port(offset, size, (size,)) for name, (offset, size) in wire.inputs.items()}
    outputs, shown = {}, {}
    for offset, name in wire.outputs:
        size = len(wire.population(name).du)
        outputs[f"{name}@{offset}"] = Port(offset, size, (size,))
        shown[f"{name}@{offset}"] = name
    return FixedNetwork(populations, projections, inputs, outputs, shown, 1e-3)
