# SPDX-License-Identifier: Apache-2.0
"""Between values and spikes: encoders on the way in, decoders on the way out.

Spikes of n ticks travel as compressed rows: the active indices int32 of all ticks one behind the
other, and offsets int64[n + 1] that say where each tick begins.
"""

from neuro_control.encoding.event_map import EventMapEncoder
from neuro_control.encoding.population import PopulationCode, PopulationEncoder
from neuro_control.encoding.population_vector import PopulationVector, PopulationVectorDecoder

__all__ = [
    "EventMapEncoder",
    "PopulationCode",
    "PopulationEncoder",
    "PopulationVector",
    "PopulationVectorDecoder",
]
