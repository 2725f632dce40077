# SPDX-License-Identifier: Apache-2.0
"""How far a command may go: the nearest permitted motion to the one that is wanted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neuro_control.control.guard_settings import FloatArray, GuardSettings, Reason
from neuro_control.robots.urdf import JointLimits

# Below this a difference is rounding and no intervention (rad, rad/s).
ROUNDING = 1e-9


@dataclass(frozen=True)
class Motion:
    """What the arm was last told, float64[n].

    q (rad), qd (rad/s): of the command. speed: of the step to it from the one before (rad/s).
    """

    q: FloatArray
    qd: FloatArray
    speed: FloatArray


@dataclass(frozen=True)
class MotionLimits:
    """Limits as the guard applies them: float64[n], less the margins of its settings.

    lower, upper in rad; velocity in rad/s; top_velocity: the robot's own.
    watched: bool[n], the joints with a limit of effort; effort_watched: theirs, in N m.
    """

    lower: FloatArray
    upper: FloatArray
    velocity: FloatArray
    top_velocity: FloatArray
    watched: npt.NDArray[np.bool_]
    effort_watched: FloatArray
    settings: GuardSettings

    @classmethod
    def of(
        cls, limits: JointLimits, joint_names: Sequence[str], settings: GuardSettings
    ) -> MotionLimits:
        """Apply the settings to the robot's limits. An effort of 0 or inf is no limit.

        Raises ValueError if a limit has another shape than [joints] or is not a number, if a top
        speed is none, or if the margin leaves a joint no range; the last two name the joint.
        """
        joints = len(joint_names)
        for name in ("lower", "upper", "velocity", "effort"):
            value = np.asarray(getattr(limits, name))
            if value.shape != (joints,) or np.any(np.isnan(value)):
                raise ValueError(f"limits.{name} must hold {joints} numbers, got {value!r}")
        top = np.asarray(limits.velocity, np.float64)
        lower = np.asarray(limits.lower, np.float64) + settings.position_margin_rad
        upper = np.asarray(limits.upper, np.float64) - settings.position_margin_rad
        for i, name in enumerate(joint_names):
            if not 0.0 < top[i] < np.inf:
                raise ValueError(
                    f"joint {name!r}: velocity limit {top[i]:g} rad/s; the guard needs one that is "
                    'positive and finite: <limit velocity="..."> in the robot\'s description'
                )
            if lower[i] >= upper[i]:
                raise ValueError(
                    f"joint {name!r}: position_margin_rad {settings.position_margin_rad:g} leaves "
                    f"no range between {limits.lower[i]:g} and {limits.upper[i]:g} rad; choose a "
                    "smaller one"
                )
        effort = np.asarray(limits.effort, np.float64)
        watched = (effort > 0.0) & np.isfinite(effort)
        return cls(
            lower,
            upper,
            top * settings.velocity_scale,
            top,
            watched,
            effort[watched] * settings.effort_scale,
            settings,
        )

    def inside(self, q: FloatArray) -> FloatArray:
        """The permitted position nearest to q (rad)."""
        nearest: FloatArray = np.clip(q, self.lower, self.upper)
        return nearest

    def clamp(
        self,
        q: FloatArray,
        qd: FloatArray,
        last: Motion,
        measured_q: FloatArray,
        dt_s: float,
    ) -> tuple[FloatArray, FloatArray, tuple[Reason, ...]]:
        """The permitted command nearest to (q, qd), dt_s after the last was sent.

        Returns the command and what had to be clamped. The order is the order of importance, the
        last has the last word: acceleration, velocity, position. An arm outside of its limits may
        stay there or come back; it is not sent further out.
        """
        settings = self.settings
        reasons: list[Reason] = []

        def bound(value: FloatArray, low: FloatArray, high: FloatArray, why: Reason) -> FloatArray:
            bounded: FloatArray = np.clip(value, low, high)
            if why not in reasons and np.any(np.abs(bounded - value) > ROUNDING):
                reasons.append(why)
            return bounded

        change = settings.max_acceleration_rad_s2 * dt_s
        if settings.max_acceleration_rad_s2 > 0.0:
            qd = bound(qd, last.qd - change, last.qd + change, Reason.ACCELERATION_LIMIT)
        qd = bound(qd, -self.velocity, self.velocity, Reason.VELOCITY_LIMIT)
        if settings.command_interface == "velocity":
            # Velocities leave no position to clamp: slow down towards the limits instead.
            low = -np.maximum(measured_q - self.lower, 0.0) / settings.limit_approach_s
            high = np.maximum(self.upper - measured_q, 0.0) / settings.limit_approach_s
            qd = bound(qd, low, high, Reason.POSITION_LIMIT)
            return self.inside(q), qd, tuple(reasons)
        lower, upper = np.minimum(self.lower, last.q), np.maximum(self.upper, last.q)
        q = bound(q, lower, upper, Reason.POSITION_LIMIT)
        if settings.max_acceleration_rad_s2 > 0.0 and dt_s > 0.0:
            speed = self._braking_speed(q - last.q, qd, dt_s)
            low, high = ((last.speed - change) * dt_s, (last.speed + change) * dt_s)
            step = np.clip(speed * dt_s, low, high)
            q = bound(q, last.q + step, last.q + step, Reason.ACCELERATION_LIMIT)
        reach = self.velocity * dt_s
        q = bound(q, last.q - reach, last.q + reach, Reason.STEP_LIMIT)
        q = bound(q, lower, upper, Reason.POSITION_LIMIT)
        outward = ((q <= self.lower) & (qd < 0.0)) | ((q >= self.upper) & (qd > 0.0))
        return q, np.where(outward, 0.0, qd), tuple(reasons)

    def _braking_speed(self, way: FloatArray, qd: FloatArray, dt_s: float) -> FloatArray:
        """Speed (rad/s) of a step towards the end of the way, so that it can be met there at qd.

        The whole way, where the next step can change its speed to qd. Otherwise what is left of the
        way after the step, seen from an end that moves at qd, is the way to brake in:
        w^2 / 2a = |e| - w dt, with e the way less qd dt, and w the speed beyond qd.
        """
        a = self.settings.max_acceleration_rad_s2
        ahead = way - qd * dt_s
        beyond = np.sqrt((a * dt_s) ** 2 + 2.0 * a * np.abs(ahead)) - a * dt_s
        whole = np.abs(ahead) <= a * dt_s**2 * (1.0 + ROUNDING)
        speed: FloatArray = np.where(whole, way / dt_s, qd + np.sign(ahead) * beyond)
        return speed

    def least_time_ns(self, q: FloatArray, starts: Sequence[FloatArray | None]) -> int:
        """Time that the joints need to q (rad) from the furthest of these places."""
        ways = [np.max(np.abs(q - start) / self.velocity) for start in starts if start is not None]
        return math.ceil(max(ways, default=0.0) * 1e9)
