# SPDX-License-Identifier: Apache-2.0
"""What the simulator node needs of a world, and the window on it."""

from __future__ import annotations

import time
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from neuro_control.events import Events
from neuro_control.nodes.robot_commands import CommandedArm

FloatArray = npt.NDArray[np.float64]
PICTURE_S = 1.0 / 30.0


class Frame(Protocol):
    """What the sensors say at the end of one camera period."""

    t_ns: int
    events: Events
    q: FloatArray
    qd: FloatArray
    effort: FloatArray
    target_in_camera: FloatArray


class World(CommandedArm, Protocol):
    """What the node needs of a simulation (`sim.arm_simulation.ArmSimulation` is one)."""

    def advance(self) -> Any:
        """Simulate one camera period; returns a Frame."""

    def close(self) -> None:
        """Give back what it holds."""


class Viewer:
    """MuJoCo's own window on a world that has MuJoCo's `model` and `data`."""

    def __init__(self, world: Any) -> None:
        import mujoco.viewer

        self._window = mujoco.viewer.launch_passive(world.model, world.data)
        self._shown_s = 0.0

    def show(self) -> None:
        """Show the world as it is now, 30 times a second at most."""
        now_s = time.monotonic()
        if now_s - self._shown_s > PICTURE_S and self._window.is_running():
            self._shown_s = now_s
            self._window.sync()

    def close(self) -> None:
        """Close the window."""
        self._window.close()
