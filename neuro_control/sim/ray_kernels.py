# SPDX-License-Identifier: Apache-2.0
"""Ray casting over MuJoCo's primitives: where a ray meets a shape, and what it sees there.

Rays are handled in each shape's own frame, origin + t * direction, with the direction's part
along the camera's axis equal to one: t is then the depth [m] and comparable between shapes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

PLANE, SPHERE, CAPSULE, CYLINDER, BOX = 0, 2, 3, 5, 6
"""Shapes, numbered as MuJoCo does."""

FLAT, IMAGE, CUBE = 0, 1, 2
"""Surfaces: one luminance, a two-dimensional texture, a cube texture."""

Array = Any  # numba infers the types; numpy's generics say nothing to it

_ZERO = np.float32(0.0)
_HALF = np.float32(0.5)
_ONE = np.float32(1.0)
_NEAR = np.float32(1e-4)
_FAR = np.float32(1e9)

_jit = njit(
    cache=True, nogil=True, fastmath={"nsz", "arcp", "contract", "afn"}, error_model="numpy"
)


@_jit
def hit_plane(
    sx: float, sy: float, ox: float, oy: float, oz: float, dx: float, dy: float, dz: float
) -> float:
    """Depth at which a ray meets the front of a rectangle |x| < sx, |y| < sy, z = 0."""
    t = -oz / dz
    x, y = ox + t * dx, oy + t * dy
    inside = (dz < _ZERO) & (t > _NEAR) & (abs(x) <= sx) & (abs(y) <= sy)
    return t if inside else _FAR


@_jit
def hit_box(
    sx: float,
    sy: float,
    sz: float,
    ox: float,
    oy: float,
    oz: float,
    dx: float,
    dy: float,
    dz: float,
) -> float:
    """Depth at which a ray enters a box of half sizes s (slab method)."""
    ix, iy, iz = _ONE / dx, _ONE / dy, _ONE / dz
    ax, bx = (-sx - ox) * ix, (sx - ox) * ix
    ay, by = (-sy - oy) * iy, (sy - oy) * iy
    az, bz = (-sz - oz) * iz, (sz - oz) * iz
    enter = max(min(ax, bx), min(ay, by), min(az, bz))
    leave = min(max(ax, bx), max(ay, by), max(az, bz))
    return enter if (enter <= leave) & (enter > _NEAR) else _FAR


@_jit
def hit_sphere(
    radius: float, ox: float, oy: float, oz: float, dx: float, dy: float, dz: float
) -> float:
    """Depth at which a ray enters a sphere about the origin."""
    a = dx * dx + dy * dy + dz * dz
    b = ox * dx + oy * dy + oz * dz
    c = ox * ox + oy * oy + oz * oz - radius * radius
    disc = b * b - a * c
    if disc < _ZERO:
        return _FAR
    t = (-b - np.float32(math.sqrt(disc))) / a
    return t if t > _NEAR else _FAR


@_jit
def hit_cylinder(
    radius: float,
    half: float,
    capped: bool,
    ox: float,
    oy: float,
    oz: float,
    dx: float,
    dy: float,
    dz: float,
) -> float:
    """Depth at which a ray enters a cylinder about z; `capped` adds its flat ends."""
    best = _FAR
    a = dx * dx + dy * dy
    if a > np.float32(1e-12):
        b = ox * dx + oy * dy
        disc = b * b - a * (ox * ox + oy * oy - radius * radius)
        if disc < _ZERO:
            return _FAR
        t = (-b - np.float32(math.sqrt(disc))) / a
        if t > _NEAR and abs(oz + t * dz) <= half:
            best = t
    if capped and abs(dz) > np.float32(1e-9):
        end = half if dz < _ZERO else -half
        t = (end - oz) / dz
        x, y = ox + t * dx, oy + t * dy
        if t > _NEAR and t < best and x * x + y * y <= radius * radius:
            best = t
    return best


@_jit
def hit(kind: int, size: Array, o: Array, dx: float, dy: float, dz: float) -> float:
    """Depth at which a ray meets a shape of the given kind and half sizes; huge if it does not."""
    ox, oy, oz = o[0], o[1], o[2]
    if kind == PLANE:
        return hit_plane(size[0], size[1], ox, oy, oz, dx, dy, dz)
    if kind == BOX:
        return hit_box(size[0], size[1], size[2], ox, oy, oz, dx, dy, dz)
    if kind == SPHERE:
        return hit_sphere(size[0], ox, oy, oz, dx, dy, dz)
    t = hit_cylinder(size[0], size[1], kind == CYLINDER, ox, oy, oz, dx, dy, dz)
    if kind == CAPSULE:
        t = min(t, hit_sphere(size[0], ox, oy, oz - size[1], dx, dy, dz))
        t = min(t, hit_sphere(size[0], ox, oy, oz + size[1], dx, dy, dz))
    return t


@_jit
def sample_image(texels: Array, start: int, width: int, height: int, s: float, t: float) -> float:
    """Bilinear sample of a texture that repeats; s runs along columns, t along rows."""
    # A float's integer part is cheap where it is not negative: into [0, 1), then half a texel on.
    x = (s - np.float32(math.floor(s))) * np.float32(width) + _HALF
    y = (t - np.float32(math.floor(t))) * np.float32(height) + _HALF
    c1, r1 = np.int32(x), np.int32(y)
    fx, fy = x - np.float32(c1), y - np.float32(r1)
    c0 = c1 - 1 if c1 > 0 else width - 1
    r0 = r1 - 1 if r1 > 0 else height - 1
    c1 = c1 if c1 < width else 0
    r1 = r1 if r1 < height else 0
    top, bottom = start + r0 * width, start + r1 * width
    a, b = texels[np.uint32(top + c0)], texels[np.uint32(top + c1)]
    c, d = texels[np.uint32(bottom + c0)], texels[np.uint32(bottom + c1)]
    upper, lower = a + fx * (b - a), c + fx * (d - c)
    return upper + fy * (lower - upper)


@_jit
def sample_cube(texels: Array, start: int, width: int, x: float, y: float, z: float) -> float:
    """Bilinear sample of a cube texture in direction x, y, z (OpenGL's choice of face and axes)."""
    ax, ay, az = abs(x), abs(y), abs(z)
    if ax >= ay and ax >= az:
        face = 0 if x > _ZERO else 1
        s, t, major = (-z if x > _ZERO else z), -y, ax
    elif ay >= az:
        face = 2 if y > _ZERO else 3
        s, t, major = x, (z if y > _ZERO else -z), ay
    else:
        face = 4 if z > _ZERO else 5
        s, t, major = (x if z > _ZERO else -x), -y, az
    last = np.float32(width - 1)
    column = min(max((s / major + _ONE) * _HALF * np.float32(width) - _HALF, _ZERO), last)
    row = min(max((t / major + _ONE) * _HALF * np.float32(width) - _HALF, _ZERO), last)
    c0, r0 = min(int(column), width - 2), min(int(row), width - 2)
    fx, fy = column - np.float32(c0), row - np.float32(r0)
    top = start + (face * width + r0) * width + c0
    upper = texels[top] + fx * (texels[top + 1] - texels[top])
    lower = texels[top + width] + fx * (texels[top + width + 1] - texels[top + width])
    return upper + fy * (lower - upper)


@_jit
def shade(
    surface: Array, scale: Array, flat: float, texels: Array, x: float, y: float, z: float
) -> float:
    """Luminance of a surface at a point of the shape's own frame (MuJoCo's mapping).

    `surface` int64[4] holds kind, first texel, columns and rows of one picture; `scale` float32[2]
    the texture's repeats a metre; `flat` is the luminance where there is no texture; `texels`
    float32[n] that of all textures; x, y, z is the point [m].
    """
    if surface[0] == IMAGE:
        # MuJoCo maps to [-1, 0]; a whole period further it is the same, and the wrap is rare.
        s, t = _HALF * scale[0] * x + _HALF, _HALF - _HALF * scale[1] * y
        return sample_image(texels, surface[1], surface[2], surface[3], s, t)
    if surface[0] == CUBE:
        return sample_cube(texels, surface[1], surface[2], x, y, z)
    return flat
