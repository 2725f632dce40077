# SPDX-License-Identifier: Apache-2.0
"""The target on its path, also when it is sent on another one while it moves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuro_control.sim.target_paths import TargetPath, TargetPathSettings

Float = NDArray[np.float64]

# A ball that is taken from one path to another moves at this speed on the average, or at its own
# where that is more, and in no less than the shortest time.
_GLIDE_M_S = 0.3
_SHORTEST_GLIDE_S = 0.5


class TargetMotion:
    """A path, and the glide onto it from where the target was when it was sent there.

    Until the first change it is the path itself, to the bit. Position and spin have no jump at a
    change; the glide starts and ends without speed of its own.

    Args:
        settings, view, seed: as `TargetPath` takes them.
    """

    def __init__(self, settings: TargetPathSettings, view: Float, seed: int = 0) -> None:
        self._view, self._seed = view, seed
        self.path = TargetPath(settings, view, seed)
        self._gap = np.zeros(3)
        self._since_s = self._glide_s = 0.0
        self._turns = 0.0

    @property
    def settings(self) -> TargetPathSettings:
        """Of the path that it is on."""
        return self.path.settings

    def change(self, settings: TargetPathSettings, t_s: float) -> None:
        """Send it onto another path at time t_s [s]."""
        here, spin = self.position(t_s), self.settings.spin_rev_s
        path = TargetPath(settings, self._view, self._seed)
        self._gap = here - path.position(t_s)
        far = float(np.linalg.norm(self._gap))
        speed = max(settings.speed_m_s, _GLIDE_M_S)
        self._glide_s = max(far / speed, _SHORTEST_GLIDE_S) if far > 0.0 else 0.0
        self._since_s = t_s
        # So that the angle goes on from where it is.
        self._turns += (spin - settings.spin_rev_s) * t_s
        self.path = path

    def position(self, t_s: float) -> Float:
        """Centre of the target in the base frame, float64[3] [m], at time `t_s` [s]."""
        position = self.path.position(t_s)
        after_s = t_s - self._since_s
        if after_s < self._glide_s:
            s = after_s / self._glide_s
            position += self._gap * (1.0 - s * s * (3.0 - 2.0 * s))
        return position

    def orientation(self, t_s: float) -> Float:
        """Unit quaternion w, x, y, z of the ball."""
        return self.path.orientation(t_s, self._turns)
