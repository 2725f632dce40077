# SPDX-License-Identifier: Apache-2.0
"""The guard: lets through only what the robot may do.

It stands between the controller and the robot, knows neither ROS nor threads, and is told the
time with every call (integer nanoseconds of the node's clock). `Reason` says for each rule whether
it refuses, clamps or stops. What goes out is finite, within the joints' limits, and moves from one
command to the next by at most top speed times the time between their stamps. Stamps are bounded
by the clock, so nothing is gained by lying about them.

A hold keeps the position latched when the arm was stopped: the position last sent to the robot,
or the measured one if nothing was sent or the arm is not where it was sent. It is not taken anew
while the arm is held, so a held arm does not creep under its own weight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from neuro_control.control.guard_limits import MotionLimits
from neuro_control.control.guard_settings import FloatArray, GuardedCommand, GuardSettings, Reason
from neuro_control.robots.urdf import JointLimits

# Refused before the guard can watch over the arm at all: nothing was taken from anybody's motion.
# A controller that is started with the guard may well be the first to hear where the arm is.
NOT_READY = (Reason.NOT_ACTIVE, Reason.POSITION_UNKNOWN)

# A clock that steps back by less than this is jitter between threads, not a new beginning.
CLOCK_JITTER_NS = 5_000_000


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


class Guard:
    """Filters commands for one robot.

    joint_names: the robot's joints, in the order of `limits`.
    limits: lower, upper (rad), velocity (rad/s), effort (N m), float64[n] each.
    Raises ValueError if the margin leaves a joint no range, or the limits do not fit the names.
    """

    def __init__(
        self, joint_names: Sequence[str], limits: JointLimits, settings: GuardSettings
    ) -> None:
        self.joint_names = tuple(joint_names)
        self.settings = settings
        self.limits = MotionLimits.of(limits, len(self.joint_names), settings)
        self._counts = dict.fromkeys(Reason, 0)
        self.commands = 0
        self.passed = 0
        self.active = False
        self._latched: dict[Reason, None] = {}
        self._t_ns = 0
        self._forget()

    def _forget(self) -> None:
        self._stopped: Reason | None = None
        self._q: FloatArray | None = None  # as measured
        self._joints_ns: int | None = None
        self._effort_since_ns: int | None = None
        self._command_ns: int | None = None  # arrival of the last command that was in order
        self._stamp_ns: int | None = None  # of the last command sent
        self._sent_q: FloatArray | None = None
        self._sent_qd: FloatArray = np.zeros(len(self.joint_names))
        # The last command, as it was asked for, and what was made of it; a hold ends it.
        self._answered: tuple[FloatArray, FloatArray, GuardedCommand] | None = None

    # What is known from outside

    @property
    def counts(self) -> Mapping[Reason, int]:
        """How often each reason was given since the guard was made."""
        return dict(self._counts)

    @property
    def interventions(self) -> int:
        """Everything that was changed, refused or stopped once active and the arm's place known."""
        return sum(count for reason, count in self._counts.items() if reason not in NOT_READY)

    @property
    def stopped(self) -> tuple[Reason, ...]:
        """Why no command passes now; empty while they pass."""
        if not self.active:
            return (Reason.NOT_ACTIVE,)
        watch = Reason.POSITION_UNKNOWN if self._q is None else self._stopped
        return tuple(self._latched) + (() if watch is None else (watch,))

    @property
    def latched(self) -> tuple[Reason, ...]:
        """The stops that wait for somebody to release them, active or not."""
        return tuple(self._latched)

    # What happens

    def activate(self, t_ns: int) -> None:
        """Let commands through from now on."""
        self._forget()
        self._t_ns = t_ns
        self.active = True

    def deactivate(self, t_ns: int) -> GuardedCommand | None:
        """Let nothing through any more; returns the last hold, if the arm's position is known."""
        hold = self._hold(t_ns, ()) if self.active else None
        self.active = False
        return hold

    def emergency_stop(self, t_ns: int) -> GuardedCommand | None:
        """Stop until released. Returns the hold to send, if active and the position is known."""
        return self._latch(Reason.EMERGENCY_STOP, t_ns)

    def release(self) -> tuple[Reason, ...]:
        """End the latched stops; returns those that were ended."""
        released = tuple(self._latched)
        self._latched.clear()
        self._effort_since_ns = None
        # The sender starts afresh too: a command from before the stop must not pass.
        self._command_ns = None
        return released

    def joints(
        self,
        names: Sequence[str],
        q: npt.ArrayLike,
        effort: npt.ArrayLike,
        stamp_ns: int,
        t_ns: int,
    ) -> GuardedCommand | None:
        """Take a joint state; q (rad) and effort (N m, may be empty) in the order of `names`.

        Joints of other names are ignored. Returns a stop if the effort calls for one.
        """
        self._advance(t_ns)
        position = self._ordered(names, q)
        late = self._joints_ns is not None and stamp_ns < self._joints_ns
        if position is None or late or not np.all(np.isfinite(position)):
            self._counts[Reason.JOINT_STATES_INVALID] += 1
            return None
        self._q = position
        # A stamp ahead of the clock must not keep a dead sensor fresh.
        self._joints_ns = min(stamp_ns, t_ns)
        pushed = self._ordered(names, effort)
        if pushed is None or not np.any(np.abs(pushed) > self.limits.effort):
            self._effort_since_ns = None
            return None
        if self._effort_since_ns is None:
            self._effort_since_ns = t_ns
        if t_ns - self._effort_since_ns < _ns(self.settings.effort_time_s):
            return None
        # Hold where the arm is, not where it was sent: that would go on pushing.
        if Reason.EFFORT_LIMIT not in self._latched and self.active:
            self._sent_q = None
        return self._latch(Reason.EFFORT_LIMIT, t_ns)

    def tick(self, t_ns: int) -> GuardedCommand | None:
        """Watch the clock; to be called at least every few milliseconds. Returns a stop if due."""
        self._advance(t_ns)
        if not self.active or self._latched or self._stopped is not None:
            return None
        if self._command_ns is None:
            return None  # nothing has been let through yet: the arm stands as it stood
        if self._joints_stale(t_ns):
            return self._stop(Reason.JOINT_STATES_STALE, t_ns)
        if t_ns - self._command_ns > _ns(self.settings.controller_timeout_s):
            return self._stop(Reason.CONTROLLER_STALE, t_ns)
        return None

    def repeat(self, t_ns: int) -> GuardedCommand | None:
        """The hold of a stopped arm once more, for robots that must hear commands all the time."""
        return self._hold(t_ns, self.stopped) if self.active and self.stopped else None

    def command(
        self,
        names: Sequence[str],
        q: npt.ArrayLike,
        qd: npt.ArrayLike,
        stamp_ns: int,
        t_ns: int,
    ) -> GuardedCommand | None:
        """Filter one command: q (rad) and qd (rad/s, may be empty) in the order of `names`.

        Returns what goes to the robot with the command's stamp: the command, a permitted one near
        it, or a hold. None if nothing must go out: not active, position unknown, stamp backwards.
        """
        self._advance(t_ns)
        self.commands += 1
        if not self.active:
            return self._refuse(Reason.NOT_ACTIVE, stamp_ns, t_ns)
        if self._stamp_ns is not None and stamp_ns < self._stamp_ns:
            return self._refuse(Reason.STAMP_BACKWARDS, stamp_ns, t_ns)
        if stamp_ns > t_ns + _ns(self.settings.max_stamp_ahead_s):
            return self._refuse(Reason.STAMP_IN_FUTURE, stamp_ns, t_ns)
        if t_ns - stamp_ns > _ns(self.settings.max_command_age_s):
            return self._refuse(Reason.STAMP_TOO_OLD, stamp_ns, t_ns)
        if self._latched:
            return self._refuse(next(iter(self._latched)), stamp_ns, t_ns)
        position = self._ordered(names, q)
        speed = self._ordered(names, qd) if np.size(qd) else np.zeros(len(self.joint_names))
        if position is None or speed is None or len(names) != len(self.joint_names):
            return self._refuse(Reason.WRONG_JOINTS, stamp_ns, t_ns)
        if not (np.all(np.isfinite(position)) and np.all(np.isfinite(speed))):
            return self._refuse(Reason.NOT_FINITE, stamp_ns, t_ns)
        if self._q is None:
            return self._refuse(Reason.POSITION_UNKNOWN, stamp_ns, t_ns)
        if self._joints_stale(t_ns):
            return self._refuse(Reason.JOINT_STATES_STALE, stamp_ns, t_ns)
        if np.any(np.abs(position - self._q) > self.settings.max_jump_rad):
            return self._refuse(Reason.JUMP, stamp_ns, t_ns)
        self._stopped = None
        self._command_ns = t_ns
        self.passed += 1
        out = self._said_again(position, speed, stamp_ns)
        if out is None:
            out = self._clamp(position, speed, self._q, stamp_ns)
        self._answered = (position, speed, out)
        return out

    # How it is decided

    def _advance(self, t_ns: int) -> None:
        if t_ns < self._t_ns - CLOCK_JITTER_NS:
            self._counts[Reason.CLOCK_JUMP] += 1
            self._forget()
            self._t_ns = t_ns
        self._t_ns = max(self._t_ns, t_ns)

    def _ordered(self, names: Sequence[str], values: npt.ArrayLike) -> FloatArray | None:
        array = np.asarray(values, dtype=np.float64)
        if array.shape != (len(names),):
            return None
        if tuple(names) == self.joint_names:
            return array.copy()
        place = {name: i for i, name in enumerate(names)}
        if len(place) != len(names) or not all(name in place for name in self.joint_names):
            return None
        return array[[place[name] for name in self.joint_names]]

    def _joints_stale(self, t_ns: int) -> bool:
        limit_ns = _ns(self.settings.joint_states_timeout_s)
        return self._joints_ns is None or t_ns - self._joints_ns > limit_ns

    def _said_again(self, q: FloatArray, qd: FloatArray, stamp_ns: int) -> GuardedCommand | None:
        """The answer to this command if it is the last one once more, as in lockstep.

        To clamp it anew would count as an intervention: no time has passed in which the arm could
        have gone from what was sent to what is asked for. It is clamped anew all the same where
        the answer depends on where the arm is by now: where velocities are sent, which have to
        end before a limit, and where the arm has been kept from following.
        """
        if self._answered is None or self.settings.command_interface == "velocity":
            return None
        asked_q, asked_qd, out = self._answered
        same = np.array_equal(asked_q, q) and np.array_equal(asked_qd, qd)
        if not same or out.stamp_ns != stamp_ns:
            return None
        away = self._q is not None and np.abs(out.q - self._q) > self.settings.max_jump_rad
        return None if np.any(away) else out

    def _clamp(
        self, q: FloatArray, qd: FloatArray, measured: FloatArray, stamp_ns: int
    ) -> GuardedCommand:
        last_q = self._sent_q
        if self._stamp_ns is None or last_q is None:
            # Without a command before it there is no time in which the arm could have moved.
            here = self.limits.inside(measured)
            return self._send(stamp_ns, here, np.zeros_like(here), True, ())
        if np.any(np.abs(last_q - measured) > self.settings.max_jump_rad):
            # The arm was kept from following: go on from where it is, do not make it catch up.
            last_q = self.limits.inside(measured)
        dt_s = min((stamp_ns - self._stamp_ns) * 1e-9, self.settings.max_step_s)
        q, qd, reasons = self.limits.clamp(q, qd, last_q, self._sent_qd, measured, dt_s)
        for reason in reasons:
            self._counts[reason] += 1
        return self._send(stamp_ns, q, qd, True, reasons)

    def _refuse(self, reason: Reason, stamp_ns: int, t_ns: int) -> GuardedCommand | None:
        self._counts[reason] += 1
        if reason in NOT_READY or reason is Reason.STAMP_BACKWARDS:
            return None
        # A stamp that cannot be believed must not become the mark for those that follow.
        doubted = (Reason.STAMP_IN_FUTURE, Reason.STAMP_TOO_OLD)
        return self._hold(t_ns if reason in doubted else stamp_ns, (reason,))

    def _latch(self, reason: Reason, t_ns: int) -> GuardedCommand | None:
        self._advance(t_ns)
        if reason in self._latched:
            return None
        self._latched[reason] = None
        self._counts[reason] += 1
        return self._hold(t_ns, (reason,)) if self.active else None

    def _stop(self, reason: Reason, t_ns: int) -> GuardedCommand | None:
        self._stopped = reason
        self._counts[reason] += 1
        return self._hold(t_ns, (reason,))

    def _hold(self, stamp_ns: int, reasons: tuple[Reason, ...]) -> GuardedCommand | None:
        target = self._sent_q
        if self._q is not None and (
            target is None
            # The arm is not where it was sent: going there now would be a motion, not a stop.
            or np.any(np.abs(target - self._q) > self.settings.max_jump_rad)
        ):
            target = self.limits.inside(self._q)
        if target is None:
            return None
        self._answered = None
        # Stamps of what goes out never run backwards either.
        stamp_ns = stamp_ns if self._stamp_ns is None else max(stamp_ns, self._stamp_ns)
        return self._send(stamp_ns, target, np.zeros_like(target), False, reasons)

    def _send(
        self, stamp_ns: int, q: FloatArray, qd: FloatArray, passed: bool, why: tuple[Reason, ...]
    ) -> GuardedCommand:
        self._stamp_ns, self._sent_q, self._sent_qd = stamp_ns, q, qd
        return GuardedCommand(stamp_ns, q, qd, passed, why)
