# SPDX-License-Identifier: Apache-2.0
"""The engine's benchmarks measure what they say, and their tables add up."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import engine, engine_activity, engine_peers
from neuro_control.network import quantize


def test_a_row_has_percentiles_and_the_ratio_of_medians():
    row = engine_peers.row("64-64-6", "peer", [10.0, 30.0, 20.0], ours=2.0)
    assert row["median_us"] == 20.0
    assert row["times_ours"] == 10.0
    assert row["p99_us"] == pytest.approx(29.8)


def test_our_side_of_the_comparison_steps_the_given_layers_and_fires():
    rng = np.random.default_rng(0)
    weights = engine_peers.layers((64, 64, 6), rng)
    ours = engine_peers.runner(weights)
    inputs = (rng.random((engine_peers.TICKS, 64)) < engine_peers.ACTIVITY).astype(np.float32)
    single, together = engine_peers.our_times_us(ours, inputs, 20)
    assert len(single) == 20
    assert together > 0
    # 20 calls and 200 to get going, then two calls of ten ticks.
    assert ours.counters.ticks == 20 + 200 + 20
    assert ours.counters.spikes > 0


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
    assert rows[0]["input"] == "0.1%"
    assert rows[-1]["input"] == "50.0%"
    assert all(row["median_us"] > 0 for row in rows)


def test_the_verdict_says_from_where_dense_wins():
    rows = [{"input": "1%", "times_faster": 9.0}, {"input": "50%", "times_faster": 2.0}]
    assert "nowhere up to 50%: it takes 2.0 times" in engine_activity.where_dense_wins(rows)
    rows[1]["times_faster"] = 0.5
    assert "wins from 50%" in engine_activity.where_dense_wins(rows)
    assert "not installed" in engine_activity.where_dense_wins([{"input": "1%"}])


def test_the_floor_counts_what_must_move():
    rng = np.random.default_rng(0)
    fixed = quantize(engine.layered((4, 3, 2), rng))
    found = engine.floor(fixed, operations=7.0)
    # Five neurons: membrane, current and input, read and written; seven weights.
    assert found["floor_bytes"] == 5 * (8 + 8 + 4) + 7
    assert found["floor_operations"] == 5 * (3 + 2) + 7
    assert found["floor_us"] > 0
