# SPDX-License-Identifier: Apache-2.0
"""What a node would refuse is refused before any is started, in the same words."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Before anything imports rclpy.
from test.ros_domain import little_to_collect, no_participant_left  # noqa: F401

pytest.importorskip("rclpy")

from neuro_control.bringup import RUNNABLE
from neuro_control.demo.options import DemoOptions
from neuro_control.demo.plan import plan_demo
from neuro_control.demo.settings_check import wrong_settings
from neuro_control.events import write_packets
from test.events.test_bag import packet


def wrong(*texts: str) -> str:
    plan = plan_demo(DemoOptions(senses=True, dashboard=True, overrides=texts))
    return wrong_settings(plan.bringup.nodes, plan.parameters, texts)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("controller.gaze_gain=-100", "controller: gaze_gain: Input should be greater than or"),
        ("simulator.target.kind=foo", "simulator: target.kind: Input should be"),
        ("simulator.target.kind=foo", "expected one of lissajous, random_walk"),
        ("dashboard.port=99999", "dashboard: port: Input should be less than or equal to 65535"),
        ("skin.queue_depth=-1", "skin: queue_depth: Input should be"),
        ("controller.network=missing.nir", "controller: network: 'missing.nir' is no file"),
        ("controller.probe_neurons=here", "controller: probe_neurons: "),
    ],
)
def test_a_value_that_a_node_would_refuse_is_told(text: str, why: str) -> None:
    assert why in wrong(text)


@pytest.mark.parametrize("node", ["simulator", "controller", "guard", "skin", "cochlea"])
def test_what_the_files_and_the_demo_say_is_right(node: str) -> None:
    known = plan_demo(DemoOptions(senses=True, lockstep=True)).parameters[node]
    name = next(name for name, value in known.items() if isinstance(value, (int, float)))
    assert wrong(f"{node}.{name}={known[name]}".lower()) == ""


def test_nodes_that_nothing_is_set_of_are_not_looked_at() -> None:
    nodes = tuple(RUNNABLE.values())
    assert wrong_settings(nodes, {"guard": {"rate_hz": "no number"}}, ()) == ""


def test_the_commands_start_nothing_then(tmp_path: Path) -> None:
    bag = tmp_path / "run.mcap"
    write_packets(bag, [packet(0, "/event_camera/events")])
    for words in (["demo", "arm", "--headless"], ["replay", str(bag)]):
        done = subprocess.run(
            [sys.executable, "-m", "neuro_control", *words, "--set", "controller.gaze_gain=-100"],
            env=os.environ | {"ROS_LOG_DIR": str(tmp_path / "logs")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.startswith("error: controller: gaze_gain: ")
        assert done.stderr.count("\n") == 1
        assert not (tmp_path / "logs").exists()
