# SPDX-License-Identifier: Apache-2.0
"""Lambert shading of a picture from the slope of its depth: pictures for people, without OpenGL."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
AMBIENT, DIFFUSE = 0.62, 0.45


@njit(cache=True, nogil=True, error_model="numpy")
def lambert(depth: Float32, focal: float, lamp: NDArray[np.float64], out: Float32) -> None:
    """Write how bright each pixel's surface is, float32[rows, columns], into `out`.

    depth: float32[rows, columns], along the camera's axis, m. focal: of the camera, pixels.
    lamp: float64[3], direction to the lamp in the camera's frame (right, down, ahead), unit length.
    The normal is the cross product of the surface's steps to the next pixels; of the two steps in
    a direction the one that stays on the surface is taken: the shorter in depth.
    """
    rows, columns = depth.shape
    for i in range(rows):
        v = (i + 0.5 - rows / 2) / focal
        for j in range(columns):
            u = (j + 0.5 - columns / 2) / focal
            z = float(depth[i, j])
            across = _step(depth, i, j, 0, 1)
            down = _step(depth, i, j, 1, 0)
            # The point is (u z, v z, z); a step to the pixel beside changes u or v by 1 / focal.
            ax = (u + across[1] / focal) * (z + across[0]) - u * z
            ay, az = v * across[0], across[0]
            bx, bz = u * down[0], down[0]
            by = (v + down[1] / focal) * (z + down[0]) - v * z
            ax, ay, az = ax * across[1], ay * across[1], az * across[1]
            bx, by, bz = bx * down[1], by * down[1], bz * down[1]
            nx, ny, nz = by * az - bz * ay, bz * ax - bx * az, bx * ay - by * ax
            norm = max(math.sqrt(nx * nx + ny * ny + nz * nz), 1e-12)
            slope = (nx * lamp[0] + ny * lamp[1] + nz * lamp[2]) / norm
            out[i, j] = AMBIENT + DIFFUSE * max(slope, 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def _step(depth: Float32, i: int, j: int, di: int, dj: int) -> tuple[float, float]:
    """The smaller change of depth to the pixel after or before, and which it is: 1 or -1."""
    rows, columns = depth.shape
    here = float(depth[i, j])
    if i + di >= rows or j + dj >= columns:
        return depth[i - di, j - dj] - here, -1.0
    after = depth[i + di, j + dj] - here
    if i - di < 0 or j - dj < 0:
        return after, 1.0
    before = depth[i - di, j - dj] - here
    if abs(after) <= abs(before):
        return after, 1.0
    return before, -1.0
