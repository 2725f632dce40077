# SPDX-License-Identifier: Apache-2.0
"""A picture of a `Profile`: time and synaptic operations by node, the dominant ones on top.

Colours are Okabe and Ito's, which people with any kind of colour vision can tell apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuro_control.inspection.profiler import Profile

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NEURONS, _DELIVERY, _OPERATIONS = "#0072B2", "#E69F00", "#009E73"
_MOST_BARS = 24


def plot_profile(profile: Profile) -> Figure:
    """Bars: microseconds a tick (neurons and delivery), and operations a tick; at most 24 nodes."""
    from matplotlib.figure import Figure

    shown = profile.populations[:_MOST_BARS]
    figure = Figure(figsize=(9.0, 1.8 + 0.4 * len(shown)), layout="constrained")
    times, operations = figure.subplots(1, 2, sharey=True)
    places = range(len(shown))
    neurons = [max(p.neurons_us, 0.0) for p in shown]
    delivery = [max(p.us - n, 0.0) for p, n in zip(shown, neurons, strict=True)]
    times.barh(places, neurons, color=_NEURONS, label="neurons")
    times.barh(places, delivery, left=neurons, color=_DELIVERY, hatch="//", label="delivery")
    operations.barh(places, [p.operations / profile.ticks for p in shown], color=_OPERATIONS)
    times.set_yticks(places, [f"{p.name} ({p.neurons:,})" for p in shown])
    times.invert_yaxis()
    times.set_xlabel("microseconds a tick")
    operations.set_xlabel("synaptic operations a tick")
    times.legend(loc="lower right", fontsize="small")
    figure.suptitle(
        f"{profile.whole_us:.3g} us a tick in all; the nodes explain {profile.coverage:.0%} of it",
        fontsize="medium",
    )
    for axes in (times, operations):
        axes.spines[["top", "right"]].set_visible(False)
    return figure
