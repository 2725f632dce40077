# SPDX-License-Identifier: Apache-2.0
"""A network stepped in float64 by its equations: what quantisation is compared with.

Forward Euler steps as `neuro_control.network.neurons` defines them, with spikes delivered in the
tick after. It is plain and dense in the neurons: a yardstick, not an engine.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from neuro_control.network.fixed_neurons import bias_gain, gain_of, threshold_above_rest
from neuro_control.network.graph import Network
from neuro_control.network.lowering import Connection, Lowering
from neuro_control.network.neurons import (
    IF,
    INTEGRATORS,
    LARGEST_SIZE,
    NEURONS,
    AdaptiveLIF,
    FloatArray,
    I,
    Neuron,
    Threshold,
    size_of,
)
from neuro_control.network.synapses import Input


@dataclass(eq=False)
class EulerPopulation:
    """Constants of a population and its state, voltages from rest, flat.

    ``waiting`` float64[ring, size] is what is on its way; row ``due`` arrives in the next tick.
    """

    spiking: bool
    keep_current: FloatArray
    keep_membrane: FloatArray
    keep_adaptation: FloatArray
    rise: FloatArray
    refractory: FloatArray
    threshold: FloatArray
    gain: FloatArray
    constant: FloatArray
    connections: list[Connection]
    waiting: FloatArray
    due: int = 0
    current: FloatArray = field(init=False)
    membrane: FloatArray = field(init=False)
    adaptation: FloatArray = field(init=False)
    held: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        for name in ("current", "membrane", "adaptation", "held"):
            setattr(self, name, np.zeros_like(self.threshold))

    def advance(self) -> NDArray[np.bool_]:
        """One tick; which neurons spike."""
        arriving = self.waiting[self.due].copy()
        self.waiting[self.due] = 0.0
        self.due = (self.due + 1) % len(self.waiting)
        self.current = self.current * self.keep_current + self.gain * arriving
        self.membrane = self.membrane * self.keep_membrane + self.current + self.constant
        if not self.spiking:
            return np.zeros(self.threshold.shape, np.bool_)
        free = self.held <= 0
        self.membrane *= free
        self.adaptation = self.adaptation * self.keep_adaptation
        spikes: NDArray[np.bool_] = free & (self.membrane > self.threshold + self.adaptation)
        self.membrane[spikes] = 0.0
        self.adaptation[spikes] += self.rise[spikes]
        self.held = np.where(spikes, self.refractory, np.maximum(self.held - 1, 0))
        return spikes


class EulerNetwork:
    """Steps a Network in float64.

    Raises:
        ValueError: a neuron's reset and rest differ, as in `quantize`.
    """

    def __init__(self, network: Network) -> None:
        lowering = Lowering(network)
        given = {n: x for n, x in network.nodes.items() if isinstance(x, Input)}
        self._inputs = {n: size_of(x.shape) for n, x in given.items()}
        self._largest = np.repeat(
            [x.largest_payload for x in given.values()], list(self._inputs.values())
        )
        self._populations = {
            name: euler_population(name, node, lowering, network.dt_s)
            for name, node in network.nodes.items()
            if isinstance(node, NEURONS)
        }

    def step(self, active: NDArray[np.int32]) -> dict[str, NDArray[np.int64]]:
        """One tick: active inputs in (over all inputs in order), spiking neurons out."""
        found = {name: p.advance() for name, p in self._populations.items()}
        counts = np.bincount(active, minlength=sum(self._inputs.values()))
        given = np.minimum(counts, self._largest).astype(np.float64)
        values = {name: spikes.astype(np.float64) for name, spikes in found.items()}
        parts = np.split(given, np.cumsum(list(self._inputs.values()))[:-1])
        values |= dict(zip(self._inputs, parts, strict=True))
        for population in self._populations.values():
            for path in population.connections:
                if values[path.source].any():
                    row = (population.due + path.delay) % len(population.waiting)
                    population.waiting[row] += path.map.apply(values[path.source])
        return {name: np.flatnonzero(spikes) for name, spikes in found.items()}

    def voltage(self, name: str) -> FloatArray:
        """Membranes of a population above their rest, flat."""
        return self._populations[name].membrane.copy()


def euler_population(name: str, neuron: Neuron, lowering: Lowering, dt_s: float) -> EulerPopulation:
    """A population's constants and paths, at rest.

    Raises:
        ValueError: the neuron's reset and rest differ, or what waits for it in its delays would
            be more than `LARGEST_SIZE` numbers.
    """
    size = size_of(neuron.shape)
    _check_times(name, neuron, dt_s)
    connections = list(lowering.into(name))
    longest = check_waiting(name, connections, size)
    keep_current, keep_membrane, keep_adaptation, rise = np.zeros((4, size))
    if isinstance(neuron, (IF, I)):
        keep_membrane = np.ones(size)
    elif not isinstance(neuron, Threshold):
        tau = neuron.tau_mem if hasattr(neuron, "tau_mem") else neuron.tau
        keep_membrane = 1 - dt_s / tau.ravel()
    if hasattr(neuron, "tau_syn"):
        keep_current = 1 - dt_s / neuron.tau_syn.ravel()
    if isinstance(neuron, AdaptiveLIF):
        keep_adaptation, rise = 1 - dt_s / neuron.tau_adaptation.ravel(), neuron.adaptation.ravel()
    return EulerPopulation(
        not isinstance(neuron, INTEGRATORS),
        keep_current,
        keep_membrane,
        keep_adaptation,
        rise,
        np.rint(getattr(neuron, "refractory", np.zeros(size)).ravel() / dt_s),
        threshold_above_rest(name, neuron),
        gain_of(neuron, dt_s),
        lowering.constant_into(name) * bias_gain(neuron, dt_s),
        connections,
        np.zeros((longest + 1, size)),
    )


def check_waiting(name: str, connections: list[Connection], size: int) -> int:
    """Ticks of the longest delay into population ``name``, where ``size`` neurons wait for as long.

    Raises:
        ValueError: what waits is a number a tick and neuron, more than `LARGEST_SIZE` in all.
    """
    longest = max(connections, key=lambda path: path.delay, default=None)
    if longest is None:
        return 0
    if (longest.delay + 1) * size > LARGEST_SIZE:
        raise ValueError(
            f"node {name!r}: what waits {longest.delay:,} ticks on the way {longest.name(name)!r} "
            f"takes {(longest.delay + 1) * size:,} numbers, for {size:,} neurons, and at most "
            f"{LARGEST_SIZE:,} are taken; shorten the delay or take a longer dt_s"
        )
    return longest.delay


def _check_times(name: str, neuron: Neuron, dt_s: float) -> None:
    """An Euler step over more than a time constant overshoots rest and swings."""
    for time in ("tau", "tau_mem", "tau_syn", "tau_adaptation"):
        times = getattr(neuron, time, None)
        if times is not None and times.min() < dt_s * (1 - 1e-9):
            raise ValueError(
                f"node {name!r}: {time} {times.min():g} s is below the time step of {dt_s:g} s; "
                "take a shorter dt_s, or the dialect of the framework that wrote it"
            )
