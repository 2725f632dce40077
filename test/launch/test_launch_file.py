# SPDX-License-Identifier: Apache-2.0
"""What can be said of the launch file without launch_ros: it reads the table, and only that."""

from __future__ import annotations

import ast
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "launch" / "arm.launch.py"
TREE = ast.parse(FILE.read_text(encoding="utf-8"))


def test_it_reads_the_same_table_as_the_command() -> None:
    imported = {
        alias.name
        for node in ast.walk(TREE)
        if isinstance(node, ast.ImportFrom) and node.module == "neuro_control.bringup"
        for alias in node.names
    }
    assert "plan_bringup" in imported


def test_it_names_no_node_of_its_own() -> None:
    words = {
        node.value
        for node in ast.walk(TREE)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not words & {"simulator", "controller", "guard"}
    assert not any(word.startswith("neuro_control.nodes.") for word in words)


def test_it_declares_the_three_arguments_with_defaults_that_work() -> None:
    defaults = next(
        ast.literal_eval(node.value)
        for node in TREE.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "DEFAULTS"
    )
    assert defaults == {"sim": "mujoco", "backend": "auto", "dashboard": "false"}


def test_a_nodes_parameters_are_the_plans_layers_and_nothing_else() -> None:
    given = [
        ast.unparse(word.value)
        for node in ast.walk(TREE)
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg == "parameters"
    ]
    assert given == ["list(plan.layers_of(node, share, params_file))"]
