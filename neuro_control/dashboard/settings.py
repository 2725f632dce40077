# SPDX-License-Identifier: Apache-2.0
"""What the dashboard is told."""

from __future__ import annotations

import ipaddress

from pydantic import BaseModel, ConfigDict, Field


class DashboardSettings(BaseModel):
    """Where the page is served, how often it is drawn, and which robot it shows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="Address to listen on. Any but a loopback address makes a token necessary",
    )
    port: int = Field(
        8800, ge=0, le=65535, description="Port; the next free one if taken, 0: any free one"
    )
    token: str = Field(
        "",
        description="Secret that every request must carry; empty: none on a loopback address, a "
        "random one elsewhere, which the printed address contains",
    )
    frames_per_second: float = Field(
        20.0, ge=1.0, le=60.0, description="Pictures of the page a second"
    )
    events_per_frame: int = Field(
        100_000,
        ge=100,
        le=10_000_000,
        description="Events of one sensor that a frame takes in at most; of more it takes a "
        "sample, and the page says which part",
    )
    linger_s: float = Field(
        60.0,
        ge=0.0,
        le=3600.0,
        description="How long topics are listened to after the last page was closed (s)",
    )
    niceness: int = Field(
        15,
        ge=0,
        le=19,
        description="How far the drawing steps back behind the robot's nodes where processors are "
        "scarce",
    )
    open_browser: bool = Field(False, description="Open the page in the desktop's browser")
    scene: bool = Field(True, description="Show the robot in 3D")
    record_folder: str = Field(
        "", description="Folder of the recordings made from the page; empty: where it was started"
    )
    robot_description: str = Field(
        "", description="URDF text of the robot; empty: the arm of this package"
    )
    camera_link: str = Field(
        "hand_camera_optical_frame", description="Optical frame of the event camera"
    )
    horizontal_field_of_view_rad: float = Field(
        1.0471975511965976, gt=0.05, lt=3.0, description="Horizontal field of view of that camera"
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
