# SPDX-License-Identifier: Apache-2.0
"""The parameter files name all that each node declares, with its default, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Before anything imports rclpy.
from test.ros_domain import little_to_collect, no_participant_left  # noqa: F401

rclpy = pytest.importorskip("rclpy")

from pydantic import BaseModel  # noqa: E402

from neuro_control.bringup import ROBOTS, RUNNABLE, plan_bringup  # noqa: E402
from neuro_control.dashboard.settings import DashboardSettings  # noqa: E402
from neuro_control.demo.parameters import (  # noqa: E402
    read_parameter_file,
    write_parameter_file,
)
from neuro_control.nodes.cochlea import CochleaNodeSettings  # noqa: E402
from neuro_control.nodes.controller_settings import ControllerNodeSettings  # noqa: E402
from neuro_control.nodes.event_camera import EventCameraNodeSettings  # noqa: E402
from neuro_control.nodes.guard import GuardNodeSettings  # noqa: E402
from neuro_control.nodes.parameters import Parameters  # noqa: E402
from neuro_control.nodes.simulator_settings import SimulatorNodeSettings  # noqa: E402
from neuro_control.nodes.skin import SkinNodeSettings  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
SETTINGS: dict[str, type[BaseModel]] = {
    "simulator": SimulatorNodeSettings,
    "controller": ControllerNodeSettings,
    "guard": GuardNodeSettings,
}


SENSES: dict[str, type[BaseModel]] = {
    "event_camera": EventCameraNodeSettings,
    "cochlea": CochleaNodeSettings,
    "skin": SkinNodeSettings,
}
OTHERS: dict[str, type[BaseModel]] = {"dashboard": DashboardSettings}
ALL = SETTINGS | SENSES | OTHERS


def written_for(name: str) -> dict[str, object]:
    """The section of a node in the file that it reads."""
    return dict(read_parameter_file(ROOT / RUNNABLE[name].parameter_file)[name])


@pytest.fixture(scope="module")
def context() -> Iterator[object]:
    context = rclpy.Context()
    rclpy.init(context=context)
    yield context
    rclpy.try_shutdown(context=context)


def test_the_file_has_a_section_for_every_node_of_the_robot() -> None:
    written = read_parameter_file(ROOT / ROBOTS["arm"].parameter_file)
    assert set(written) == {node.name for node in plan_bringup("arm").nodes} == set(SETTINGS)


def test_the_senses_have_a_file_of_their_own() -> None:
    assert set(read_parameter_file(ROOT / "config" / "senses.yaml")) == set(SENSES)


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_nodes_section_is_what_the_node_declares(name: str, context: object) -> None:
    node = rclpy.create_node(name, context=context)
    try:
        others = set(node.get_parameters_by_prefix(""))
        Parameters(node, ALL[name])
        declared = {
            parameter: value.value
            for parameter, value in node.get_parameters_by_prefix("").items()
            if parameter not in others
        }
    finally:
        node.destroy_node()
    written = written_for(name)
    assert sorted(written) == sorted(declared)
    for parameter, value in written.items():
        default = declared[parameter]
        assert type(value) is type(default), f"{name}.{parameter}"
        same = value == default or (
            isinstance(value, float) and math.isclose(value, default, rel_tol=1e-9)
        )
        assert same, f"{name}.{parameter}: the file says {value}, the node's default is {default}"


@pytest.mark.parametrize("name", sorted(ALL))
def test_ros_reads_the_file_as_it_is_meant(name: str) -> None:
    # Its parser takes N for a boolean, which Python's does not.
    context = rclpy.Context()
    path = str(ROOT / RUNNABLE[name].parameter_file)
    rclpy.init(args=["--ros-args", "--params-file", path], context=context)
    try:
        node = rclpy.create_node(name, context=context)
        Parameters(node, ALL[name])
        node.destroy_node()
    finally:
        rclpy.try_shutdown(context=context)


def test_the_real_arms_file_changes_what_exists_and_nothing_to_the_same_value() -> None:
    simulated = read_parameter_file(ROOT / ROBOTS["arm"].parameter_file)
    real = read_parameter_file(ROOT / ROBOTS["arm"].real_parameter_file)
    assert set(real) == {node.name for node in plan_bringup("arm", sim="none").nodes}
    for name, values in real.items():
        for parameter, value in values.items():
            assert type(value) is type(simulated[name][parameter])
            assert value != simulated[name][parameter]
            SETTINGS[name].model_validate({parameter: value})


def launched(name: str, params_file: Path, folder: Path, **arguments: str) -> dict[str, Any]:
    """The parameters that a node ends up with, as launch starts it: a file for each layer."""
    plan = plan_bringup("arm", **arguments)
    words = []
    for layer in plan.layers_of(RUNNABLE[name], ROOT, str(params_file)):
        file = layer
        if isinstance(layer, dict):
            file = folder / "arguments.yaml"
            write_parameter_file(file, {name: layer})
        words += ["--params-file", str(file)]
    context = rclpy.Context()
    rclpy.init(args=["--ros-args", *words], context=context)
    try:
        node = rclpy.create_node(name, context=context)
        Parameters(node, SETTINGS[name])
        found = {key: value.value for key, value in node.get_parameters_by_prefix("").items()}
        node.destroy_node()
        return found
    finally:
        rclpy.try_shutdown(context=context)


@pytest.mark.parametrize("section", ["/**/guard", "/guard", "guard", "/**"])
def test_a_real_arm_stays_slow_and_waits_with_a_file_of_one_line(
    tmp_path: Path, section: str
) -> None:
    mine = tmp_path / "my_arm.yaml"
    mine.write_text(f"{section}: {{ros__parameters: {{tip_link: tool0}}}}\n", encoding="utf-8")
    found = launched("guard", mine, tmp_path, sim="none")
    assert found["tip_link"] == "tool0"
    assert (found["autostart"], found["velocity_scale"]) == (False, 0.1)
    assert (found["start_now"], found["end_velocity"]) == (True, False)
    assert found["use_sim_time"] is False
    assert found["max_jump_rad"] == 0.35, "and the rest is as the simulated arm's"


def test_a_users_file_has_the_last_word_on_a_real_arm(tmp_path: Path) -> None:
    mine = tmp_path / "my_arm.yaml"
    line = "/**/controller: {ros__parameters: {autostart: true, backend: lava}}\n"
    mine.write_text(line, encoding="utf-8")
    found = launched("controller", mine, tmp_path, sim="none")
    assert (found["autostart"], found["backend"]) == (True, "lava")
    assert found["command_time_s"] == 0.02
    assert launched("controller", mine, tmp_path, sim="none", backend="cpu")["backend"] == "cpu"


def test_a_simulated_arm_starts_by_itself_and_has_its_whole_speed(tmp_path: Path) -> None:
    mine = tmp_path / "my_arm.yaml"
    mine.write_text("/**/guard: {ros__parameters: {max_jump_rad: 0.2}}\n", encoding="utf-8")
    found = launched("guard", mine, tmp_path)
    assert (found["autostart"], found["velocity_scale"]) == (True, 1.0)
    assert (found["max_jump_rad"], found["use_sim_time"]) == (0.2, True)
