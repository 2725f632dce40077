# SPDX-License-Identifier: Apache-2.0
"""A recording is drawn with one call: seconds across, what is counted upwards, all labelled."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from matplotlib import colors

from neuro_control.backends import Recording, SpikeTrain, Traces, plot_raster, plot_traces


def recording(*, threshold: int = 640, n_traces: int = 2) -> Recording:
    rng = np.random.default_rng(3)
    tick = np.array([1, 3, 3])
    membrane = rng.integers(0, 640, (5, n_traces))
    return Recording(
        0.002,
        5,
        {
            "hidden": SpikeTrain(tick, np.array([0, 0, 2], np.int32), 3),
            "output": SpikeTrain(np.zeros(0, np.int64), np.zeros(0, np.int32), 2000),
        },
        {
            "hidden": Traces(
                np.arange(n_traces, dtype=np.int32),
                membrane,
                membrane // 2,
                np.full(n_traces, threshold),
            )
        },
    )


def panels(figure) -> dict:
    return {axes.get_title("left"): axes for axes in figure.axes}


def drawn(figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def test_a_raster_has_a_panel_a_population_and_a_mark_a_spike():
    figure = plot_raster(recording())
    found = panels(figure)
    assert list(found) == ["hidden: 3 spikes", "output: 0 spikes"]
    (marks,) = found["hidden: 3 spikes"].get_lines()
    np.testing.assert_allclose(marks.get_xydata(), [[0.002, 0], [0.006, 0], [0.006, 2]])
    assert [axes.get_ylabel() for axes in figure.axes] == ["neuron", "neuron"]
    assert figure.axes[-1].get_xlabel() == "time (s)"
    assert figure.axes[-1].get_xlim() == (0.0, 0.01)
    assert drawn(figure).startswith(b"\x89PNG")


def test_traces_are_in_units_of_the_threshold():
    shown = recording()
    figure = plot_traces(shown)
    membrane, current = figure.axes
    assert (membrane.get_ylabel(), current.get_ylabel()) == ("thresholds", "thresholds per tick")
    assert current.get_xlabel() == "time (s)"
    lines = {line.get_label(): line for line in membrane.get_lines()}
    traces = shown.traces["hidden"]
    np.testing.assert_allclose(lines["neuron 1"].get_ydata(), traces.membrane[:, 1] / 640)
    np.testing.assert_allclose(lines["neuron 1"].get_xdata(), np.arange(5) * 0.002)
    np.testing.assert_allclose(current.get_lines()[0].get_ydata(), traces.current[:, 0] / 640)
    assert drawn(figure).startswith(b"\x89PNG")


def test_a_spike_is_marked_on_the_threshold_that_the_reset_hides():
    (marks, _) = [x for x in plot_traces(recording()).axes[0].get_lines() if x.get_marker() == "v"]
    np.testing.assert_allclose(marks.get_xydata(), [[0.002, 1], [0.006, 1]])


def test_without_a_threshold_traces_are_in_integers():
    figure = plot_traces(recording(threshold=0))
    assert figure.axes[0].get_ylabel() == "Loihi's integers"


def test_no_two_traces_look_the_same():
    lines = plot_traces(recording(n_traces=20)).axes[1].get_lines()
    assert len({(colors.to_hex(x.get_color()), x.get_linestyle()) for x in lines}) == 20


def test_what_was_not_recorded_cannot_be_drawn():
    empty = Recording(0.001, 0, {}, {})
    with pytest.raises(ValueError, match="no population: name some in record"):
        plot_raster(empty)
    with pytest.raises(ValueError, match="no traces: name neurons in record"):
        plot_traces(empty)


def test_pyplot_is_not_touched_and_matplotlib_loaded_only_to_draw():
    code = """
import sys
from neuro_control.backends import Recording, SpikeTrain, plot_raster
import numpy as np
assert "matplotlib" not in sys.modules
train = SpikeTrain(np.zeros(1, np.int64), np.zeros(1, np.int32), 1)
plot_raster(Recording(0.001, 1, {"n": train}, {}))
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
