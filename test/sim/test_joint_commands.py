# SPDX-License-Identifier: Apache-2.0
"""Commands become set-points as a joint_trajectory_controller would make them."""

from __future__ import annotations

import numpy as np
import pytest

from neuro_control.robots import JointLimits
from neuro_control.sim.joint_commands import (
    VELOCITY_TIMEOUT_NS,
    TrajectoryFollower,
    TrajectoryPoint,
)

MS = 1_000_000
LIMITS = JointLimits(
    lower=np.full(2, -1.0), upper=np.full(2, 1.0), velocity=np.full(2, 2.0), effort=np.ones(2)
)


def follower() -> TrajectoryFollower:
    return TrajectoryFollower(LIMITS, np.zeros(2))


def positions(subject: TrajectoryFollower, until_ms: int, start_ms: int = 0) -> np.ndarray:
    return np.array([subject.advance(n * MS).q for n in range(start_ms + 1, until_ms + 1)])


def point(t_ms: float, q: list[float], qd: list[float] | None = None) -> TrajectoryPoint:
    return TrajectoryPoint(int(t_ms * MS), np.array(q), None if qd is None else np.array(qd))


def test_without_a_command_it_holds() -> None:
    assert not positions(follower(), 10).any()


def test_points_without_velocities_are_joined_by_lines_and_the_last_is_held() -> None:
    subject = follower()
    subject.set_trajectory([point(100, [0.1, 0.0]), point(200, [0.1, -0.1])])
    path = positions(subject, 300)
    np.testing.assert_allclose(path[:100, 0], np.arange(1, 101) * 1e-3, atol=1e-12)
    np.testing.assert_allclose(path[149], [0.1, -0.05], atol=1e-12)
    np.testing.assert_allclose(path[199:], np.tile([0.1, -0.1], (101, 1)), atol=1e-12)
    assert not subject.set_point.qd.any()


def test_points_with_velocities_are_joined_by_cubics() -> None:
    """A cubic through (0, rest) and (q, v) is exact for any cubic motion, t^3 for one."""
    subject = follower()
    subject.set_trajectory([point(500, [0.125, 0.0], [0.75, 0.0])])
    path = positions(subject, 500)
    np.testing.assert_allclose(path[:, 0], (np.arange(1, 501) * 1e-3) ** 3, atol=1e-12)
    assert subject.set_point.qd[0] == pytest.approx(0.0)  # arrived: held


def test_a_new_trajectory_replaces_the_old_without_a_jump() -> None:
    subject = follower()
    subject.set_trajectory([point(100, [0.1, 0.0], [0.0, 0.0])])
    first = positions(subject, 50)
    subject.set_trajectory([point(100, [-0.1, 0.0], [0.0, 0.0])])
    second = positions(subject, 150, start_ms=50)
    path = np.concatenate([first, second])[:, 0]
    assert np.abs(np.diff(path)).max() < 0.005
    assert path[-1] == pytest.approx(-0.1)


def test_an_empty_trajectory_stops() -> None:
    subject = follower()
    subject.set_trajectory([point(100, [0.1, 0.0])])
    positions(subject, 50)
    subject.set_trajectory([])
    np.testing.assert_allclose(positions(subject, 60, start_ms=50)[:, 0], 0.05, atol=1e-9)


def test_times_count_from_the_stamp() -> None:
    subject = follower()
    positions(subject, 20)
    subject.set_trajectory([point(20, [0.02, 0.0])], stamp_ns=10 * MS)
    path = positions(subject, 30, start_ms=20)
    assert path[-1, 0] == pytest.approx(0.02)
    subject.set_trajectory([point(20, [0.021, 0.0])], stamp_ns=1 * MS)  # over: at once
    assert positions(subject, 31, start_ms=30)[-1, 0] == pytest.approx(0.021)


def test_positions_are_reached_within_the_velocity_limit() -> None:
    subject = follower()
    subject.set_positions(np.array([0.5, -0.5]))
    path = positions(subject, 600)
    assert np.abs(np.diff(path, axis=0)).max() <= 2.0e-3 + 1e-12
    np.testing.assert_allclose(path[-1], [0.5, -0.5], atol=1e-4)


def test_velocities_are_obeyed_until_they_time_out() -> None:
    subject = follower()
    subject.set_velocities(np.array([1.0, -0.5]))
    path = positions(subject, 300)
    np.testing.assert_allclose(path[99], [0.1, -0.05], atol=1e-9)
    np.testing.assert_allclose(path[-1], path[VELOCITY_TIMEOUT_NS // MS - 1], atol=1e-9)
    assert not subject.set_point.qd.any()


def test_no_command_passes_the_limits() -> None:
    subject = follower()
    rng = np.random.default_rng(0)
    last, t_ms = np.zeros(2), 0
    for _ in range(200):
        wild = rng.normal(0, 5, 2)
        command = rng.integers(3)
        if command == 0:
            subject.set_trajectory([TrajectoryPoint(3 * MS, wild, rng.normal(0, 50, 2))])
        elif command == 1:
            subject.set_positions(wild)
        else:
            subject.set_velocities(wild * 10)
        for _ in range(5):
            t_ms += 1
            now = subject.advance(t_ms * MS)
            assert np.all(np.abs(now.q) <= 1.0)
            assert np.all(np.abs(now.qd) <= 2.0)
            assert np.all(np.abs(now.q - last) <= 2.0e-3 + 1e-12)
            last = now.q


def test_bad_commands_are_refused_by_name_and_change_nothing() -> None:
    subject = follower()
    subject.set_trajectory([point(100, [0.1, 0.0])])
    for bad, says in (
        (lambda: subject.set_trajectory([point(5, [0.0])]), r"points\[0\]\.q: shape \(1,\)"),
        (lambda: subject.set_trajectory([point(5, [0.0, np.nan])]), "not finite"),
        (lambda: subject.set_trajectory([point(5, [0.0, 0.0], [np.inf, 0.0])]), r"points\[0\]\.qd"),
        (
            lambda: subject.set_trajectory([point(5, [0.0, 0.0]), point(5, [0.0, 0.0])]),
            r"points\[1\]\.time_from_start_ns",
        ),
        (lambda: subject.set_trajectory([point(-1, [0.0, 0.0])]), "ascend from 0"),
        (lambda: subject.set_positions(np.zeros(3)), r"q: shape \(3,\)"),
        (lambda: subject.set_velocities(np.array([0.0, np.nan])), "qd: .* not finite"),
    ):
        with pytest.raises(ValueError, match=says):
            bad()
    assert positions(subject, 100)[-1, 0] == pytest.approx(0.1)
