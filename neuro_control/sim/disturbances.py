# SPDX-License-Identifier: Apache-2.0
"""What makes an arm's work harder: a payload that its drives do not know of, wind and gusts."""

from __future__ import annotations

import math

import mujoco
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from neuro_control.sim.arm_world import ArmWorld
from neuro_control.sim.target_paths import DYNAMIC

Float = NDArray[np.float64]

PAYLOAD_RADIUS_M = 0.02
"""Radius of the ball that the payload is: as wide as the gripper's opening."""


class DisturbanceSettings(BaseModel):
    """Payload and wind."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    payload_kg: float = Field(
        0.0,
        ge=0.0,
        le=5.0,
        description="mass of a ball between the fingers, of which the drives do not know [kg]",
        json_schema_extra=DYNAMIC,
    )
    wind_n: float = Field(
        0.0,
        ge=0.0,
        le=50.0,
        description="steady force of the wind on the hand [N]",
        json_schema_extra=DYNAMIC,
    )
    wind_direction_deg: float = Field(
        0.0,
        ge=-180.0,
        le=180.0,
        description="where the wind blows to, about the base's z; 0: along its x [deg]",
        json_schema_extra=DYNAMIC,
    )
    gust_n: float = Field(
        0.0,
        ge=0.0,
        le=50.0,
        description="standard deviation of the gusts' force, in each direction [N]",
        json_schema_extra=DYNAMIC,
    )
    gust_time_s: float = Field(
        0.3,
        ge=0.01,
        le=10.0,
        description="time in which a gust dies down [s]",
        json_schema_extra=DYNAMIC,
    )
    seed: int | None = Field(
        None, ge=0, description="seed of the gusts; by default that of the simulation"
    )


class Gusts:
    """A first-order Gauss-Markov force, as Dryden's longitudinal gusts are (MIL-F-8785C).

    x' = a x + sigma sqrt(1 - a^2) n, a = exp(-dt / tau), n normal: stationary with standard
    deviation sigma and correlation exp(-t / tau), whatever the step.
    """

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng([0x617, seed])
        # In units of the standard deviation: it begins as it goes on.
        self._state = self._rng.normal(size=3)

    def step(self, sigma_n: float, tau_s: float, dt_s: float) -> Float:
        """The force after another dt_s [s], float64[3] [N]."""
        keep = math.exp(-dt_s / tau_s)
        noise = self._rng.normal(size=3)
        self._state = keep * self._state + math.sqrt(1.0 - keep * keep) * noise
        return sigma_n * self._state


class Disturbances:
    """Puts payload and wind into a world.

    Args:
        world: whose model is changed; it must not have been given a payload yet.
        settings: to begin with.
        seed: used where the settings name none.
    """

    def __init__(self, world: ArmWorld, settings: DisturbanceSettings, seed: int) -> None:
        self._world = world
        self._gusts = Gusts(seed if settings.seed is None else settings.seed)
        self._payload_kg = 0.0
        self.force = self._steady = np.zeros(3)
        self.change(settings)

    def change(self, settings: DisturbanceSettings) -> None:
        """Other settings from the next step on."""
        if settings.payload_kg != self._payload_kg:
            self._payload_kg = settings.payload_kg
            _load(self._world, settings.payload_kg)
        angle = math.radians(settings.wind_direction_deg)
        self._steady = settings.wind_n * np.array([math.cos(angle), math.sin(angle), 0.0])
        self.settings = settings

    def step(self, data: mujoco.MjData, dt_s: float) -> None:
        """Blow on the hand for the coming step of dt_s [s]."""
        settings = self.settings
        force = self._steady
        if settings.gust_n > 0.0:
            force = force + self._gusts.step(settings.gust_n, settings.gust_time_s, dt_s)
        self.force = force
        data.xfrc_applied[self._world.hand_body, :3] = force


def _load(world: ArmWorld, mass_kg: float) -> None:
    """Give the payload's body this mass, and the inertia of a solid ball."""
    model, body = world.model, world.payload_body
    model.body_mass[body] = mass_kg
    model.body_inertia[body] = 0.4 * mass_kg * PAYLOAD_RADIUS_M**2
    # What MuJoCo derives from masses: subtrees, inverse weights. Into data of its own.
    mujoco.mj_setConst(model, mujoco.MjData(model))
