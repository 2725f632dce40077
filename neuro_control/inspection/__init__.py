# SPDX-License-Identifier: Apache-2.0
"""Look into a network: a debugger, why it is silent, and what of it costs how much."""

from neuro_control.inspection.activity import Activity, record_activity
from neuro_control.inspection.break_conditions import (
    BreakCondition,
    Counted,
    Fires,
    Overflows,
    Reaches,
    Silent,
    TickFacts,
)
from neuro_control.inspection.debugger import Debugger, Stop
from neuro_control.inspection.find_silence import find_silence
from neuro_control.inspection.first_spike import Factor, Peak, scaled_thresholds, scaled_weights
from neuro_control.inspection.moment import Moment, TickSpikes
from neuro_control.inspection.neuron_tick import NeuronParameters, NeuronTick, neuron_tick
from neuro_control.inspection.silence import (
    Cause,
    Finding,
    Front,
    SilenceReport,
    SourceActivity,
    silent_front,
)
from neuro_control.inspection.synaptic_origins import (
    ProjectionInput,
    SynapticOrigin,
    synaptic_origins,
)
from neuro_control.inspection.units import Units

__all__ = [
    "Activity",
    "BreakCondition",
    "Cause",
    "Counted",
    "Debugger",
    "Factor",
    "Finding",
    "Fires",
    "Front",
    "Moment",
    "NeuronParameters",
    "NeuronTick",
    "Overflows",
    "Peak",
    "ProjectionInput",
    "Reaches",
    "SilenceReport",
    "Silent",
    "SourceActivity",
    "Stop",
    "SynapticOrigin",
    "TickFacts",
    "TickSpikes",
    "Units",
    "find_silence",
    "neuron_tick",
    "record_activity",
    "scaled_thresholds",
    "scaled_weights",
    "silent_front",
    "synaptic_origins",
]
