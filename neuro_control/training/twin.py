# SPDX-License-Identifier: Apache-2.0
"""The torch twin: a network to train, whose spikes are those of the engine to the last one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor, nn

from neuro_control.network import FixedProjection, Network, QuantizedNetwork, quantize
from neuro_control.network.fixed_neurons import resting
from neuro_control.network.neurons import INTEGRATORS, NEURONS
from neuro_control.training.surrogates import Surrogate
from neuro_control.training.twin_populations import (
    TwinPopulation,
    exact_population,
    float_population,
    straight_through,
)
from neuro_control.training.twin_state import TwinState
from neuro_control.training.twin_synapses import TwinSynapses

DENSE_SHARE = 0.1
"""Share of pairs that are joined from which on a projection is multiplied as a dense matrix."""


@dataclass(frozen=True, eq=False)
class TwinRun:
    """What a twin did.

    ``spikes`` [batch, time, channel] over all outputs in order (an integrator's stay zero);
    ``voltages`` of every population without spikes, name -> [batch, time, *shape], in the
    network's own units; ``state`` to go on from.
    """

    spikes: Tensor
    voltages: dict[str, Tensor]
    state: TwinState


class TorchNetwork(nn.Module):
    """A Network as a torch module; its weights and biases are the parameters.

    With ``exact`` the forward pass computes the integers of ``quantize(self.network())``: the
    spikes and voltages are those of CpuRunner, bit for bit, so that what was trained loses nothing
    when it is deployed. The gradient is that of the float equations with a surrogate for spikes
    (straight-through: Bengio et al., arXiv:1308.3432, 2013). Without ``exact`` the forward pass
    computes the float equations as well.

    Args:
        network: what to train. Delays are refused.
        exact: integers, or float.
        weight_bits: bits of a weight, 1 to 8.
        surrogate: derivative of a spike.

    Raises:
        ValueError: naming the node that cannot be trained or does not fit the integers.
    """

    def __init__(
        self,
        network: Network,
        *,
        exact: bool = True,
        weight_bits: int = 8,
        surrogate: Surrogate | None = None,
    ) -> None:
        super().__init__()
        self.synapses = TwinSynapses(network)
        if not len(self.synapses.weights):
            raise ValueError("the network has no weights to train")
        self.surrogate = Surrogate() if surrogate is None else surrogate
        self._given, self._exact, self._bits = network, exact, weight_bits
        self._ports = quantize(network, weight_bits)
        self._neurons = {n: x for n, x in network.nodes.items() if isinstance(x, NEURONS)}
        self._device: torch.device | None = None
        self._snapshot: list[Tensor] = []
        self._populations: dict[str, TwinPopulation] = {}
        self._matrices: list[tuple[FixedProjection, Tensor]] = []

    def network(self) -> Network:
        """The network with the weights as they are now, to be written, quantised and deployed."""
        return self.synapses.network()

    def quantized(self) -> QuantizedNetwork:
        """The integers that the exact mode computes with."""
        return quantize(self.network(), self._bits)

    def rest(self, batch: int) -> TwinState:
        """The state of a batch at rest."""
        device = next(self.synapses.parameters()).device
        parts = [
            {
                name: torch.zeros(batch, neuron.size, dtype=torch.float64, device=device)
                for name, neuron in ((p.name, p) for p in self._ports.populations)
            }
            for _ in fields(TwinState)
        ]
        return TwinState(*parts)

    def forward(self, spikes: Tensor, state: TwinState | None = None) -> TwinRun:
        """Step over a batch of spike trains.

        Args:
            spikes: 0 or 1, [batch, time, channel] over all inputs in order.
            state: where to go on from; at rest without it. Cut the gradient with `detach`.

        Raises:
            ValueError: the number of channels is not that of the inputs, a value is neither 0 nor
                1, there is no tick, or the state is of another batch.
        """
        channels = sum(port.size for port in self._ports.inputs.values())
        if spikes.ndim != 3 or spikes.shape[2] != channels:
            raise ValueError(
                f"spikes must be [batch, time, {channels}] for inputs "
                f"{list(self._ports.inputs)}, not {list(spikes.shape)}"
            )
        if not spikes.shape[1] or not bool(((spikes == 0) | (spikes == 1)).all()):
            raise ValueError(
                "spikes must be 0 or 1, for one tick at least; the engine has no others"
            )
        if state is not None and len(next(iter(state.membrane.values()))) != len(spikes):
            raise ValueError(
                f"the state is of a batch of {len(next(iter(state.membrane.values())))}, the spikes"
                f" of {len(spikes)}"
            )
        self._prepare(spikes.device)
        constants = self._constants(spikes)
        state = self.rest(len(spikes)) if state is None else state
        fired: list[dict[str, Tensor]] = []
        seen: dict[str, list[Tensor]] = {
            name: [] for name, neuron in self._neurons.items() if isinstance(neuron, INTEGRATORS)
        }
        for tick in range(spikes.shape[1]):
            sent, state = self._tick(spikes[:, tick], state, constants)
            fired.append(sent)
            for name, voltages in seen.items():
                voltages.append(state.membrane[name])
        shown = [
            torch.stack([sent[name] for sent in fired], dim=1)
            for name in self._ports.output_populations.values()
        ]
        empty = spikes.new_zeros(*spikes.shape[:2], 0)
        return TwinRun(
            torch.cat([empty, *shown], dim=2),
            {name: self._voltage(name, parts) for name, parts in seen.items() if parts},
            state,
        )

    def _voltage(self, name: str, membranes: list[Tensor]) -> Tensor:
        neuron, stacked = self._neurons[name], torch.stack(membranes, dim=1)
        rest = torch.from_numpy(resting(neuron).copy()).to(stacked.device)
        return stacked.unflatten(2, neuron.shape) / self._populations[name].unit + rest

    def _prepare(self, device: torch.device) -> None:
        """Populations and integer weights for the parameters as they are now."""
        if self._device == device and self.synapses.equals(self._snapshot):
            return
        dt_s = self._given.dt_s
        if self._exact:
            fixed = self.quantized()
            scales = {report.name: report.scale for report in fixed.report.populations}
            found = {
                p.name: exact_population(self._neurons[p.name], p, scales[p.name], dt_s)
                for p in fixed.populations
            }
            self._matrices = [(q, _matrix(q).to(device)) for q in fixed.projections]
        else:
            found = {n: float_population(n, x, dt_s) for n, x in self._neurons.items()}
        self._populations = {name: _to(numbers, device) for name, numbers in found.items()}
        self._device, self._snapshot = device, self.synapses.snapshot()

    def _constants(self, spikes: Tensor) -> dict[str, Tensor]:
        """What biases add to each membrane in a tick, [size]."""
        nothing = {
            name: spikes.new_zeros(1, size, dtype=torch.float32)
            for name, size in self._source_sizes().items()
        }
        constants = {}
        for name, given in self.synapses(nothing, constants=True).items():
            numbers = self._populations[name]
            constant = given[0].double() * numbers.bias_gain
            if numbers.bias is not None:
                constant = straight_through(numbers.bias, constant)
            constants[name] = constant
        return constants

    def _source_sizes(self) -> dict[str, int]:
        sizes = {name: port.size for name, port in self._ports.inputs.items()}
        return sizes | {p.name: p.size for p in self._ports.populations}

    def _tick(
        self, active: Tensor, state: TwinState, constants: Mapping[str, Tensor]
    ) -> tuple[dict[str, Tensor], TwinState]:
        sent: dict[str, Tensor] = {}
        parts: list[dict[str, Tensor]] = [{}, {}, {}, {}]
        for name, numbers in self._populations.items():
            own = (state.current, state.membrane, state.adaptation, state.refractory)
            before = (own[0][name], own[1][name], own[2][name], own[3][name])
            arriving = state.pending[name]
            spikes, _, after = numbers.step(before, arriving, constants[name], self.surrogate)
            sent[name] = spikes
            for part, value in zip(parts, after, strict=True):
                part[name] = value
        sources = sent | {
            name: active[:, port.offset : port.offset + port.size].double()
            for name, port in self._ports.inputs.items()
        }
        current, membrane, adaptation, refractory = parts
        pending = self._deliver(sources)
        return sent, TwinState(current, membrane, pending, adaptation, refractory)

    def _deliver(self, sources: Mapping[str, Tensor]) -> dict[str, Tensor]:
        smooth = {
            name: given.double() * self._populations[name].gain
            for name, given in self.synapses({n: x.float() for n, x in sources.items()}).items()
        }
        if not self._exact:
            return smooth
        with torch.no_grad():
            exact = {name: torch.zeros_like(given) for name, given in smooth.items()}
            for projection, matrix in self._matrices:
                total = (matrix @ sources[projection.source].detach().T).T
                exact[projection.target] += (total * 2.0**projection.weight_exponent).floor()
        return {name: straight_through(exact[name], x) for name, x in smooth.items()}


def _matrix(projection: FixedProjection) -> Tensor:
    """The integer weights, float64 [target, source]; sparse where few pairs are joined."""
    size = (projection.n_target, projection.n_source)
    if len(projection.weight) >= DENSE_SHARE * size[0] * size[1]:
        return torch.from_numpy(projection.matrix().astype("float64"))
    counts = torch.from_numpy(projection.row_start.copy()).diff()
    source = torch.arange(projection.n_source).repeat_interleave(counts)
    target = torch.from_numpy(projection.target_index.astype("int64"))
    weight = torch.from_numpy(projection.weight.astype("float64"))
    place = torch.stack([target, source])
    return torch.sparse_coo_tensor(place, weight, size, check_invariants=True).coalesce()


def _to(numbers: TwinPopulation, device: torch.device) -> TwinPopulation:
    moved = {
        field.name: value.to(device)
        for field in fields(numbers)
        if isinstance(value := getattr(numbers, field.name), Tensor)
    }
    return replace(numbers, **moved)
