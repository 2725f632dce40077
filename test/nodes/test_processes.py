# SPDX-License-Identifier: Apache-2.0
"""Each node as a process: it runs as a module, ends cleanly, and says why it cannot start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from event_camera_msgs.msg import EventPacket
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory

from neuro_control.nodes import messages, qos
from neuro_control.robots import ArmModel, arm_urdf

ROOT = Path(__file__).resolve().parents[2]


class Processes:
    """Nodes in processes of their own, ended at the end whatever happens."""

    def __init__(self) -> None:
        self.started: list[subprocess.Popen[str]] = []

    def start(self, name: str, **parameters: Any) -> subprocess.Popen[str]:
        arguments = [f"{key}:={value}" for key, value in parameters.items()]
        process = subprocess.Popen(
            [sys.executable, "-m", f"neuro_control.nodes.{name}", "--ros-args"]
            + [part for argument in arguments for part in ("-p", argument)],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()


@pytest.fixture
def processes() -> Iterator[Processes]:
    made = Processes()
    yield made
    made.end()


def until_it_speaks(ros: Any, name: str) -> dict[str, str]:
    """What the node first says of itself on /diagnostics."""
    heard: list[DiagnosticArray] = []
    ros.probe.create_subscription(DiagnosticArray, "/diagnostics", heard.append, 10)
    wanted = f"neuro_control: {name}"
    ros.until(lambda: any(m.status[0].name == wanted for m in heard), 60.0)
    status = next(m.status[0] for m in heard if m.status[0].name == wanted)
    return {pair.key: pair.value for pair in status.values}


@pytest.mark.parametrize("name", ["guard", "controller"])
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_managed_node_starts_active_and_ends_with_code_0(
    ros: Any, processes: Processes, name: str, end: signal.Signals
) -> None:
    process = processes.start(name)
    assert until_it_speaks(ros, name)["lifecycle_state"] == "active"
    process.send_signal(end)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


def test_in_real_time_is_a_whole_node_or_it_says_what_is_missing(
    ros: Any, processes: Processes
) -> None:
    process = processes.start("guard", realtime_priority=7)
    asks = "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(7))"
    if subprocess.run([sys.executable, "-c", asks], check=False, capture_output=True).returncode:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "rtprio 7 in /etc/security/limits.conf" in errors
        return
    assert until_it_speaks(ros, "guard")["lifecycle_state"] == "active"
    threads = [int(path.name) for path in Path(f"/proc/{process.pid}/task").iterdir()]
    assert len(threads) > 1
    assert {os.sched_getparam(thread).sched_priority for thread in threads} == {7}


@pytest.fixture
def hang_up() -> Iterator[None]:
    """Processes hear SIGHUP even if the tests run under nohup, whose children ignore it."""
    before = signal.signal(signal.SIGHUP, lambda *_: None)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hang_up")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGHUP])
def test_a_guard_that_is_ended_sends_a_hold_last(
    ros: Any, processes: Processes, end: signal.Signals
) -> None:
    process = processes.start("guard", command_interface="velocity")
    sent = ros.listen_later(Float64MultiArray, "arm_velocity_controller/commands", qos.COMMANDS)
    states = ros.publisher(JointState, "joint_states")
    commands = ros.publisher(JointTrajectory, "desired_trajectory", qos.COMMANDS)
    arm = ArmModel.from_urdf(arm_urdf())
    zero = np.zeros(len(arm.home))

    def moves() -> bool:
        now_ns = ros.probe.get_clock().now().nanoseconds
        states.publish(messages.joint_state_message(now_ns, arm.joint_names, arm.home, zero))
        commands.publish(
            messages.trajectory_message(now_ns, arm.joint_names, arm.home, zero + 0.1, 4_000_000)
        )
        return any(message.data[0] > 0.05 for message in sent)

    ros.until(moves, 60.0)
    sent.clear()
    process.send_signal(end)
    ros.until(lambda: process.poll() is not None)
    ros.until(lambda: bool(sent) and list(sent[-1].data) == [0.0] * len(zero))
    assert process.returncode == 0


def test_the_simulator_publishes_and_ends_with_code_0(ros: Any, processes: Processes) -> None:
    pytest.importorskip("mujoco", reason="needs MuJoCo")
    process = processes.start("simulator", renderer="rays")
    packets = ros.listen_later(EventPacket, "event_camera/events", qos.best_effort(64))
    ros.until(lambda: len(packets) > 10, 60.0)
    assert {(p.width, p.height, p.encoding) for p in packets} == {(128, 128, "mono")}
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_the_simulator_ends_by_itself(processes: Processes) -> None:
    pytest.importorskip("mujoco", reason="needs MuJoCo")
    process = processes.start("simulator", renderer="rays", seconds=0.02, real_time_factor=0.0)
    process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("name", "parameters", "why"),
    [
        ("guard", {"velocity_scale": 7.0}, "velocity_scale: expected a number"),
        ("controller", {"network": "nowhere.nir"}, "nowhere.nir"),
        ("replay", {}, "path: must be set"),
        ("replay", {"path": "/nowhere", "wait_s": 0.0}, "/nowhere"),
    ],
)
def test_what_keeps_a_node_from_starting_is_one_line_and_code_1(
    processes: Processes, name: str, parameters: dict[str, Any], why: str
) -> None:
    process = processes.start(name, **parameters)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    lines = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert why in lines[0]
