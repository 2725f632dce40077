# SPDX-License-Identifier: Apache-2.0
"""The kinds of a skin's afferents, and of which kind an event is."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from neuro_control.events import Events


class Afferent(IntEnum):
    """The kinds of afferents, in the order of their bands of rows."""

    SA1 = 0
    """Slowly adapting, type I (Merkel): speaks as long as it is pressed, the faster the more."""
    FA1 = 1
    """Fast adapting, type I (Meissner): speaks while the pressure changes."""
    FA2 = 2
    """Fast adapting, type II (Pacini): hears vibration and knocks."""


def afferent_of(events: Events) -> NDArray[np.uint8]:
    """Kind of every event of a skin (`Afferent`), uint8[n], by its band of rows.

    Raises:
        ValueError: the sensor's height does not make three bands.
    """
    bands = len(Afferent)
    if events.height % bands:
        raise ValueError(
            f"height: {events.height} is not a multiple of {bands}; a skin has three bands of rows"
        )
    return (events.y // (events.height // bands)).astype(np.uint8)
