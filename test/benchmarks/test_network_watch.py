# SPDX-License-Identifier: Apache-2.0
"""The benchmark of the watch looks into each controller as it says."""

from __future__ import annotations

import pytest

# Before anything imports rclpy.
from test.ros_domain import little_to_collect, no_participant_left  # noqa: F401

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("mujoco", reason="needs MuJoCo")

from benchmarks.network_watch import KINDS, measure, table


def test_every_way_to_be_looked_into_is_measured() -> None:
    # Long enough for a message in each, or it raises that nobody was heard.
    found = measure(200)
    rows = table(found)
    assert [row["watched"] for row in rows] == list(KINDS)
    assert rows[0]["step_ratio"] == 1.0
    assert all(row["step_us"] > 0 for row in rows)
    # What is published takes its time after the command, and nothing where nobody listens.
    # Of few answers a message follows; once or twice the machine may take as long for nothing.
    nobody, spikes = (sorted(contender.after_us)[-3] for contender in found[1:3])
    assert spikes > 2 * nobody
