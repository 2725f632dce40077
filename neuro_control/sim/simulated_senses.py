# SPDX-License-Identifier: Apache-2.0
"""The skin of the simulated hand and the ears on its base, for whoever wants them."""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from neuro_control.sim.sound_field import SoundField
from neuro_control.sim.taxel_pad import TaxelPad

PAD = "left_finger_pad_link"
EARS = ("ear_left_link", "ear_right_link")
SAMPLE_RATE_HZ = 16_000.0


class SimulatedSensesSettings(BaseModel):
    """Which senses there are beside the eye; none by default, since each takes its time."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    touch: bool = Field(
        False, description="the gripper holds a ball, and the left finger's pad feels it"
    )
    sound: bool = Field(False, description="the target hums, and the ears on the base hear it")
    period_us: int = Field(
        10_000, ge=1000, le=100_000, description="time between what skin and ears send [us]"
    )
    taxel_rows: int = Field(8, ge=1, le=64, description="rows of the pad's taxels")
    taxel_columns: int = Field(8, ge=1, le=64, description="columns of the pad's taxels")


class SimulatedSenses:
    """Skin and ears of a world.

    Args:
        model, data: the world's; the ears are where they are in `data`, and stay there.
        settings: what there is.

    Raises:
        ValueError: the model has no pad or no ears that are asked for.
    """

    def __init__(
        self, model: mujoco.MjModel, data: mujoco.MjData, settings: SimulatedSensesSettings
    ) -> None:
        self._pad: TaxelPad | None = None
        self._field: SoundField | None = None
        if settings.touch:
            self._pad = TaxelPad(model, PAD, settings.taxel_rows, settings.taxel_columns)
        if settings.sound:
            bodies = [mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, name) for name in EARS]
            if min(bodies) < 0:
                raise ValueError(f"senses.sound: the robot's description lacks {', '.join(EARS)}")
            ears = [(data.xpos[b].copy(), data.xmat[b].reshape(3, 3)[:, 0].copy()) for b in bodies]
            self._field = SoundField(ears, SAMPLE_RATE_HZ)
        self._period_ns = settings.period_us * 1000
        self._due_ns = self._period_ns

    def sense(
        self, data: mujoco.MjData, t_ns: int
    ) -> tuple[NDArray[np.float32] | None, NDArray[np.int16] | None]:
        """Taxels float32[rows, columns] [N] and sound int16[n, 2]; None where it is not time."""
        if t_ns < self._due_ns or (self._pad is None and self._field is None):
            return None, None
        self._due_ns += -(-(t_ns - self._due_ns + 1) // self._period_ns) * self._period_ns
        taxels = None if self._pad is None else self._pad.forces(data).astype(np.float32)
        if self._field is None:
            return taxels, None
        return taxels, self._field.hear(data.mocap_pos[0].copy(), t_ns * 1e-9)
