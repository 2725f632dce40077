# SPDX-License-Identifier: Apache-2.0
"""What the replay node is told."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from neuro_control.events.address_events import LARGEST_HEIGHT, LARGEST_WIDTH

LEAST_RATE, LARGEST_RATE = 0.01, 100.0
"""Of the recording's time to the node's."""


class ReplaySettings(BaseModel):
    """What the replay node is told."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    path: str = Field(
        min_length=1, description="The recording: a rosbag2 folder, or any file of events"
    )
    topic: str = Field("", description="Topic in the recording; empty: the only one with events")
    layout: str = Field(
        "", description="Layout of the addresses in AEDAT 1 and 2, where the file does not say it"
    )
    width: int = Field(
        0,
        ge=0,
        le=LARGEST_WIDTH,
        description="Columns, where the file does not say it; 0: as few as fit",
    )
    height: int = Field(
        0,
        ge=0,
        le=LARGEST_HEIGHT,
        description="Rows, where the file does not say it; 0: as few as fit",
    )
    rate: float = Field(
        1.0,
        ge=LEAST_RATE,
        le=LARGEST_RATE,
        description="Speed; 2.0: in half the time",
        json_schema_extra={"dynamic": True},
    )
    repeat: bool = Field(False, description="Begin anew at the end")
    stay: bool = Field(False, description="Wait at the end for a seek, instead of ending")
    publish_clock: bool = Field(
        False,
        description="Publish /clock from the recording's stamps, and what else was recorded",
    )
    joint_states: bool = Field(
        False,
        description="Publish an arm at rest in its home position, if the recording has no joints",
    )
    robot_description: str = Field(
        "", description="URDF text of that arm; empty: the arm of this package"
    )
    frame_id: str = Field("hand_camera_optical_frame", description="Frame of the packets")
    wait_s: float = Field(
        5.0,
        ge=0.0,
        le=600.0,
        description="Longest wait for somebody to listen before it begins (s)",
    )
