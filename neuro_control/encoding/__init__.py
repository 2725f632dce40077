# SPDX-License-Identifier: Apache-2.0
"""Between values and spikes: encoders on the way in, decoders on the way out.

Spikes of n ticks travel as compressed rows: the active indices int32 of all ticks one behind the
other, and offsets int64[n + 1] that say where each tick begins.
"""

from neuro_control.encoding.bens_spiker import BensSpiker
from neuro_control.encoding.change_codes import MovingWindow, SendOnDelta, StepForward
from neuro_control.encoding.code import Code, compressed, dense
from neuro_control.encoding.event_map import EventMapEncoder
from neuro_control.encoding.population import PopulationCode, PopulationEncoder, PopulationRate
from neuro_control.encoding.population_vector import PopulationVector, PopulationVectorDecoder
from neuro_control.encoding.spatial_pool import SpatialPool
from neuro_control.encoding.spike_decoders import (
    Decision,
    FirstSpikeDecoder,
    RateDecoder,
    WinnerDecoder,
)
from neuro_control.encoding.time_surface import TimeSurface
from neuro_control.encoding.window_codes import (
    BurstCode,
    FirstSpikeLatency,
    PhaseCode,
    PoissonRate,
    RankOrder,
    RegularRate,
)

__all__ = [
    "BensSpiker",
    "BurstCode",
    "Code",
    "Decision",
    "EventMapEncoder",
    "FirstSpikeDecoder",
    "FirstSpikeLatency",
    "MovingWindow",
    "PhaseCode",
    "PoissonRate",
    "PopulationCode",
    "PopulationEncoder",
    "PopulationRate",
    "PopulationVector",
    "PopulationVectorDecoder",
    "RankOrder",
    "RateDecoder",
    "RegularRate",
    "SendOnDelta",
    "SpatialPool",
    "StepForward",
    "TimeSurface",
    "WinnerDecoder",
    "compressed",
    "dense",
]
