# SPDX-License-Identifier: Apache-2.0
"""How far a command may go: the nearest permitted motion to the one that is wanted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuro_control.control.guard_settings import FloatArray, GuardSettings, Reason
from neuro_control.robots.urdf import JointLimits

# Below this a difference is rounding and no intervention (rad, rad/s).
ROUNDING = 1e-9


@dataclass(frozen=True)
class MotionLimits:
    """Limits as the guard applies them: float64[n], less the margins of its settings.

    lower, upper in rad; velocity in rad/s; effort in N m.
    """

    lower: FloatArray
    upper: FloatArray
    velocity: FloatArray
    effort: FloatArray
    settings: GuardSettings

    @classmethod
    def of(cls, limits: JointLimits, joints: int, settings: GuardSettings) -> MotionLimits:
        """Apply the settings to the robot's limits.

        Raises ValueError if a limit has another shape than [joints] or is not a number, or if the
        margin leaves a joint no range.
        """
        for name in ("lower", "upper", "velocity", "effort"):
            value = np.asarray(getattr(limits, name))
            if value.shape != (joints,) or np.any(np.isnan(value)):
                raise ValueError(f"limits.{name} must hold {joints} numbers, got {value!r}")
        lower = np.asarray(limits.lower, np.float64) + settings.position_margin_rad
        upper = np.asarray(limits.upper, np.float64) - settings.position_margin_rad
        if np.any(lower >= upper):
            raise ValueError(
                f"position_margin_rad {settings.position_margin_rad} leaves no range between "
                f"{limits.lower} and {limits.upper}; choose a smaller one"
            )
        velocity = np.asarray(limits.velocity, np.float64) * settings.velocity_scale
        effort = np.asarray(limits.effort, np.float64) * settings.effort_scale
        return cls(lower, upper, velocity, effort, settings)

    def inside(self, q: FloatArray) -> FloatArray:
        """The permitted position nearest to q (rad)."""
        nearest: FloatArray = np.clip(q, self.lower, self.upper)
        return nearest

    def clamp(
        self,
        q: FloatArray,
        qd: FloatArray,
        last_q: FloatArray,
        last_qd: FloatArray,
        measured_q: FloatArray,
        dt_s: float,
    ) -> tuple[FloatArray, FloatArray, tuple[Reason, ...]]:
        """The permitted command nearest to (q, qd), dt_s after (last_q, last_qd) was sent.

        last_q lies inside the limits. Returns the command and what had to be clamped. The order
        is the order of importance, the last has the last word: acceleration, velocity, position.
        """
        settings = self.settings
        reasons: list[Reason] = []

        def bound(value: FloatArray, low: FloatArray, high: FloatArray, why: Reason) -> FloatArray:
            bounded: FloatArray = np.clip(value, low, high)
            if why not in reasons and np.any(np.abs(bounded - value) > ROUNDING):
                reasons.append(why)
            return bounded

        if settings.max_acceleration_rad_s2 > 0.0:
            change = settings.max_acceleration_rad_s2 * dt_s
            qd = bound(qd, last_qd - change, last_qd + change, Reason.ACCELERATION_LIMIT)
        qd = bound(qd, -self.velocity, self.velocity, Reason.VELOCITY_LIMIT)
        if settings.command_interface == "velocity":
            # Velocities leave no position to clamp: slow down towards the limits instead.
            low = -np.maximum(measured_q - self.lower, 0.0) / settings.limit_approach_s
            high = np.maximum(self.upper - measured_q, 0.0) / settings.limit_approach_s
            qd = bound(qd, low, high, Reason.POSITION_LIMIT)
            return self.inside(q), qd, tuple(reasons)
        reach = self.velocity * dt_s
        q = bound(q, last_q - reach, last_q + reach, Reason.STEP_LIMIT)
        q = bound(q, self.lower, self.upper, Reason.POSITION_LIMIT)
        outward = ((q <= self.lower) & (qd < 0.0)) | ((q >= self.upper) & (qd > 0.0))
        return q, np.where(outward, 0.0, qd), tuple(reasons)
