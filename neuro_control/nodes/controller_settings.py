# SPDX-License-Identifier: Apache-2.0
"""What the controller node is told."""

from __future__ import annotations

from pydantic import Field, field_validator

from neuro_control.control.arm import ArmControllerSettings
from neuro_control.control.probes import parse_probes
from neuro_control.nodes.managed_settings import ManagedNodeSettings
from neuro_control.robots.arm_model import ArmModel
from neuro_control.robots.description import arm_urdf


class ControllerNodeSettings(ManagedNodeSettings, ArmControllerSettings):
    """The controller's settings and those of its node."""

    lockstep: bool = Field(
        False,
        description="Answer each packet only with the joint state of its stamp, and reliably: for "
        "a simulation that waits for the answer",
    )
    robot_description: str = Field(
        "", description="URDF text of the arm; empty: the arm of this package"
    )
    base_link: str = Field("base_link", description="Link at the foot of the arm")
    tip_link: str = Field(
        "hand_camera_optical_frame", description="Link of the camera, its optical frame"
    )
    command_time_s: float = Field(
        0.004, ge=0.001, le=0.1, description="Time in which a commanded position is reached (s)"
    )
    joint_states_timeout_s: float = Field(
        0.05,
        gt=0.0,
        le=1.0,
        description="Age of the newest joint state, by its stamp, from which nothing is answered "
        "by it (s)",
    )
    idle_after_s: float = Field(
        0.02,
        ge=0.002,
        le=1.0,
        description="Silence of the sensor after which time passes without it (s, node's clock)",
    )
    idle_period_s: float = Field(
        0.01, ge=0.001, le=0.1, description="Step of the time that passes without the sensor (s)"
    )
    direction_period_s: float = Field(
        0.01,
        ge=0.0,
        le=1.0,
        description="Time between messages on target_direction (s); in lockstep one an answer",
    )
    events_depth: int = Field(
        64, ge=1, le=10_000, description="Packets kept while one is worked on"
    )
    most_events: int = Field(
        8_000,
        ge=0,
        le=100_000_000,
        description="Events that one answer takes in while packets wait; older ones are shed; "
        "0: all",
    )
    sensor_width: int = Field(
        0, ge=0, le=32_768, description="Columns of the sensor; 0: as the first packet says"
    )
    sensor_height: int = Field(
        0, ge=0, le=32_768, description="Rows of the sensor; 0: as the first packet says"
    )
    encoding: str = Field(
        "", description="Encoding of the packets; empty: as the first packet says"
    )
    activity_period_s: float = Field(
        0.05,
        ge=0.005,
        le=1.0,
        description="Time between messages on network/spikes and network/membranes, while somebody "
        "listens (s, wall)",
    )
    probe_neurons: str = Field(
        "",
        description="Neurons whose membranes are published, as population:neuron, comma-separated",
        json_schema_extra={"dynamic": True},
    )

    def core(self) -> ArmControllerSettings:
        """The controller's own."""
        return ArmControllerSettings.model_validate(
            self.model_dump(include=set(ArmControllerSettings.model_fields))
        )

    def arm(self) -> ArmModel:
        """The arm that is described. Raises ValueError for a description that is none."""
        return ArmModel.from_urdf(
            self.robot_description or arm_urdf(), self.base_link, self.tip_link
        )

    @field_validator("probe_neurons")
    @classmethod
    def _probes_read(cls, text: str) -> str:
        parse_probes(text)
        return text
