# SPDX-License-Identifier: Apache-2.0
"""The page's benchmark: its arithmetic."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.dashboard import WITHOUT, comparison_rows, layout_row
from benchmarks.page_reader import growth_mb_per_h


def run_of(median: float, p99: float, **page: float) -> dict[str, Any]:
    found: dict[str, Any] = {
        "latency_ms": {"median": median, "p99": p99},
        "real_time_factor": 1.0,
    }
    return found | ({"page": page} if page else {})


def test_with_and_without_are_compared_within_each_turn() -> None:
    # The machine is three times slower in the second turn: for both.
    without = [run_of(1.0, 4.0), run_of(3.0, 12.0), run_of(1.0, 4.0)]
    page = [run_of(1.1, 4.2), run_of(3.3, 12.6), run_of(1.1, 4.2)]
    (row,) = comparison_rows({WITHOUT: without, "one page": page})
    assert row["median_ratio"] == pytest.approx(1.1)
    assert row["p99_ratio"] == pytest.approx(1.05)
    assert row["p99_ratio_range"] == "1.05 to 1.05"


def test_a_row_has_the_pages_figures_where_there_is_one() -> None:
    figures = {
        "frames_per_s": 20.0,
        "core_share": 0.1,
        "profile_core_share": 0.03,
        "frame_ms": 4.0,
        "memory_mb_last": 200.0,
        "growth_mb_per_h": 0.0,
    }
    assert layout_row("one page", [run_of(1.0, 2.0, **figures)])["core_share"] == 0.1
    assert "core_share" not in layout_row(WITHOUT, [run_of(1.0, 2.0)])


def test_growth_is_the_slope_of_the_second_half_whatever_one_sample_says() -> None:
    rising = [(float(t), 100.0 + t / 3600.0) for t in range(100)]
    assert growth_mb_per_h(rising) == pytest.approx(1.0)
    settled = [(float(t), 150.0 if t == 70 else min(100.0 + t, 110.0)) for t in range(100)]
    assert growth_mb_per_h(settled) == pytest.approx(0.0)
    assert growth_mb_per_h([]) == 0.0
