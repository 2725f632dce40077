# SPDX-License-Identifier: Apache-2.0
"""A network's neurons with trainable time constants and thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from neuro_control.network import IF, AdaptiveLIF, I, Network, Threshold
from neuro_control.network.fixed_neurons import threshold_above_rest
from neuro_control.network.neurons import INTEGRATORS, NEURONS, Neuron
from neuro_control.training.parameter_names import parameter_name, with_trained

DECAYS = ("tau", "tau_mem", "tau_syn", "tau_adaptation")
THRESHOLDS = ("v_threshold", "threshold", "adaptation")
LONGEST = 4096.0
"""Ticks of the longest time constant that training reaches; Loihi's decays have 12 bits."""


class TwinNeurons(nn.Module):
    """Neurons whose parameters are the natural logarithms of what is trained, ``NODE:FIELD``.

    Time constants are kept in ticks, thresholds above rest in volts; the logarithm keeps both
    positive and makes steps relative. Neurons of a population that start with one value share it,
    others have their own. Dots in names are ``|``.

    Args:
        network: whose neurons.
        fields: what is trained, of `DECAYS` and `THRESHOLDS`.

    Raises:
        ValueError: naming a node with a threshold of zero, which has no logarithm.
    """

    def __init__(self, network: Network, fields: tuple[str, ...]) -> None:
        super().__init__()
        self._given, self._dt_s = network, network.dt_s
        self.logarithms = nn.ParameterDict()
        self._neurons = {n: x for n, x in network.nodes.items() if isinstance(x, NEURONS)}
        for name, neuron in self._neurons.items():
            for field in fields:
                if field not in vars(neuron):
                    continue
                values = self._trained(name, neuron, field)
                if (values <= 0).any():
                    raise ValueError(
                        f"node {name!r}: {field} reaches {values.min():g} above rest and cannot be"
                        " trained; every value must be positive"
                    )
                values = values[:1] if (values == values[0]).all() else values
                self.logarithms[parameter_name(name, field)] = nn.Parameter(
                    torch.from_numpy(np.log(values)).float()
                )

    def _trained(self, name: str, neuron: Neuron, field: str) -> np.ndarray:
        if field in DECAYS:
            return cast(np.ndarray, getattr(neuron, field).ravel() / self._dt_s)
        if field == "adaptation":
            return cast(np.ndarray, getattr(neuron, field).ravel())
        return threshold_above_rest(name, neuron)

    def _value(self, name: str, field: str) -> Tensor | None:
        """Ticks or volts as they are now, float64[1 or size]; None where it is not trained."""
        if parameter_name(name, field) not in self.logarithms:
            return None
        value = self.logarithms[parameter_name(name, field)].double().exp()
        if field in DECAYS:
            # A time constant that left what integers hold stays at the limit, and can come back.
            least = 1.01 if field == "tau_adaptation" else 1.0
            value = value.detach().clamp(least, LONGEST) + (value - value.detach())
        return value

    def nodes(self) -> dict[str, Neuron]:
        """Trained neurons by name, with their parameters as they are now.

        Raises:
            ValueError: naming a neuron whose parameters are not finite.
        """
        found: dict[str, Neuron] = {}
        for name, neuron in self._neurons.items():
            changed: dict[str, Any] = {}
            for field in (*DECAYS, *THRESHOLDS):
                value = self._value(name, field)
                if value is None:
                    continue
                flat = np.broadcast_to(value.detach().cpu().numpy(), math.prod(neuron.shape))
                values = flat.reshape(neuron.shape) * (self._dt_s if field in DECAYS else 1.0)
                if field == "v_threshold":
                    values = values + getattr(neuron, "v_leak", 0.0)
                changed[field] = values
            if changed:
                found[name] = with_trained(name, neuron, changed)
        return found

    def smooth(self, name: str, device: torch.device) -> dict[str, Tensor]:
        """What the equations use of a population, float64[size], with its gradient.

        ``keep_current``, ``keep_membrane``, ``keep_adaptation`` a tick; ``threshold`` and ``rise``
        above rest, in volts; ``gain`` in volts per unit of input, ``bias_gain`` per unit of
        constant input and tick.
        """
        neuron = self._neurons[name]
        size = math.prod(neuron.shape)

        def given(field: str) -> Tensor:
            trained = self._value(name, field)
            if trained is not None:
                return trained.expand(size)
            if field in ("v_threshold", "threshold"):
                values = threshold_above_rest(name, neuron)
            else:
                values = getattr(neuron, field).ravel() / (self._dt_s if field in DECAYS else 1)
            return torch.from_numpy(values.copy()).to(device)

        zeros = torch.zeros(size, dtype=torch.float64, device=device)
        found = {"keep_current": zeros, "keep_membrane": zeros, "keep_adaptation": zeros}
        found |= {"threshold": zeros, "rise": zeros}
        if not isinstance(neuron, INTEGRATORS):
            kind = "threshold" if isinstance(neuron, Threshold) else "v_threshold"
            found["threshold"] = given(kind)
        if isinstance(neuron, AdaptiveLIF):
            found["keep_adaptation"] = 1 - 1 / given("tau_adaptation")
            found["rise"] = given("adaptation")
        if isinstance(neuron, Threshold):
            return found | {"gain": zeros + 1, "bias_gain": zeros + 1}
        if isinstance(neuron, (IF, I)):
            gain = given("r")
            return found | {"keep_membrane": zeros + 1, "gain": gain, "bias_gain": gain}
        tau = given("tau_mem" if hasattr(neuron, "tau_mem") else "tau")
        gain = given("r") / tau
        found |= {"keep_membrane": 1 - 1 / tau, "gain": gain, "bias_gain": gain}
        if hasattr(neuron, "tau_syn"):
            synaptic = given("tau_syn")
            gain = gain * given("w_in")
            found |= {"keep_current": 1 - 1 / synaptic, "bias_gain": gain, "gain": gain / synaptic}
        return found


def fields_of(train: Mapping[str, bool]) -> tuple[str, ...]:
    """The fields of neurons that are trained with ``decays`` and ``thresholds``."""
    return (DECAYS if train["decays"] else ()) + (THRESHOLDS if train["thresholds"] else ())
