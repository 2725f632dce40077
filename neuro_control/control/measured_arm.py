# SPDX-License-Identifier: Apache-2.0
"""Where the arm is and how hard it pushes, as far as its joint states can be believed.

A joint state is not believed if the joints could not have come so far in the time since the one
before: one wrong reading of an encoder would otherwise move the arm, for what is permitted is
reckoned from where the arm is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from neuro_control.control.guard_limits import MotionLimits
from neuro_control.control.guard_settings import FloatArray, Reason

# A joint may be pushed faster than it may be driven, and its reading may jitter.
LEAP_SPEEDS = 2.0
LEAP_TOLERANCE_RAD = 0.05


def in_order(
    joint_names: Sequence[str], names: Sequence[str], values: npt.ArrayLike
) -> FloatArray | None:
    """One value for each of joint_names, float64[n], of values in the order of `names`.

    None if there is not one value for each name, or a joint is missing or named twice.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (len(names),):
        return None
    if tuple(names) == tuple(joint_names):
        return array.copy()
    place = {name: i for i, name in enumerate(names)}
    if len(place) != len(names) or not all(name in place for name in joint_names):
        return None
    return array[[place[name] for name in joint_names]]


class MeasuredArm:
    """What the joint states of one arm say.

    q: position as last believed, float64[n] in rad; None: not known. stamp_ns: its time, at most
    the clock's when it came. leaps: joint states that were not believed since then.
    effort_watched: whether the last one believed told the effort of every joint that has a limit.
    """

    def __init__(self, joint_names: Sequence[str], limits: MotionLimits) -> None:
        self.joint_names = tuple(joint_names)
        self._limits = limits
        self._effort_time_ns = round(limits.settings.effort_time_s * 1e9)
        self.forget()

    def forget(self) -> None:
        """Begin anew: the next joint state is believed wherever it says that the arm is."""
        self.q: FloatArray | None = None
        self.stamp_ns: int | None = None
        self.leaps = 0
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

    def take(
        self, names: Sequence[str], q: npt.ArrayLike, stamp_ns: int, t_ns: int, believe: bool
    ) -> Reason | None:
        """Take a position (rad); believe: wherever it is. Returns why it is not used, or None."""
        position = in_order(self.joint_names, names, q)
        late = self.stamp_ns is not None and stamp_ns < self.stamp_ns
        if position is None or late or not np.all(np.isfinite(position)):
            return Reason.JOINT_STATES_INVALID
        # A stamp ahead of the clock must not keep a dead sensor fresh.
        stamp_ns = min(stamp_ns, t_ns)
        if not believe and self.q is not None and self.stamp_ns is not None:
            passed_s = max(stamp_ns - self.stamp_ns, 0) * 1e-9
            reach = LEAP_TOLERANCE_RAD + LEAP_SPEEDS * passed_s * self._limits.top_velocity
            if np.any(np.abs(position - self.q) > reach):
                self.leaps += 1
                return Reason.POSITION_LEAP
        self.q, self.stamp_ns, self.leaps = position, stamp_ns, 0
        return None

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
