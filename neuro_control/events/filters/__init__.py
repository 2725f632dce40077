# SPDX-License-Identifier: Apache-2.0
"""What is taken out of a stream of events before it is used, and what is counted of it."""

from neuro_control.events.filters.background_activity import BackgroundActivity
from neuro_control.events.filters.chain import FilterChain
from neuro_control.events.filters.downsample import Downsample
from neuro_control.events.filters.event_filter import EventFilter
from neuro_control.events.filters.hot_pixels import HotPixels, PixelMask, hot_pixels
from neuro_control.events.filters.polarity import Polarity
from neuro_control.events.filters.refractory import RefractoryPeriod
from neuro_control.events.filters.region import RegionOfInterest

__all__ = [
    "BackgroundActivity",
    "Downsample",
    "EventFilter",
    "FilterChain",
    "HotPixels",
    "PixelMask",
    "Polarity",
    "RefractoryPeriod",
    "RegionOfInterest",
    "hot_pixels",
]
