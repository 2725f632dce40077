# SPDX-License-Identifier: Apache-2.0
"""The latency benchmark's arithmetic, and the answers of its empty nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.latency import comparison_rows, layout_row
from benchmarks.relay_node import SWAY_PERIOD_NS, SWAY_STEP_NS, sway


def run_of(median: float, p99: float, most: float, factor: float = 1.0) -> dict[str, Any]:
    return {
        "latency_ms": {"median": median, "p99": p99, "max": most},
        "tick_us": {"median": 25.0, "p99": 80.0},
        "real_time_factor": factor,
    }


def test_a_row_has_the_medians_of_the_runs_and_the_worst_of_them() -> None:
    found = [run_of(1.0, 4.0, 9.0), run_of(2.0, 9.0, 30.0, 0.8), run_of(1.5, 5.0, 10.0)]
    row = layout_row("demo", found)
    assert (row["median_ms"], row["p99_ms"], row["p99_ms_worst"]) == (1.5, 5.0, 9.0)
    assert (row["max_ms"], row["real_time_factor_worst"]) == (30.0, 0.8)
    assert row["tick_us_p99"] == 80.0
    assert "tick_us" not in layout_row("one empty node", found)


def test_demo_and_floor_are_compared_within_each_turn() -> None:
    # The machine is three times slower in the second turn: for both.
    floor = [run_of(0.4, 1.0, 2.0), run_of(1.2, 3.0, 6.0), run_of(0.4, 1.0, 2.0)]
    demo = [run_of(1.0, 4.0, 9.0), run_of(3.0, 12.0, 27.0), run_of(1.0, 4.0, 9.0)]
    rows = comparison_rows({"one empty node": floor, "two empty nodes": floor, "demo": demo})
    assert [row["compared"] for row in rows] == [
        "demo and one empty node",
        "demo and two empty nodes",
    ]
    assert rows[0]["median_more_ms"] == pytest.approx(0.6)
    assert rows[0]["median_ratio"] == pytest.approx(2.5)
    assert rows[0]["p99_ratio"] == pytest.approx(4.0)


def test_the_sway_goes_on_without_a_jump() -> None:
    answers = sway()
    assert len(answers) == SWAY_PERIOD_NS // SWAY_STEP_NS
    q = np.array([answer.points[0].positions for answer in answers])
    qd = np.array([answer.points[0].velocities for answer in answers])
    steps = np.diff(q, axis=0, append=q[:1])
    assert np.abs(steps - qd * SWAY_STEP_NS * 1e-9).max() < 1e-5
