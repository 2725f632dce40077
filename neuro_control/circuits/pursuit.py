# SPDX-License-Identifier: Apache-2.0
"""The memory of smooth pursuit: how fast the gaze has been turning while it was on the target.

An eye that only corrects its error lags behind a moving target for ever. Primates add a copy of
the eye's own velocity to the command (positive feedback of an efference copy: Robinson, Gordon
and Gordon, Biological Cybernetics 55, 1986). Filtered with a time constant it makes of the
proportional controller one with an integral part, without an integrator that could wind up.

- *velocity_copy* relays the measured velocity, coded by a population. During a saccade, when the
  field is active far from the middle, it is inhibited: the speed of a jump of the gaze says
  nothing of the target's (saccadic suppression).
- *pursuit* filters it by its slow synapse. Its neurons hardly leak, so their rates are linear
  in the filtered rates, and its population vector is the velocity, low-pass filtered.
"""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from neuro_control.circuits.target_tracker import (
    TargetTrackerSettings,
    cell_centres,
    target_tracker,
)
from neuro_control.encoding.population import PopulationCode
from neuro_control.network.graph import Network, Node
from neuro_control.network.neurons import CubaLIF
from neuro_control.network.synapses import Flatten, Input, Linear, Output

# The slowest leak that Loihi's 12 bits can express: one part in 4096 each tick.
SLOWEST_LEAK_TICKS = 4096


class PursuitSettings(BaseModel):
    """Constants of the circuit."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    neurons: int = Field(32, ge=4, le=512, description="Neurons for each axis")
    top_speed_rad_s: float = Field(2.0, gt=0, description="Largest velocity that is coded")
    rate_hz: float = Field(200.0, gt=0, le=1000, description="Rate at the preferred velocity")
    tau_s: float = Field(0.12, gt=0, description="Time constant of the memory")
    saccade_eccentricity: float = Field(
        0.16, gt=0, le=1, description="Distance from the middle that is a saccade, image widths"
    )
    saccade_weight: float = Field(2.0, ge=0, description="Inhibition by one spike out there")
    saccade_tau_s: float = Field(0.02, gt=0, description="How long one spike out there inhibits")

    @property
    def code(self) -> PopulationCode:
        """How the velocity about the camera's x and y axes is coded."""
        return PopulationCode(
            values=2,
            neurons=self.neurons,
            low=-self.top_speed_rad_s,
            high=self.top_speed_rad_s,
            rate_hz=self.rate_hz,
        )


def arm_tracker(tracker: TargetTrackerSettings, pursuit: PursuitSettings) -> Network:
    """The target tracker and the memory of pursuit in one network.

    Inputs ``events`` (2, pixels, pixels) and ``velocity`` (2 * neurons,), outputs ``target``
    (1, cells, cells) and ``pursuit`` (2 * neurons,).
    """
    s = pursuit
    field = target_tracker(tracker)
    size = s.code.size
    slowest_s = SLOWEST_LEAK_TICKS * tracker.dt_s
    away = np.hypot(*(cell_centres(tracker.cells) - 0.5).T) > s.saccade_eccentricity
    nodes: dict[str, Node] = {
        **field.nodes,
        "velocity": Input((size,)),
        # Two spikes' worth for a threshold of one: a spike in is a spike out, unless inhibited.
        "relay": Linear(2.0 * np.eye(size)),
        "field_cells": Flatten(),
        "saccade": Linear(-s.saccade_weight * np.tile(away.astype(np.float64), (size, 1))),
        "velocity_copy": CubaLIF.with_unit_gain(
            (size,), dt_s=tracker.dt_s, tau_mem_s=s.saccade_tau_s
        ),
        "remember": Linear(tracker.dt_s / s.tau_s * np.eye(size)),
        "pursuit_memory": CubaLIF.with_unit_gain(
            (size,), dt_s=tracker.dt_s, tau_mem_s=slowest_s, tau_syn_s=s.tau_s
        ),
        "pursuit": Output((size,)),
    }
    edges = [
        *field.edges,
        ("velocity", "relay"),
        ("relay", "velocity_copy"),
        ("field", "field_cells"),
        ("field_cells", "saccade"),
        ("saccade", "velocity_copy"),
        ("velocity_copy", "remember"),
        ("remember", "pursuit_memory"),
        ("pursuit_memory", "pursuit"),
    ]
    return Network(nodes, edges, tracker.dt_s)
