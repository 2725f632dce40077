# SPDX-License-Identifier: Apache-2.0
"""Who steps a network: the protocol `Runner` and its implementations; what a run did and cost."""

from neuro_control.backends.cost import (
    Cost,
    PopulationCost,
    ProjectionCost,
    SynapticOperations,
    measure_cost,
    network_cost,
)
from neuro_control.backends.cpu import CpuRunner
from neuro_control.backends.energy import DEVICES, EnergyEstimate, EnergyModel, estimate_energy
from neuro_control.backends.float_cpu import FloatRunner, FloatState
from neuro_control.backends.rate_change import RateChange, rate_changes
from neuro_control.backends.recorder import (
    RecordableRunner,
    Recording,
    SpikeTrain,
    Traces,
    record,
)
from neuro_control.backends.recording_plot import plot_raster, plot_traces
from neuro_control.backends.runner import Indices, RunCounters, Runner, RunnerState

__all__ = [
    "DEVICES",
    "Cost",
    "CpuRunner",
    "EnergyEstimate",
    "EnergyModel",
    "FloatRunner",
    "FloatState",
    "Indices",
    "PopulationCost",
    "ProjectionCost",
    "RateChange",
    "RecordableRunner",
    "Recording",
    "RunCounters",
    "Runner",
    "RunnerState",
    "SpikeTrain",
    "SynapticOperations",
    "Traces",
    "estimate_energy",
    "measure_cost",
    "network_cost",
    "plot_raster",
    "plot_traces",
    "rate_changes",
    "record",
]
