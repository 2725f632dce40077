# SPDX-License-Identifier: Apache-2.0
"""Where the taxels of a skin are, and what their numbers mean: a YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator


class SkinLayout(BaseModel):
    """Taxels in rows and columns, or anywhere.

    Without `positions` they lie in the frame's x-y plane, `pitch_m` apart, the first row and column
    at its origin, columns along x and rows along y.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field("skin", min_length=1, description="of the skin")
    frame_id: str = Field("left_finger_pad_link", min_length=1, description="frame of the taxels")
    rows: int = Field(8, ge=1, le=1024, description="of taxels")
    columns: int = Field(8, ge=1, le=1024, description="of taxels")
    pitch_m: float = Field(0.002, gt=0.0, le=1.0, description="distance of neighbours (m)")
    unit: Literal["N", "Pa", "kPa", "raw"] = Field("N", description="unit of a taxel's value")
    full_scale: float = Field(
        1.0, gt=0.0, allow_inf_nan=False, description="value that counts as 1; above it is clipped"
    )
    positions: tuple[tuple[float, float, float], ...] = Field(
        (), description="x, y, z of every taxel in the frame (m), row by row; empty: a grid"
    )

    @model_validator(mode="after")
    def _positions_fit(self) -> SkinLayout:
        if self.positions and len(self.positions) != self.rows * self.columns:
            raise ValueError(
                f"positions has {len(self.positions)} entries; rows x columns is"
                f" {self.rows * self.columns}"
            )
        if not np.isfinite(np.array(self.positions, np.float64)).all():
            raise ValueError("positions has values that are no finite numbers")
        return self

    @property
    def taxel_positions(self) -> NDArray[np.float64]:
        """Positions in the frame, float64[rows * columns, 3], m."""
        if self.positions:
            return np.array(self.positions, np.float64)
        rows, columns = np.divmod(np.arange(self.rows * self.columns), self.columns)
        return np.stack([columns, rows, np.zeros_like(rows)], axis=1) * self.pitch_m


def read_skin_layout(path: str | Path) -> SkinLayout:
    """A layout from a YAML file.

    Raises:
        FileNotFoundError: there is none.
        ValueError: naming the file, the field, its value and what would be right.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no skin layout {path}")
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not YAML: {error}") from error
    if not isinstance(said, dict):
        raise ValueError(f"{path}: it must be a mapping of rows, columns, full_scale and so on")
    try:
        return SkinLayout.model_validate(said)
    except ValidationError as error:
        reasons = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'layout'}:"
            f" {problem['msg'].removeprefix('Value error, ')}, got {problem['input']!r}"
            for problem in error.errors()
        )
        raise ValueError(f"{path}: {reasons}") from error
