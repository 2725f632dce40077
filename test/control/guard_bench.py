# SPDX-License-Identifier: Apache-2.0
"""A guard of two joints, and what is sent to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuro_control.control.guard import Guard
from neuro_control.control.guard_settings import GuardedCommand, GuardSettings, Reason
from neuro_control.robots.urdf import JointLimits

MS = 1_000_000
NAMES = ("shoulder", "elbow")
LIMITS = JointLimits(
    lower=np.array([-1.0, -2.0]),
    upper=np.array([1.0, 2.0]),
    velocity=np.array([2.0, 3.0]),
    effort=np.array([50.0, 20.0]),
)
HERE = np.array([0.1, -0.2])
REST = np.zeros(2)


def make(**changes: object) -> Guard:
    """An active guard that has seen the arm at rest and let its first command through at 10 ms."""
    guard = Guard(NAMES, LIMITS, GuardSettings(**{"position_margin_rad": 0.0, **changes}))  # type: ignore[arg-type]
    guard.activate(0)
    guard.joints(NAMES, HERE, [], 10 * MS, 10 * MS)
    first = guard.command(NAMES, HERE, REST, 10 * MS, 10 * MS)
    assert first is not None
    assert first.passed
    return guard


def send(
    guard: Guard,
    q: Sequence[float] | np.ndarray,
    qd: Sequence[float] | np.ndarray = (0.0, 0.0),
    stamp_ms: float = 12,
    now_ms: float | None = None,
    names: Sequence[str] = NAMES,
) -> GuardedCommand | None:
    now = stamp_ms if now_ms is None else now_ms
    return guard.command(names, q, qd, round(stamp_ms * MS), round(now * MS))


def push(guard: Guard, q: np.ndarray, stamp_ms: float) -> None:
    """Joint states of an arm that is pushed there by then, slowly enough to be believed."""
    begin, begin_ns = guard.arm.q, guard.arm.stamp_ns
    assert begin is not None
    assert begin_ns is not None
    steps = max(1, round(stamp_ms - begin_ns / MS))
    for step in range(1, steps + 1):
        stamp_ns = begin_ns + (round(stamp_ms * MS) - begin_ns) * step // steps
        guard.joints(NAMES, begin + (q - begin) * step / steps, [], stamp_ns, stamp_ns)
    np.testing.assert_allclose(guard.arm.q, q)


def expect_hold(out: GuardedCommand | None, reason: Reason, at: np.ndarray = HERE) -> None:
    assert out is not None
    assert not out.passed
    assert out.reasons == (reason,)
    np.testing.assert_allclose(out.q, at)
    np.testing.assert_array_equal(out.qd, 0.0)
