# SPDX-License-Identifier: Apache-2.0
"""Taxels on a pad of a MuJoCo model: contact forces spread over a grid."""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray


class TaxelPad:
    """A grid of taxels on one face of a box.

    The face is the box's +x side: columns run along its y, rows along its z. A contact's normal
    force is spread over the taxels by a Gaussian around the point of contact and keeps its sum.

    Args:
        model: the compiled model.
        geom: name of the box; or of a body with one box, as those from a URDF have no names.
        rows, columns: of taxels.
        spread_m: standard deviation of the Gaussian; the skin's thickness is a good guess.

    Raises:
        ValueError: there is no such box, or a number that cannot be.
    """

    def __init__(
        self, model: mujoco.MjModel, geom: str, rows: int, columns: int, spread_m: float = 0.0015
    ) -> None:
        number = _geom_number(model, geom)
        if number < 0 or model.geom_type[number] != mujoco.mjtGeom.mjGEOM_BOX:
            raise ValueError(f"geom {geom!r} is no box of the model; the pad must be one")
        if rows < 1 or columns < 1 or not spread_m > 0.0:
            raise ValueError(
                f"rows is {rows}, columns {columns} and spread_m {spread_m}; all must be above 0"
            )
        self._model, self._geom = model, number
        _, self._half_y, self._half_z = model.geom_size[number]
        self.rows, self.columns, self._spread_m = rows, columns, spread_m
        self._y = (np.arange(columns) + 0.5) / columns * 2 * self._half_y - self._half_y
        self._z = (np.arange(rows) + 0.5) / rows * 2 * self._half_z - self._half_z
        self._wrench = np.zeros(6)

    @property
    def positions(self) -> NDArray[np.float64]:
        """(y, z) of every taxel on the face, float64[rows, columns, 2], m."""
        z, y = np.meshgrid(self._z, self._y, indexing="ij")
        return np.stack([y, z], axis=2)

    def forces(self, data: mujoco.MjData) -> NDArray[np.float64]:
        """Normal force on every taxel in the state of `data`, float64[rows, columns], N."""
        total = np.zeros((self.rows, self.columns))
        centre = data.geom_xpos[self._geom]
        rotation = data.geom_xmat[self._geom].reshape(3, 3)
        for number in range(data.ncon):
            contact = data.contact[number]
            if self._geom not in (contact.geom1, contact.geom2):
                continue
            mujoco.mj_contactForce(self._model, data, number, self._wrench)
            _, y, z = rotation.T @ (contact.pos - centre)
            weight = np.exp(-0.5 * ((self._z - z) / self._spread_m) ** 2)[:, None] * np.exp(
                -0.5 * ((self._y - y) / self._spread_m) ** 2
            )
            whole = weight.sum()
            if whole > 0.0:
                total += self._wrench[0] * weight / whole
        return total


def _geom_number(model: mujoco.MjModel, name: str) -> int:
    """Number of the geom of this name, else of the only box of the body of this name, else -1."""
    number = int(mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_GEOM, name))
    if number >= 0:
        return number
    body = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, name)
    boxes = np.flatnonzero(
        (model.geom_bodyid == body) & (model.geom_type == mujoco.mjtGeom.mjGEOM_BOX)
    )
    return int(boxes[0]) if body >= 0 and len(boxes) == 1 else -1
