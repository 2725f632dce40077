# SPDX-License-Identifier: Apache-2.0
"""What a skin's spikes say of a contact: it began, it ended, it slips.

Rapidly adapting afferents of many taxels speak when a contact begins (pressure rises) and when it
ends (it falls); when something slides over the skin, it rises at some taxels and falls at others
at the same time (Johansson and Flanagan, 2009).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np

from neuro_control.events import Events
from neuro_control.senses.afferents import Afferent, afferent_of


class Touch(str, Enum):
    """What happens."""

    NOTHING = "nothing"
    ONSET = "onset"
    HOLD = "hold"
    RELEASE = "release"
    SLIP = "slip"


@dataclass(frozen=True)
class TouchRule:
    """When spikes of a window are taken for what.

    least_spikes: of FA-I in a window, so that something has changed.
    one_sided: how many times the spikes of rising pressure outnumber those of falling pressure in
        an onset, and the other way round in a release.
    Raises ValueError naming the number that cannot be.
    """

    least_spikes: int = 3
    one_sided: float = 3.0

    def __post_init__(self) -> None:
        if self.least_spikes < 1:
            raise ValueError(f"least_spikes is {self.least_spikes}; it must be at least 1")
        if not 1.0 < self.one_sided < math.inf:
            raise ValueError(f"one_sided is {self.one_sided}; it must be above 1, and finite")

    def judge(self, events: Events) -> Touch:
        """What a window of a skin's events (three bands of rows: see `Skin`) says.

        Raises:
            ValueError: the events' rows are not three bands.
        """
        kind = afferent_of(events)
        changes = kind == Afferent.FA1
        rising = int(np.count_nonzero(changes & (events.p == 1)))
        falling = int(np.count_nonzero(changes)) - rising
        if max(rising, falling) < self.least_spikes:
            return Touch.HOLD if (kind == Afferent.SA1).any() else Touch.NOTHING
        if rising >= self.one_sided * falling:
            return Touch.ONSET
        if falling >= self.one_sided * rising:
            return Touch.RELEASE
        return Touch.SLIP
