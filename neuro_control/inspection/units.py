# SPDX-License-Identifier: Apache-2.0
"""Loihi's integers in the network's own units: voltages, currents, weights.

Voltages have the scale that quantisation chose, from the resting potential. A current is the I of
the neuron's equation (`neuro_control.network.neurons`), and an input is in the units of weights:
a spike through a weight of W brings an input of W.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuro_control.network import FixedNetwork, Network, QuantizedNetwork
from neuro_control.network.fixed_neurons import bias_gain, gain_of, resting
from neuro_control.network.neurons import NEURONS, CubaLI, CubaLIF

Float = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PopulationUnits:
    """Of one population; arrays are float64[size] and flat.

    ``volts`` is the voltage of one step of the integer membrane, ``current_gain`` and
    ``input_gain`` what one unit of current, and of input, adds to the voltage in a tick.
    """

    resting: Float
    volts: float
    current_gain: Float
    input_gain: Float


@dataclass(frozen=True, eq=False)
class Units:
    """The units of every population; empty for a file that holds integers and nothing else."""

    populations: Mapping[str, PopulationUnits]

    @classmethod
    def of(cls, network: FixedNetwork, description: Network | None) -> Units:
        """Those of a network that was quantised from a description; none without one."""
        if description is None or not isinstance(network, QuantizedNetwork):
            return cls({})
        scales = {report.name: report.scale for report in network.report.populations}
        found = {}
        for name, node in description.nodes.items():
            if not isinstance(node, NEURONS):
                continue
            into_voltage = bias_gain(node, description.dt_s)
            if isinstance(node, (CubaLIF, CubaLI)):
                into_voltage = into_voltage / node.w_in.ravel()
            found[name] = PopulationUnits(
                resting(node).ravel(),
                1 / (64.0 * scales[name]),
                into_voltage,
                gain_of(node, description.dt_s),
            )
        return cls(found)

    def knows(self, name: str) -> bool:
        """Whether a population has units of its own."""
        return name in self.populations

    def voltage(self, name: str, membrane: Integers, neurons: Integers) -> Float:
        """Membranes or thresholds of chosen neurons, int64[m] -> float64[m]."""
        units = self.populations[name]
        volts: Float = units.resting[neurons] + membrane * units.volts
        return volts

    def current(self, name: str, current: Integers, neurons: Integers) -> Float:
        """Currents of chosen neurons."""
        units = self.populations[name]
        found: Float = current * units.volts / units.current_gain[neurons]
        return found

    def arrived(self, name: str, arrived: Integers | Float, neurons: Integers) -> Float:
        """Inputs (or weights, with their exponents) of chosen neurons."""
        units = self.populations[name]
        found: Float = arrived * 64 * units.volts / units.input_gain[neurons]
        return found
