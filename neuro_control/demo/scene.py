# SPDX-License-Identifier: Apache-2.0
"""Pictures of the arm and its target from outside, drawn after a run from what was recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from neuro_control.demo.record import RunRecord
from neuro_control.robots import ArmModel, arm_urdf
from neuro_control.sim.arm_world import ArmWorld, ArmWorldSettings, build_arm_world
from neuro_control.sim.overview import Overview, overview

Pixels = NDArray[np.uint8]


class Scene:
    """The arm's world, built anew from the simulator's parameters, posed as it was.

    world: from `build_arm_world`. order: where the arm's joints are among those recorded.
    """

    def __init__(
        self,
        world: ArmWorld,
        arm: ArmModel,
        order: Sequence[int],
        finger_opening_m: float,
        drawing: Overview | None = None,
    ) -> None:
        self.model = world.model
        self.data = mujoco.MjData(world.model)
        self._world, self._arm, self._order = world, arm, list(order)
        self.data.qpos[world.finger_joints] = finger_opening_m
        self._drawing = drawing

    @classmethod
    def of(
        cls,
        simulator: Mapping[str, Any],
        joint_names: Sequence[str],
        width: int | None = None,
        height: int | None = None,
    ) -> Scene | None:
        """The scene of a run; None if not all of the arm's joints are among `joint_names`.

        width, height: of the pictures that `draw` makes.
        """
        urdf = simulator["robot_description"] or arm_urdf()
        arm = ArmModel.from_urdf(urdf)
        if not set(arm.joint_names) <= set(joint_names):
            return None
        settings = {
            name.removeprefix("world."): value
            for name, value in simulator.items()
            if name.startswith("world.")
        }
        world = build_arm_world(
            urdf, ArmWorldSettings.model_validate(settings), int(simulator["seed"])
        )
        drawing = None
        if width is not None and height is not None:
            allow_gl = simulator["renderer"] != "rays"
            drawing = Overview(world.model, width, height, allow_gl=allow_gl)
        order = [list(joint_names).index(name) for name in arm.joint_names]
        return cls(world, arm, order, float(simulator["drives.finger_opening_m"]), drawing)

    def pose(self, joints: Sequence[float], target: Sequence[float]) -> None:
        """Stand as recorded: joint angles (rad), and the target in the camera's frame (m)."""
        q = np.array([joints[index] for index in self._order])
        self.data.qpos[self._world.arm_joints] = q
        place = self._arm.forward_kinematics(q) @ [*target, 1.0]
        self.data.mocap_pos[0] = place[:3]
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_camlight(self.model, self.data)

    def draw(self, joints: Sequence[float], target: Sequence[float]) -> Pixels:
        """The scene at a moment, uint8[height, width, 3].

        Raises RuntimeError if the scene was made without a size.
        """
        if self._drawing is None:
            raise RuntimeError("the scene was made without width and height")
        self.pose(joints, target)
        return self._drawing.draw(self.data)

    def close(self) -> None:
        """Release what draws."""
        if self._drawing is not None:
            self._drawing.close()


def scene_of(
    record: RunRecord, simulator: Mapping[str, Any], width: int = 880, height: int = 620
) -> Pixels | None:
    """Draw the scene from outside, uint8[height, width, 3]; None if nothing was heard of it.

    The arm stands at the last joint angles that were heard, and the target where the camera's
    frame then had it.
    """
    last = record.target.last
    scene = None if last is None else Scene.of(simulator, tuple(record.joints))
    if last is None or scene is None:
        return None
    scene.pose(tuple(record.joints.values()), last[1])
    allow_gl = simulator["renderer"] != "rays"
    return overview(scene.model, scene.data, width, height, allow_gl=allow_gl)
