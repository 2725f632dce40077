# SPDX-License-Identifier: Apache-2.0
"""The command teaches, refuses clearly, and does not load what it does not need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import neuro_control
from neuro_control import cli
from neuro_control.demo.options import DemoOptions
from neuro_control.ros_domain import check_domain


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
        (["demo", "arm", "--set", "skin.queue_depth=3"], "skin is started with --senses only"),
        (["demo", "arm", "--headless", "--set", "dashboard.port=0"], "with a page (without --head"),
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


@pytest.mark.parametrize("domain", ["abc", "-1", "233", "08"])
@pytest.mark.parametrize("words", [["demo", "arm"], ["run", "guard"], ["replay", "a.mcap"]])
def test_a_domain_that_ros_has_not_is_one_clear_line(
    words: list[str],
    domain: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", domain)
    assert cli.main(words) == 2
    said = capsys.readouterr().err
    assert said == (
        f"error: ROS_DOMAIN_ID={domain}: must be a whole number from 0 to 232; or unset it\n"
    )


@pytest.mark.parametrize("domain", ["", "0", "232", "007", "0x10"])
def test_a_domain_that_ros_has_is_let_through(domain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", domain)
    check_domain()


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        (["events", "info", "a.raw", "--foo"], "usage: neuro_control events info "),
        (["network", "run", "arm_tracker", "--bag", "a.mcap"], "usage: neuro_control network run "),
        (["demo", "arm", "--foo"], "usage: neuro_control demo "),
    ],
)
def test_an_unknown_option_is_answered_with_the_usage_of_its_command(
    words: list[str], usage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(usage)
    assert "unrecognized arguments: --" in said


@pytest.mark.parametrize("words", [[], ["events"], ["network"], ["backend"]])
def test_without_a_subcommand_those_that_there_are_are_shown(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    assert end.value.code == 2
    assert f"\n  neuro_control {' '.join(words)}" in capsys.readouterr().err


def test_run_alone_asks_for_the_node_only(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["run"])
    assert capsys.readouterr().err.endswith("the following arguments are required: NODE\n")


@pytest.mark.parametrize(
    ("variables", "shown"),
    [
        ({"PYTHONIOENCODING": "ascii"}, b"0.7? ?"),
        ({"PYTHONIOENCODING": "latin-1"}, b"0.7\xb0 ?"),
        ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, b"0.7? ?"),
        ({"LC_ALL": "C", "PYTHONUTF8": "1"}, b"0.7\xc2\xb0 \xe2\x80\x93"),
    ],
)
def test_what_the_terminals_encoding_has_not_is_replaced(
    variables: dict[str, str], shown: bytes
) -> None:
    program = (
        "import sys, neuro_control.cli as cli\n"
        "cli.main(['backend', 'list'])\n"
        "print('0.7\\N{DEGREE SIGN} \\N{EN DASH}')"
    )
    others = {name: v for name, v in os.environ.items() if name != "PYTHONIOENCODING"}
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, env=others | variables, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == shown


def test_where_the_encoding_has_all_a_file_is_written_as_it_is_named() -> None:
    program = (
        "import sys, neuro_control.cli as cli\ncli.main(['backend', 'list'])\nprint('\\udcff.raw')"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "utf-8:surrogateescape"},
        check=False,
    )
    assert result.stdout.splitlines()[-1] == b"\xff.raw"


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
