# SPDX-License-Identifier: Apache-2.0
"""One picture by ray casting: prepare the shapes, find what each pixel sees, shade, smooth edges."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from neuro_control.sim.ray_kernels import BOX, PLANE, hit, hit_box, hit_plane, shade

Array = Any  # numba infers the types; numpy's generics say nothing to it

_FAR = np.float32(1e9)
_jit = njit(
    cache=True, nogil=True, fastmath={"nsz", "arcp", "contract", "afn"}, error_model="numpy"
)


@_jit
def to_camera(
    eye: Array, axes: Array, focal: float, width: int, height: int, ids: Array,
    positions: Array, rotations: Array, origins: Array, rays: Array,
) -> None:  # fmt: skip
    """Express the camera's rays in the frame of every shape.

    Args:
        eye, axes: float64[3] and [3, 3], the optical frame in the world (columns: right, down,
            ahead).
        focal: focal length [pixels].
        ids: int64[n], the shapes' rows in `positions` [m, 3] and `rotations` [m, 9].
        origins: float32[n, 3], out: the eye in each shape's frame.
        rays: float32[n, 3, 3], out: direction through pixel centre (0, 0), and its change by a
            column and by a row.
    """
    for i in range(ids.size):
        p, r = positions[ids[i]], rotations[ids[i]]
        for k in range(3):
            # Row k of the shape's rotation transposed: the shape's axis k in the world.
            x, y, z = r[k], r[3 + k], r[6 + k]
            origins[i, k] = x * (eye[0] - p[0]) + y * (eye[1] - p[1]) + z * (eye[2] - p[2])
            right = (x * axes[0, 0] + y * axes[1, 0] + z * axes[2, 0]) / focal
            down = (x * axes[0, 1] + y * axes[1, 1] + z * axes[2, 1]) / focal
            ahead = x * axes[0, 2] + y * axes[1, 2] + z * axes[2, 2]
            rays[i, 0, k] = ahead - right * 0.5 * (width - 1) - down * 0.5 * (height - 1)
            rays[i, 1, k] = right
            rays[i, 2, k] = down


@_jit
def bounds(
    kind: int, size: Array, radius: float, eye: Array, axes: Array, focal: float, width: int,
    height: int, p: Array, r: Array, out: Array,
) -> None:  # fmt: skip
    """Pixels that a shape can cover: first and past-last column, first and past-last row."""
    near = 1e-3
    c0, c1, r0, r1 = 0, width, 0, height
    corners = np.empty((8, 3))
    count = 4 if kind == PLANE else 8
    for n in range(count):
        if kind == PLANE or kind == BOX:
            a = size[0] if n & 1 else -size[0]
            b = size[1] if n & 2 else -size[1]
            c = 0.0 if kind == PLANE else (size[2] if n & 4 else -size[2])
        else:
            a = radius if n & 1 else -radius
            b = radius if n & 2 else -radius
            c = radius if n & 4 else -radius
        # A round shape's cube is taken along the camera's axes: tighter there.
        for k in range(3):
            if kind == PLANE or kind == BOX:
                corners[n, k] = p[k] + r[3 * k] * a + r[3 * k + 1] * b + r[3 * k + 2] * c - eye[k]
            else:
                corners[n, k] = p[k] - eye[k] + axes[k, 0] * a + axes[k, 1] * b + axes[k, 2] * c
    half_x, half_y = 0.5 * width / focal, 0.5 * height / focal
    behind = left = right = above = below = 0
    low_u, high_u, low_v, high_v = 1e9, -1e9, 1e9, -1e9
    for n in range(count):
        x = corners[n, 0] * axes[0, 0] + corners[n, 1] * axes[1, 0] + corners[n, 2] * axes[2, 0]
        y = corners[n, 0] * axes[0, 1] + corners[n, 1] * axes[1, 1] + corners[n, 2] * axes[2, 1]
        z = corners[n, 0] * axes[0, 2] + corners[n, 1] * axes[1, 2] + corners[n, 2] * axes[2, 2]
        behind += z < near
        left += x < -half_x * z
        right += x > half_x * z
        above += y < -half_y * z
        below += y > half_y * z
        if z >= near:
            low_u, high_u = min(low_u, x / z), max(high_u, x / z)
            low_v, high_v = min(low_v, y / z), max(high_v, y / z)
    if max(behind, left, right, above, below) == count:
        c1, r1 = 0, 0
    elif behind == 0:
        c0 = max(0, int(math.floor(low_u * focal + 0.5 * width)))
        c1 = min(width, int(math.ceil(high_u * focal + 0.5 * width)))
        r0 = max(0, int(math.floor(low_v * focal + 0.5 * height)))
        r1 = min(height, int(math.ceil(high_v * focal + 0.5 * height)))
    out[0], out[1], out[2], out[3] = c0, c1, r0, r1


@_jit
def find_nearest(
    kinds: Array, sizes: Array, origins: Array, rays: Array, boxes: Array, depth: Array,
    seen: Array,
) -> None:  # fmt: skip
    """Depth [m] and nearest shape (-1: none) of every pixel."""
    depth[:] = _FAR
    seen[:] = -1
    for i in range(kinds.size):
        c0, c1, r0, r1 = boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3]
        o, size, kind = origins[i], sizes[i], kinds[i]
        ox, oy, oz = o[0], o[1], o[2]
        sx, sy, sz = size[0], size[1], size[2]
        ax, ay, az = rays[i, 0, 0], rays[i, 0, 1], rays[i, 0, 2]
        bx, by, bz = rays[i, 1, 0], rays[i, 1, 1], rays[i, 1, 2]
        for row in range(r0, r1):
            down = np.float32(row)
            ex = ax + down * rays[i, 2, 0]
            ey = ay + down * rays[i, 2, 1]
            ez = az + down * rays[i, 2, 2]
            if kind == PLANE:
                for column in range(c0, c1):
                    u = np.float32(column)
                    t = hit_plane(sx, sy, ox, oy, oz, ex + u * bx, ey + u * by, ez + u * bz)
                    closer = t < depth[row, column]
                    depth[row, column] = t if closer else depth[row, column]
                    seen[row, column] = i if closer else seen[row, column]
            elif kind == BOX:
                for column in range(c0, c1):
                    u = np.float32(column)
                    t = hit_box(sx, sy, sz, ox, oy, oz, ex + u * bx, ey + u * by, ez + u * bz)
                    closer = t < depth[row, column]
                    depth[row, column] = t if closer else depth[row, column]
                    seen[row, column] = i if closer else seen[row, column]
            else:
                for column in range(c0, c1):
                    u = np.float32(column)
                    t = hit(kind, size, o, ex + u * bx, ey + u * by, ez + u * bz)
                    if t < depth[row, column]:
                        depth[row, column] = t
                        seen[row, column] = i


@_jit
def paint(
    origins: Array, rays: Array, surfaces: Array, scales: Array, flats: Array, texels: Array,
    depth: Array, seen: Array, image: Array,
) -> None:  # fmt: skip
    """Luminance of what each pixel sees; black where it sees nothing."""
    height, width = image.shape
    for row in range(height):
        for column in range(width):
            i = seen[row, column]
            if i < 0:
                image[row, column] = 0.0
                continue
            t, u, v = depth[row, column], np.float32(column), np.float32(row)
            x = origins[i, 0] + t * (rays[i, 0, 0] + u * rays[i, 1, 0] + v * rays[i, 2, 0])
            y = origins[i, 1] + t * (rays[i, 0, 1] + u * rays[i, 1, 1] + v * rays[i, 2, 1])
            z = origins[i, 2] + t * (rays[i, 0, 2] + u * rays[i, 1, 2] + v * rays[i, 2, 2])
            image[row, column] = shade(surfaces[i], scales[i], flats[i], texels, x, y, z)


@_jit
def smooth_edges(
    kinds: Array, sizes: Array, origins: Array, rays: Array, surfaces: Array, scales: Array,
    flats: Array, texels: Array, seen: Array, image: Array,
) -> None:  # fmt: skip
    """Repaint pixels at the border of two shapes as the mean of four rays."""
    height, width = image.shape
    candidates = np.empty(5, dtype=np.int64)
    for row in range(height):
        for column in range(width):
            i = seen[row, column]
            left = seen[row, max(column - 1, 0)]
            right = seen[row, min(column + 1, width - 1)]
            up = seen[max(row - 1, 0), column]
            down = seen[min(row + 1, height - 1), column]
            if i == left and i == right and i == up and i == down:
                continue
            candidates[0] = i
            count = 1
            for other in (left, right, up, down):
                known = False
                for n in range(count):
                    known = known or candidates[n] == other
                if not known:
                    candidates[count] = other
                    count += 1
            total = np.float32(0.0)
            for quarter in range(4):
                u = np.float32(column) + np.float32(-0.25 if quarter & 1 else 0.25)
                v = np.float32(row) + np.float32(-0.25 if quarter & 2 else 0.25)
                best, light = _FAR, np.float32(0.0)
                for n in range(count):
                    k = candidates[n]
                    if k < 0:
                        continue
                    dx = rays[k, 0, 0] + u * rays[k, 1, 0] + v * rays[k, 2, 0]
                    dy = rays[k, 0, 1] + u * rays[k, 1, 1] + v * rays[k, 2, 1]
                    dz = rays[k, 0, 2] + u * rays[k, 1, 2] + v * rays[k, 2, 2]
                    t = hit(kinds[k], sizes[k], origins[k], dx, dy, dz)
                    if t < best:
                        best = t
                        light = shade(
                            surfaces[k], scales[k], flats[k], texels, origins[k, 0] + t * dx,
                            origins[k, 1] + t * dy, origins[k, 2] + t * dz,
                        )  # fmt: skip
                total += light
            image[row, column] = total * np.float32(0.25)


@_jit
def render(
    eye: Array, axes: Array, focal: float, ids: Array, positions: Array, rotations: Array,
    kinds: Array, sizes: Array, radii: Array, surfaces: Array, scales: Array, flats: Array,
    texels: Array, origins: Array, rays: Array, boxes: Array, depth: Array, seen: Array,
    image: Array,
) -> None:  # fmt: skip
    """One picture, float32[height, width]; the arguments are those of the functions above."""
    height, width = image.shape
    to_camera(eye, axes, focal, width, height, ids, positions, rotations, origins, rays)
    for i in range(ids.size):
        bounds(
            kinds[i], sizes[i], radii[i], eye, axes, focal, width, height, positions[ids[i]],
            rotations[ids[i]], boxes[i],
        )  # fmt: skip
    find_nearest(kinds, sizes, origins, rays, boxes, depth, seen)
    paint(origins, rays, surfaces, scales, flats, texels, depth, seen, image)
    smooth_edges(kinds, sizes, origins, rays, surfaces, scales, flats, texels, seen, image)
