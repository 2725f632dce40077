# SPDX-License-Identifier: Apache-2.0
"""Joint states, judged: which are taken, whose velocities they have, and why there are none."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from neuro_control.control.arm import JointSample
from neuro_control.control.plausible_position import PlausiblePosition, Reading
from neuro_control.nodes.diagnostics import Value
from neuro_control.nodes.messages import FloatArray
from neuro_control.robots.joint_order import ordered

MEASURED = "measured"
FROM_POSITIONS = "from positions"

# Positions nearer in time than this (ns) are not differenced: their rounding would pass for motion.
LEAST_SPAN_NS = 5_000_000
MOST_KEPT = 1_000
# Share of what was seen that may have no joint state young enough without being told of.
TOLERATED = 0.1
MOST_NAMES = 8


@dataclass(frozen=True)
class JointFindings:
    """What has been wrong with the joint states since the last look.

    because: why none could be gone by; "" if they could. refused: why the last that was refused
    was; "" if none was. values: for the diagnostics.
    """

    because: str = ""
    refused: str = ""
    values: dict[str, Value] = field(default_factory=dict)


class JointSamples:
    """Keeps the newest joint state that can be believed.

    One with a position that is no number, or without all of the arm's joints, is refused. One
    that is older than the newest is ignored, unless the newest came longer ago than `timeout_s`:
    then the clock was set back. One further away than the joints can have gone is refused, unless
    such ones are all that comes for longer than `timeout_s`. Velocities that are missing or no
    numbers, as from a driver that has none, are those of the positions before.

    newest: None before the first. velocities: where its velocities come from; "" before the first.
    """

    def __init__(self, names: Sequence[str], top_velocity: FloatArray, timeout_s: float) -> None:
        self._names = tuple(names)
        self._position = PlausiblePosition(top_velocity)
        self._timeout_s = timeout_s
        self._timeout_ns = round(timeout_s * 1e9)
        self._taken = self._refused = self._late = 0
        self.forget()

    def forget(self) -> None:
        """What came before is of another time."""
        self.newest: JointSample | None = None
        self.velocities = ""
        self._position.forget()
        self._heard_ns: int | None = None
        self._strangers = ""
        self._refused_because = ""
        self._taken_before, self._refused_before = self._taken, self._refused
        self._asked = self._unanswered = self._too_old_ns = 0
        self._trail: deque[tuple[int, FloatArray]] = deque(maxlen=MOST_KEPT)

    def take(
        self,
        names: Sequence[str],
        position: Sequence[float],
        velocity: Sequence[float],
        stamp_ns: int,
        steady_ns: int,
    ) -> JointSample | None:
        """The joint state as a sample; None if it is not taken. steady_ns: when it came."""
        q = ordered(names, position, self._names)
        if q is None or not np.isfinite(q).all():
            self._refuse(names, position)
            return None
        if self.newest is not None and stamp_ns < self.newest.t_ns:
            if self._heard_ns is not None and steady_ns - self._heard_ns <= self._timeout_ns:
                self._late += 1
                return None
            self._trail.clear()
            self._position.forget()
        if not self._believed(q, stamp_ns, steady_ns):
            return None
        self._heard_ns = steady_ns
        self._taken += 1
        qd = ordered(names, velocity, self._names)
        self.velocities = MEASURED
        if qd is None or not np.isfinite(qd).all():
            self.velocities = FROM_POSITIONS
            differenced = self._differenced(stamp_ns, q)
            qd = differenced if qd is None else np.where(np.isfinite(qd), qd, differenced)
        self.newest = JointSample(stamp_ns, q, qd)
        return self.newest

    def at(self, t_ns: int) -> JointSample | None:
        """The newest, if it can answer what was seen at t_ns; stamps are judged against stamps."""
        if self.newest is None:
            return None
        self._asked += 1
        older_ns = t_ns - self.newest.t_ns
        if older_ns <= self._timeout_ns:
            return self.newest
        self._unanswered += 1
        self._too_old_ns = max(self._too_old_ns, older_ns)
        return None

    def findings(self, steady_ns: int) -> JointFindings:
        """What has been wrong since this was last asked."""
        taken, refused = self._taken - self._taken_before, self._refused - self._refused_before
        self._taken_before, self._refused_before = self._taken, self._refused
        # Now and then one comes late on a busy machine.
        too_old_ns = self._too_old_ns if self._unanswered > TOLERATED * self._asked else 0
        self._asked = self._unanswered = self._too_old_ns = 0
        silent_ns = 0 if self._heard_ns is None else steady_ns - self._heard_ns
        because = ""
        if not taken and refused:
            because = self._refused_because
        elif self._heard_ns is None:
            because = self._strangers or "no joint states come"
        elif not taken or (too_old_ns and silent_ns > self._timeout_ns):
            because = f"no joint states for {silent_ns * 1e-9:.1f} s"
        elif too_old_ns:
            because = (
                f"joint states are {too_old_ns * 1e-9:.3f} s older than what they should answer, "
                f"and at most {self._timeout_s:g} s (joint_states_timeout_s) are good"
            )
        return JointFindings(
            because,
            self._refused_because if refused else "",
            {
                "joint_velocities": self.velocities,
                "joint_states_refused": self._refused,
                "joint_states_late": self._late,
            },
        )

    def _believed(self, q: FloatArray, stamp_ns: int, steady_ns: int) -> bool:
        position, last = self._position, self.newest
        if position.take(Reading(q, stamp_ns, steady_ns)) or last is None:
            return True
        if steady_ns - position.leaping_since_ns > self._timeout_ns:
            # The guard has stopped the arm by now; whoever releases it has looked where it is.
            position.forget()
            position.take(Reading(q, stamp_ns, steady_ns))
            self._trail.clear()
            return True
        furthest = int(np.argmax(np.abs(q - last.q)))
        self._refused += 1
        self._refused_because = (
            f"joint_states: position of joint {self._names[furthest]} leapt from "
            f"{last.q[furthest]:.3f} to {q[furthest]:.3f} rad"
        )
        return False

    def _refuse(self, names: Sequence[str], position: Sequence[float]) -> None:
        missing = [name for name in self._names if name not in names]
        there = ", ".join([*names[:MOST_NAMES], *(["..."] if len(names) > MOST_NAMES else [])])
        if len(missing) == len(self._names):
            # Of another device, as a gripper: nothing is wrong with it.
            wanted = ", ".join(self._names)
            self._strangers = f"joint_states: none of the arm's joints {wanted}, only {there}"
            return
        self._refused += 1
        if missing:
            why = f"joint {missing[0]} is missing, there are {there}"
        elif len(position) != len(names):
            why = f"{len(position)} positions for {len(names)} names"
        else:
            value = dict(zip(names, position, strict=True))
            name = next(name for name in self._names if not np.isfinite(value[name]))
            why = f"position of joint {name} is {float(value[name])}"
        self._refused_because = f"joint_states: {why}"

    def _differenced(self, t_ns: int, q: FloatArray) -> FloatArray:
        """Velocities by the positions before; zero where none is near enough in time."""
        trail = self._trail
        if trail and trail[-1][0] == t_ns:
            trail.pop()  # the same once more
        elif trail and t_ns - trail[-1][0] > self._timeout_ns:
            trail.clear()  # meanwhile the arm may have moved anyhow
        while len(trail) > 1 and t_ns - trail[1][0] >= LEAST_SPAN_NS:
            trail.popleft()
        trail.append((t_ns, q))
        before_ns, before = trail[0]
        if t_ns - before_ns < LEAST_SPAN_NS:
            return np.zeros_like(q)
        with np.errstate(over="ignore"):
            velocity = (q - before) / ((t_ns - before_ns) * 1e-9)
        return np.where(np.isfinite(velocity), velocity, 0.0)
