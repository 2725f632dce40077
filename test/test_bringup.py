# SPDX-License-Identifier: Apache-2.0
"""One table says which nodes make up a robot, and refuses by name what this release lacks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from neuro_control import bringup


def test_the_simulated_arm_is_simulator_controller_and_guard() -> None:
    plan = bringup.plan_bringup("arm", sim="mujoco")
    assert [node.name for node in plan.nodes] == ["simulator", "controller", "guard"]
    assert plan.parameter_files == ("config/arm.yaml",)


def test_the_real_arm_has_no_simulator_and_uses_the_wall_clock() -> None:
    plan = bringup.plan_bringup("arm", sim="none")
    assert [node.name for node in plan.nodes] == ["controller", "guard"]
    assert plan.parameter_files == ("config/arm.yaml", "config/real_arm.yaml")
    assert not any(plan.parameters_of(node)["use_sim_time"] for node in plan.nodes)


def test_all_but_the_owner_of_the_clock_follow_it() -> None:
    plan = bringup.plan_bringup("arm", sim="mujoco")
    follows = {node.name: plan.parameters_of(node)["use_sim_time"] for node in plan.nodes}
    assert follows == {"simulator": False, "controller": True, "guard": True}


@pytest.mark.parametrize(
    ("argument", "value"),
    [("sim", "gazebo")],
)
def test_what_comes_later_is_refused_by_name(argument: str, value: str) -> None:
    with pytest.raises(bringup.BringupError, match=f"{argument}:={value} comes in a later release"):
        bringup.plan_bringup("arm", **{argument: value})


def test_the_page_is_one_node_more_if_it_is_asked_for() -> None:
    for sim in ("mujoco", "none"):
        without = bringup.plan_bringup("arm", sim=sim, dashboard="false").nodes
        plan = bringup.plan_bringup("arm", sim=sim, dashboard="true")
        assert plan.nodes == (*without, bringup.DASHBOARD)
        assert plan.parameters_of(bringup.DASHBOARD) == {"use_sim_time": sim == "mujoco"}


def test_skin_and_ears_are_two_nodes_more_if_they_are_asked_for() -> None:
    plan = bringup.plan_bringup("arm", senses=True)
    assert plan.nodes[-2:] == (bringup.SKIN, bringup.COCHLEA)
    assert all(plan.parameters_of(node)["use_sim_time"] for node in plan.nodes[-2:])


def test_a_users_file_is_laid_over_the_robots_and_replaces_none(tmp_path: Path) -> None:
    share, mine = tmp_path / "share", tmp_path / "mine.yaml"
    mine.touch()
    files = [str(share / "config" / name) for name in ("arm.yaml", "real_arm.yaml")]
    for sim, robots in (("mujoco", files[:1]), ("none", files)):
        plan = bringup.plan_bringup("arm", sim=sim, dashboard="true")
        for node in plan.nodes:
            own = [str(share / node.parameter_file)] if node is bringup.DASHBOARD else []
            last = plan.parameters_of(node)
            assert plan.layers_of(node, share, str(mine)) == (*own, *robots, str(mine), last)
            assert plan.layers_of(node, share) == (*own, *robots, last)


def test_a_users_file_that_is_not_there_starts_no_robot(tmp_path: Path) -> None:
    plan = bringup.plan_bringup("arm", sim="none")
    with pytest.raises(bringup.BringupError, match=r"params_file:=.*my\.yaml: there is no"):
        plan.layers_of(bringup.GUARD, tmp_path, str(tmp_path / "my.yaml"))


def test_the_files_say_the_backend_where_the_argument_does_not() -> None:
    for argument, told in (("auto", {}), ("cpu", {"backend": "cpu"})):
        plan = bringup.plan_bringup("arm", backend=argument)
        assert plan.parameters_of(bringup.CONTROLLER) == {"use_sim_time": True} | told


def test_an_unknown_value_names_the_ones_that_work() -> None:
    with pytest.raises(bringup.BringupError, match=r"mujocco.*did you mean mujoco.*mujoco, none"):
        bringup.plan_bringup("arm", sim="mujocco")


def test_an_unknown_robot_and_an_unknown_node_are_refused() -> None:
    with pytest.raises(bringup.BringupError, match="did you mean arm"):
        bringup.plan_bringup("arms")
    with pytest.raises(bringup.BringupError, match="did you mean controller"):
        bringup.runnable("controler")


def test_the_table_imports_no_ros() -> None:
    program = (
        "import sys, neuro_control.bringup\n"
        "heavy = {'rclpy', 'numpy', 'mujoco', 'numba', 'yaml'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
