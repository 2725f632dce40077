# SPDX-License-Identifier: Apache-2.0
"""What the nodes say of themselves, as rates of the robot's own clock."""

from __future__ import annotations

from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from neuro_control.backends.energy import DEVICES
from neuro_control.dashboard.health_panel import HealthPanel
from neuro_control.dashboard.motion_panel import MotionPanel
from neuro_control.dashboard.panel import FrameParts
from neuro_control.dashboard.senses_panel import EventSense
from test.dashboard.conftest import Robot

COUNTS = {"events": 3000.0, "ticks": 1000.0, "spikes": 500.0, "synaptic_operations": 8000.0}


@pytest.fixture
def panel(robot: Robot) -> HealthPanel:
    motion = MotionPanel(robot.node, ("a_joint",))
    return HealthPanel(robot.node, EventSense(robot.node, "event_camera/events", 100), motion)


def hear(panel: HealthPanel, wall_s: float, stamp_s: float, **values: float) -> None:
    pairs = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
    status = DiagnosticStatus(level=b"\0", hardware_id="controller", values=pairs)
    panel._hear(status, wall_s, stamp_s)


def texts(panel: HealthPanel, now_s: float) -> dict[str, Any]:
    parts = FrameParts()
    panel.draw(now_s, parts)
    return parts.texts


@pytest.mark.parametrize("pace", [0.1, 0.45, 1.0, 4.0])
def test_rates_are_those_of_the_robots_clock_however_fast_it_goes(
    panel: HealthPanel, pace: float
) -> None:
    for wall_s in (50.0, 51.0):
        stamp_s = pace * wall_s
        hear(panel, wall_s, stamp_s, neurons=10, **{k: stamp_s * n for k, n in COUNTS.items()})
    said = texts(panel, 51.0)
    assert said["nodes"]["controller"]["rates"] == pytest.approx(COUNTS)
    cost = said["cost"]
    assert cost["spikes_per_s"] == pytest.approx(500.0)
    assert cost["operations_per_s"] == pytest.approx(8000.0)
    loihi = DEVICES["loihi"]
    assert cost["power"]["loihi"]["watt"] == pytest.approx(
        8000 * loihi.synaptic_operation_j + 1000 * 10 * loihi.neuron_update_j + 500 * loihi.spike_j
    )


def test_before_two_words_and_while_the_clock_stands_there_are_no_rates(
    panel: HealthPanel,
) -> None:
    for wall_s in (50.0, 51.0):
        hear(panel, wall_s, 5.0, neurons=10, **COUNTS)
        said = texts(panel, wall_s)
        assert said["nodes"]["controller"]["rates"] == {}
        assert "cost" not in said


def test_a_controller_that_was_started_anew_has_no_negative_rate(panel: HealthPanel) -> None:
    hear(panel, 50.0, 5.0, neurons=10, **COUNTS)
    hear(panel, 51.0, 6.0, neurons=10, **dict.fromkeys(COUNTS, 0.0))
    assert set(texts(panel, 51.0)["nodes"]["controller"]["rates"].values()) == {0.0}
