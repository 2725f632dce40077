# SPDX-License-Identifier: Apache-2.0
"""The engine's benchmarks measure what they say, and their tables add up."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import engine_activity, engine_peers


def test_a_row_has_percentiles_and_the_ratio_of_medians():
    row = engine_peers.row("64-64-6", "peer", [10.0, 30.0, 20.0], ours=2.0)
    assert row["median_us"] == 20.0
    assert row["times_ours"] == 10.0
    assert row["p99_us"] == pytest.approx(29.8)


def test_our_side_of_the_comparison_steps_the_given_layers_and_fires():
    rng = np.random.default_rng(0)
    weights = engine_peers.layers((64, 64, 6), rng)
    engine = engine_peers.runner(weights)
    inputs = (rng.random((engine_peers.TICKS, 64)) < engine_peers.ACTIVITY).astype(np.float32)
    single, together = engine_peers.our_times_us(engine, inputs, 20)
    assert len(single) == 20
    assert together > 0
    # 20 calls and 200 to get going, then two calls of ten ticks.
    assert engine.counters.ticks == 20 + 200 + 20
    assert engine.counters.spikes > 0


def test_a_peer_that_fails_is_named_with_its_reason(tmp_path):
    with pytest.raises(RuntimeError, match=r"No such file|No module|not found|Error"):
        engine_peers.peer_times_us(
            "snntorch", Path(sys.executable), tmp_path / "none.npz", tmp_path / "out.json"
        )


def test_the_networks_of_the_size_curve_have_the_synapses_they_say():
    row = engine_activity.size_row(1000, calls=5)
    assert row["neurons"] == 1000
    assert row["synapses"] == 1000 * engine_activity.FAN_OUT
    assert row["median_us"] > 0


def test_activity_rows_cover_the_whole_range():
    rows = engine_activity.activity_rows(calls=5)
    assert [row["input"] for row in rows] == ["0.1%", "1.0%", "5.0%", "10.0%", "20.0%", "50.0%"]
    assert all(row["median_us"] > 0 for row in rows)
