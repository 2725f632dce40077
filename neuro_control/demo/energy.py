# SPDX-License-Identifier: Apache-2.0
"""What the network's work in a run would cost by published energies; estimates, no measurements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neuro_control.backends.cost import network_cost
from neuro_control.backends.energy import DEVICES
from neuro_control.control.arm import network_path
from neuro_control.network import quantize, read_nir


def dense_operations_a_step(network: str) -> int:
    """Positions of all weights, zero or not, which a device without sparsity goes through a step.

    network: a NIR file, or the name of one in config/networks, as the controller is told it.

    Raises:
        OSError, ValueError: it cannot be read.
    """
    description = read_nir(network_path(network))
    cost = network_cost(quantize(description), description)
    return sum(projection.positions for projection in cost.projections)


def energy_estimate(totals: Mapping[str, float | None]) -> dict[str, dict[str, Any]]:
    """Joules and watts by device; empty if nothing was counted.

    Args:
        totals: `synaptic_operations`, `spikes`, `ticks`, `neurons`, `seconds`; and
            `dense_operations_a_step`, without which there is no device that goes through them all.
    """
    names = ("synaptic_operations", "spikes", "ticks", "neurons", "seconds")
    operations, spikes, ticks, neurons, seconds = (totals.get(name) for name in names)
    if operations is None or spikes is None or not ticks or not neurons or not seconds:
        return {}
    dense = totals.get("dense_operations_a_step")
    found = {}
    for device in ("loihi", "cpu", "gpu"):
        model = DEVICES[device]
        counted = operations
        if model.operations == "dense":
            if dense is None:
                continue
            counted = dense * ticks
        estimate = model.estimate(int(ticks), counted, ticks * neurons, spikes)
        found[device] = {
            "device": model.name,
            "operations": model.operations,
            "joules_per_step": estimate.per_sample_j,
            "watts": estimate.total_j / seconds,
            "evidence": model.evidence,
            "source": model.source,
        }
    return found
