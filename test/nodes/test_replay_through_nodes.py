# SPDX-License-Identifier: Apache-2.0
"""A recording that is moved about is one new beginning after the other to controller and guard."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rclpy.serialization import serialize_message
from std_msgs.msg import Float64
from trajectory_msgs.msg import JointTrajectory

from neuro_control.control.guard_settings import Reason
from neuro_control.events import Events, Packet, encode_mono
from neuro_control.nodes import messages, qos
from neuro_control.nodes.bag_recorder import recording
from neuro_control.nodes.controller import ControllerNode
from neuro_control.nodes.guard import GuardNode
from neuro_control.nodes.replay import ReplayNode
from neuro_control.robots import ArmModel, arm_urdf

MS = 1_000_000
T0 = 1_000_000 * MS
ARM = ArmModel.from_urdf(arm_urdf())


@pytest.fixture
def a_run(tmp_path: Path) -> Path:
    """Four seconds of an arm at rest that sees a spot which wanders to and fro."""
    path = tmp_path / "run.mcap"
    rng = np.random.default_rng(1)
    with recording(path) as recorder:
        for k in range(1000):
            t_ns = T0 + 4 * MS * k
            column = 64 + round(10 * np.sin(k / 200))
            t = np.sort(rng.integers(t_ns - 4 * MS, t_ns, 150))
            x = rng.integers(column - 4, column + 4, 150).astype(np.uint16)
            y = rng.integers(60, 68, 150).astype(np.uint16)
            events = Events(t, x, y, np.ones(150, np.uint8), 128, 128)
            payload, base = encode_mono(events)
            packet = Packet("", k, base, t_ns, "mono", 128, 128, False, payload)
            state = messages.joint_state_message(t_ns, ARM.joint_names, ARM.home, 0 * ARM.home)
            recorder.write("/joint_states", t_ns, serialize_message(state))
            recorder.write(
                "/event_camera/events", t_ns, serialize_message(messages.packet_message(packet))
            )
    return path


def test_seeking_to_and_fro_begins_anew_and_stops_nothing(
    ros: Any, overrides: Any, a_run: Path
) -> None:
    controller = ros.add(
        ControllerNode(parameter_overrides=overrides(use_sim_time=True, backend="cpu"))
    )
    guard = ros.add(GuardNode(parameter_overrides=overrides(use_sim_time=True)))
    for node in (controller, guard):
        node.start()
    sent = ros.listen(JointTrajectory, "arm_controller/joint_trajectory", qos.COMMANDS)
    # Slow enough for three nodes in one thread of a busy machine.
    replay = ros.add(
        ReplayNode(
            parameter_overrides=overrides(
                path=str(a_run), publish_clock=True, rate=0.2, wait_s=10.0
            )
        )
    )
    seek = ros.publisher(Float64, "replay/seek", qos.reliable(1))

    def answered(place_s: float) -> Callable[[], bool]:
        """A guarded command of the hundred milliseconds after this place."""
        since = T0 + round(place_s * 1e9)
        heard: list[int] = []

        def step() -> bool:
            heard.append(len(sent))
            stamps = [messages.time_ns(m.header.stamp) for m in sent[heard[0] :]]
            return any(since <= stamp < since + 100 * MS for stamp in stamps)

        return step

    def sought(place_s: float) -> Callable[[], bool]:
        def step() -> bool:
            seek.publish(Float64(data=place_s))
            return True

        return step

    steps = [answered(0.05), sought(3.0), answered(3.05), sought(1.0), answered(1.05)]
    # Nearer than what the stamps of packets alone would show to be a new time.
    steps += [sought(0.8), answered(0.82)]
    end = time.monotonic() + 90.0

    def goes_on() -> bool:
        if steps and steps[0]():
            steps.pop(0)
        return bool(steps) and time.monotonic() < end

    replay.play(ros.executor, goes_on)
    assert steps == [], "no command came of a place that was sought"
    assert controller.tally.packets_late == 0
    assert guard.guard.counts[Reason.CLOCK_JUMP] == 2, "the clock went back twice"
    assert guard.guard.counts[Reason.STAMP_BACKWARDS] == 0
    assert guard.guard.latched == ()
