# SPDX-License-Identifier: Apache-2.0
"""What the guard may be told: its settings, the reasons it gives, and what it lets out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

FloatArray = npt.NDArray[np.float64]


class Reason(str, Enum):
    """Why the guard changed, refused or stopped something.

    *Refused* commands are replaced by a hold. A refusal is chosen wherever the command shows that
    its sender is broken or blind: no value near a wrong command can be trusted to be right.
    *Clamped* commands go out changed. A clamp is chosen where the sender is sound but too eager:
    the nearest permitted command serves its intention, and a hold would make the motion jerk.
    *Stops* hold the arm until their cause has gone; *latched* stops until somebody releases them.
    """

    NO_COMMAND = "no_command"
    """Stop: no command has passed yet; velocities are sent as zero until one does."""

    NOT_ACTIVE = "not_active"
    """Refused: the guard is not active. Nothing goes out, not even a hold."""
    POSITION_UNKNOWN = "position_unknown"
    """Refused: no joint state has come yet, or not enough that agree. No position goes out."""
    EMERGENCY_STOP = "emergency_stop"
    """Latched stop: a person asked for it."""
    EFFORT_LIMIT = "effort_limit"
    """Latched stop: a joint pushed harder than it may for longer than it may (a collision?)."""
    CONTROLLER_STALE = "controller_stale"
    """Stop: no command has come for longer than the time limit."""
    JOINT_STATES_STALE = "joint_states_stale"
    """Stop: no joint state has come for longer than the time limit."""
    JOINT_STATES_INVALID = "joint_states_invalid"
    """A joint state without every joint, with a value that is not finite, or from the past:
    not used."""
    POSITION_LEAP = "position_leap"
    """A joint state further from those before than the joints could have gone: not used. Latched
    stop where such ones, and several, are all that comes for the joint states' time limit. No
    position goes out then: wherever the arm is, it would be a motion."""
    NOT_FINITE = "not_finite"
    """Refused: NaN or infinity among the positions or velocities."""
    WRONG_JOINTS = "wrong_joints"
    """Refused: not exactly this arm's joints, or not one position (and velocity) for each."""
    STAMP_BACKWARDS = "stamp_backwards"
    """Refused, and nothing goes out: older than a command that was already let through."""
    STAMP_TOO_OLD = "stamp_too_old"
    """Refused: the data that it answers are older than the limit."""
    STAMP_IN_FUTURE = "stamp_in_future"
    """Refused: stamped later than the clock can explain."""
    JUMP = "jump"
    """Refused: too far from the position that was measured."""
    STRAYED = "strayed"
    """Refused: the arm is too far from where it was sent, it was kept from following. Held where it
    is; the next command goes on from there."""
    POSITION_LIMIT = "position_limit"
    """Clamped to the joint's range less a margin."""
    VELOCITY_LIMIT = "velocity_limit"
    """Clamped to the joint's top speed."""
    STEP_LIMIT = "step_limit"
    """Clamped: further from the last command than top speed reaches in the time between them."""
    ACCELERATION_LIMIT = "acceleration_limit"
    """Clamped to the largest change of velocity."""
    CLOCK_JUMP = "clock_jump"
    """The clock went back (a simulation began anew): everything but the latched stops is
    forgotten. Where velocities are sent, a stop, until a command passes."""


class GuardSettings(BaseModel):
    """What the guard lets through. The limits themselves come from the robot's description."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    command_interface: Literal["joint_trajectory", "position", "velocity"] = Field(
        "joint_trajectory",
        description="What the robot is sent: a trajectory of one point, positions or velocities",
    )
    position_margin_rad: float = Field(
        0.02, ge=0.0, le=1.0, description="Distance that commands keep from a joint's limits (rad)"
    )
    velocity_scale: float = Field(
        1.0, gt=0.0, le=1.0, description="Part of the joints' top speed that may be used"
    )
    max_acceleration_rad_s2: float = Field(
        0.0,
        ge=0.0,
        le=1000.0,
        description="Largest change of velocity, of positions too (rad/s2); 0: not limited",
    )
    hold_within_rad: float = Field(
        0.05,
        ge=0.0,
        le=1.0,
        description="A stop holds the arm where it was sent if it is so near, else where it is; "
        "to be more than the arm sags by under its load (rad)",
    )
    way_from_measured: bool = Field(
        False,
        description="The robot begins the way of each trajectory where it is measured, as "
        "ros2_control does, and not where it was sent: time for the way is given from there",
    )
    max_jump_rad: float = Field(
        0.35,
        gt=0.0,
        le=7.0,
        description="Largest distance of a command from the measured position (rad)",
    )
    max_step_s: float = Field(
        0.02,
        gt=0.0,
        le=0.5,
        description="Most time that one step may make up for after a pause between commands (s)",
    )
    controller_timeout_s: float = Field(
        0.05, gt=0.0, le=1.0, description="Silence of the controller after which the arm stops (s)"
    )
    agreeing_joint_states: int = Field(
        1,
        ge=1,
        le=1000,
        description="Joint states that must agree before the first is believed; drivers may begin "
        "with zeros",
    )
    joint_states_timeout_s: float = Field(
        0.05, gt=0.0, le=1.0, description="Age of the joint states at which the arm stops (s)"
    )
    max_command_age_s: float = Field(
        0.1, gt=0.0, le=10.0, description="Oldest data that a command may answer (s)"
    )
    max_stamp_ahead_s: float = Field(
        0.05, ge=0.0, le=1.0, description="How far a command's stamp may be ahead of the clock (s)"
    )
    effort_scale: float = Field(
        1.2, gt=0.0, le=10.0, description="Part of a joint's effort limit that counts as too much"
    )
    effort_time_s: float = Field(
        0.1, ge=0.0, le=10.0, description="Time of too much effort after which the arm stops (s)"
    )
    limit_approach_s: float = Field(
        0.1,
        gt=0.0,
        le=5.0,
        description="Velocity commands slow down to reach a limit in no less than this time (s)",
    )


@dataclass(frozen=True)
class GuardedCommand:
    """What goes to the robot.

    stamp_ns: time of the data that it answers; of a stop that answers none, the clock's time.
    q, qd: float64[n], rad and rad/s, in the order of the guard's joint names.
        Where velocities are sent and the position is not known, q is NaN.
    passed: False for a hold or a stop. reasons: what was changed, or why the arm is held.
    least_time_ns: the joints must be given this time for the way, lest they exceed their speed.
    """

    stamp_ns: int
    q: FloatArray
    qd: FloatArray
    passed: bool
    reasons: tuple[Reason, ...] = ()
    least_time_ns: int = 0
