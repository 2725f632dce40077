# SPDX-License-Identifier: Apache-2.0
"""A picture of the arm and its target as they were at the end of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from neuro_control.demo.record import RunRecord
from neuro_control.robots import ArmModel, arm_urdf
from neuro_control.sim.arm_world import ArmWorldSettings, build_arm_world
from neuro_control.sim.overview import overview

Pixels = NDArray[np.uint8]


def scene_of(
    record: RunRecord, simulator: Mapping[str, Any], width: int = 880, height: int = 620
) -> Pixels | None:
    """Draw the scene from outside, uint8[height, width, 3]; None if nothing was heard of it.

    The world is built anew from the simulator's parameters; the arm stands at the last joint
    angles that were heard, and the target where the camera's frame then had it.
    """
    urdf = simulator["robot_description"] or arm_urdf()
    arm = ArmModel.from_urdf(urdf)
    if not record.target or not set(arm.joint_names) <= set(record.joints):
        return None
    settings = {
        name.removeprefix("world."): value
        for name, value in simulator.items()
        if name.startswith("world.")
    }
    world = build_arm_world(urdf, ArmWorldSettings.model_validate(settings), int(simulator["seed"]))
    data = mujoco.MjData(world.model)
    q = np.array([record.joints[name] for name in arm.joint_names])
    data.qpos[world.arm_joints] = q
    data.qpos[world.finger_joints] = float(simulator["drives.finger_opening_m"])
    place = arm.forward_kinematics(q) @ [*record.target[-1][1:], 1.0]
    data.mocap_pos[0] = place[:3]
    mujoco.mj_kinematics(world.model, data)
    mujoco.mj_camlight(world.model, data)
    return overview(world.model, data, width, height, allow_gl=simulator["renderer"] != "rays")
