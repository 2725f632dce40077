# SPDX-License-Identifier: Apache-2.0
"""The ball's paths: seeded, bounded, as fast as asked, smooth or jumping by a known angle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.sim.target_paths import TargetPath, TargetPathSettings

# A camera at (0.4, 0.1, 0.6) that looks along +x, upright.
VIEW = np.array([[0, 0, 1, 0.4], [-1, 0, 0, 0.1], [0, -1, 0, 0.6], [0, 0, 0, 1.0]])
SMOOTH = st.sampled_from(["lissajous", "random_walk"])


def path(kind: str, run_seed: int = 0, **more: float) -> TargetPath:
    return TargetPath(TargetPathSettings.model_validate({"kind": kind, **more}), VIEW, run_seed)


def in_camera(points: np.ndarray) -> np.ndarray:
    return (points - VIEW[:3, 3]) @ VIEW[:3, :3]


@given(SMOOTH, st.integers(0, 1000), st.floats(0.05, 0.5))
@settings(max_examples=12)
def test_smooth_paths_keep_their_bounds_and_peak_speed(kind: str, seed: int, speed: float) -> None:
    subject = path(kind, seed, speed_m_s=speed)
    step = 0.0015 / speed  # a slow target needs longer to show its peak
    times = step * np.arange(12_000)
    points = np.array([subject.position(t) for t in times])
    seen = in_camera(points) - [0, 0, 0.55]
    assert np.all(np.abs(seen) <= np.array([0.20, 0.15, 0.04]) + 1e-9)
    speeds = np.linalg.norm(np.diff(points, axis=0), axis=1) / step
    assert speeds.max() <= speed * 1.02
    assert speeds.max() >= speed * 0.5
    # Smooth: the velocity changes by little from sample to sample.
    assert np.abs(np.diff(points, n=2, axis=0)).max() < 0.15 * step * speed


@given(st.sampled_from(["lissajous", "random_walk", "jump", "still"]), st.floats(0, 100))
@settings(max_examples=20)
def test_a_path_is_a_function_of_seed_and_time(kind: str, t_s: float) -> None:
    one, other = path(kind, 3), path(kind, 3)
    other.position(17.0)
    np.testing.assert_array_equal(one.position(t_s), other.position(t_s))


def test_seeds_differ_and_settings_win_over_the_run() -> None:
    assert not np.allclose(path("random_walk", 1).position(1.0), path("random_walk", 2).position(1))
    np.testing.assert_array_equal(
        path("random_walk", 1, seed=9).position(1.0), path("random_walk", 2, seed=9).position(1.0)
    )


def test_jumps_have_the_angle_asked_for_and_fall_about_every_two_seconds() -> None:
    subject = path("jump", 5)
    times = np.arange(0.0, 100.0, 0.01)
    seen = in_camera(np.array([subject.position(t) for t in times]))
    rays = seen / np.linalg.norm(seen, axis=1, keepdims=True)
    angles = np.degrees(np.arccos(np.clip((rays[1:] * rays[:-1]).sum(axis=1), -1, 1)))
    jumps = angles[angles > 0.01]
    np.testing.assert_allclose(jumps, 20.0, atol=0.1)
    assert 40 <= jumps.size <= 60
    assert np.all(np.abs(seen[:, :2]) <= [0.2 + 1e-9, 0.15 + 1e-9])


def test_still_is_still_ahead_of_the_camera() -> None:
    np.testing.assert_allclose(in_camera(path("still").position(3.0)), [0, 0, 0.55], atol=1e-12)


def test_ball_spins_as_fast_as_asked() -> None:
    def turn(t_s: float, rate: float) -> float:
        q = path("still", spin_rev_s=rate).orientation(t_s)
        assert np.linalg.norm(q) == pytest.approx(1.0, abs=2e-3)
        return float(2 * np.degrees(np.arccos(q[0])))

    assert turn(0.1, 3.0) == pytest.approx(108.0)
    assert turn(0.1, 0.0) == 0.0
