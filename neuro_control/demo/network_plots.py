# SPDX-License-Identifier: Apache-2.0
"""Plots of a network's spikes: single spikes of the last moments, rates over the run."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from neuro_control.reports.palette import GREEN
from neuro_control.reports.raster import ROLE_COLOURS, SpikeRaster, panel_heights

_HEIGHT = 1000
_MOST_SPIKES = 60_000
_DASHES = ("-", "--", ":", "-.")


def draw_raster(axes: Axes, raster: SpikeRaster) -> None:
    """Single spikes of the last second: time across, populations one below the other."""
    axes.grid(visible=False)
    t_ns, neuron, row = raster.recent_spikes()
    drawn = row < len(raster.drawn)
    t_ns, neuron, row = t_ns[drawn], neuron[drawn], row[drawn]
    places = panel_heights(raster.drawn, _HEIGHT)
    for index, (population, (top, bottom)) in enumerate(zip(raster.drawn, places, strict=True)):
        mine = np.flatnonzero(row == index)
        # Of a crowded population evenly chosen spikes; what is drawn cannot be told apart anyway.
        mine = mine[:: max(1, -(-len(mine) * len(raster.drawn) // _MOST_SPIKES))]
        height = (bottom - top) / max(population.shown, 1)
        axes.plot(
            t_ns[mine] * 1e-9,
            top + (neuron[mine] + 0.5) * height,
            linestyle="none",
            marker="|",
            markersize=float(np.clip(150 * height / _HEIGHT, 1.2, 9.0)),
            markeredgewidth=0.7,
            color=ROLE_COLOURS.get(population.role, GREEN),
            rasterized=True,
        )
        if index:
            axes.axhline(top - 2, color="#7A7A7A", lw=0.4)
    axes.set_ylim(_HEIGHT, 0)
    axes.set_yticks(
        [(top + bottom) / 2 for top, bottom in places],
        labels=[f"{p.name} ({p.size:,})" for p in raster.drawn],
        fontsize=8.5,
    )
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("simulated time [s]")
    axes.set_ylabel("population (neurons)")
    end_s = raster.last_ns * 1e-9
    axes.set_xlim(end_s - raster.recent_s, end_s)


def draw_population_rates(axes: Axes, raster: SpikeRaster) -> None:
    """Mean rate of every population's neurons over the run, on a logarithmic axis."""
    axes.set(xlabel="simulated time [s]", ylabel="spikes per neuron and second [Hz]")
    t_s, hz = raster.rates()
    seen: dict[str, int] = {}
    for population, rate in zip(raster.drawn, hz, strict=False):
        number = seen.get(population.role, 0)
        seen[population.role] = number + 1
        if not population.seen:
            continue
        axes.plot(
            t_s,
            np.where(rate > 0, rate, np.nan),
            color=ROLE_COLOURS.get(population.role, GREEN),
            ls=_DASHES[number % len(_DASHES)],
            lw=1.0 + 0.5 * (number // len(_DASHES)),
            label=population.name,
        )
    axes.set_yscale("log")
    if seen:
        axes.legend(fontsize=8, ncols=2, loc="upper left", bbox_to_anchor=(0, -0.2))
