# SPDX-License-Identifier: Apache-2.0
"""What the simulator node needs of a world."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from neuro_control.events import Events
from neuro_control.nodes.diagnostics import Value
from neuro_control.nodes.robot_commands import CommandedArm
from neuro_control.sim.arm_simulation import ArmSimulationSettings

FloatArray = npt.NDArray[np.float64]


class Reading(Protocol):
    """Measured joints (rad, rad/s, N m) at a time."""

    t_ns: int
    q: FloatArray
    qd: FloatArray
    effort: FloatArray


class Frame(Protocol):
    """What the sensors say at the end of one camera period.

    packet_arrives: whether the events are sent. joint_states: what is sent of the joints now.
    taxels: float32[rows, columns] (N) and sound: int16[n, 2], where it is time for them, else None.
    """

    t_ns: int
    events: Events
    target_in_camera: FloatArray
    packet_arrives: bool
    joint_states: Sequence[Reading]
    taxels: npt.NDArray[np.float32] | None
    sound: npt.NDArray[np.int16] | None


def tracking_error_deg(frame: Frame | None) -> float:
    """Angle between the camera's axis and the target, deg; NaN before the first frame."""
    if frame is None:
        return math.nan
    x, y, z = (float(v) for v in frame.target_in_camera)
    return math.degrees(math.atan2(math.hypot(x, y), z))


class World(CommandedArm, Protocol):
    """What the node needs of a simulation (`sim.arm_simulation.ArmSimulation` is one)."""

    def advance(self) -> Any:
        """Simulate one camera period; returns a Frame."""

    def change(self, settings: ArmSimulationSettings) -> None:
        """Go on with other settings. ValueError for those that cannot be changed meanwhile."""

    @property
    def conditions(self) -> Mapping[str, Value]:
        """What the robot is up against now, for diagnostics."""

    def close(self) -> None:
        """Give back what it holds."""
