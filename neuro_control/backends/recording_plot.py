# SPDX-License-Identifier: Apache-2.0
"""Figures of a `Recording`: a raster of the spikes, traces of membranes and currents.

Colours are Okabe and Ito's, which people with any kind of colour vision can tell apart; lines
differ in their dashes as well. Figures belong to the caller alone: pyplot is not involved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuro_control.backends.recorder import Recording, Traces

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DASHES = ("solid", "dashed", "dotted", "dashdot")
_SPIKE = "#000000"
_GREY = "#666666"
_LEGEND_MOST = 12


def plot_raster(recording: Recording) -> Figure:
    """A raster: time in seconds across, neurons upwards, one panel for each population.

    A spike of tick t stands at ``t * dt_s``.

    Raises:
        ValueError: no spikes were asked for when the recording was made.
    """
    if not recording.spikes:
        raise ValueError("the recording has no population: name some in record(spikes=...)")
    from matplotlib.ticker import MaxNLocator

    heights = [1.0 + np.log10(train.n_neurons) for train in recording.spikes.values()]
    figure, panels = _panels(recording, heights)
    for axes, (name, train) in zip(panels, recording.spikes.items(), strict=True):
        length = float(np.clip(150 / train.n_neurons, 1.0, 8.0))
        axes.plot(
            train.tick * recording.dt_s,
            train.neuron,
            linestyle="none",
            marker="|",
            markersize=length,
            color=_SPIKE,
            rasterized=len(train.tick) > 10_000,
        )
        axes.set_ylim(-0.5, train.n_neurons - 0.5)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.set_ylabel("neuron")
        axes.set_title(f"{name}: {len(train.tick)} spikes", loc="left")
    return figure


def plot_traces(recording: Recording) -> Figure:
    """Membranes and currents over time in seconds, two panels for each population.

    Values are in units of the neuron's threshold; where one is 0 or there is none, in Loihi's
    integers, or in the network's own unit if it was stepped in float. Where the spikes of the
    population were recorded too, a triangle marks each of them, because the membrane itself is
    reset in the tick of its spike.

    Raises:
        ValueError: no traces were asked for when the recording was made.
    """
    if not recording.traces:
        raise ValueError("the recording has no traces: name neurons in record(traces=...)")
    figure, panels = _panels(recording, [2.0, 1.4] * len(recording.traces))
    for number, (name, traces) in enumerate(recording.traces.items()):
        _draw_traces(recording, name, traces, panels[2 * number], panels[2 * number + 1])
    return figure


def _draw_traces(
    recording: Recording, name: str, traces: Traces, membrane: Axes, current: Axes
) -> None:
    positive = (traces.threshold > 0) & np.isfinite(traces.threshold)
    in_thresholds = bool(positive.all())
    scale = traces.threshold if in_thresholds else np.ones_like(traces.threshold)
    own = "Loihi's integers" if traces.membrane.dtype.kind == "i" else "the network's own unit"
    unit = "thresholds" if in_thresholds else own
    time_s = np.arange(recording.n_ticks) * recording.dt_s
    train = recording.spikes.get(name)
    for column, neuron in enumerate(traces.neuron):
        color = _COLORS[column % len(_COLORS)]
        dashes = _DASHES[column // len(_COLORS) % len(_DASHES)]
        for axes, values in ((membrane, traces.membrane), (current, traces.current)):
            axes.plot(
                time_s,
                values[:, column] / scale[column],
                color=color,
                linestyle=dashes,
                linewidth=1.2,
                label=f"neuron {neuron}",
            )
        if train is not None:
            spikes_s = train.tick[train.neuron == neuron] * recording.dt_s
            height = traces.threshold[column] / scale[column]
            membrane.plot(spikes_s, np.full(len(spikes_s), height), "v", color=color, markersize=5)
    for height in np.unique((traces.threshold / scale)[np.isfinite(traces.threshold)]):
        membrane.axhline(height, color=_GREY, linewidth=0.8, linestyle="dashed")
    membrane.set_title(f"{name}: membrane, threshold dashed, spikes as triangles", loc="left")
    current.set_title(f"{name}: current", loc="left")
    membrane.set_ylabel(unit)
    current.set_ylabel(f"{unit} per tick")
    if 1 <= len(traces.neuron) <= _LEGEND_MOST:
        membrane.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize="small")


def _panels(recording: Recording, heights: list[float]) -> tuple[Figure, list[Axes]]:
    """A figure with panels one above the other, which share the axis of time."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 1.0 + 1.2 * sum(heights)), layout="constrained")
    grid = figure.subplots(
        len(heights), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )
    panels: list[Axes] = list(grid[:, 0])
    panels[-1].set_xlabel("time (s)")
    panels[-1].set_xlim(0.0, max(recording.n_ticks, 1) * recording.dt_s)
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
    return figure, panels
