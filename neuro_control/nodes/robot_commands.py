# SPDX-License-Identifier: Apache-2.0
"""What a robot does with the commands that it hears: takes them, or refuses them with a reason.

A robot's own controllers check what they are sent whatever stands before them; so does the
simulated one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory

from neuro_control.nodes import messages
from neuro_control.robots.joint_order import ordered

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Point:
    """One point of a trajectory; qd None: not given."""

    time_from_start_ns: int
    q: FloatArray
    qd: FloatArray | None


class CommandedArm(Protocol):
    """What can be commanded."""

    @property
    def joint_names(self) -> Sequence[str]:
        """The joints, in the order of every vector."""

    def set_trajectory(self, points: list[Any], stamp_ns: int) -> None:
        """Follow the points, timed from stamp_ns."""

    def set_positions(self, q: FloatArray) -> None:
        """Go to q (rad)."""

    def set_velocities(self, qd: FloatArray) -> None:
        """Move with qd (rad/s)."""


class RobotCommands:
    """Hands commands to the arm; counts what it took and what it refused, by reason."""

    def __init__(self, arm: CommandedArm, make_point: Callable[..., Any] = Point) -> None:
        self._arm = arm
        self._make_point = make_point
        self.taken = 0
        self.refused: dict[str, int] = {}

    def trajectory(self, message: JointTrajectory) -> bool:
        """Take a trajectory of any number of points; without points it is refused."""
        names = message.joint_names
        if set(names) != set(self._arm.joint_names) or len(names) != len(self._arm.joint_names):
            return self._refuse("joints")
        if not message.points:
            return self._refuse("empty")
        points = []
        last_ns = -1
        for point in message.points:
            q = ordered(names, point.positions, self._arm.joint_names)
            qd = None
            if len(point.velocities):
                qd = ordered(names, point.velocities, self._arm.joint_names)
            if q is None or (qd is None and len(point.velocities)):
                return self._refuse("size")
            if not (np.isfinite(q).all() and (qd is None or np.isfinite(qd).all())):
                return self._refuse("not_finite")
            t_ns = messages.duration_ns(point.time_from_start)
            if t_ns <= last_ns:
                return self._refuse("time_order")
            last_ns = t_ns
            points.append(self._make_point(t_ns, q, qd))
        stamp_ns = messages.time_ns(message.header.stamp)
        return self._hand_over(lambda: self._arm.set_trajectory(points, stamp_ns))

    def positions(self, message: Float64MultiArray) -> bool:
        """Take positions (rad)."""
        return self._values(message, self._arm.set_positions)

    def velocities(self, message: Float64MultiArray) -> bool:
        """Take velocities (rad/s)."""
        return self._values(message, self._arm.set_velocities)

    def _values(self, message: Float64MultiArray, take: Callable[[FloatArray], None]) -> bool:
        values = np.array(message.data, np.float64)
        if values.shape != (len(self._arm.joint_names),):
            return self._refuse("size")
        if not np.isfinite(values).all():
            return self._refuse("not_finite")
        return self._hand_over(lambda: take(values))

    def _hand_over(self, take: Callable[[], None]) -> bool:
        try:
            take()
        except ValueError:
            return self._refuse("arm")
        self.taken += 1
        return True

    def _refuse(self, reason: str) -> bool:
        self.refused[reason] = self.refused.get(reason, 0) + 1
        return False
