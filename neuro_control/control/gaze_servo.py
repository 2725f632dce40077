# SPDX-License-Identifier: Apache-2.0
"""Visual servoing of the hand camera: turn the gaze onto a direction, through the arm's Jacobian.

Camera frame as REP-103's optical frame: z ahead, x right, y down. A target in the direction
(x/z, y/z) is brought to the middle by turning about the camera's y axis by atan(x/z) and about
its x axis by -atan(y/z). What is left of the six degrees of freedom keeps the horizon level and
the hand near its place before the robot, shifted a little towards where it looks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from neuro_control.robots.arm_model import ArmModel

Float = NDArray[np.float64]
GazeState = Literal["tracking", "holding", "searching"]


class GazeServoSettings(BaseModel):
    """Gains and limits."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    gaze_gain: float = Field(
        15.0, ge=0, le=100, description="Turn of the gaze for each radian of error [1/s]"
    )
    pursuit_gain: float = Field(
        1.0, ge=0, le=1, description="Share of the remembered velocity of the gaze in its command"
    )
    follow_gain: float = Field(
        0.4, ge=0, le=1, description="How far the hand moves aside towards the target, 1 = wholly"
    )
    follow_distance_m: float = Field(
        0.5, gt=0, le=3, description="Distance that the target is taken to be at when following"
    )
    hand_gain: float = Field(3.0, ge=0, le=50, description="Return of the hand to its place [1/s]")
    hand_speed_m_s: float = Field(0.3, gt=0, le=2, description="Top speed of the hand sideways")
    level_gain: float = Field(3.0, ge=0, le=50, description="Levelling of the horizon [1/s]")
    gaze_speed_rad_s: float = Field(4.0, gt=0, le=20, description="Top speed of the gaze")
    damping: float = Field(
        0.03, gt=0, le=1, description="Damping of the inverse Jacobian at singularities"
    )
    manipulability: float = Field(
        0.02, ge=0, le=1, description="Manipulability below which damping sets in"
    )
    speed_share: float = Field(
        0.9, gt=0, le=1, description="Share of the joints' top speed that commands may use"
    )
    limit_margin_rad: float = Field(
        0.1, ge=0, le=1, description="Distance from a joint limit where joints slow down"
    )
    lead_rad: float = Field(
        0.15, gt=0, le=1, description="How far commands may run ahead of the measured joints"
    )
    lost_after_s: float = Field(
        0.1, ge=0, le=10, description="Time without a target after which the arm holds"
    )
    search_after_s: float = Field(
        1.0, ge=0, le=100, description="Time without a target after which the arm looks around"
    )
    search_speed_rad_s: float = Field(
        0.4, gt=0, le=2, description="Top speed of the joints while looking around"
    )
    search_amplitude_rad: float = Field(
        0.25, ge=0, le=1, description="Amplitude of the gaze about the home direction in a search"
    )


@dataclass(frozen=True)
class GazeServoState:
    """What the servo keeps between steps; `q` is where the arm has been sent, float64[n]."""

    q: Float
    t_ns: int
    seen_ns: int
    velocity_rad_s: Float
    mode: GazeState


@dataclass(frozen=True)
class GazeServo:
    """Pure steps over a model, settings and a state."""

    model: ArmModel
    settings: GazeServoSettings
    home: Float

    def begin(self, q: Float, t_ns: int) -> GazeServoState:
        """State of an arm that stands at q and has seen nothing yet."""
        n = len(self.model.joint_names)
        never_ns = t_ns - round(self.settings.lost_after_s * 1e9) - 1
        return GazeServoState(self._inside(q), t_ns, never_ns, np.zeros(n), "holding")

    def camera_velocity(self, q: Float, qd: Float) -> Float:
        """Angular velocity of the camera about its own x, y, z axes, float64[3] [rad/s]."""
        pose = self.model.forward_kinematics(q)
        angular: Float = pose[:3, :3].T @ (self.model.jacobian(q)[3:] @ qd)
        return angular

    def step(
        self,
        state: GazeServoState,
        q: Float,
        direction: Float | None,
        pursuit_rad_s: Float,
        t_ns: int,
    ) -> GazeServoState:
        """One step.

        Args:
            state: from `begin` or the last step.
            q: measured joint angles, float64[n].
            direction: of the target in the camera frame, (x/z, y/z), None if unknown.
            pursuit_rad_s: remembered velocity of the gaze about the camera's x and y axes.
            t_ns: now; a step that does not go forward in time changes nothing.
        """
        s = self.settings
        dt_s = min((t_ns - state.t_ns) * 1e-9, 0.02)
        if dt_s <= 0:
            return state
        seen_ns = t_ns if direction is not None else state.seen_ns
        unseen_s = (t_ns - seen_ns) * 1e-9
        mode: GazeState
        if unseen_s <= s.lost_after_s:
            mode = "tracking"
            # A target unseen for a moment: the gaze goes on as far as it is known to be moving.
            fade = 1.0 - unseen_s / s.lost_after_s if direction is None else 1.0
            velocity = self._track(q, direction, fade * pursuit_rad_s)
        elif unseen_s <= s.search_after_s:
            mode = "holding"
            velocity = np.zeros_like(q)
        else:
            mode = "searching"
            velocity = self._search(q, unseen_s - s.search_after_s)
        velocity = self._limited(q, velocity)
        target = self._inside(state.q + velocity * dt_s)
        if mode == "holding" and state.mode == "tracking":
            target = self._inside(q)
        target = np.minimum(np.maximum(target, q - s.lead_rad), q + s.lead_rad)
        return replace(
            state, q=target, t_ns=t_ns, seen_ns=seen_ns, velocity_rad_s=velocity, mode=mode
        )

    def _track(self, q: Float, direction: Float | None, pursuit_rad_s: Float) -> Float:
        s = self.settings
        pose = self.model.forward_kinematics(q)
        error = np.zeros(2) if direction is None else np.arctan(direction)
        gaze = s.gaze_gain * np.array([-error[1], error[0]]) + s.pursuit_gain * pursuit_rad_s
        gaze *= min(1.0, s.gaze_speed_rad_s / max(float(np.hypot(*gaze)), 1e-9))
        return self._joint_velocity(q, pose, gaze)

    def _joint_velocity(self, q: Float, pose: Float, gaze_rad_s: Float) -> Float:
        """Joint velocities that turn the gaze, level the horizon and place the hand."""
        s = self.settings
        rotation = pose[:3, :3]
        # The camera's x axis stays level: its rise is the sine of the roll.
        level = s.level_gain * math.asin(max(-1.0, min(1.0, rotation[2, 0])))
        angular = rotation @ np.array([gaze_rad_s[0], gaze_rad_s[1], level])
        home = self._home_pose
        aside = s.follow_gain * s.follow_distance_m * (rotation[:, 2] - home[:3, 2])
        linear = s.hand_gain * (home[:3, 3] + aside - pose[:3, 3])
        linear *= min(1.0, s.hand_speed_m_s / max(float(np.linalg.norm(linear)), 1e-9))
        return damped_inverse(self.model.jacobian(q), s.damping, s.manipulability) @ np.concatenate(
            [linear, angular]
        )

    @cached_property
    def _home_pose(self) -> Float:
        return self.model.forward_kinematics(self.home)

    def _search(self, q: Float, since_s: float) -> Float:
        """Return to the home posture and look from side to side and up and down, slowly."""
        s = self.settings
        phase = s.search_speed_rad_s / max(s.search_amplitude_rad, 0.05) * since_s
        target = self.home.copy()
        # The last wrist joints but one turn the gaze; a Lissajous path sweeps the view.
        target[-2] += s.search_amplitude_rad * math.sin(0.5 * phase)
        target[-3] += 0.5 * s.search_amplitude_rad * math.sin(0.35 * phase)
        velocity = 2.0 * (target - q)
        top = float(np.abs(velocity).max())
        slowed: Float = velocity * min(1.0, s.search_speed_rad_s / max(top, 1e-9))
        return slowed

    def _limited(self, q: Float, velocity: Float) -> Float:
        """The same motion, slowed as a whole to the joints' speeds, and braked at their limits."""
        s = self.settings
        limits = self.model.limits
        top = s.speed_share * limits.velocity
        velocity = velocity / max(1.0, float(np.max(np.abs(velocity) / top)))
        if s.limit_margin_rad > 0:
            # How much of the margin is left on the side that each joint moves to.
            left = np.where(velocity > 0, limits.upper - q, q - limits.lower) / s.limit_margin_rad
            velocity = velocity * np.minimum(np.maximum(left, 0.0), 1.0)
        return velocity

    def _inside(self, q: Float) -> Float:
        limits = self.model.limits
        inside: Float = np.minimum(np.maximum(q, limits.lower), limits.upper)
        return inside


def damped_inverse(jacobian: Float, damping: float, manipulability: float) -> Float:
    """Damped least-squares inverse, float64[n, 6] for float64[6, n].

    ``J^T (J J^T + k^2 I)^-1`` with k growing from 0 to `damping` as the manipulability
    ``sqrt(det(J J^T))`` falls from the given one to zero (Nakamura and Hanafusa, Journal of
    Dynamic Systems, Measurement and Control 108, 1986).
    """
    gram = jacobian @ jacobian.T
    w = math.sqrt(max(float(np.linalg.det(gram)), 0.0))
    share = max(0.0, 1.0 - w / manipulability) if manipulability > 0 else 0.0
    k = max(damping * share, 1e-6)
    inverse: Float = np.linalg.solve(gram + k**2 * np.eye(6), jacobian).T
    return inverse
