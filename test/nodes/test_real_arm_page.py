# SPDX-License-Identifier: Apache-2.0
"""The steps of docs/real_arm.md work as they are written, with the files that it names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from neuro_control.bringup import BringupPlan, NodeEntry, plan_bringup
from neuro_control.demo.parameters import write_parameter_file
from neuro_control.nodes import qos
from neuro_control.nodes.controller import ControllerNode
from neuro_control.nodes.guard import GuardNode

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "real_arm.md").read_text(encoding="utf-8")
NODES = {"guard": GuardNode, "controller": ControllerNode}
IDS = {
    "configure": Transition.TRANSITION_CONFIGURE,
    "activate": Transition.TRANSITION_ACTIVATE,
}


def my_arm(folder: Path) -> Path:
    """The file that the page's commands write."""
    (commands,) = re.findall(r"^```bash\n(xacro .*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (folder / "urdf").symlink_to(ROOT / "urdf")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    subprocess.run(["bash", "-ec", commands], cwd=folder, env=environment, check=True)
    return folder / "my_arm.yaml"


def files(plan: BringupPlan, node: NodeEntry, mine: Path) -> list[str]:
    """A node's arguments, as launch gives it its parameters."""
    words = ["--ros-args"]
    for layer in plan.layers_of(node, ROOT, str(mine)):
        file = layer
        if isinstance(layer, dict):
            file = mine.with_name(f"{node.name}.yaml")
            write_parameter_file(file, {node.name: layer})
        words += ["--params-file", str(file)]
    return words


def test_the_first_run_goes_as_the_page_says(ros: Any, tmp_path: Path) -> None:
    plan, mine = plan_bringup("arm", sim="none"), my_arm(tmp_path)
    nodes = {
        entry.name: ros.add(NODES[entry.name](cli_args=files(plan, entry, mine)))
        for entry in plan.nodes
    }
    for node in nodes.values():
        settings = node.parameters.settings
        assert not settings.autostart, "they wait to be told"
        assert settings.robot_description.startswith("<?xml")
    scale = nodes["guard"].parameters.settings.velocity_scale
    assert f"`velocity_scale` is {scale:g};" in PAGE
    sent = ros.listen_later(JointTrajectory, "arm_controller/joint_trajectory", qos.COMMANDS)

    steps = re.findall(r"^ros2 (lifecycle set|service call) /(\S+) (\S+)$", PAGE, re.MULTILINE)
    assert [name for _, name, _ in steps].count("guard") == 2
    for kind, name, what in steps:
        if kind == "lifecycle set":
            request = ChangeState.Request(transition=Transition(id=IDS[what]))
            answer = ros.call(ChangeState, f"{name}/change_state", request)
        else:
            assert what == "std_srvs/srv/Trigger"
            answer = ros.call(Trigger, name)
        assert answer.success, f"{name} {what}"
        active = {node_name for node_name, node in nodes.items() if node.active}
        if name == "guard" and what == "configure":
            assert not active
        if name == "controller" and what == "activate":
            assert active == {"controller"}
            assert not sent
    assert active == {"controller", "guard"}


@pytest.mark.parametrize(
    ("interface", "topic"),
    [
        ("joint_trajectory", "arm_controller/joint_trajectory"),
        ("position", "arm_position_controller/commands"),
        ("velocity", "arm_velocity_controller/commands"),
    ],
)
def test_the_page_names_the_topics_that_the_guard_publishes(
    ros: Any, overrides: Any, interface: str, topic: str
) -> None:
    guard = ros.add(GuardNode(parameter_overrides=overrides(command_interface=interface)))
    guard.start()
    assert guard._publisher.topic_name == f"/{topic}"
    (row,) = re.findall(rf"^\| `{interface}` \|.*$", PAGE, re.MULTILINE)
    assert row.endswith(f"| `{topic}` |")
    assert f"named `{topic.partition('/')[0]}`" in row
