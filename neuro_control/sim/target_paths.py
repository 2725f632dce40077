# SPDX-License-Identifier: Apache-2.0
"""Where the target is at a given time: seeded paths before the arm's ready view."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, JsonValue

Float = NDArray[np.float64]
# Parameters that can be changed while the simulation runs.
DYNAMIC: dict[str, JsonValue] = {"dynamic": True}

PathKind = Literal["lissajous", "random_walk", "jump", "still"]


class TargetPathSettings(BaseModel):
    """How the target moves, in the frame of the camera in its ready posture."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    kind: PathKind = Field("lissajous", description="shape of the path", json_schema_extra=DYNAMIC)
    speed_m_s: float = Field(
        0.3,
        ge=0.0,
        le=5.0,
        description="peak speed of smooth paths [m/s]",
        json_schema_extra=DYNAMIC,
    )
    seed: int | None = Field(
        None, ge=0, description="seed of the path; by default that of the simulation"
    )
    distance_m: float = Field(
        0.55,
        ge=0.1,
        le=2.0,
        description="distance from the ready camera",
        json_schema_extra=DYNAMIC,
    )
    half_width_m: float = Field(
        0.20,
        ge=0.0,
        le=1.0,
        description="largest excursion sideways",
        json_schema_extra=DYNAMIC,
    )
    half_height_m: float = Field(
        0.15,
        ge=0.0,
        le=1.0,
        description="largest excursion up, down",
        json_schema_extra=DYNAMIC,
    )
    half_depth_m: float = Field(
        0.04,
        ge=0.0,
        le=0.3,
        description="largest excursion in depth",
        json_schema_extra=DYNAMIC,
    )
    jump_deg: float = Field(
        20.0,
        ge=0.0,
        le=40.0,
        description="size of a jump, seen from home",
        json_schema_extra=DYNAMIC,
    )
    jump_every_s: float = Field(
        2.0, ge=0.1, le=60.0, description="mean time between jumps", json_schema_extra=DYNAMIC
    )
    spin_rev_s: float = Field(
        3.0,
        ge=0.0,
        le=20.0,
        description="spin of the ball [rev/s]; 0: none",
        json_schema_extra=DYNAMIC,
    )


class TargetPath:
    """A path as a pure function of time: the same settings and seed give the same positions.

    Args:
        settings: shape, speed, extents.
        view: pose of the ready camera's optical frame in the base frame, float64[4, 4].
        seed: used where the settings name none.
    """

    _COMPONENTS = 4
    _HOLDS = 512

    def __init__(self, settings: TargetPathSettings, view: Float, seed: int = 0) -> None:
        self.settings = settings
        self._turn = np.array(view[:3, :3], dtype=np.float64)
        self._eye = np.array(view[:3, 3], dtype=np.float64)
        # Across the line of sight, as a ball rolls that passes by: both poles lie on the rim,
        # and the pattern moves alike on both sides of the middle.
        self._axis = self._turn @ np.array([0.6, 0.8, 0.0])
        self._rng = np.random.default_rng(
            [0x7A26E7, seed if settings.seed is None else settings.seed]
        )
        self._extent = np.array(
            [settings.half_width_m, settings.half_height_m, settings.half_depth_m]
        )
        if settings.kind == "jump":
            self._hold_until_s, self._holds = self._draw_jumps()
        elif settings.kind != "still":
            self._amplitudes, self._rates, self._phases = self._draw_waves()

    def position(self, t_s: float) -> Float:
        """Centre of the target in the base frame, float64[3] [m], at time `t_s` [s]."""
        offset = self._offset(t_s)
        offset[2] += self.settings.distance_m
        return self._eye + self._turn @ offset

    def orientation(self, t_s: float, turns: float = 0.0) -> Float:
        """Unit quaternion w, x, y, z of the ball, which rolls across the ready camera's view.

        turns: by which it is turned at time 0.
        """
        angle = 2.0 * math.pi * ((self.settings.spin_rev_s * t_s + turns) % 1.0)
        return np.concatenate([[math.cos(angle / 2.0)], math.sin(angle / 2.0) * self._axis])

    def _offset(self, t_s: float) -> Float:
        if self.settings.kind == "still":
            return np.zeros(3)
        if self.settings.kind == "jump":
            period = float(self._hold_until_s[-1])
            hold = int(np.searchsorted(self._hold_until_s, t_s % period, side="right"))
            return np.append(self._holds[hold], 0.0)
        waves: Float = (self._amplitudes * np.sin(self._rates * t_s + self._phases)).sum(axis=1)
        return waves

    def _draw_waves(self) -> tuple[Float, Float, Float]:
        """Sines per axis, float64[3, k]: amplitudes [m], rates [rad/s], phases [rad]."""
        if self.settings.kind == "lissajous":
            # A 3:2 figure that drifts slowly, so that it never repeats within a run.
            amplitudes = self._extent[:, None] * np.ones((3, 1))
            rates = np.array([[2.0], [3.0 * 1.0123], [1.3]])
            phases = self._rng.uniform(0.0, 2.0 * math.pi, (3, 1))
        else:
            shares = self._rng.uniform(0.5, 1.0, (3, self._COMPONENTS))
            shares /= shares.sum(axis=1, keepdims=True)
            amplitudes = self._extent[:, None] * shares
            rates = self._rng.uniform(0.4, 2.4, (3, self._COMPONENTS))
            phases = self._rng.uniform(0.0, 2.0 * math.pi, (3, self._COMPONENTS))
        times = np.linspace(0.0, 400.0, 20_001)[:, None, None]
        velocity = (amplitudes * rates * np.cos(rates * times + phases)).sum(axis=2)
        peak = float(np.linalg.norm(velocity, axis=1).max())
        scale = self.settings.speed_m_s / peak if peak > 0.0 else 0.0
        return amplitudes, rates * scale, phases

    def _draw_jumps(self) -> tuple[Float, Float]:
        """Times at which each hold ends, float64[n] [s], and places, float64[n, 2] [m]."""
        settings = self.settings
        every = settings.jump_every_s
        ends = np.cumsum(self._rng.uniform(0.85 * every, 1.15 * every, self._HOLDS))
        places = np.zeros((self._HOLDS, 2))
        cosine = math.cos(math.radians(settings.jump_deg))
        for hold in range(1, self._HOLDS):
            places[hold] = self._next_place(places[hold - 1], cosine)
        return ends, places

    def _next_place(self, place: Float, cosine: float) -> Float:
        """A place that the ready camera sees at the jump's angle from the last one."""
        d = self.settings.distance_m
        here = np.append(place, d) / math.hypot(place[0], place[1], d)
        best = np.zeros(2)
        for _ in range(64):
            bearing = self._rng.uniform(0.0, 2.0 * math.pi)
            across = np.array([math.cos(bearing), math.sin(bearing), 0.0])
            across -= (across @ here) * here
            across /= np.linalg.norm(across)
            ray = cosine * here + math.sqrt(1.0 - cosine * cosine) * across
            best = ray[:2] * (d / ray[2])
            if bool(np.all(np.abs(best) <= self._extent[:2])):
                return best
        return np.clip(best, -self._extent[:2], self._extent[:2])
