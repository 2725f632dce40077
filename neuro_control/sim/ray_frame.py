# SPDX-License-Identifier: Apache-2.0
"""One picture by ray casting: find what each pixel sees, paint it, smooth the edges."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from neuro_control.sim.ray_kernels import (
    BOX,
    CAPSULE,
    CYLINDER,
    IMAGE,
    PLANE,
    SPHERE,
    hit,
    hit_box,
    hit_plane,
    sample_image,
    shade,
)

Array = Any  # numba infers the types; numpy's generics say nothing to it

_FAR = np.float32(1e9)
_HALF = np.float32(0.5)
_jit = njit(
    cache=True, nogil=True, fastmath={"nsz", "arcp", "contract", "afn"}, error_model="numpy"
)


@_jit
def to_camera(
    eye: Array, axes: Array, focal: float, width: int, height: int, ids: Array,
    positions: Array, rotations: Array, origins: Array, rays: Array,
) -> None:  # fmt: skip
    """Express the camera's rays in the frame of every shape.

    `eye` float64[3] and `axes` float64[3, 3] are the optical frame in the world (columns right,
    down, ahead), `focal` is its focal length [pixels]; `ids` int64[n] are the shapes' rows in
    `positions` [m, 3] and `rotations` [m, 9]. Written are `origins` float32[n, 3], the eye in each
    shape's frame, and `rays` float32[n, 3, 3], the direction through the centre of pixel (0, 0)
    and its change by a column and by a row.
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
def half_sizes(kind: int, size: Array) -> tuple[float, float, float]:
    """Half sizes of the box that holds a shape, in the shape's own frame."""
    x, y, z = np.float64(size[0]), np.float64(size[1]), np.float64(size[2])
    if kind == SPHERE:
        return x, x, x
    if kind == CYLINDER:
        return x, x, y
    if kind == CAPSULE:
        return x, x, x + y
    return x, y, z


@_jit
def bounds(
    kind: int, size: Array, eye: Array, axes: Array, focal: float, width: int,
    height: int, p: Array, r: Array, out: Array,
) -> None:  # fmt: skip
    """Pixels that a shape can cover: first and past-last column, first and past-last row."""
    near = 1e-3
    c0, c1, r0, r1 = 0, width, 0, height
    corners = np.empty((8, 3))
    count = 4 if kind == PLANE else 8
    hx, hy, hz = half_sizes(kind, size)
    for n in range(count):
        a = hx if n & 1 else -hx
        b = hy if n & 2 else -hy
        c = 0.0 if kind == PLANE else (hz if n & 4 else -hz)
        for k in range(3):
            corners[n, k] = p[k] + r[3 * k] * a + r[3 * k + 1] * b + r[3 * k + 2] * c - eye[k]
    half_x, half_y = 0.5 * width / focal, 0.5 * height / focal
    behind = left = right = above = below = 0
    for n in range(count):
        x, y, z = corners[n, 0], corners[n, 1], corners[n, 2]
        for k in range(3):
            corners[n, k] = x * axes[0, k] + y * axes[1, k] + z * axes[2, k]
        x, y, z = corners[n, 0], corners[n, 1], corners[n, 2]
        behind += z < near
        left += x < -half_x * z
        right += x > half_x * z
        above += y < -half_y * z
        below += y > half_y * z
    low_u, high_u, low_v, high_v = 1e9, -1e9, 1e9, -1e9
    for n in range(count):
        for bit in (1, 2, 4):
            m = n ^ bit
            if m >= count or corners[n, 2] < near:
                continue
            # The edge to the neighbour, as far as it is before the camera.
            share = 0.0
            if corners[m, 2] < near:
                share = (corners[n, 2] - near) / (corners[n, 2] - corners[m, 2])
            z = corners[n, 2] + share * (corners[m, 2] - corners[n, 2])
            u = (corners[n, 0] + share * (corners[m, 0] - corners[n, 0])) / z
            v = (corners[n, 1] + share * (corners[m, 1] - corners[n, 1])) / z
            low_u, high_u = min(low_u, u), max(high_u, u)
            low_v, high_v = min(low_v, v), max(high_v, v)
            low_u = min(low_u, corners[n, 0] / corners[n, 2])
            high_u = max(high_u, corners[n, 0] / corners[n, 2])
            low_v = min(low_v, corners[n, 1] / corners[n, 2])
            high_v = max(high_v, corners[n, 1] / corners[n, 2])
    if max(behind, left, right, above, below) == count:
        c1, r1 = 0, 0
    else:
        c0 = min(max(0, math.floor(low_u * focal + 0.5 * width)), width)
        c1 = max(min(width, math.ceil(high_u * focal + 0.5 * width)), c0)
        r0 = min(max(0, math.floor(low_v * focal + 0.5 * height)), height)
        r1 = max(min(height, math.ceil(high_v * focal + 0.5 * height)), r0)
    out[0], out[1], out[2], out[3] = c0, c1, r0, r1


@_jit
def find_nearest(
    kinds: Array, sizes: Array, origins: Array, rays: Array, boxes: Array, depth: Array,
    seen: Array,
) -> None:  # fmt: skip
    """Depth [m] and nearest shape (-1: none) of every pixel."""
    depth[:] = _FAR
    seen[:] = -1
    # Column numbers as float32: the loops below are then vectorised, which a conversion from
    # int64 would prevent; so would an index that might be negative, hence the slices.
    columns = np.arange(depth.shape[1]).astype(np.float32)
    for i in range(kinds.size):
        c0, c1, r0, r1 = boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3]
        o, size, kind, name = origins[i], sizes[i], kinds[i], np.int32(i)
        ox, oy, oz = o[0], o[1], o[2]
        sx, sy, sz = size[0], size[1], size[2]
        bx, by, bz = rays[i, 1, 0], rays[i, 1, 1], rays[i, 1, 2]
        us = columns[c0:c1]
        for row in range(r0, r1):
            v = np.float32(row)
            ex = rays[i, 0, 0] + v * rays[i, 2, 0]
            ey = rays[i, 0, 1] + v * rays[i, 2, 1]
            ez = rays[i, 0, 2] + v * rays[i, 2, 2]
            near, who = depth[row, c0:c1], seen[row, c0:c1]
            if kind == PLANE:
                for n in range(us.size):
                    u = us[n]
                    t = hit_plane(sx, sy, ox, oy, oz, ex + u * bx, ey + u * by, ez + u * bz)
                    closer = t < near[n]
                    near[n] = t if closer else near[n]
                    who[n] = name if closer else who[n]
            elif kind == BOX:
                for n in range(us.size):
                    u = us[n]
                    t = hit_box(sx, sy, sz, ox, oy, oz, ex + u * bx, ey + u * by, ez + u * bz)
                    closer = t < near[n]
                    near[n] = t if closer else near[n]
                    who[n] = name if closer else who[n]
            else:
                for n in range(us.size):
                    u = us[n]
                    t = hit(kind, size, o, ex + u * bx, ey + u * by, ez + u * bz)
                    if t < near[n]:
                        near[n], who[n] = t, name


@_jit
def paint(
    origins: Array, rays: Array, surfaces: Array, scales: Array, flats: Array, texels: Array,
    depth: Array, seen: Array, image: Array,
) -> None:  # fmt: skip
    """Luminance of what each pixel sees; black where it sees nothing."""
    height, width = image.shape
    columns = np.arange(width).astype(np.float32)
    for row in range(height):
        v = np.float32(row)
        start = 0
        while start < width:
            # A run of pixels that see the same shape, whose constants are read once.
            i, end = seen[row, start], start + 1
            while end < width and seen[row, end] == i:
                end += 1
            light, near = image[row, start:end], depth[row, start:end]
            if i < 0:
                light[:] = np.float32(0.0)
            else:
                o, ray, surface, scale, flat = origins[i], rays[i], surfaces[i], scales[i], flats[i]
                bx, by, bz = ray[1, 0], ray[1, 1], ray[1, 2]
                u0 = np.float32(start)
                ex = ray[0, 0] + v * ray[2, 0] + u0 * bx
                ey = ray[0, 1] + v * ray[2, 1] + u0 * by
                ez = ray[0, 2] + v * ray[2, 2] + u0 * bz
                ox, oy, oz = o[0], o[1], o[2]
                us = columns[: light.size]
                if surface[0] == IMAGE:
                    first, wide, high = surface[1], surface[2], surface[3]
                    kx, ky = _HALF * scale[0], _HALF * scale[1]
                    for n in range(light.size):
                        t, u = near[n], us[n]
                        s = _HALF + kx * (ox + t * (ex + u * bx))
                        r = _HALF - ky * (oy + t * (ey + u * by))
                        light[n] = sample_image(texels, first, wide, high, s, r)
                else:
                    for n in range(light.size):
                        t, u = near[n], us[n]
                        x, y = ox + t * (ex + u * bx), oy + t * (ey + u * by)
                        z = oz + t * (ez + u * bz)
                        light[n] = shade(surface, scale, flat, texels, x, y, z)
            start = end


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
    kinds: Array, sizes: Array, surfaces: Array, scales: Array, flats: Array,
    texels: Array, origins: Array, rays: Array, boxes: Array, depth: Array, seen: Array,
    image: Array,
) -> None:  # fmt: skip
    """One picture, float32[height, width]; the arguments are those of the functions above."""
    height, width = image.shape
    to_camera(eye, axes, focal, width, height, ids, positions, rotations, origins, rays)
    for i in range(ids.size):
        bounds(
            kinds[i], sizes[i], eye, axes, focal, width, height, positions[ids[i]],
            rotations[ids[i]], boxes[i],
        )  # fmt: skip
    find_nearest(kinds, sizes, origins, rays, boxes, depth, seen)
    paint(origins, rays, surfaces, scales, flats, texels, depth, seen, image)
    smooth_edges(kinds, sizes, origins, rays, surfaces, scales, flats, texels, seen, image)
