# SPDX-License-Identifier: Apache-2.0
"""How long ago each pixel spoke, as a picture.

Lagorce, Orchard, Galluppi, Shi, Benosman, "HOTS: a hierarchy of event-based time-surfaces for
pattern recognition", IEEE Trans. PAMI 39, 2017.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neuro_control.events import Events

_LONG_AGO_NS = -(1 << 62)


class TimeSurface:
    """The last event of every pixel and polarity, and what is left of it.

    Args:
        width, height: of the sensor.
        tau_ns: exponential: exp(-age / tau); linear: 1 - age / tau, not below 0.
        decay: which of the two.

    Raises:
        ValueError: naming the parameter that is not right.
    """

    def __init__(
        self, width: int, height: int, tau_ns: int, decay: Literal["exponential", "linear"]
    ) -> None:
        for name, value in (("width", width), ("height", height), ("tau_ns", tau_ns)):
            if value < 1:
                raise ValueError(f"{name}: {value} must be at least 1")
        if decay not in ("exponential", "linear"):
            raise ValueError(f"decay: {decay!r} must be 'exponential' or 'linear'")
        self.width, self.height, self.tau_ns, self.decay = width, height, tau_ns, decay
        self.reset()

    def reset(self) -> None:
        """No events yet."""
        self._last_ns = np.full((2, self.height, self.width), _LONG_AGO_NS, np.int64)

    def add(self, events: Events) -> None:
        """Take events in, ascending in time.

        Raises:
            ValueError: they are of a sensor of another size.
        """
        if (events.width, events.height) != (self.width, self.height):
            raise ValueError(
                f"events: of a sensor of {events.width}x{events.height}, expected"
                f" {self.width}x{self.height}"
            )
        # Of several events of a pixel the last one stays.
        self._last_ns[events.p, events.y, events.x] = events.t_ns

    def at(self, t_ns: int) -> NDArray[np.float32]:
        """The surface at a time, float32[2, height, width]: OFF, ON; 1 is now, 0 long ago.

        Events from after that time count as of now.
        """
        age = np.maximum(t_ns - self._last_ns, 0) / self.tau_ns
        value = np.exp(-age) if self.decay == "exponential" else np.maximum(1.0 - age, 0.0)
        return value.astype(np.float32)
