# SPDX-License-Identifier: Apache-2.0
"""What the simulator node is told."""

from __future__ import annotations

from pydantic import Field, model_validator

from neuro_control.sim.arm_simulation import ArmSimulationSettings


class SimulatorNodeSettings(ArmSimulationSettings):
    """The simulation's settings and those of its node."""

    robot_description: str = Field(
        "", description="URDF text of the arm; empty: the arm of this package"
    )
    real_time_factor: float = Field(
        1.0,
        ge=0.0,
        le=100.0,
        description="Simulated time over wall-clock time; 0: as fast as it goes",
        json_schema_extra={"dynamic": True},
    )
    seconds: float = Field(
        0.0, ge=0.0, le=1e6, description="Simulated time after which the node ends (s); 0: never"
    )
    lockstep: bool = Field(
        False, description="Advance only when the command that answers the last packet has come"
    )
    lockstep_timeout_s: float = Field(
        5.0,
        ge=0.1,
        le=600.0,
        description="Wait for a command in lockstep after which it is reported as an error (s)",
    )
    catch_up_s: float = Field(
        0.05,
        ge=0.0,
        le=1.0,
        description="Delay of simulated time that is made up for; what is more is let go (s)",
    )
    clock_period_s: float = Field(
        0.004,
        ge=0.0,
        le=0.01,
        description="Simulated time between messages on /clock (s); in lockstep one a picture",
    )
    truth_period_s: float = Field(
        0.01,
        ge=0.0,
        le=1.0,
        description="Simulated time between messages on simulation/target (s); in lockstep each "
        "picture has one",
    )
    viewer: bool = Field(False, description="Show the scene in MuJoCo's own window")

    @model_validator(mode="after")
    def _lockstep_hears_the_joints(self) -> SimulatorNodeSettings:
        faults = self.faults
        if self.lockstep and (faults.joint_states_lost or faults.joint_states_delay_s):
            raise ValueError(
                "faults: in lockstep every picture is answered with the joint state of its time;"
                " joint_states_lost and joint_states_delay_s must be 0"
            )
        return self

    @property
    def simulation(self) -> ArmSimulationSettings:
        """Those of the simulation alone."""
        fields = set(ArmSimulationSettings.model_fields)
        return ArmSimulationSettings.model_validate(self.model_dump(include=fields))
