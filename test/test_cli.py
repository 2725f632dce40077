# SPDX-License-Identifier: Apache-2.0
"""The command teaches, refuses clearly, and does not load what it does not need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import neuro_control
from neuro_control import cli
from neuro_control.demo.options import DemoOptions


def neuro_control_command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "neuro_control", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parents[1],
    )


def test_help_shows_every_subcommand_with_an_example() -> None:
    text = cli.build_parser().format_help()
    for command in ("demo arm", "run guard", "replay", "doctor"):
        assert f"neuro_control {command}" in text


@pytest.mark.parametrize("words", [["demo"], ["run"], ["replay"], ["doctor"]])
def test_every_subcommand_has_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([*words, "--help"])
    assert end.value.code == 0
    assert "usage: neuro_control" in capsys.readouterr().out


def test_the_version_is_the_packages() -> None:
    result = neuro_control_command("--version")
    assert result.stdout == f"neuro_control {neuro_control.__version__}\n"


def test_help_loads_neither_ros_nor_numpy() -> None:
    program = (
        "import sys, neuro_control.cli as cli\n"
        "cli.build_parser().format_help()\n"
        "heavy = {'rclpy', 'numpy', 'mujoco', 'numba', 'yaml', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["demo", "arm", "--seconds", "-1"], "--seconds"),
        (["demo", "arm", "--backend", "lohi"], "did you mean loihi"),
        (["demo", "arm", "--set", "simulater.seed=3"], "did you mean simulator"),
        (["demo", "arm", "--set", "simulator.target.knd=jump"], "did you mean target.kind"),
        (["demo", "arm", "--set", "simulator.seed=many"], "must be a whole number"),
        (["demo", "arm", "--report", "/nowhere/at/all.json"], "--report"),
        (["run", "controler"], "did you mean controller"),
        (["replay", "/nowhere.db3", "--offline"], "does not exist"),
        (["replay", "/nowhere.db3"], "does not exist"),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_code_2(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == 2
    text = capsys.readouterr().err
    assert text.startswith("error: ")
    assert message in text
    assert "Traceback" not in text
    assert text.count("\n") == 1


def test_a_truncated_recording_is_one_clear_line_and_exit_code_2(
    tmp_path: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = shared_data / "event_camera" / "evt3_640x480.db3"
    bad = tmp_path / "bad.db3"
    bad.write_bytes(whole.read_bytes()[:3000])
    for words in (["--offline"], []):
        assert cli.main(["replay", str(bad), *words]) == 2
        assert "corrupt or truncated" in capsys.readouterr().err


def test_the_demos_defaults_are_those_promised() -> None:
    options = DemoOptions()
    arguments = cli.build_parser().parse_args(["demo", "arm"])
    assert arguments.seconds == options.seconds == 30.0
    assert arguments.seed == options.seed == 0


def test_a_node_gets_the_robots_parameters_unless_it_is_given_others() -> None:
    words = cli.with_default_parameters(["--ros-args", "-p", "a:=1"])
    assert words[:2] == ["--ros-args", "--params-file"]
    assert words[2].endswith("config/arm.yaml")
    assert words[3:] == ["-p", "a:=1"]
    assert cli.with_default_parameters([])[:2] == ["--ros-args", "--params-file"]
