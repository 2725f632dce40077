# SPDX-License-Identifier: Apache-2.0
"""The figures of a run: known answers and laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.demo import figures


def test_the_angle_from_the_axis_has_known_answers() -> None:
    position = np.array([[0, 0, 1], [1, 0, 1], [0, -2, 2], [0, 1, 0], [0, 0, -1]], float)
    np.testing.assert_allclose(figures.angle_from_axis_deg(position), [0, 45, 45, 90, 180])


@given(st.floats(-80, 80), st.floats(0.1, 10))
def test_the_angle_does_not_depend_on_the_distance(angle_deg: float, distance: float) -> None:
    a = np.radians(angle_deg)
    position = distance * np.array([[np.sin(a), 0.0, np.cos(a)]])
    assert figures.angle_from_axis_deg(position)[0] == pytest.approx(abs(angle_deg), abs=1e-6)
    assert figures.image_plane_deg(position)[0, 0] == pytest.approx(angle_deg, abs=1e-6)


def test_a_target_is_in_view_inside_the_square_image_only() -> None:
    position = np.array([[0.5, 0, 1], [0.6, 0, 1], [0.5, 0.5, 1], [0, 0, -1]], float)
    np.testing.assert_array_equal(figures.in_view(position, 60.0), [True, False, True, False])


def test_every_gap_is_counted() -> None:
    t_ns = np.array([2, 4, 8, 10, 10, 99], np.int64)
    assert figures.missing_samples(t_ns, 2, first_ns=2, last_ns=10) == 1
    assert figures.missing_samples(t_ns, 2, first_ns=2, last_ns=14) == 3
    assert figures.missing_samples(np.arange(0, 100, 2), 2, 0, 98) == 0
    with pytest.raises(ValueError, match="period_ns"):
        figures.missing_samples(t_ns, 0, 0, 1)


def test_percentiles_of_nothing_are_unknown() -> None:
    assert figures.percentiles(np.empty(0), median=50, p95=95) == {"median": None, "p95": None}
    assert figures.percentiles(np.arange(101.0), median=50, p95=95) == {"median": 50, "p95": 95}


def test_the_rate_of_a_steady_counter_is_steady_from_the_beginning_on() -> None:
    t_ns = np.array([0.01, 1.0, 1.0, 1.05, 3.0]) * 1e9
    totals = np.array([9.0, 10.0, 10.0, 20.0, 30.0])
    edges_s, per_second = figures.rate(t_ns.astype(np.int64), totals)
    np.testing.assert_allclose(edges_s, [0.0, 1.0, 3.0])
    np.testing.assert_allclose(per_second, [10.0, 10.0])


def test_no_reading_gives_no_rate() -> None:
    edges_s, per_second = figures.rate(np.empty(0, np.int64), np.empty(0))
    assert len(edges_s) == 1
    assert len(per_second) == 0
