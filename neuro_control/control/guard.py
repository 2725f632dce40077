# SPDX-License-Identifier: Apache-2.0
"""The guard: lets through only what the robot may do.

It stands between the controller and the robot, knows neither ROS nor threads, and is told the
time with every call (integer nanoseconds of the node's clock). `Reason` says for each rule whether
it refuses, clamps or stops. What goes out is finite, within the joints' limits (or not further out
than the arm was found to be), and no further from the last position sent than top speed reaches in
the time between their stamps, or else a hold where the arm is; and it says how long the joints must
be given for the way. Stamps are bounded by the clock, so nothing is gained by lying about them, and
a joint state is believed only if the joints can have gone there (`plausible_position`).

A hold keeps the position latched when the arm was stopped: the position last sent to the robot if
the arm is near it or is not known to be elsewhere, else the measured one. It is not taken anew
while the arm is held, so a held arm does not creep under its own weight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from neuro_control.control.guard_limits import Motion, MotionLimits
from neuro_control.control.guard_settings import FloatArray, GuardedCommand, GuardSettings, Reason
from neuro_control.control.measured_arm import MeasuredArm, in_order
from neuro_control.robots.urdf import JointLimits

# Refused before the guard can watch over the arm at all: nothing was taken from anybody's motion.
# A controller that is started with the guard may well be the first to hear where the arm is.
NOT_READY = (Reason.NOT_ACTIVE, Reason.POSITION_UNKNOWN, Reason.NO_COMMAND)

# A clock that steps back by less than this is jitter between threads, not a new beginning.
CLOCK_JITTER_NS = 10_000_000


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


class Guard:
    """Filters commands for one robot.

    joint_names: the robot's joints, in the order of `limits`.
    limits: lower, upper (rad), velocity (rad/s), effort (N m), float64[n] each.
    latched: stops that are to be released first, of a guard that was there before.
    Raises ValueError if the margin leaves a joint no range, a joint has no top speed, or the limits
    do not fit the names.
    """

    def __init__(
        self,
        joint_names: Sequence[str],
        limits: JointLimits,
        settings: GuardSettings,
        latched: Sequence[Reason] = (),
    ) -> None:
        self.joint_names = tuple(joint_names)
        self.settings = settings
        self.limits = MotionLimits.of(limits, self.joint_names, settings)
        self.arm = MeasuredArm(self.joint_names, self.limits)
        self._counts = dict.fromkeys(Reason, 0)
        self.commands = 0
        self.passed = 0
        self.active = False
        self._latched: dict[Reason, None] = dict.fromkeys(latched)
        self._velocities = settings.command_interface == "velocity"
        self._t_ns = 0
        self._forget()

    def _forget(self) -> None:
        self.arm.forget()
        self._stopped: Reason | None = None
        self._command_ns: int | None = None  # arrival of the last command that was in order
        self._stamp_ns: int | None = None  # of the last command sent, or hold that began
        self._sent: Motion | None = None
        self._held = False  # what was last sent is a hold
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
        watch = Reason.POSITION_UNKNOWN if self.arm.q is None else self._stopped
        return tuple(self._latched) + (() if watch is None else (watch,))

    @property
    def latched(self) -> tuple[Reason, ...]:
        """The stops that wait for somebody to release them, active or not."""
        return tuple(self._latched)

    # What happens

    def activate(self, t_ns: int, at_rest: bool = False) -> GuardedCommand | None:
        """Let commands through from now on.

        at_rest: a robot that is sent velocities is stopped until a command passes, for it may still
        move at the last that it was sent. Returns that stop.
        """
        self._forget()
        self._t_ns = t_ns
        self.active = True
        return self._stop(Reason.NO_COMMAND, t_ns) if at_rest and self._velocities else None

    def deactivate(self, t_ns: int) -> GuardedCommand | None:
        """Let nothing through any more; returns the last hold, if anything was ever sent."""
        hold = self._hold(t_ns, ()) if self.active and self._stamp_ns is not None else None
        self.active = False
        return hold

    def emergency_stop(self, t_ns: int) -> GuardedCommand | None:
        """Stop until released. Returns the hold to send, if active and there is one."""
        jumped = self._advance(t_ns)
        return self._latch(Reason.EMERGENCY_STOP, t_ns) or jumped

    def release(self) -> tuple[Reason, ...]:
        """End the latched stops; returns those that were ended."""
        released = tuple(self._latched)
        if not released:
            return ()
        self._latched.clear()
        if Reason.POSITION_LEAP in released:
            # Somebody has looked: the arm is where it is said to be, and not where it was sent.
            self.arm.forget()
            self._sent = None
        self.arm.forgive_effort()
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

        Joints of other names are ignored. Returns a stop if one is due.
        """
        jumped = self._advance(t_ns)
        if not self.arm.concerned(names):
            return jumped
        if not self.active:
            self.arm.forget()  # it may be moved by hand
        elif Reason.POSITION_LEAP in self._latched:
            return jumped  # nothing is believed until somebody has looked
        doubt = self.arm.take(names, q, stamp_ns, t_ns)
        if doubt is not None:
            self._counts[doubt] += 1
            limit_ns = _ns(self.settings.joint_states_timeout_s)
            if self.arm.leaps_for_longer_than(limit_ns, t_ns):
                return self._latch(Reason.POSITION_LEAP, t_ns)
            return jumped
        if not self.arm.pushes_too_long(names, effort, t_ns):
            return jumped
        return self._latch(Reason.EFFORT_LIMIT, t_ns) or jumped

    def tick(self, t_ns: int) -> GuardedCommand | None:
        """Watch the clock; to be called at least every few milliseconds. Returns a stop if due."""
        if out := self._advance(t_ns):
            return out
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
        if not self.active or not self.stopped:
            return None
        # Data that are older than this one's stamp are not refused for it.
        began_ns = self._stamp_ns
        hold = self._hold(t_ns, self.stopped)
        if began_ns is not None:
            self._stamp_ns = began_ns
        return hold

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
        self.commands += 1
        if (jumped := self._advance(t_ns)) is not None:
            return jumped
        position = in_order(self.joint_names, names, q)
        rest = np.zeros(len(self.joint_names))
        speed = in_order(self.joint_names, names, qd) if np.size(qd) else rest
        if (late := self._why_not_now(stamp_ns, t_ns)) is not None:
            return self._refuse(late, stamp_ns, t_ns)
        if position is None or speed is None or len(names) != len(self.joint_names):
            return self._refuse(Reason.WRONG_JOINTS, stamp_ns, t_ns)
        if not (np.all(np.isfinite(position)) and np.all(np.isfinite(speed))):
            return self._refuse(Reason.NOT_FINITE, stamp_ns, t_ns)
        if self.arm.q is None:
            return self._refuse(Reason.POSITION_UNKNOWN, stamp_ns, t_ns)
        if (far := self._why_not_from_here(position, t_ns)) is not None:
            return self._refuse(far, stamp_ns, t_ns)
        self._stopped = None
        self._command_ns = t_ns
        self.passed += 1
        out = self._said_again(position, speed, stamp_ns)
        if out is None:
            out = self._clamp(position, speed, self.arm.q, stamp_ns)
        self._answered = (position, speed, out)
        return out

    # How it is decided

    def _advance(self, t_ns: int) -> GuardedCommand | None:
        """Go on to this time. Returns a stop if the clock went back and velocities are sent.

        Positions need none: the robot stays where it was sent, and where the arm is in the new
        time, as in a simulation that began anew, is not known.
        """
        if t_ns >= self._t_ns - CLOCK_JITTER_NS:
            self._t_ns = max(self._t_ns, t_ns)
            return None
        self._forget()
        self._t_ns = t_ns
        if self.active and self._velocities:
            return self._stop(Reason.CLOCK_JUMP, t_ns)
        self._counts[Reason.CLOCK_JUMP] += 1
        return None

    def _why_not_now(self, stamp_ns: int, t_ns: int) -> Reason | None:
        """Why no command of this stamp passes, whatever it says."""
        if not self.active:
            return Reason.NOT_ACTIVE
        if self._stamp_ns is not None and stamp_ns < self._stamp_ns:
            return Reason.STAMP_BACKWARDS
        if stamp_ns > t_ns + _ns(self.settings.max_stamp_ahead_s):
            return Reason.STAMP_IN_FUTURE
        if t_ns - stamp_ns > _ns(self.settings.max_command_age_s):
            return Reason.STAMP_TOO_OLD
        return next(iter(self._latched), None)

    def _why_not_from_here(self, q: FloatArray, t_ns: int) -> Reason | None:
        """Why the arm may not be sent to q from where it is."""
        if self._joints_stale(t_ns):
            return Reason.JOINT_STATES_STALE
        if self._far_from_arm(q):
            return Reason.JUMP
        # Where velocities are sent nothing goes on from the position before.
        if not self._velocities and self._sent is not None and self._far_from_arm(self._sent.q):
            return Reason.STRAYED
        return None

    def _joints_stale(self, t_ns: int) -> bool:
        return self.arm.older_than(_ns(self.settings.joint_states_timeout_s), t_ns)

    def _far_from_arm(self, q: FloatArray) -> bool:
        here = self.arm.q
        return here is not None and bool(np.any(np.abs(q - here) > self.settings.max_jump_rad))

    def _said_again(self, q: FloatArray, qd: FloatArray, stamp_ns: int) -> GuardedCommand | None:
        """The answer to this command if it is the last one once more, as in lockstep.

        To clamp it anew would count as an intervention: no time has passed in which the arm could
        have gone from what was sent to what is asked for. Velocities are clamped anew all the same:
        they have to end before a limit, and the arm is nearer to it by now.
        """
        if self._answered is None or self._velocities:
            return None
        asked_q, asked_qd, out = self._answered
        same = np.array_equal(asked_q, q) and np.array_equal(asked_qd, qd)
        return out if same and out.stamp_ns == stamp_ns else None

    def _clamp(
        self, q: FloatArray, qd: FloatArray, measured: FloatArray, stamp_ns: int
    ) -> GuardedCommand:
        last, rest = self._sent, np.zeros_like(q)
        if self._stamp_ns is None or last is None:
            # Without a command before it there is no time in which the arm could have moved.
            return self._send(stamp_ns, Motion(measured, rest, rest), True, ())
        dt_s = min((stamp_ns - self._stamp_ns) * 1e-9, self.settings.max_step_s)
        q, qd, reasons = self.limits.clamp(q, qd, last, measured, dt_s)
        for reason in reasons:
            self._counts[reason] += 1
        speed = (q - last.q) / dt_s if dt_s > 0.0 else last.speed
        return self._send(stamp_ns, Motion(q, qd, speed), True, reasons)

    def _refuse(self, reason: Reason, stamp_ns: int, t_ns: int) -> GuardedCommand | None:
        self._counts[reason] += 1
        if reason in NOT_READY or reason is Reason.STAMP_BACKWARDS:
            return None
        # A stamp that cannot be believed must not become the mark for those that follow.
        doubted = (Reason.STAMP_IN_FUTURE, Reason.STAMP_TOO_OLD)
        return self._hold(t_ns if reason in doubted else stamp_ns, (reason,))

    def _latch(self, reason: Reason, t_ns: int) -> GuardedCommand | None:
        if reason in self._latched:
            return None
        self._latched[reason] = None
        self._counts[reason] += 1
        # Where it was sent the arm would go on pushing.
        here = reason is Reason.EFFORT_LIMIT
        return self._hold(t_ns, (reason,), here) if self.active else None

    def _stop(self, reason: Reason, t_ns: int) -> GuardedCommand | None:
        self._stopped = reason
        self._counts[reason] += 1
        return self._hold(t_ns, (reason,))

    def _hold(
        self, stamp_ns: int, reasons: tuple[Reason, ...], here: bool = False
    ) -> GuardedCommand | None:
        q = self._place_to_hold(here)
        self._answered = None
        if Reason.POSITION_LEAP in self._latched:
            q = None
        # Stamps of what goes out never run backwards either.
        stamp_ns = stamp_ns if self._stamp_ns is None else max(stamp_ns, self._stamp_ns)
        if q is not None:
            rest = np.zeros_like(q)
            return self._send(stamp_ns, Motion(q, rest, rest), False, reasons)
        if not self._velocities:
            return None
        # To stand still is possible without knowing where.
        self._stamp_ns = stamp_ns
        unknown = np.full(len(self.joint_names), np.nan)
        return GuardedCommand(stamp_ns, unknown, np.zeros_like(unknown), False, reasons)

    def _place_to_hold(self, here_in_any_case: bool) -> FloatArray | None:
        """Where it was sent or where it is, whichever is less of a motion; None: neither is known.

        An arm that is far from where it was sent would go there now; one beyond its limits would
        come back. Neither is a stop.
        """
        sent = None if self._sent is None else self._sent.q
        here = self.arm.q
        if here is None or self._joints_stale(self._t_ns):
            return sent
        # A held arm keeps its place, unless it was moved away by force.
        within = self.settings.max_jump_rad if self._held else self.settings.hold_within_rad
        if sent is None or here_in_any_case or np.any(np.abs(sent - here) > within):
            return here
        return sent

    def _send(
        self, stamp_ns: int, motion: Motion, passed: bool, why: tuple[Reason, ...]
    ) -> GuardedCommand:
        before = None if self._sent is None else self._sent.q
        starts = [before, self.arm.q if self.settings.way_from_measured or before is None else None]
        least_ns = self.limits.least_time_ns(motion.q, starts)
        self._stamp_ns, self._sent, self._held = stamp_ns, motion, not passed
        return GuardedCommand(stamp_ns, motion.q, motion.qd, passed, why, least_ns)
