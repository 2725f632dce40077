# SPDX-License-Identifier: Apache-2.0
"""A picture of arm and ball for people, seen from aside: MuJoCo's renderer, or shaded rays."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from neuro_control.sim.luminance import gl_platform
from neuro_control.sim.ray_caster import RayCaster

Float = NDArray[np.float64]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class View:
    """A camera that looks at a point: lengths in m, angles in degrees, as MuJoCo's free camera."""

    look_at: tuple[float, float, float] = (0.46, 0.08, 0.36)
    distance: float = 1.75
    azimuth: float = 118.0
    elevation: float = -14.0
    fovy: float = 42.0

    def pose(self) -> tuple[Float, Float]:
        """Eye float64[3] and axes float64[3, 3] (columns right, down, ahead) in the world."""
        azimuth, elevation = math.radians(self.azimuth), math.radians(self.elevation)
        ahead = np.array(
            [
                math.cos(azimuth) * math.cos(elevation),
                math.sin(azimuth) * math.cos(elevation),
                math.sin(elevation),
            ]
        )
        right = np.array([math.sin(azimuth), -math.cos(azimuth), 0.0])
        axes = np.stack([right, np.cross(ahead, right), ahead], axis=1)
        return np.asarray(self.look_at) - self.distance * ahead, axes


def overview(
    model: mujoco.MjModel,
    data: mujoco.MjData,
    width: int,
    height: int,
    view: View | None = None,
    allow_gl: bool = True,
) -> Pixels:
    """A picture, uint8[height, width, 3]: by OpenGL where it works and is allowed, else by rays.

    `data` must have its kinematics and lights up to date.
    """
    platform = gl_platform() if allow_gl else None
    if platform is not None:
        return overview_by_gl(model, data, width, height, platform, view)
    return overview_by_rays(model, data, width, height, view)


def lit_model(model: mujoco.MjModel) -> mujoco.MjModel:
    """A copy for people's eyes: lamps on, surfaces shaded; data of either fit the other."""
    lit = copy.copy(model)
    lit.mat_emission[:] = 0.35 * model.mat_emission
    lit.light_active[:] = 1
    lit.vis.headlight.active = 1
    lit.vis.headlight.ambient[:] = 0.25
    lit.vis.headlight.diffuse[:] = 0.30
    lit.vis.headlight.specular[:] = 0.10
    lit.vis.quality.offsamples = 4
    lit.vis.quality.numslices = lit.vis.quality.numstacks = 40
    lit.vis.quality.shadowsize = 4096
    return lit


def overview_by_gl(
    model: mujoco.MjModel,
    data: mujoco.MjData,
    width: int,
    height: int,
    platform: str,
    view: View | None = None,
) -> Pixels:
    """Colours, uint8[height, width, 3], with lamps and shadows; slow, for single pictures."""
    from neuro_control.sim.gl_renderer import GlRenderer

    view = view or View()
    lit = lit_model(model)
    lit.vis.global_.offwidth, lit.vis.global_.offheight = width, height
    lit.vis.global_.fovy = view.fovy
    camera = mujoco.MjvCamera()
    camera.type = mujoco.mjtCamera.mjCAMERA_FREE
    camera.lookat[:] = view.look_at
    camera.distance, camera.azimuth, camera.elevation = view.distance, view.azimuth, view.elevation
    renderer = GlRenderer(lit, width, height, platform, shadows=True)
    try:
        return np.ascontiguousarray(renderer.draw(data, camera)[::-1])
    finally:
        renderer.close()


def overview_by_rays(
    model: mujoco.MjModel, data: mujoco.MjData, width: int, height: int, view: View | None = None
) -> Pixels:
    """The same without OpenGL: each colour by rays, shaded by the surface's slope to a lamp."""
    view = view or View()
    eye, axes = view.pose()
    across, down = 2 * width, 2 * height
    channels = []
    for weights in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)):
        caster = RayCaster(model, across, down, weights)
        channels.append(caster.render_from(data, eye, axes, view.fovy))
    light = _shading(caster.depth, axes, view.fovy)
    colour = np.stack(channels, axis=2) * light[:, :, None]
    fine = colour.reshape(height, 2, width, 2, 3).mean(axis=(1, 3))
    return np.asarray(np.clip(fine * 255.0, 0, 255), dtype=np.uint8)


def _shading(depth: NDArray[np.float32], axes: Float, fovy: float) -> Float:
    """Lambert shading, float64[rows, columns], from the slope of the depth picture."""
    rows, columns = depth.shape
    focal = 0.5 * rows / math.tan(math.radians(fovy) / 2.0)
    u = (np.arange(columns) + 0.5 - columns / 2) / focal
    v = (np.arange(rows) + 0.5 - rows / 2) / focal
    z = depth.astype(np.float64)
    points = np.stack([u[None, :] * z, v[:, None] * z, z], axis=2)

    def least(step: Float, other: Float) -> Float:
        """The one-sided difference that stays on the surface: the shorter one."""
        shorter = np.abs(step[:, :, 2:]) <= np.abs(other[:, :, 2:])
        return np.asarray(np.where(shorter, step, other))

    right = np.diff(points, axis=1, append=points[:, -1:])
    left = np.diff(points, axis=1, prepend=points[:, :1])
    below = np.diff(points, axis=0, append=points[-1:])
    above = np.diff(points, axis=0, prepend=points[:1])
    right[:, -1], left[:, 0] = left[:, -1], right[:, 0]
    below[-1], above[0] = above[-1], below[0]
    normal = np.cross(least(below, above), least(right, left))
    normal /= np.maximum(np.linalg.norm(normal, axis=2, keepdims=True), 1e-12)
    lamp = axes.T @ np.array([-0.40, -0.50, 0.77])
    return np.asarray(0.62 + 0.45 * np.maximum(normal @ lamp, 0.0))
