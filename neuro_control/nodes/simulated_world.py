# SPDX-License-Identifier: Apache-2.0
"""What the simulator node needs of a world."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from neuro_control.events import Events
from neuro_control.nodes.robot_commands import CommandedArm

FloatArray = npt.NDArray[np.float64]


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
