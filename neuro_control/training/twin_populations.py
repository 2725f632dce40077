# SPDX-License-Identifier: Apache-2.0
"""Populations as torch steps: Loihi's integers to the last bit, or the equations in float.

The integers are kept in float64, which holds all of them exactly. Roundings, wraps and clips are
passed over by the gradient.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neuro_control.network import IF, AdaptiveLIF, FixedPopulation, I, Threshold
from neuro_control.network.fixed_neurons import bias_gain, gain_of, threshold_above_rest
from neuro_control.network.neurons import INTEGRATORS, Neuron
from neuro_control.training.surrogates import Surrogate

LARGEST = float((1 << 23) - 1)


def straight_through(value: Tensor, smooth: Tensor) -> Tensor:
    """The value, to the last bit, with the gradient of something smooth beside it."""
    return value.detach() + (smooth - smooth.detach())


@dataclass(frozen=True, eq=False)
class TwinPopulation:
    """Numbers of a population, float64[size] each, in the units of its membrane.

    ``gain`` turns input in the network's units into that of ``pending``, ``bias_gain`` a constant
    input into membrane a tick, and ``bias`` is its exact value in integers (None in float).
    ``unit`` is membrane per unit of voltage.
    """

    spiking: bool
    keep_current: Tensor
    keep_membrane: Tensor
    keep_adaptation: Tensor
    threshold: Tensor
    rise: Tensor
    refractory: Tensor
    gain: Tensor
    bias_gain: Tensor
    unit: float
    bias: Tensor | None = None

    @property
    def exact(self) -> bool:
        """Whether it computes Loihi's integers."""
        return self.bias is not None

    def step(
        self,
        state: tuple[Tensor, Tensor, Tensor, Tensor],
        arriving: Tensor,
        constant: Tensor,
        surrogate: Surrogate,
    ) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor, Tensor, Tensor]]:
        """One tick.

        Args:
            state: current, membrane, adaptation, refractory ticks left, [batch, size] each.
            arriving: the pending input, [batch, size].
            constant: what biases bring a tick, in membrane, [size].
            surrogate: derivative of a spike.

        Returns:
            Spikes, membrane before the reset, and the new state.
        """
        current, membrane, adaptation, held = state
        current = self._decayed(current, self.keep_current) + arriving * (64 if self.exact else 1)
        if self.exact:
            over, under = current > LARGEST + 1, current <= -LARGEST - 1
            current = current - 2.0**24 * over.double() + 2.0**24 * under.double()
        membrane = self._decayed(membrane, self.keep_membrane) + current + constant
        if self.exact:
            membrane = membrane.clamp(-LARGEST, LARGEST)
        if not self.spiking:
            return torch.zeros_like(membrane), membrane, (current, membrane, adaptation, held)
        free = (held <= 0).double()
        membrane = membrane * free
        adaptation = self._decayed(adaptation, self.keep_adaptation)
        distance = membrane - self.threshold - adaptation
        spikes = surrogate.spike(distance / self._unit_of_distance()) * free
        fired = spikes.detach()
        adaptation = adaptation + self.rise * spikes
        if self.exact:
            adaptation = adaptation.clamp(max=LARGEST)
        held = torch.where(fired > 0, self.refractory, (held - 1).clamp(min=0))
        return spikes, membrane, (current, membrane * (1 - fired), adaptation, held)

    def _unit_of_distance(self) -> Tensor:
        """The threshold, which makes surrogates alike whatever the unit; 1 V where it is zero."""
        return torch.where(self.threshold > 0, self.threshold, self.unit)

    def _decayed(self, z: Tensor, keep: Tensor) -> Tensor:
        smooth = z * keep
        if not self.exact:
            return smooth
        # z * keep / 4096 towards zero; keep is a whole number of 1/4096, so that this is exact.
        return straight_through(smooth.trunc(), smooth)


def exact_population(
    neuron: Neuron, population: FixedPopulation, scale: float, dt_s: float
) -> TwinPopulation:
    """The integers of a quantised population; ``scale`` as in its report."""
    fields = {
        "keep_current": (4095 - population.du) / 4096,
        "keep_membrane": (4096 - population.dv) / 4096,
        "keep_adaptation": (4096 - np.asarray(population.threshold_decay)) / 4096,
        "threshold": population.vth * 64.0,
        "rise": np.asarray(population.threshold_step) * 64.0,
        "refractory": np.asarray(population.refractory),
        "gain": gain_of(neuron, dt_s) * scale,
        "bias_gain": bias_gain(neuron, dt_s) * scale * 64,
        "bias": population.bias,
    }
    return TwinPopulation(population.spiking, unit=64 * scale, **_tensors(fields))


def float_population(name: str, neuron: Neuron, dt_s: float) -> TwinPopulation:
    """Euler's forward steps of the equations, voltages counted from rest."""
    fields = {
        "keep_current": np.zeros(neuron.shape),
        "keep_membrane": np.zeros(neuron.shape),
        "keep_adaptation": np.zeros(neuron.shape),
        "threshold": threshold_above_rest(name, neuron),
        "rise": np.zeros(neuron.shape),
        "refractory": np.rint(getattr(neuron, "refractory", np.zeros(neuron.shape)) / dt_s),
        "gain": gain_of(neuron, dt_s),
        "bias_gain": bias_gain(neuron, dt_s),
    }
    if isinstance(neuron, (IF, I)):
        fields["keep_membrane"] = np.ones(neuron.shape)
    elif not isinstance(neuron, Threshold):
        tau = neuron.tau_mem if hasattr(neuron, "tau_mem") else neuron.tau
        fields["keep_membrane"] = 1 - dt_s / tau
    if hasattr(neuron, "tau_syn"):
        fields["keep_current"] = 1 - dt_s / neuron.tau_syn
    if isinstance(neuron, AdaptiveLIF):
        fields["keep_adaptation"] = 1 - dt_s / neuron.tau_adaptation
        fields["rise"] = neuron.adaptation
    return TwinPopulation(not isinstance(neuron, INTEGRATORS), unit=1.0, **_tensors(fields))


def _tensors(fields: dict[str, np.ndarray]) -> dict[str, Tensor]:
    return {
        name: torch.from_numpy(np.array(values, dtype=np.float64).ravel())
        for name, values in fields.items()
    }
