# SPDX-License-Identifier: Apache-2.0
"""A contact's force and torque to what the taxels under it feel.

One contact, whose force is spread about the point at which it acts: Bicchi, Salisbury, Brock,
"Contact sensing from force measurements", Int. J. Robotics Research 12(3), 1993, for a plane and a
soft finger. A force sensor cannot tell two contacts from one between them.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neuro_control.senses.skin_layout import SkinLayout

Float = NDArray[np.float64]

LEAST_FORCE_N = 1e-3
"""Below it the point at which a force acts is not known, and nothing is felt."""

FARTHEST_M = 1e6
"""How far off a force may act; from there on, all directions to the taxels are one."""

_NEWTON_PER_SQUARE_METRE = {"Pa": 1.0, "kPa": 1e-3}


def taxels_of_wrench(
    force_n: Float,
    torque_n_m: Float,
    layout: SkinLayout,
    radius_m: float,
    outward: Literal["+z", "-z"] = "+z",
) -> Float:
    """What the taxels feel of a wrench, float64[rows, columns] in the layout's unit.

    The force that presses is that against the outward normal of the layout's x-y plane. It acts
    where torque = place x force: with z the mean height of the taxels, at
    x = (z force_x - torque_y) / force_z, y = (z force_y + torque_x) / force_z, or at the nearest
    place where there are taxels. Their values, times the area of one where they are pressures, add
    up to it.

    Args:
        force_n: float64[3], on the skin, in the layout's frame.
        torque_n_m: float64[3], about the frame's origin.
        layout: of the taxels; each has pitch_m x pitch_m.
        radius_m: standard deviation of the spread, above 0.
        outward: the side that is touched.

    Raises:
        ValueError: a number that is not finite, or a pressure that would be none; `radius_m` not
            above 0; or a unit (raw) that stands for no force.
    """
    if not (np.isfinite(force_n).all() and np.isfinite(torque_n_m).all()):
        raise ValueError(f"force is {force_n} and torque {torque_n_m}; they must be finite")
    if layout.unit == "raw":
        raise ValueError("unit is 'raw'; a force needs N, Pa or kPa")
    shape = (layout.rows, layout.columns)
    pressing_n = -force_n[2] if outward == "+z" else force_n[2]
    if pressing_n < LEAST_FORCE_N:
        return np.zeros(shape)
    positions = layout.taxel_positions
    z = positions[:, 2].mean()
    # What shears has a lever too where the taxels lie above the frame's origin.
    with np.errstate(over="ignore"):  # it then acts at the farthest place
        x = (z * force_n[0] - torque_n_m[1]) / force_n[2]
        y = (z * force_n[1] + torque_n_m[0]) / force_n[2]
    acts_at = np.array([*np.clip([x, y], -FARTHEST_M, FARTHEST_M), z])
    nearest = positions[((positions - acts_at) ** 2).sum(axis=1).argmin()]
    beside = np.clip(acts_at, positions.min(axis=0), positions.max(axis=0))
    share = spread(positions, beside, radius_m, np.ones(1))[0]
    if not share.sum() > 0.0:  # taxels far from each other, and the contact between them
        share = spread(positions, nearest, radius_m, np.ones(1))[0]
    taxels = pressing_n * share / share.sum()
    if layout.unit in _NEWTON_PER_SQUARE_METRE:
        with np.errstate(over="ignore"):
            taxels *= _NEWTON_PER_SQUARE_METRE[layout.unit] / layout.pitch_m**2
        if not np.isfinite(taxels).all():
            raise ValueError(
                f"force is {force_n}; on taxels of {layout.pitch_m} m that is no finite pressure"
            )
    return taxels.reshape(shape)


def spread(
    positions_m: Float, centre_m: Float, radius_m: float, pressure_kpa: Float
) -> NDArray[np.float64]:
    """A round contact: float64[n, taxels], Gaussian about `centre_m` with std `radius_m`.

    Args:
        positions_m: float64[taxels, 3].
        centre_m: float64[3].
        radius_m: standard deviation, above 0.
        pressure_kpa: float64[n], at the centre.

    Raises:
        ValueError: `radius_m` is not above 0.
    """
    if not 0.0 < radius_m < math.inf:
        raise ValueError(f"radius_m: {radius_m} must be above 0, and finite")
    square = ((positions_m - centre_m) ** 2).sum(axis=1)
    return np.multiply.outer(pressure_kpa, np.exp(-square / (2.0 * radius_m**2)))
