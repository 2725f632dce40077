# SPDX-License-Identifier: Apache-2.0
"""What every managed node is told."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ManagedNodeSettings(BaseModel):
    """How a managed node begins, and how it stands to other programs."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    autostart: bool = Field(True, description="Configure and activate without being told to")
    realtime_priority: int = Field(
        0,
        ge=0,
        le=99,
        description="Run before every program that is not in real time (SCHED_FIFO), with this "
        "priority, once configured; refused where the system does not permit it; 0: no",
    )
