# SPDX-License-Identifier: Apache-2.0
"""MuJoCo's own OpenGL renderer, off screen and stripped of what an event camera does not need."""

from __future__ import annotations

import importlib
import os
import weakref
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from neuro_control.sim.textures import LUMINANCE_WEIGHTS

Pixels = NDArray[np.uint8]

_COSTLY = (
    mujoco.mjtRndFlag.mjRND_SHADOW,
    mujoco.mjtRndFlag.mjRND_REFLECTION,
    mujoco.mjtRndFlag.mjRND_SKYBOX,
    mujoco.mjtRndFlag.mjRND_HAZE,
    mujoco.mjtRndFlag.mjRND_FOG,
)


class GlRenderer:
    """Renders a model off screen. Use it in the thread that made it.

    The OpenGL context is made directly, not by `mujoco.Renderer`, so that MUJOCO_GL need not be
    set before the first import of mujoco.

    Args:
        model: the scene; its off-screen buffer must be at least width x height.
        width, height: of the picture [pixels].
        platform: "egl" or "osmesa".
        shadows: draw shadows and reflections, for pictures that people look at.
    """

    name = "gl"

    def __init__(
        self,
        model: mujoco.MjModel,
        width: int,
        height: int,
        platform: str = "egl",
        shadows: bool = False,
    ) -> None:
        self.width, self.height = width, height
        self._model = model
        # Mesa's software pipe on so few pixels only loses time by spreading them over threads.
        os.environ.setdefault("LP_NUM_THREADS", "0")
        self._context = importlib.import_module(f"mujoco.{platform}").GLContext(width, height)
        self._context.make_current()
        self._render_context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        # At the latest when the interpreter ends, while what frees the context still stands.
        self._free = weakref.finalize(self, _free, self._context, self._render_context)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._render_context)
        self._scene = mujoco.MjvScene(model, maxgeom=model.ngeom + 16)
        if not shadows:
            for flag in _COSTLY:
                self._scene.flags[flag] = False
        self._option = mujoco.MjvOption()
        self._perturb = mujoco.MjvPerturb()
        self._camera = mujoco.MjvCamera()
        self._viewport = mujoco.MjrRect(0, 0, width, height)
        self._pixels: Pixels = np.empty((height, width, 3), np.uint8)
        weights = np.asarray(LUMINANCE_WEIGHTS, dtype=np.float32) / np.float32(255.0)
        self._weights = weights.astype(np.float32)

    def render(self, data: mujoco.MjData, camera_id: int) -> NDArray[np.float32]:
        """Luminance seen by a camera of the model, float32[height, width], 0 to 1."""
        self.draw(data, camera_id)
        luminance: NDArray[np.float32] = self._pixels @ self._weights
        return np.ascontiguousarray(luminance[::-1])

    def draw(self, data: mujoco.MjData, camera: int | mujoco.MjvCamera) -> Pixels:
        """Colours, uint8[height, width, 3], bottom row first; valid until the next call."""
        if isinstance(camera, int):
            view = self._camera
            fixed = camera >= 0
            view.type = mujoco.mjtCamera.mjCAMERA_FIXED if fixed else mujoco.mjtCamera.mjCAMERA_FREE
            view.fixedcamid = camera
        else:
            view = camera
        self._context.make_current()
        mujoco.mjv_updateScene(
            self._model, data, self._option, self._perturb, view,
            mujoco.mjtCatBit.mjCAT_ALL, self._scene,
        )  # fmt: skip
        mujoco.mjr_render(self._viewport, self._scene, self._render_context)
        mujoco.mjr_readPixels(self._pixels, None, self._viewport, self._render_context)
        return self._pixels

    def close(self) -> None:
        """Free the OpenGL context."""
        self._free()


def _free(context: Any, render_context: mujoco.MjrContext) -> None:
    context.make_current()
    render_context.free()
    context.free()
