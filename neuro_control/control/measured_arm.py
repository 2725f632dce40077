# SPDX-License-Identifier: Apache-2.0
"""Where the arm is and how hard it pushes, as far as its joint states can be believed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from neuro_control.control.guard_limits import MotionLimits
from neuro_control.control.guard_settings import FloatArray, Reason
from neuro_control.control.plausible_position import PlausiblePosition, Reading
from neuro_control.robots.joint_order import ordered

# So many leaps, one after the other, are no single wrong readings any more.
LEAPS_THAT_STOP = 3


def in_order(
    joint_names: Sequence[str], names: Sequence[str], values: npt.ArrayLike
) -> FloatArray | None:
    """As `ordered`, and None too if a joint is named twice: it cannot be told which is meant."""
    return None if len(set(names)) != len(names) else ordered(names, values, joint_names)


class MeasuredArm:
    """What the joint states of one arm say.

    effort_watched: whether the last one believed told the effort of every joint that has a limit.
    """

    def __init__(self, joint_names: Sequence[str], limits: MotionLimits) -> None:
        self.joint_names = tuple(joint_names)
        self._limits = limits
        self._position = PlausiblePosition(
            limits.top_velocity, limits.settings.agreeing_joint_states
        )
        self._effort_time_ns = round(limits.settings.effort_time_s * 1e9)
        self.forget()

    @property
    def q(self) -> FloatArray | None:
        """Position as last believed, float64[n] in rad; None: not known."""
        return None if self._position.last is None else self._position.last.q

    @property
    def stamp_ns(self) -> int | None:
        """Its time, at most the clock's when it came."""
        return None if self._position.last is None else self._position.last.stamp_ns

    def forget(self) -> None:
        """Begin anew: the next joint states are believed wherever they say that the arm is."""
        self._position.forget()
        self.effort_watched = False
        self.forgive_effort()

    def forgive_effort(self) -> None:
        """The time of too much effort begins anew."""
        self._effort_since_ns: int | None = None

    def concerned(self, names: Sequence[str]) -> bool:
        """Whether a joint state is of this arm at all, and not of a gripper or a platform."""
        return not names or any(name in self.joint_names for name in names)

    def older_than(self, age_ns: int, t_ns: int) -> bool:
        """Whether the position is not known, or is older than this."""
        return self.stamp_ns is None or t_ns - self.stamp_ns > age_ns

    def leaps_for_longer_than(self, time_ns: int, t_ns: int) -> bool:
        """Whether for so long nothing but leaps has come, and not only one or two."""
        position = self._position
        leaping = position.leaps >= LEAPS_THAT_STOP
        return leaping and t_ns - position.leaping_since_ns > time_ns

    def take(
        self, names: Sequence[str], q: npt.ArrayLike, stamp_ns: int, t_ns: int
    ) -> Reason | None:
        """Take a position (rad). Returns why it is not used, or None."""
        position = in_order(self.joint_names, names, q)
        late = self.stamp_ns is not None and stamp_ns < self.stamp_ns
        if position is None or late or not np.all(np.isfinite(position)):
            return Reason.JOINT_STATES_INVALID
        # A stamp ahead of the clock must not keep a dead sensor fresh.
        reading = Reading(position, min(stamp_ns, t_ns), t_ns)
        return None if self._position.take(reading) else Reason.POSITION_LEAP

    def pushes_too_long(self, names: Sequence[str], effort: npt.ArrayLike, t_ns: int) -> bool:
        """Take efforts (N m, may be missing); whether one has been too much for too long."""
        pushed = in_order(self.joint_names, names, effort)
        told = pushed is not None and bool(np.all(np.isfinite(pushed[self._limits.watched])))
        self.effort_watched = told and bool(np.any(self._limits.watched))
        if pushed is None or not told:
            return False  # no news: what was too much before is not forgiven
        # NaN of a joint without a limit is no more than its limit.
        if not np.any(np.abs(pushed[self._limits.watched]) > self._limits.effort_watched):
            self.forgive_effort()
            return False
        if self._effort_since_ns is None:
            self._effort_since_ns = t_ns
        return t_ns - self._effort_since_ns >= self._effort_time_ns
