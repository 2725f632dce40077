# SPDX-License-Identifier: Apache-2.0
"""The motors' drives: torque that makes the joints follow a set-point, within effort limits."""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from neuro_control.sim.arm_world import ArmWorld
from neuro_control.sim.joint_commands import SetPoint

Float = NDArray[np.float64]


class JointDriveSettings(BaseModel):
    """Gains of the cascade from position to velocity to torque, the same for every joint."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    position_gain: float = Field(75.0, ge=1.0, le=200.0, description="position loop [1/s]")
    velocity_gain: float = Field(300.0, ge=1.0, le=900.0, description="velocity loop [1/s]")
    finger_opening_m: float = Field(0.02, ge=0.0, le=0.04, description="what the gripper holds [m]")


class JointDrives:
    """Computed torque: inertia times the wanted acceleration, plus gravity and Coriolis forces.

    The position loop asks for a velocity within the limit, the velocity loop for an acceleration:
    tau = M(q) k_v (clip(qd* + k_p (q* - q)) - qd) + c(q, qd), clipped to the motor's effort.
    What has no motor (a ball between the fingers) is not driven.
    """

    def __init__(
        self, world: ArmWorld, velocity_limits: Float, settings: JointDriveSettings | None = None
    ) -> None:
        self._settings = settings or JointDriveSettings()
        self._model = world.model
        self._arm, self._fingers = world.arm_joints, world.finger_joints
        count = world.model.nv
        self._q, self._qd = np.zeros(count), np.zeros(count)
        self._top = np.full(count, 0.2)
        self._top[self._arm] = velocity_limits
        self._torque = np.zeros(count)
        self._lowest = world.model.actuator_ctrlrange[:, 0].copy()
        self._highest = world.model.actuator_ctrlrange[:, 1].copy()
        # What has no motor comes after what has one.
        self._motors = slice(0, world.model.nu)
        self._believed: tuple[mujoco.MjModel, mujoco.MjData] | None = None
        self._bias = np.zeros(count)

    def believe(self, model: mujoco.MjModel | None) -> None:
        """Reckon with the masses of this model; None: with those that there are.

        A drive knows what its maker or its user has told it, not what the hand has picked up.
        """
        self._believed = None if model is None else (model, mujoco.MjData(model))

    def apply(self, data: mujoco.MjData, set_point: SetPoint) -> None:
        """Set the motors' torques for the coming step; `data` has been through mj_step1."""
        settings = self._settings
        self._q[self._arm] = set_point.q
        self._qd[self._arm] = set_point.qd
        self._q[self._fingers] = settings.finger_opening_m
        velocity = self._qd + settings.position_gain * (self._q - data.qpos)
        # Not np.clip: at this size most of its time is its own.
        velocity = np.minimum(np.maximum(velocity, -self._top), self._top)
        acceleration = settings.velocity_gain * (velocity - data.qvel)
        if self._believed is None:
            mujoco.mj_mulM(self._model, data, self._torque, acceleration)
            self._torque += data.qfrc_bias
        else:
            self._reckon(*self._believed, data, acceleration)
        self._torque -= data.qfrc_passive
        motors = self._motors
        torque = np.maximum(self._torque[motors], self._lowest)
        np.minimum(torque, self._highest, out=data.ctrl)

    def _reckon(
        self, model: mujoco.MjModel, own: mujoco.MjData, data: mujoco.MjData, acceleration: Float
    ) -> None:
        own.qpos[:], own.qvel[:] = data.qpos, data.qvel
        mujoco.mj_kinematics(model, own)
        mujoco.mj_comPos(model, own)
        # Since MuJoCo 3.3.1 the inertia is made by mj_makeM, which mj_crb is a part of.
        getattr(mujoco, "mj_makeM", mujoco.mj_crb)(model, own)
        mujoco.mj_comVel(model, own)
        mujoco.mj_rne(model, own, 0, self._bias)
        mujoco.mj_mulM(model, own, self._torque, acceleration)
        self._torque += self._bias
