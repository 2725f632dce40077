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
from neuro_control.backends.fault import Fault, FaultKind
from neuro_control.backends.float_cpu import FloatRunner, FloatState
from neuro_control.backends.process_runner import ProcessRunner
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
from neuro_control.backends.shadow import ShadowRunner
from neuro_control.backends.shadowed import ShadowState
from neuro_control.backends.trust import ShadowSettings
from neuro_control.backends.worker_process import BackendError, RefusedError

__all__ = [
    "DEVICES",
    "BackendError",
    "Cost",
    "CpuRunner",
    "EnergyEstimate",
    "EnergyModel",
    "Fault",
    "FaultKind",
    "FloatRunner",
    "FloatState",
    "Indices",
    "PopulationCost",
    "ProcessRunner",
    "ProjectionCost",
    "RateChange",
    "RecordableRunner",
    "Recording",
    "RefusedError",
    "RunCounters",
    "Runner",
    "RunnerState",
    "ShadowRunner",
    "ShadowSettings",
    "ShadowState",
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
