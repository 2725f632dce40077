# SPDX-License-Identifier: Apache-2.0
"""A picture of arm and ball for people, seen from aside: MuJoCo's renderer, or shaded rays."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from neuro_control.sim.luminance import find_opengl, gl_platform
from neuro_control.sim.ray_caster import RayCaster
from neuro_control.sim.shading import lambert

Float = NDArray[np.float64]
Pixels = NDArray[np.uint8]

_LAMP = np.array([-0.40, -0.50, 0.77])


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


class Overview:
    """Draws the same scene again and again, for a film; use it in the thread that made it.

    Rays where there is no OpenGL or only one in software, which is slower than they are.

    Args:
        model: the scene, as `overview`.
        width, height: of the pictures [pixels].
        view: where the camera stands.
        allow_gl: whether OpenGL may be used.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        width: int,
        height: int,
        view: View | None = None,
        allow_gl: bool = True,
    ) -> None:
        self._view = view or View()
        opengl = find_opengl() if allow_gl else None
        self._draw: Callable[[mujoco.MjData], Pixels]
        if opengl is not None and not opengl.is_software:
            lens = _GlOverview(model, width, height, opengl.platform, self._view)
            self._draw, self.close = lens.draw, lens.close
        else:
            rays = _RayOverview(model, width, height, self._view)
            self._draw, self.close = rays.draw, rays.close

    def draw(self, data: mujoco.MjData) -> Pixels:
        """A picture, uint8[height, width, 3]; kinematics and lights of `data` are up to date."""
        return self._draw(data)


def overview_by_gl(
    model: mujoco.MjModel,
    data: mujoco.MjData,
    width: int,
    height: int,
    platform: str,
    view: View | None = None,
) -> Pixels:
    """Colours, uint8[height, width, 3], with lamps and shadows; slow, for single pictures."""
    drawing = _GlOverview(model, width, height, platform, view or View())
    try:
        return drawing.draw(data)
    finally:
        drawing.close()


def overview_by_rays(
    model: mujoco.MjModel, data: mujoco.MjData, width: int, height: int, view: View | None = None
) -> Pixels:
    """The same without OpenGL: each colour by rays, shaded by the surface's slope to a lamp."""
    return _RayOverview(model, width, height, view or View()).draw(data)


class _GlOverview:
    """Pictures by MuJoCo's renderer."""

    def __init__(
        self, model: mujoco.MjModel, width: int, height: int, platform: str, view: View
    ) -> None:
        from neuro_control.sim.gl_renderer import GlRenderer

        lit = lit_model(model)
        lit.vis.global_.offwidth, lit.vis.global_.offheight = width, height
        lit.vis.global_.fovy = view.fovy
        camera = mujoco.MjvCamera()
        camera.type = mujoco.mjtCamera.mjCAMERA_FREE
        camera.lookat[:] = view.look_at
        camera.distance = view.distance
        camera.azimuth, camera.elevation = view.azimuth, view.elevation
        self._camera = camera
        self._renderer = GlRenderer(lit, width, height, platform, shadows=True)

    def draw(self, data: mujoco.MjData) -> Pixels:
        return np.ascontiguousarray(self._renderer.draw(data, self._camera)[::-1])

    def close(self) -> None:
        self._renderer.close()


class _RayOverview:
    """Pictures by rays, two by two to a pixel."""

    def __init__(self, model: mujoco.MjModel, width: int, height: int, view: View) -> None:
        self._size, self._view = (width, height), view
        self._casters = [
            RayCaster(model, 2 * width, 2 * height, weights)
            for weights in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
        ]
        self._light = np.empty((2 * height, 2 * width), np.float32)

    def draw(self, data: mujoco.MjData) -> Pixels:
        width, height = self._size
        eye, axes = self._view.pose()
        fovy = self._view.fovy
        channels = [caster.render_from(data, eye, axes, fovy) for caster in self._casters]
        focal = height / math.tan(math.radians(fovy) / 2.0)
        lambert(self._casters[-1].depth, focal, axes.T @ _LAMP, self._light)
        pixels: Pixels = np.empty((height, width, 3), np.uint8)
        for index, channel in enumerate(channels):
            fine = (channel * self._light).reshape(height, 2, width, 2)
            pixels[:, :, index] = np.clip(fine.mean(axis=(1, 3)) * 255.0, 0, 255)
        return pixels

    def close(self) -> None:
        """Nothing to release."""
