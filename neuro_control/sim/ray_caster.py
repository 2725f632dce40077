# SPDX-License-Identifier: Apache-2.0
"""Pictures of a MuJoCo scene without OpenGL: rays over its primitives and its own textures."""

from __future__ import annotations

import math

import mujoco
import numpy as np
from numpy.typing import NDArray

from neuro_control.sim import ray_frame, ray_kernels
from neuro_control.sim.textures import LUMINANCE_WEIGHTS

Image = NDArray[np.float32]
Float = NDArray[np.float64]

_SHAPES = (
    ray_kernels.PLANE,
    ray_kernels.SPHERE,
    ray_kernels.CAPSULE,
    ray_kernels.CYLINDER,
    ray_kernels.BOX,
)


class RayCaster:
    """Renders what a pinhole camera sees of self-luminous primitives.

    Args:
        model: the scene. Geoms must be planes, spheres, capsules, cylinders or boxes.
        width, height: of the picture [pixels]; pixels are square.
        weights: share of red, green and blue in the result; luminance by default.

    Raises:
        ValueError: a geom is of another shape.
    """

    name = "rays"

    def __init__(
        self,
        model: mujoco.MjModel,
        width: int,
        height: int,
        weights: tuple[float, float, float] = LUMINANCE_WEIGHTS,
    ) -> None:
        self.width, self.height = width, height
        self._model = model
        self._ids = np.arange(model.ngeom)
        for geom in self._ids:
            if model.geom_type[geom] not in _SHAPES:
                raise ValueError(
                    f"geom {model.geom(geom).name!r}: shape {model.geom_type[geom]} cannot be ray"
                    f" cast; use one of MuJoCo's shapes {_SHAPES}"
                )
        self._kinds = np.array(model.geom_type, dtype=np.int64)
        self._sizes = np.array(model.geom_size, dtype=np.float32)
        self._read_surfaces(np.asarray(weights, dtype=np.float64))
        count = model.ngeom
        self._origins = np.zeros((count, 3), np.float32)
        self._rays = np.zeros((count, 3, 3), np.float32)
        self._boxes = np.zeros((count, 4), np.int64)
        self.depth: Image = np.zeros((height, width), np.float32)
        self.seen: NDArray[np.int32] = np.zeros((height, width), np.int32)

    def render(self, data: mujoco.MjData, camera_id: int) -> Image:
        """Luminance seen by a camera of the model, float32[height, width], 0 to 1."""
        axes = np.array(data.cam_xmat[camera_id]).reshape(3, 3) * np.array([1.0, -1.0, -1.0])
        fovy = float(self._model.cam_fovy[camera_id])
        return self.render_from(data, np.array(data.cam_xpos[camera_id]), axes, fovy)

    def render_from(self, data: mujoco.MjData, eye: Float, axes: Float, fovy_deg: float) -> Image:
        """Luminance seen from `eye` float64[3]; `axes` float64[3, 3] are right, down, ahead.

        Leaves the depth along the axis [m] in `depth` and the shape that each pixel sees in
        `seen`.
        """
        focal = 0.5 * self.height / math.tan(math.radians(fovy_deg) / 2.0)
        image: Image = np.empty((self.height, self.width), np.float32)
        ray_frame.render(
            eye, np.ascontiguousarray(axes), focal, self._ids, data.geom_xpos, data.geom_xmat,
            self._kinds, self._sizes, self._surfaces, self._scales, self._flats,
            self._texels, self._origins, self._rays, self._boxes, self.depth, self.seen, image,
        )  # fmt: skip
        return image

    def close(self) -> None:
        """Nothing to release."""

    def _read_surfaces(self, weights: Float) -> None:
        """Luminance of every geom: a constant, or texels by MuJoCo's mapping."""
        model = self._model
        count = model.ngeom
        self._flats = np.zeros(count, np.float32)
        self._scales = np.zeros((count, 2), np.float32)
        self._surfaces = np.zeros((count, 4), np.int64)
        pictures: list[NDArray[np.float32]] = []
        first, starts = 0, dict[int, int]()
        for geom in range(count):
            material = int(model.geom_matid[geom])
            colour = model.geom_rgba[geom] if material < 0 else model.mat_rgba[material]
            shine = 1.0 if material < 0 else float(model.mat_emission[material])
            channels = weights * np.asarray(colour[:3], dtype=np.float64) * shine
            self._flats[geom] = channels.sum()
            texture = -1
            if material >= 0:
                role = int(mujoco.mjtTextureRole.mjTEXROLE_RGB)
                texture = int(model.mat_texid[material].reshape(-1)[role])
            if texture < 0:
                continue
            width, height = int(model.tex_width[texture]), int(model.tex_height[texture])
            cube = int(model.tex_type[texture]) == int(mujoco.mjtTexture.mjTEXTURE_CUBE)
            if material not in starts:
                start, size = int(model.tex_adr[texture]), width * height * 3
                pixels = np.array(model.tex_data[start : start + size], dtype=np.float64)
                pictures.append((pixels.reshape(-1, 3) @ channels / 255.0).astype(np.float32))
                starts[material] = first
                first += pictures[-1].size
            kind = ray_kernels.CUBE if cube else ray_kernels.IMAGE
            self._surfaces[geom] = (kind, starts[material], width, height)
            repeat = np.array(model.mat_texrepeat[material])
            if not model.mat_texuniform[material]:
                repeat = repeat / np.maximum(model.geom_size[geom][:2], 1e-9)
            self._scales[geom] = repeat
        self._texels = np.concatenate(pictures) if pictures else np.zeros(1, np.float32)
