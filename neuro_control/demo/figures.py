# SPDX-License-Identifier: Apache-2.0
"""The figures of a run, from what was recorded in it. Pure functions; no ROS."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

GOAL_MEDIAN_DEG = 2.0
GOAL_P95_DEG = 6.0


def angle_from_axis_deg(position: FloatArray) -> FloatArray:
    """Angle between the camera's axis and each target position.

    position: float64[n, 3] in the optical frame (z forward, x right, y down), m.
    Returns float64[n], degrees, 0 to 180.
    """
    lateral = np.hypot(position[:, 0], position[:, 1])
    return np.degrees(np.arctan2(lateral, position[:, 2]))


def in_view(position: FloatArray, field_of_view_deg: float) -> BoolArray:
    """Whether each target's centre falls into the (square) image.

    position: float64[n, 3] in the optical frame, m.
    field_of_view_deg: full angle of view, horizontally and vertically.
    """
    reach = position[:, 2] * np.tan(np.radians(field_of_view_deg) / 2.0)
    within = (np.abs(position[:, 0]) <= reach) & (np.abs(position[:, 1]) <= reach)
    return within & (position[:, 2] > 0.0)


def image_plane_deg(position: FloatArray) -> FloatArray:
    """Angles of each target right of and below the camera's axis: float64[n, 2], degrees."""
    return np.degrees(np.arctan2(position[:, :2], position[:, 2:3]))


def percentiles(values: FloatArray, **named: float) -> dict[str, float | None]:
    """Return {name: percentile of values}, each None where there are no values."""
    if len(values) == 0:
        return dict.fromkeys(named)
    return {name: float(np.percentile(values, q)) for name, q in named.items()}


def missing_samples(t_ns: IntArray, period_ns: int, first_ns: int, last_ns: int) -> int:
    """How many samples of a periodic stream are not there.

    t_ns: int64[n], times of the samples that are, in any order.
    period_ns, first_ns, last_ns: when there should have been one, the last included.
    Raises ValueError if the period is not positive.
    """
    if period_ns <= 0:
        raise ValueError(f"period_ns is {period_ns}; it must be positive")
    if last_ns < first_ns:
        return 0
    expected = (last_ns - first_ns) // period_ns + 1
    inside = t_ns[(t_ns >= first_ns) & (t_ns <= last_ns)]
    return int(expected - len(np.unique(inside)))


def rate(t_ns: IntArray, total: FloatArray, least_s: float = 0.2) -> tuple[FloatArray, FloatArray]:
    """Rate of a counter, which was 0 at the time 0, between its readings.

    t_ns: int64[n], not descending; total: float64[n], what the counter said then. A reading that
    comes less than `least_s` after the one before is left out: the time of each is not that exact.
    Returns (edges_s float64[m + 1], per_second float64[m]): the mean rate from each edge to the
    next.
    """
    edges_s, counts = [0.0], [0.0]
    for t_s, count in zip((t_ns * 1e-9).tolist(), total.tolist(), strict=True):
        if t_s - edges_s[-1] >= least_s:
            edges_s.append(t_s)
            counts.append(count)
    return np.array(edges_s), np.diff(counts) / np.diff(edges_s)
