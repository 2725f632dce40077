# SPDX-License-Identifier: Apache-2.0
"""A recording on the page: played through the real node, paused, and sent elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rclpy.serialization import serialize_message

from neuro_control.nodes import messages
from neuro_control.nodes.bag_recorder import recording
from test.dashboard.conftest import Pages, Processes, wait
from test.dashboard.known_robot import ARM, events_at, packet_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SECONDS = 20
STEP_NS = 20_000_000
STATUS = "window.dashboard.texts.replay"


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    """A recording in which the first joint's angle (rad) is a tenth of the time (s)."""
    path = tmp_path / "known.mcap"
    with recording(path) as recorder:
        for step in range(SECONDS * 50):
            t_ns = 1_000_000_000 + step * STEP_NS
            events = events_at(t_ns - 1_000_000, [(3, 2, 1)], 16, 16)
            packet = packet_of("", step, t_ns, events)
            recorder.write("/event_camera/events", t_ns, serialize_message(packet))
            q = np.array([step * STEP_NS * 1e-10, 0, 0, 0, 0, 0])
            joints = messages.joint_state_message(t_ns, ARM, q, 0 * q)
            recorder.write("/joint_states", t_ns, serialize_message(joints))
    return path


def test_it_plays_pauses_and_goes_where_the_slider_is_put(
    processes: Processes, pages: Pages, bag: Path
) -> None:
    processes.start(
        "neuro_control.nodes.replay",
        path=bag,
        publish_clock=True,
        joint_states=True,
        stay=True,
        wait_s=120.0,
    )
    page = pages.open(processes.dashboard(scene=False))
    page.wait_for_selector("#replay button")
    wait(page, "window.dashboard.frame?.arrays.joints && window.dashboard.frame?.arrays.camera")
    page.click("#replay button")
    wait(page, f"{STATUS}.paused")
    page.evaluate("""() => {
      const slider = document.querySelector("#replay input");
      slider.value = 12;
      slider.dispatchEvent(new Event("input"));
      slider.dispatchEvent(new Event("change"));
    }""")
    wait(page, f"Math.abs({STATUS}.position_s - 12) < 0.3")
    # What is shown is the robot at that time.
    wait(page, "Math.abs(window.dashboard.frame.arrays.joints.data[0] - 1.2) < 0.05")
    page.select_option("#replay select", "4")
    wait(page, f"{STATUS}.rate === 4")
    page.click("#replay button")
    wait(page, f"{STATUS}.ended")
    assert page.evaluate(f"{STATUS}.duration_s") == pytest.approx(SECONDS, abs=0.1)
