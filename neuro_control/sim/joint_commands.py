# SPDX-License-Identifier: Apache-2.0
"""From commands to a set-point for the drives: trajectories, positions, velocities.

Trajectories are followed as ros2_control's joint_trajectory_controller does: the first segment
starts at the present set-point, segments with velocities are cubic and others linear, the last
point is held, an empty trajectory stops, a new one replaces the old.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuro_control.robots import JointLimits

Float = NDArray[np.float64]

VELOCITY_TIMEOUT_NS = 100_000_000
"""A velocity command is obeyed for so long [ns]; then the arm holds."""

_POSITION_RATE = 100.0
"""How fast the set-point nears a commanded position [1/s]; the velocity limit bounds it."""


@dataclass(frozen=True)
class TrajectoryPoint:
    """Where the joints are to be, and when.

    Attributes:
        time_from_start_ns: after the trajectory's stamp.
        q: float64[n] [rad].
        qd: float64[n] [rad/s], or None.
    """

    time_from_start_ns: int
    q: Float
    qd: Float | None = None


@dataclass(frozen=True)
class SetPoint:
    """What the drives are told: positions [rad] and velocities [rad/s], each float64[n]."""

    q: Float
    qd: Float


class TrajectoryFollower:
    """Turns the latest command into a set-point within the limits, once per physics step.

    Args:
        limits: of n joints; positions and velocities of the set-point stay within them.
        q: set-point to begin with, float64[n] [rad].
        t_ns: the present time.
    """

    def __init__(self, limits: JointLimits, q: Float, t_ns: int = 0) -> None:
        self._limits = limits
        self._q = self._vector("q", q)
        self._qd = np.zeros_like(self._q)
        self._t_ns = t_ns
        self._knots: list[tuple[int, Float, Float | None]] = []
        self._goal: Float | None = None
        self._rate: Float | None = None
        self._rate_since_ns = t_ns

    @property
    def set_point(self) -> SetPoint:
        """The present set-point."""
        return SetPoint(self._q.copy(), self._qd.copy())

    def set_trajectory(self, points: Sequence[TrajectoryPoint], stamp_ns: int = 0) -> None:
        """Follow these points from the present set-point on.

        Args:
            points: in ascending order of time; none: stop and hold.
            stamp_ns: time that the points' times count from; 0: now.

        Raises:
            ValueError: a point's size, a value that is not finite, times not ascending.
        """
        start_ns = stamp_ns or self._t_ns
        knots: list[tuple[int, Float, Float | None]] = []
        last_ns = -1
        for index, point in enumerate(points):
            if point.time_from_start_ns < 0 or point.time_from_start_ns <= last_ns:
                raise ValueError(
                    f"points[{index}].time_from_start_ns: {point.time_from_start_ns} is not"
                    f" after {max(last_ns, 0)}; times must ascend from 0"
                )
            last_ns = point.time_from_start_ns
            q = self._vector(f"points[{index}].q", point.q)
            qd = None if point.qd is None else self._vector(f"points[{index}].qd", point.qd)
            knots.append((start_ns + last_ns, q, qd))
        self._forget()
        if knots:
            self._knots = [(self._t_ns, self._q.copy(), self._qd.copy()), *knots]

    def set_positions(self, q: Float) -> None:
        """Go to q float64[n] [rad] as fast as the velocity limits allow, and stay.

        Raises:
            ValueError: another size, or a value that is not finite.
        """
        goal = self._vector("q", q)
        self._forget()
        self._goal = goal

    def set_velocities(self, qd: Float) -> None:
        """Move at qd float64[n] [rad/s] until the next command, at most for the timeout.

        Raises:
            ValueError: another size, or a value that is not finite.
        """
        rate = self._vector("qd", qd)
        self._forget()
        self._rate, self._rate_since_ns = rate, self._t_ns

    def advance(self, t_ns: int) -> SetPoint:
        """The set-point at `t_ns`, which is later than the last call's."""
        dt_s = (t_ns - self._t_ns) * 1e-9
        limits = self._limits
        wanted, feed = self._wanted(t_ns, dt_s)
        reach = limits.velocity * dt_s
        # Not np.clip: at this size most of its time is its own.
        q = np.minimum(np.maximum(wanted, self._q - reach), self._q + reach)
        q = np.minimum(np.maximum(q, limits.lower), limits.upper)
        # At a limit there is no velocity to feed forward: the drive would push into it.
        stopped = q != wanted
        qd = np.where(stopped, (q - self._q) / dt_s, feed)
        qd = np.minimum(np.maximum(qd, -limits.velocity), limits.velocity)
        self._q, self._qd, self._t_ns = q, qd, t_ns
        return SetPoint(q, qd)

    def _wanted(self, t_ns: int, dt_s: float) -> tuple[Float, Float]:
        """Position that the command asks for now, and the velocity there."""
        if self._knots:
            return self._on_trajectory(t_ns)
        if self._goal is not None:
            gap = self._goal - self._q
            top = self._limits.velocity
            qd = np.clip(_POSITION_RATE * gap, -top, top)
            return self._q + qd * dt_s, qd
        if self._rate is not None and t_ns - self._rate_since_ns <= VELOCITY_TIMEOUT_NS:
            return self._q + self._rate * dt_s, self._rate
        return self._q, np.zeros_like(self._q)

    def _on_trajectory(self, t_ns: int) -> tuple[Float, Float]:
        knots = self._knots
        while len(knots) > 1 and knots[1][0] <= t_ns:
            knots.pop(0)
        start_ns, q0, v0 = knots[0]
        if len(knots) == 1:
            return q0, np.zeros_like(q0)
        end_ns, q1, v1 = knots[1]
        span = (end_ns - start_ns) * 1e-9
        s = (t_ns - start_ns) * 1e-9 / span
        if v0 is None or v1 is None:
            return q0 + s * (q1 - q0), (q1 - q0) / span
        # Cubic Hermite segment: positions and velocities met at both ends.
        a, b = v0 * span - (q1 - q0), -v1 * span + (q1 - q0)
        q = (1.0 - s) * q0 + s * q1 + s * (1.0 - s) * ((1.0 - s) * a + s * b)
        slope = (q1 - q0) + (1.0 - 2.0 * s) * ((1.0 - s) * a + s * b) + s * (1.0 - s) * (b - a)
        return q, slope / span

    def _forget(self) -> None:
        self._knots, self._goal, self._rate = [], None, None

    def _vector(self, name: str, values: Float) -> Float:
        size = self._limits.lower.size
        vector = np.array(values, dtype=np.float64)
        if vector.shape != (size,):
            raise ValueError(f"{name}: shape {vector.shape}, expected ({size},)")
        if not np.isfinite(vector).all():
            raise ValueError(f"{name}: {vector.tolist()} holds a value that is not finite")
        return vector
