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
from neuro_control.inspection.first_spike import Factor, Peak, scaled_thresholds, scaled_weights
from neuro_control.inspection.moment import Moment, TickSpikes
from neuro_control.inspection.neuron_tick import NeuronParameters, NeuronTick, neuron_tick
from neuro_control.inspection.profile_plot import plot_profile
from neuro_control.inspection.profiler import (
    PopulationProfile,
    Profile,
    ProjectionProfile,
    profile,
)
from neuro_control.inspection.recent_spikes import RecentSpikes
from neuro_control.inspection.running import (
    NetworkSnapshot,
    PopulationSnapshot,
    network_snapshot,
    where_activity_dies,
    why_silent_now,
)
from neuro_control.inspection.silence import (
    Cause,
    Finding,
    Front,
    SilenceReport,
    SourceActivity,
    Wiring,
    only_inhibits,
    silent_front,
)
from neuro_control.inspection.silence_search import find_silence
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
    "NetworkSnapshot",
    "NeuronParameters",
    "NeuronTick",
    "Overflows",
    "Peak",
    "PopulationProfile",
    "PopulationSnapshot",
    "Profile",
    "ProjectionInput",
    "ProjectionProfile",
    "Reaches",
    "RecentSpikes",
    "SilenceReport",
    "Silent",
    "SourceActivity",
    "Stop",
    "SynapticOrigin",
    "TickFacts",
    "TickSpikes",
    "Units",
    "Wiring",
    "find_silence",
    "network_snapshot",
    "neuron_tick",
    "only_inhibits",
    "plot_profile",
    "profile",
    "record_activity",
    "scaled_thresholds",
    "scaled_weights",
    "silent_front",
    "synaptic_origins",
    "where_activity_dies",
    "why_silent_now",
]
