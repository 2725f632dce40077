# SPDX-License-Identifier: Apache-2.0
"""launch/arm.launch.py starts what the table says, with the robot's parameters, or refuses.

What needs no launch_ros (the table, its arguments, what is refused) is in test/test_bringup.py.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("launch_ros", reason="launch_ros comes with an installed ROS, not from PyPI")

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "launch" / "arm.launch.py"

# In a process of its own: launch sets signal handlers and keeps a ROS context.
PROGRAM = """
import importlib.util, json, sys
from launch import LaunchContext
from launch.utilities import perform_substitutions
spec = importlib.util.spec_from_file_location("arm_launch", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
context = LaunchContext()
context.launch_configurations.update(dict(a.split(":=", 1) for a in sys.argv[2:]))
for entity in module.generate_launch_description().entities[:-1]:
    entity.visit(context)
try:
    actions = module.bring_up(context)
except ValueError as error:
    sys.exit(str(error))
print(json.dumps([
    [type(a).__name__, [perform_substitutions(context, part) for part in a.cmd[:3]]]
    for a in actions
]))
"""


def launch(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(FILE), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )


def started(*arguments: str) -> list[Any]:
    result = launch(*arguments)
    assert result.returncode == 0, result.stderr
    return list(json.loads(result.stdout.splitlines()[-1]))


def test_the_simulated_arm_is_simulator_controller_and_guard() -> None:
    modules = [(kind, command[2]) for kind, command in started()]
    assert modules == [
        ("Node", "neuro_control.nodes.simulator"),
        ("LifecycleNode", "neuro_control.nodes.controller"),
        ("LifecycleNode", "neuro_control.nodes.guard"),
    ]


def test_the_real_arm_has_no_simulator() -> None:
    assert [command[2] for _, command in started("sim:=none")] == [
        "neuro_control.nodes.controller",
        "neuro_control.nodes.guard",
    ]


@pytest.mark.parametrize("argument", ["sim:=gazebo"])
def test_what_comes_later_is_refused_by_name(argument: str) -> None:
    result = launch(argument)
    assert result.returncode == 1
    assert f"{argument} comes in a later release" in result.stderr


def test_the_arguments_say_what_they_may_be() -> None:
    spec = importlib.util.spec_from_file_location("arm_launch", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert "mujoco, gazebo (in a later release), none" in module.describe_argument("sim")
