# SPDX-License-Identifier: Apache-2.0
"""Energy estimated from counts of operations and published energies of one operation.

Nothing here is measured. A device's figure is a product of counts and constants: it leaves out
what is not counted (idle power, memory beyond what a constant includes, host and input, spikes
that cross a chip) and is good for orders of magnitude, and for comparing networks on one device.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from neuro_control.backends.cost import Cost


@dataclass(frozen=True)
class EnergyModel:
    """Joules of one operation on a device, and where the numbers come from.

    ``operations`` says which synaptic operations the device carries out: those of active sources
    with a weight ("effective"), or every position of the weights in every tick ("dense"). Every
    neuron is updated in every tick on both. ``evidence`` says what the constants are.
    """

    name: str
    operations: Literal["effective", "dense"]
    synaptic_operation_j: float
    neuron_update_j: float
    spike_j: float
    source: str
    evidence: str

    def estimate(
        self, samples: int, operations: float, updates: float, spikes: float
    ) -> EnergyEstimate:
        """``E = n_synaptic * E_synaptic + n_updates * E_update + n_spikes * E_spike``.

        operations: of the kind that the device carries out; all are totals over the samples.
        """
        return EnergyEstimate(
            self,
            samples,
            operations * self.synaptic_operation_j,
            updates * self.neuron_update_j,
            spikes * self.spike_j,
        )


@dataclass(frozen=True)
class EnergyEstimate:
    """An estimate in joules, in total over all samples of a `Cost`; never a measurement."""

    model: EnergyModel
    samples: int
    synaptic_j: float
    neuron_j: float
    spike_j: float

    @property
    def total_j(self) -> float:
        """All parts together, for all samples."""
        return self.synaptic_j + self.neuron_j + self.spike_j

    @property
    def per_sample_j(self) -> float:
        """``total_j`` over the number of samples."""
        return self.total_j / self.samples

    def __str__(self) -> str:
        return (
            f"estimate, not measured: {self.per_sample_j:.3g} J a sample on {self.model.name} "
            f"({self.model.operations} synaptic operations; {self.model.evidence}; "
            f"{self.model.source})"
        )


_DEGNAN = (
    "B. Degnan, B. Marr, J. Hasler, Assessing Trends in Performance per Watt for Signal Processing "
    "Applications, IEEE Trans. VLSI Systems 24(1):58-66 (2016), as KerasSpiking's ModelEnergy "
    "states it"
)

DEVICES: Mapping[str, EnergyModel] = MappingProxyType(
    {
        "cpu": EnergyModel(
            "Intel i7-4960X",
            "effective",
            8.6e-9,
            8.6e-9,
            0.0,
            _DEGNAN,
            "energy of a multiply-accumulate of the whole chip, which an update is taken to be",
        ),
        "gpu": EnergyModel(
            "Nvidia GTX Titan Black",
            "dense",
            0.3e-9,
            0.3e-9,
            0.0,
            _DEGNAN,
            "energy of a multiply-accumulate in large batches, which an update is taken to be",
        ),
        "loihi": EnergyModel(
            "Intel Loihi",
            "effective",
            23.6e-12,
            81e-12,
            1.7e-12,
            "M. Davies et al., Loihi: A Neuromorphic Manycore Processor with On-Chip Learning, "
            "IEEE Micro 38(1):82-99 (2018), table 2",
            "simulated before silicon at 0.75 V: least synaptic operation, active neuron update, "
            "spike within a tile",
        ),
    }
)


def estimate_energy(cost: Cost, device: str | EnergyModel) -> EnergyEstimate:
    """Estimate the energy of the runs that a `Cost` counted.

    See `EnergyModel.estimate`; the synaptic operations are the effective or the dense ones, as the
    device's model says.

    Args:
        cost: from `measure_cost`.
        device: a name in `DEVICES` ("cpu", "gpu", "loihi"), or a model of your own.

    Raises:
        ValueError: no such device, or the cost has no samples.
    """
    if isinstance(device, str):
        if device not in DEVICES:
            raise ValueError(f"device must be one of {sorted(DEVICES)}, not {device!r}")
        model = DEVICES[device]
    elif isinstance(device, EnergyModel):
        model = device
    else:
        raise ValueError(
            f"device must be one of {sorted(DEVICES)}, or an EnergyModel, not {device!r}"
        )
    if not cost.samples:
        raise ValueError("the cost has no samples: count some with measure_cost first")
    counted = cost.operations
    effective = counted.effective_macs + counted.effective_acs
    synaptic = counted.dense if model.operations == "dense" else effective
    return model.estimate(cost.samples, synaptic, cost.neuron_updates, cost.spikes)
