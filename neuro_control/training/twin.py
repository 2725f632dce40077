# SPDX-License-Identifier: Apache-2.0
"""The torch twin: a network to train, whose spikes are those of the engine to the last one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from neuro_control.network import Network, PopulationReport, QuantizedNetwork, quantize
from neuro_control.network.fixed_neurons import resting
from neuro_control.network.neurons import INTEGRATORS, NEURONS
from neuro_control.network.provenance import without_provenance
from neuro_control.training.surrogates import Surrogate
from neuro_control.training.twin_delivery import SINGLE, Delivery
from neuro_control.training.twin_neurons import TwinNeurons, fields_of
from neuro_control.training.twin_order import Component, components, paths_into
from neuro_control.training.twin_populations import TwinPopulation, twin_population
from neuro_control.training.twin_scan import scan
from neuro_control.training.twin_state import TwinState
from neuro_control.training.twin_synapses import TwinSynapses

TRAINABLE = ("weights", "decays", "thresholds")


@dataclass(frozen=True, eq=False)
class TwinRun:
    """What a twin did.

    ``spikes`` float32[batch, time, channel] over all outputs in order (an integrator's stay zero);
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
    when it is deployed. The gradient is that of the equations with the integers' weights and a
    surrogate for spikes; roundings are passed over (straight-through: Bengio et al.,
    arXiv:1308.3432, 2013). Without ``exact`` the forward pass computes the float equations.

    Args:
        network: what to train.
        exact: integers, or float.
        weight_bits: bits of a weight, 1 to 8.
        surrogate: derivative of a spike, or its name in `SURROGATES`.
        train: of ``weights`` (with biases and scales), ``decays`` (time constants) and
            ``thresholds`` (with the rise of adaptive ones), see `TwinNeurons`; delays and
            refractory times stay as they are.
        compiled: step neurons in compiled code where the tensors are on a CPU.

    Raises:
        ValueError: naming the node that cannot be trained or does not fit the integers.
    """

    def __init__(
        self,
        network: Network,
        *,
        exact: bool = True,
        weight_bits: int = 8,
        surrogate: Surrogate | str | None = None,
        train: Collection[str] = ("weights",),
        compiled: bool = True,
    ) -> None:
        super().__init__()
        wanted = [train] if isinstance(train, str) else list(train)
        if not wanted or not set(wanted) <= set(TRAINABLE):
            raise ValueError(f"train must be some of {', '.join(TRAINABLE)}, not {wanted}")
        chosen = {what: what in wanted for what in TRAINABLE}
        self.synapses = TwinSynapses(network, trained=chosen["weights"])
        self.neurons = TwinNeurons(network, fields_of(chosen))
        if not any(parameter.requires_grad for parameter in self.parameters()):
            raise ValueError(f"the network has no {' and no '.join(wanted)} to train")
        self.surrogate = _surrogate(surrogate)
        self._given, self._exact, self._bits = network, exact, weight_bits
        self._metadata = without_provenance(network.metadata)
        self._compiled = compiled
        self._ports = quantize(network, weight_bits)
        self._nodes = {n: x for n, x in network.nodes.items() if isinstance(x, NEURONS)}
        self._sizes = {name: port.size for name, port in self._ports.inputs.items()}
        self._sizes |= {p.name: p.size for p in self._ports.populations}
        hears = {
            n: {p.source for p in paths_into(network, n)} & set(self._nodes) for n in self._nodes
        }
        self._order = components(hears)
        self._device: torch.device | None = None
        self._snapshot: list[Tensor] = []
        self._fixed: QuantizedNetwork = self._ports
        self._delivery = Delivery(
            network, self.synapses, exact=exact, longest_delay=self._ports.longest_delay
        )

    def network(self) -> Network:
        """The network with its parameters as they are now, to be written and deployed.

        Its metadata are those of the network given, but for who made it, by which command and with
        which loss: ``made_from`` says who made what it was trained from.
        """
        nodes = dict(self._given.nodes) | self.synapses.nodes() | self.neurons.nodes()
        return Network(nodes, self._given.edges, self._given.dt_s, self._metadata)

    def quantized(self) -> QuantizedNetwork:
        """The integers that the exact mode computes with."""
        return quantize(self.network(), self._bits)

    def rest(self, batch: int) -> TwinState:
        """The state of a batch at rest."""
        device = next(self.parameters()).device
        rows = self._ports.longest_delay + 1
        sizes = {p.name: p.size for p in self._ports.populations}

        def zeros(*rows: int) -> dict[str, Tensor]:
            return {
                name: torch.zeros(batch, *rows, size, dtype=torch.float64, device=device)
                for name, size in sizes.items()
            }

        return TwinState(zeros(), zeros(), zeros(rows), zeros(), zeros())

    def forward(self, spikes: Tensor, state: TwinState | None = None) -> TwinRun:
        """Step over a batch of spike trains.

        Args:
            spikes: [batch, time, channel] over all inputs in order; 0 or 1, or bool, and up to its
                largest payload for a graded input.
            state: where to go on from; at rest without it. Cut the gradient with `detach`.

        Raises:
            ValueError: the number of channels is not that of the inputs, a value is no payload of
                its input, there is no tick, or the state is of another batch or network.
        """
        if spikes.dtype is torch.bool:
            spikes = spikes.float()
        self._check(spikes, state)
        self._prepare(spikes.device)
        populations = self._populations(spikes.device)
        state = self.rest(len(spikes)) if state is None else state
        signals = {
            name: spikes[:, :, port.offset : port.offset + port.size].float()
            for name, port in self._ports.inputs.items()
        }
        after, ticks = TwinState({}, {}, {}, {}, {}), spikes.shape[1]
        with self._delivery.forward_pass(populations):
            for component in self._order:
                if component.recurrent:
                    self._tick_by_tick(component, populations, signals, ticks, (state, after))
                else:
                    self._at_once(component.names[0], populations, signals, ticks, (state, after))
        shown = [
            signals[name]
            if self._ports.population(name).spiking
            else torch.zeros_like(signals[name])
            for name in self._ports.output_populations.values()
        ]
        empty = spikes.new_zeros(*spikes.shape[:2], 0, dtype=torch.float32)
        voltages = {
            name: self._voltage(name, signals[name], populations[name].unit)
            for name, neuron in self._nodes.items()
            if isinstance(neuron, INTEGRATORS)
        }
        return TwinRun(torch.cat([empty, *shown], dim=2), voltages, after)

    def _check(self, spikes: Tensor, state: TwinState | None) -> None:
        channels = sum(port.size for port in self._ports.inputs.values())
        if spikes.ndim != 3 or spikes.shape[2] != channels:
            raise ValueError(
                f"spikes must be [batch, time, {channels}] for inputs "
                f"{list(self._ports.inputs)}, not {list(spikes.shape)}"
            )
        if not spikes.shape[1]:
            raise ValueError("spikes must be given for one tick at least")
        for name, port in self._ports.inputs.items():
            own, most = spikes[:, :, port.offset : port.offset + port.size], port.largest_payload
            if not bool(((own >= 0) & (own <= most) & (own == own.round())).all()):
                wanted = "0 or 1" if most == 1 else f"whole numbers from 0 to {most}"
                raise ValueError(f"spikes of input {name!r} must be {wanted}; it takes no others")
        if state is not None:
            self._check_state(state, len(spikes))

    def _check_state(self, state: TwinState, batch: int) -> None:
        sizes = {p.name: p.size for p in self._ports.populations}
        rows = self._ports.longest_delay + 1
        for variable, part in vars(state).items():
            if set(part) != set(sizes):
                raise ValueError(
                    f"the state is of another network: its {variable} is of the populations "
                    f"{sorted(part)}, and here are {sorted(sizes)}"
                )
            for name, size in sizes.items():
                found, own = (
                    list(part[name].shape),
                    [rows, size] if variable == "pending" else [size],
                )
                if found[1:] != own:
                    raise ValueError(
                        f"the state is of another network: its {variable} of {name!r} has the shape"
                        f" {found}, and here {[batch, *own]} are wanted"
                    )
                if found[0] != batch:
                    raise ValueError(
                        f"the state is of a batch of {found[0]}, the spikes of {batch}"
                    )

    def _at_once(
        self,
        name: str,
        populations: Mapping[str, TwinPopulation],
        signals: dict[str, Tensor],
        ticks: int,
        states: tuple[TwinState, TwinState],
    ) -> None:
        """Step a population that does not hear itself over the whole window."""
        before, after = states
        waiting = self._delivery.window([name], signals, before.pending, ticks)[name]
        signals[name], now = scan(
            waiting[:, :ticks],
            populations[name].numbers,
            _own(before, name),
            populations[name].kind,
        )
        _keep(after, name, now, waiting[:, ticks:])

    def _tick_by_tick(
        self,
        component: Component,
        populations: Mapping[str, TwinPopulation],
        signals: dict[str, Tensor],
        ticks: int,
        states: tuple[TwinState, TwinState],
    ) -> None:
        """Step populations that hear each other."""
        names = list(component.names)
        before, after = states
        outside = self._delivery.window(names, signals, before.pending, ticks)
        rows = {name: list(outside[name].unbind(dim=1)) for name in names}
        memory = {name: _own(before, name) for name in names}
        sent: dict[str, list[Tensor]] = {name: [] for name in names}
        for tick in range(ticks):
            for name in names:
                numbers = populations[name]
                given = rows[name][tick].unsqueeze(1)
                signal, memory[name] = scan(given, numbers.numbers, memory[name], numbers.kind)
                sent[name].append(signal)
            now = {name: sent[name][-1] for name in names}
            for name, given in self._delivery.from_sources(names, now).items():
                for delay, row in enumerate(given.unbind(dim=1)):
                    rows[name][tick + 1 + delay] = rows[name][tick + 1 + delay] + row
        for name in names:
            signals[name] = torch.cat(sent[name], dim=1)
            _keep(after, name, memory[name], torch.stack(rows[name][ticks:], dim=1))

    def _voltage(self, name: str, signal: Tensor, unit: float) -> Tensor:
        neuron = self._nodes[name]
        rest = torch.from_numpy(resting(neuron).copy()).to(signal.device)
        return signal.double().unflatten(2, neuron.shape) / unit + rest

    def _prepare(self, device: torch.device) -> None:
        """The integers of the parameters as they are now."""
        parameters = list(self.parameters())
        # By their values: `weight.data` can be written to without a new version.
        if (
            self._device == device
            and len(self._snapshot) == len(parameters)
            and all(
                a.device == b.device and torch.equal(a, b)
                for a, b in zip(parameters, self._snapshot, strict=True)
            )
        ):
            return
        if self._exact:
            self._fixed = self.quantized()
            self._delivery.load(self._fixed, device)
        self._device = device
        self._snapshot = [parameter.detach().clone() for parameter in parameters]

    def _fits_single(self, report: PopulationReport) -> bool:
        """Whether every sum that can arrive, before it is shifted too, is exact in float32."""
        # Of a sum before it is shifted, no more is known than how many weights and payloads it has.
        payloads = {name: port.largest_payload for name, port in self._fixed.inputs.items()}
        sums = [
            q.n_source * payloads.get(q.source, 1)
            for q in self._fixed.projections
            if q.target == report.name
        ]
        return report.worst_case_input < SINGLE and all(n < SINGLE >> 8 for n in sums)

    def _populations(self, device: torch.device) -> dict[str, TwinPopulation]:
        nothing = {n: torch.zeros(1, size, device=device) for n, size in self._sizes.items()}
        constants = self.synapses.constants(nothing)
        reports = {report.name: report for report in self._fixed.report.populations}
        fixed = {p.name: p for p in self._fixed.populations}
        found = {}
        for name, neuron in self._nodes.items():
            held = getattr(neuron, "refractory", np.zeros(neuron.shape)).ravel()
            found[name] = twin_population(
                self.neurons.smooth(name, device),
                constants[name],
                np.rint(held / self._given.dt_s),
                self.surrogate,
                spiking=not isinstance(neuron, INTEGRATORS),
                compiled=self._compiled,
                fixed=fixed[name] if self._exact else None,
                scale=reports[name].scale,
                single=not self._exact or self._fits_single(reports[name]),
            )
        return found


def _surrogate(given: Surrogate | str | None) -> Surrogate:
    if isinstance(given, str):
        return Surrogate(given)
    if given is not None and not isinstance(given, Surrogate):
        raise ValueError(f"surrogate must be a Surrogate or the name of one, not {given!r}")
    return Surrogate() if given is None else given


def _own(state: TwinState, name: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return (
        state.current[name],
        state.membrane[name],
        state.adaptation[name],
        state.refractory[name],
    )


def _keep(
    state: TwinState, name: str, now: tuple[Tensor, Tensor, Tensor, Tensor], pending: Tensor
) -> None:
    state.current[name], state.membrane[name], state.adaptation[name] = now[:3]
    state.refractory[name], state.pending[name] = now[3], pending.double()
