# SPDX-License-Identifier: Apache-2.0
"""What may be overridden is known, with its type, before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuro_control.demo.options import DemoOptions
from neuro_control.demo.parameters import (
    ParameterFileError,
    Parameters,
    override,
    parse_override,
    read_parameter_file,
    write_parameter_file,
)
from neuro_control.demo.plan import plan_demo

KNOWN: Parameters = {
    "simulator": {
        "seed": 0,
        "lockstep": False,
        "target.speed_m_s": 0.3,
        "target.kind": "lissajous",
        "home_rad": [0.0, -1.5],
    },
    "guard": {"velocity_scale": 1.0},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("simulator.seed=7", 7),
        ("simulator.lockstep=true", True),
        ("simulator.target.speed_m_s=1", 1.0),
        ("simulator.target.speed_m_s=1e-1", 0.1),
        ("simulator.target.kind=still", "still"),
        ("simulator.home_rad=[1, 2.5]", [1.0, 2.5]),
    ],
)
def test_a_value_takes_its_parameters_type(text: str, value: object) -> None:
    read = parse_override(text, KNOWN)[2]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("simulator.seed", "node.parameter=value"),
        ("seed=3", "node.parameter=value"),
        ("simulater.seed=3", "did you mean simulator"),
        ("simulator.target.sped_m_s=3", "did you mean target.speed_m_s"),
        ("guard.xyz=3", "it has velocity_scale"),
        ("simulator.seed=0.5", "must be a whole number"),
        ("simulator.lockstep=3", "must be true or false"),
        ("simulator.target.speed_m_s=fast", "must be a number"),
        ("simulator.home_rad=[a]", "must be a number"),
        ("simulator.seed=[", "not a value"),
    ],
)
def test_a_mistake_is_told_with_what_would_be_right(text: str, message: str) -> None:
    with pytest.raises(ParameterFileError, match=message.replace(".", r"\.")):
        parse_override(text, KNOWN)


def test_overriding_leaves_the_defaults_alone() -> None:
    changed = override(KNOWN, ["simulator.seed=7", "guard.velocity_scale=0.5"])
    assert changed["simulator"]["seed"] == 7
    assert changed["guard"]["velocity_scale"] == 0.5
    assert KNOWN["simulator"]["seed"] == 0


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "arm.yaml"
    write_parameter_file(path, KNOWN)
    assert read_parameter_file(path) == KNOWN


@pytest.mark.parametrize("text", ["", "- 1\n", "a: {b: 1}\n", "a: [\n"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "arm.yaml"
    path.write_text(text)
    with pytest.raises(ParameterFileError, match=r"arm\.yaml"):
        read_parameter_file(path)


@pytest.mark.parametrize("text", ["N", "y", "off", "1e3", "", "a: b"])
def test_text_stays_text_for_the_parser_that_ros_has(tmp_path: Path, text: str) -> None:
    write_parameter_file(tmp_path / "p.yaml", {"skin": {"unit": text, "list": [text]}})
    written = (tmp_path / "p.yaml").read_text()
    assert f'unit: "{text}"' in written, "in quotes, which no parser takes for anything else"
    assert read_parameter_file(tmp_path / "p.yaml")["skin"] == {"unit": text, "list": [text]}


def test_what_is_set_wins_over_the_option() -> None:
    plan = plan_demo(DemoOptions(backend="auto", overrides=("controller.backend=lava",)))
    assert plan.parameters["controller"]["backend"] == "lava"
    assert plan_demo(DemoOptions(backend="cpu")).parameters["controller"]["backend"] == "cpu"
