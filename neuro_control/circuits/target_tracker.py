# SPDX-License-Identifier: Apache-2.0
"""A dynamic neural field that finds a small busy thing among the background's own motion.

When the camera moves, every edge of the background makes events. The target stands out because
it makes more of them, in a blob of its own size. Four steps find it:

1. *retina*: each neuron sums the events of a patch of pixels and leaks fast, so that it fires
   where events are dense, and seldom where they are sparse.
1. *gain control*: one neuron that listens to the whole retina inhibits it evenly. The more the
   background says, the denser events must be to be heard (Carandini and Heeger, Nature Reviews
   Neuroscience 13, 2012, review such normalisation).
2. *field*, forward: a centre as large as the target excites, a wide surround inhibits. Long
   edges and textures excite and inhibit alike and cancel.
3. *field*, recurrent: neighbours excite each other and one neuron that listens to all inhibits
   all, so that one bump of activity survives: soft winner-take-all (Amari, Biological Cybernetics
   27, 1977). The bump stays where it is for a while after its input, and does not jump to a
   rival that is only a little stronger.

What the field says is read as a population vector, as the superior colliculus is (Lee, Rohrer
and Sparks, Nature 332, 1988).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from neuro_control.network.graph import Network, Node
from neuro_control.network.neurons import CubaLIF
from neuro_control.network.synapses import Flatten, Input, Linear, Output
from neuro_control.network.windows import Conv2d

Float = NDArray[np.float64]


class TargetTrackerSettings(BaseModel):
    """Constants of the circuit.

    Lengths are in cells of the map, weights in units of the receiving neuron's threshold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    pixels: int = Field(128, ge=16, le=512, description="Rows and columns of the input")
    patch: int = Field(4, ge=1, le=16, description="Pixels along the side of a retina cell")
    dt_s: float = Field(0.001, gt=0, le=0.01, description="Tick")
    retina_tau_s: float = Field(0.010, gt=0, description="Leak of the retina cells")
    retina_events: float = Field(3.0, gt=0, description="Events that make a retina cell fire")
    gain_spikes: float = Field(
        30.0, gt=0, description="Retina spikes within about two ticks that are left as they are"
    )
    gain_tau_s: float = Field(0.002, gt=0, description="Leak of the gain control")
    gain_weight: float = Field(
        2.0, ge=0, description="Events that one spike of the gain control takes from every cell"
    )
    centre: float = Field(1.8, gt=0, description="Sigma of the exciting centre")
    centre_weight: float = Field(0.16, gt=0, description="Weight at the middle of the centre")
    surround: float = Field(3.0, gt=0, description="Sigma of the inhibiting surround")
    surround_share: float = Field(0.8, ge=0, description="Surround's sum, 1 = the centre's")
    forward_radius: int = Field(5, ge=1, description="Reach of centre and surround")
    recurrent: float = Field(1.5, gt=0, description="Sigma of the mutual excitation")
    recurrent_weight: float = Field(0.04, ge=0, description="Weight at its middle")
    recurrent_radius: int = Field(4, ge=1, description="Reach of the mutual excitation")
    field_tau_s: float = Field(0.010, gt=0, description="Leak of the field")
    inhibition_tau_s: float = Field(0.005, gt=0, description="Leak of the inhibiting neuron")
    inhibition_spikes: float = Field(4.0, gt=0, description="Field spikes that make it fire")
    inhibition_weight: float = Field(0.35, ge=0, description="What it takes from every neuron")

    @property
    def cells(self) -> int:
        """Rows and columns of retina and field."""
        return self.pixels // self.patch


def target_tracker(settings: TargetTrackerSettings) -> Network:
    """Input ``events`` (polarity, row, column), output ``target`` (1, cells, cells).

    Raises:
        ValueError: the patches do not tile the input.
    """
    s = settings
    if s.pixels % s.patch:
        raise ValueError(f"patch: {s.patch} must divide pixels, {s.pixels}")
    image = (1, s.cells, s.cells)
    nodes: dict[str, Node] = {
        "events": Input((2, s.pixels, s.pixels)),
        "patches": Conv2d(np.ones((1, 2, s.patch, s.patch)), stride=s.patch),
        "retina": CubaLIF.with_unit_gain(
            image, dt_s=s.dt_s, tau_mem_s=s.retina_tau_s, v_threshold=s.retina_events
        ),
        "retina_cells": Flatten(),
        "listen": Linear(np.ones((1, s.cells**2))),
        "gain_control": CubaLIF.with_unit_gain(
            (1,), dt_s=s.dt_s, tau_mem_s=s.gain_tau_s, v_threshold=s.gain_spikes
        ),
        "turn_down": Linear(np.full((s.cells**2, 1), -s.gain_weight)),
        "centre_surround": Conv2d(centre_surround(s)[None, None], padding=s.forward_radius),
        "field": CubaLIF.with_unit_gain(image, dt_s=s.dt_s, tau_mem_s=s.field_tau_s),
        "mutual_excitation": Conv2d(
            s.recurrent_weight * _gaussian(s.recurrent_radius, s.recurrent)[None, None],
            padding=s.recurrent_radius,
        ),
        "all_cells": Flatten(),
        "converge": Linear(np.ones((1, s.cells**2))),
        "inhibition": CubaLIF.with_unit_gain(
            (1,), dt_s=s.dt_s, tau_mem_s=s.inhibition_tau_s, v_threshold=s.inhibition_spikes
        ),
        "diverge": Linear(np.full((s.cells**2, 1), -s.inhibition_weight)),
        "target": Output(image),
    }
    edges = [
        ("events", "patches"),
        ("patches", "retina"),
        ("retina", "retina_cells"),
        ("retina_cells", "listen"),
        ("listen", "gain_control"),
        ("gain_control", "turn_down"),
        ("turn_down", "retina"),
        ("retina", "centre_surround"),
        ("centre_surround", "field"),
        ("field", "mutual_excitation"),
        ("mutual_excitation", "field"),
        ("field", "all_cells"),
        ("all_cells", "converge"),
        ("converge", "inhibition"),
        ("inhibition", "diverge"),
        ("diverge", "field"),
        ("field", "target"),
    ]
    return Network(nodes, edges, s.dt_s)


def cell_centres(cells: int) -> Float:
    """Where the field's neurons look, float64[cells * cells, 2]: (column, row) from 0 to 1."""
    centre = (np.arange(cells) + 0.5) / cells
    row, column = np.meshgrid(centre, centre, indexing="ij")
    return np.stack([column.ravel(), row.ravel()], axis=1)


def centre_surround(settings: TargetTrackerSettings) -> Float:
    """Difference of Gaussians, float64[2 radius + 1, 2 radius + 1], cut to a disc."""
    s = settings
    centre = _gaussian(s.forward_radius, s.centre)
    surround = _gaussian(s.forward_radius, s.surround)
    kernel = centre - s.surround_share * surround * centre.sum() / surround.sum()
    return s.centre_weight * kernel


def _gaussian(radius: int, sigma: float) -> Float:
    offset = np.arange(-radius, radius + 1)
    squared = offset[:, None] ** 2 + offset**2
    disc: Float = np.where(squared <= radius**2, np.exp(-squared / (2 * sigma**2)), 0.0)
    return disc
