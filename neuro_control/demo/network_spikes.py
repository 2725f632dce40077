# SPDX-License-Identifier: Apache-2.0
"""The spikes that a controller publishes of its network, kept for the raster of a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neuro_control.events import MonoDecoder
from neuro_control.reports.raster import SpikeRaster, description_facts, populations_of


@dataclass
class NetworkSpikes:
    """Fills while a run goes on: `network/description` first, then the packets of `network/spikes`.

    seconds: how long the run will be. pixel_s: time of one column of the raster.
    packets_lost: by gaps in their sequence.
    """

    seconds: float
    pixel_s: float
    raster: SpikeRaster | None = None
    facts: dict[str, Any] | None = None
    packets: int = 0
    packets_lost: int = 0
    _last_seq: int | None = None

    def describe(self, description: str) -> None:
        """Take the network's description; another one than before begins the raster anew.

        Raises ValueError if it is not one.
        """
        populations = populations_of(description)
        if self.raster is None or list(self.raster.populations) != populations:
            self.raster = SpikeRaster(populations, self.seconds, self.pixel_s)
        self.facts = description_facts(description)

    def add_packet(
        self, seq: int, size: tuple[int, int], base_ns: int, payload: npt.NDArray[np.uint8]
    ) -> None:
        """Take a packet of encoding mono: x neuron, y population. size: width, height."""
        self.packets += 1
        if self._last_seq is not None and seq > self._last_seq:
            self.packets_lost += seq - self._last_seq - 1
        self._last_seq = seq
        if self.raster is not None and len(payload):
            spikes = MonoDecoder(*size).decode(payload, base_ns)
            self.raster.add(spikes.t_ns, spikes.x, spikes.y)
