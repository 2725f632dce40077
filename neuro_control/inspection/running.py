# SPDX-License-Identifier: Apache-2.0
"""A network that runs: a snapshot of it, and where its activity dies, at no cost to its ticks.

Nothing is stepped here. What is known is the present state of a runner and who spiked of late, so
that causes are those that the structure shows and how near membranes are to their thresholds now;
`find_silence` knows more, on the same input in a run of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.runner import RunnerState
from neuro_control.inspection.neuron_tick import NeuronParameters, decayed
from neuro_control.inspection.shown_spikes import Neurons
from neuro_control.inspection.silence import (
    Cause,
    Finding,
    SilenceReport,
    SourceActivity,
    Wiring,
    only_inhibits,
    silent_front,
)
from neuro_control.inspection.silence_experiments import highest_possible
from neuro_control.inspection.silence_structure import dead_kernels
from neuro_control.inspection.synapse_loss import dead_channels
from neuro_control.network import FixedNetwork
from neuro_control.network.fixed_network import FixedPopulation


@dataclass(frozen=True)
class PopulationSnapshot:
    """One population now, in Loihi's integers (a threshold is ``vth << 6``).

    Attributes:
        name: of the population.
        neurons: how many it has.
        spikes: in the ticks looked at; None where that is not known.
        rate_hz: of a neuron in the mean; None likewise.
        nearest: the neuron whose membrane is nearest to its threshold; None where none has one.
        membrane, threshold: of that neuron.
        ratio: of these; the membrane itself for a threshold of 0.
        membrane_least, membrane_most: of all its neurons.
        current_least, current_most: of all its neurons.
        waiting: neurons with an input that arrives in the next tick.
        held: neurons that are refractory.
    """

    name: str
    neurons: int
    spikes: int | None
    rate_hz: float | None
    nearest: int | None
    membrane: int | None
    threshold: int | None
    ratio: float | None
    membrane_least: int
    membrane_most: int
    current_least: int
    current_most: int
    waiting: int
    held: int


@dataclass(frozen=True)
class NetworkSnapshot:
    """A network after some ticks; ``inputs`` has the spikes of the inputs that are known."""

    ticks: int
    inputs: Mapping[str, int]
    populations: tuple[PopulationSnapshot, ...]

    def as_json(self) -> dict[str, Any]:
        """The same for `json.dumps`."""
        return asdict(self)


def network_snapshot(
    network: FixedNetwork, state: RunnerState, ticks: int, spikes: Mapping[str, int]
) -> NetworkSnapshot:
    """Look at a state.

    Args:
        network: the network.
        state: `Runner.state` of it.
        ticks: over how many ticks the spikes were counted.
        spikes: by name of input or population, as far as known.

    Raises:
        ValueError: the state does not have the network's size.
    """
    if state.membrane.shape != (network.n_neurons,):
        raise ValueError(
            f"the state has {state.membrane.shape} membranes, the network {network.n_neurons}"
        )
    parameters = NeuronParameters.of(network)
    threshold = parameters.threshold + decayed(state.adaptation, parameters.threshold_decay)
    found = []
    for population in network.populations:
        part = slice(population.offset, population.offset + population.size)
        membrane, own = state.membrane[part], threshold[part]
        nearest = None
        if population.spiking:
            nearest = int(np.argmax(membrane / np.maximum(own, 1)))
        count = spikes.get(population.name)
        seconds = ticks * network.dt_s * population.size
        found.append(
            PopulationSnapshot(
                population.name,
                population.size,
                count,
                None if count is None or not ticks else count / seconds,
                nearest,
                None if nearest is None else int(membrane[nearest]),
                None if nearest is None else int(own[nearest]),
                None if nearest is None else float(membrane[nearest] / max(own[nearest], 1)),
                int(membrane.min()),
                int(membrane.max()),
                int(state.current[part].min()),
                int(state.current[part].max()),
                int(np.count_nonzero(state.pending[0, part])),
                int(np.count_nonzero(state.refractory[part])),
            )
        )
    inputs = {name: spikes[name] for name in network.inputs if name in spikes}
    return NetworkSnapshot(ticks, inputs, tuple(found))


def why_silent_now(
    network: FixedNetwork,
    ticks: int,
    spikes: Mapping[str, int],
    state: RunnerState | None = None,
    neurons: Mapping[str, Neurons] | None = None,
) -> SilenceReport:
    """Where the activity of a running network dies, from who spiked in its last ticks.

    Args:
        network: the network.
        ticks: over how many ticks the spikes were counted.
        spikes: by name of input or population. One that is missing is not known, and taken for
            alive: nothing is said of it. Integrators, which do not spike, are left out as well.
        state: `Runner.state`; with it, how near the membranes are.
        neurons: the same in place of a state, of populations that are silent.
    """
    wiring = Wiring.of(network)
    mute = {p.name for p in network.populations if not p.spiking}
    known = {name: n for name, n in spikes.items() if name not in mute}
    alive = {name for name in (*wiring.inputs, *wiring.sources) if known.get(name, 1)}
    front = silent_front(wiring, alive)
    near: dict[str, tuple[int, float]] = {}
    if state is not None:
        for looked in network_snapshot(network, state, ticks, spikes).populations:
            if looked.nearest is not None and looked.ratio is not None:
                near[looked.name] = looked.nearest, looked.ratio
    for name, (membrane, risen) in (neurons or {}).items():
        if (population := network.population(name)).spiking:
            near[name] = _nearest(population, membrane, risen)
    findings = [
        Finding(
            name,
            Cause.NO_INPUT,
            f"input {name} was given no spike in the last {ticks} ticks",
            "spikes in its channels",
        )
        for name in front.inputs
    ]
    reasons = {name: _reason(network, name, alive, near.get(name)) for name in front.populations}
    noted = {name for name in reasons if only_inhibits(network, name)}
    findings += [reason for name, reason in reasons.items() if name not in noted]
    findings += [
        Finding(name, Cause.NO_PATH, f"no input reaches {name}", "an edge from an input")
        for name in front.cut_off
    ]
    seen = {name: SourceActivity(name, port.size, known.get(name, 0), 0)
            for name, port in network.inputs.items() if name in known}  # fmt: skip
    populations = {p.name: SourceActivity(p.name, p.size, known.get(p.name, 0), 0)
                   for p in network.populations if p.name in known}  # fmt: skip
    return SilenceReport(
        ticks,
        tuple(seen.values()),
        tuple(populations.values()),
        tuple(findings),
        tuple(reasons[name] for name in reasons if name in noted),
        {name: by for name, by in front.behind.items() if not noted.issuperset(by)},
    )


def where_activity_dies(report: SilenceReport) -> str:
    """A report in one line, for a log or a diagnostic; "" where nothing was found."""
    return "; ".join(finding.text for finding in report.findings)


def _nearest(
    population: FixedPopulation, membrane: NDArray[np.int64], risen: NDArray[np.int64]
) -> tuple[int, float]:
    """The neuron whose membrane is nearest to its threshold, and the ratio of these."""
    vth = np.asarray(population.vth, np.int64) << 6
    decay = np.asarray(population.threshold_decay, np.int64)
    threshold = np.maximum(vth + decayed(risen, decay), 1)
    nearest = int(np.argmax(membrane / threshold))
    return nearest, float(membrane[nearest] / threshold[nearest])


def _reason(
    network: FixedNetwork, name: str, alive: set[str], near: tuple[int, float] | None
) -> Finding:
    population = network.population(name)
    into = [q for q in network.projections if q.target == name and q.source in alive]
    sources = ", ".join(dict.fromkeys(q.source for q in into))
    if not any(q.weight.any() for q in into):
        channels = dead_channels(network, name)
        if channels:
            return dead_kernels(name, channels, population)
        return Finding(
            name,
            Cause.NO_SYNAPSES,
            f"{name} is silent: it has no synapse from {sources or 'what spikes'}",
            "weights other than 0",
        )
    if not any((q.weight > 0).any() for q in into) and not (population.bias > 0).any():
        return Finding(
            name,
            Cause.ONLY_INHIBITION,
            f"{name} is silent: {sources} only inhibit it",
            "excitatory weights, or another sign",
        )
    threshold = population.vth.astype(np.float64) * 64
    if (highest_possible(population, into) <= threshold).all():
        return Finding(
            name,
            Cause.OUT_OF_REACH,
            f"{name} is silent: its thresholds are above what {sources} can bring at all",
            "a lower threshold, larger weights, or a slower decay",
        )
    text = f"{name} is silent although {sources} spikes"
    figures: dict[str, Any] = {}
    if near is not None:
        neuron, ratio = near
        text += f": the membrane of {name}[{neuron}] is nearest, {ratio:.1%} of its threshold now"
        figures = {"neuron": neuron, "ratio": ratio}
    return Finding(
        name,
        Cause.WEIGHTS_MISS,
        text,
        "`neuro_control network why FILE --silent` on a recording gives the factor that is missing",
        figures,
    )
