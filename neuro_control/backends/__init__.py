# SPDX-License-Identifier: Apache-2.0
"""Who steps a network: the protocol `Runner` and its implementations."""

from neuro_control.backends.cpu import CpuRunner
from neuro_control.backends.runner import Indices, RunCounters, Runner, RunnerState

__all__ = ["CpuRunner", "Indices", "RunCounters", "Runner", "RunnerState"]
