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

    model_config = ConfigDict(extra="forbid", frozen=True)

    position_gain: float = Field(75.0, ge=1.0, le=200.0, description="position loop [1/s]")
    velocity_gain: float = Field(300.0, ge=1.0, le=900.0, description="velocity loop [1/s]")
    finger_opening_m: float = Field(0.02, ge=0.0, le=0.04, description="what the gripper holds [m]")


class JointDrives:
    """Computed torque: inertia times the wanted acceleration, plus gravity and Coriolis forces.

    The position loop asks for a velocity within the limit, the velocity loop for an acceleration:
    tau = M(q) k_v (clip(qd* + k_p (q* - q)) - qd) + c(q, qd), clipped to the motor's effort.
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

    def apply(self, data: mujoco.MjData, set_point: SetPoint) -> None:
        """Set the motors' torques for the coming step; `data` has been through mj_step1."""
        settings = self._settings
        self._q[self._arm] = set_point.q
        self._qd[self._arm] = set_point.qd
        self._q[self._fingers] = settings.finger_opening_m
        velocity = self._qd + settings.position_gain * (self._q - data.qpos)
        np.clip(velocity, -self._top, self._top, out=velocity)
        acceleration = settings.velocity_gain * (velocity - data.qvel)
        mujoco.mj_mulM(self._model, data, self._torque, acceleration)
        self._torque += data.qfrc_bias
        self._torque -= data.qfrc_passive
        np.clip(self._torque, self._lowest, self._highest, out=data.ctrl)
