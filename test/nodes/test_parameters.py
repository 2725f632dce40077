# SPDX-License-Identifier: Apache-2.0
"""Settings become ROS parameters, with everything the model says of them."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator
from rclpy.clock import ROSClock
from rclpy.node import Node
from rclpy.parameter import Parameter

from neuro_control.nodes.lifecycle import ManagedNode
from neuro_control.nodes.parameters import ParameterError, Parameters


class Colour(str, Enum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    size: int = Field(3, ge=1, le=9, description="how many")
    weights: tuple[float, ...] = Field((0.5, 1.5), description="how heavy")


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    gain: float = Field(
        1.0, gt=0.0, le=2.0, description="how much", json_schema_extra={"dynamic": True}
    )
    mode: Literal["a", "b"] = Field("a", description="which way")
    colour: Colour = Field(Colour.RED, description="which colour")
    file: Path | None = Field(None, description="from where")
    limit_s: float | None = Field(None, description="how long")
    seed: int | None = Field(None, ge=0, description="which chance")
    names: list[str] = Field(["x", "y"], description="who")
    even: int = Field(2, description="an even number", json_schema_extra={"dynamic": True})
    on: bool = Field(True, description="whether")
    inner: Inner = Field(default_factory=lambda: Inner(size=4), description="more")

    @field_validator("even")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("must be even")
        return value


class Required(BaseModel):
    path: str = Field(description="where")


def declare(ros: Any, overrides: Any, model: Any = Settings, **values: Any) -> tuple[Node, Any]:
    node = ros.add(Node("declared", parameter_overrides=overrides(**values)))
    return node, Parameters(node, model)


def test_defaults_come_from_the_model(ros: Any, overrides: Any) -> None:
    node, parameters = declare(ros, overrides)
    assert parameters.settings == Settings()
    assert node.get_parameter("inner.size").value == 4
    assert list(node.get_parameter("inner.weights").value) == [0.5, 1.5]
    assert node.get_parameter("file").value == ""
    assert node.get_parameter("seed").value == -1


def test_overrides_reach_the_model(ros: Any, overrides: Any) -> None:
    _, parameters = declare(
        ros,
        overrides,
        mode="b",
        colour="blue",
        file="/tmp/x",
        limit_s=2.5,
        seed=0,
        names=["z"],
        on=False,
        inner__size=9,
        inner__weights=[1.0],
    )
    settings = parameters.settings
    assert settings.mode == "b"
    assert settings.colour is Colour.BLUE
    assert settings.file == Path("/tmp/x")
    assert settings.limit_s == 2.5
    assert settings.seed == 0
    assert settings.names == ["z"]
    assert settings.inner == Inner(size=9, weights=(1.0,))


def test_descriptions_ranges_and_flags_are_declared(ros: Any, overrides: Any) -> None:
    node, _ = declare(ros, overrides)
    gain = node.describe_parameter("gain")
    assert gain.description == "how much"
    assert not gain.read_only
    assert gain.floating_point_range[0].to_value == 2.0
    size = node.describe_parameter("inner.size")
    assert size.read_only
    assert (size.integer_range[0].from_value, size.integer_range[0].to_value) == (1, 9)
    assert node.describe_parameter("mode").additional_constraints == "one of a, b"


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"gain": 3.0}, "gain: expected a number with a decimal point from 0.0 to 2.0"),
        ({"gain": 1}, "gain: expected a number with a decimal point from 0.0 to 2.0, got 1"),
        ({"gain": float("nan")}, "gain"),
        ({"mode": "c"}, "mode: Input should be 'a' or 'b', got 'c'"),
        ({"colour": "green"}, "one of red, blue"),
        ({"seed": -2}, "seed: expected a whole number"),
        ({"even": 3}, "even: must be even, got 3"),
        ({"inner__size": 10}, "inner.size: expected a whole number from 1 to 9"),
        ({"inner__size": "many"}, "inner.size: expected a whole number"),
        ({"names": [1, 2]}, "names: expected a list of texts"),
    ],
)
def test_what_the_model_refuses_is_refused_with_a_reason(
    ros: Any, overrides: Any, values: dict[str, Any], why: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        declare(ros, overrides, **values)
    assert why in str(caught.value)


def test_a_reason_says_once_what_would_be_right(ros: Any, overrides: Any) -> None:
    with pytest.raises(ParameterError) as caught:
        declare(ros, overrides, gain=3.0)
    right = "gain: expected a number with a decimal point from 0.0 to 2.0, got 3.0"
    assert str(caught.value) == right


def test_all_that_is_refused_is_named_at_once(ros: Any, overrides: Any) -> None:
    with pytest.raises(ParameterError) as caught:
        declare(ros, overrides, gain=9.0, inner__size=0)
    assert "gain" in str(caught.value)
    assert "inner.size" in str(caught.value)


def test_what_has_no_default_must_be_set(ros: Any, overrides: Any) -> None:
    with pytest.raises(ParameterError, match="path: must be set; expected text"):
        declare(ros, overrides, Required)
    _, parameters = declare(ros, overrides, Required, path="here")
    assert parameters.settings.path == "here"


@pytest.mark.parametrize(
    ("values", "warning"),
    [
        ({"gian": 0.5}, "parameter 'gian' is set, and there is none; did you mean 'gain'?"),
        ({"inner__siz": 2}, "parameter 'inner.siz' is set, and there is none; did you mean 'inner"),
        ({"zzz": 2}, "parameter 'zzz' is set, and there is none; it is ignored"),
        ({"gain": 0.5, "use_sim_time": False}, ""),
        ({"qos_overrides__/odd.subscription.depth": 5}, ""),
    ],
)
def test_a_misspelt_parameter_is_told(
    ros: Any, overrides: Any, capfd: Any, values: dict[str, Any], warning: str
) -> None:
    declare(ros, overrides, **values)
    said = capfd.readouterr().err
    assert warning in said
    assert ("there is none" in said) == bool(warning)


def test_a_misspelt_parameter_is_told_though_its_absence_is_refused(
    ros: Any, overrides: Any, capfd: Any
) -> None:
    with pytest.raises(ParameterError, match="path: must be set"):
        declare(ros, overrides, Required, pth="here")
    assert "did you mean 'path'?" in capfd.readouterr().err


def test_dynamic_parameters_can_be_set_and_the_others_cannot(ros: Any, overrides: Any) -> None:
    node, parameters = declare(ros, overrides)
    changes = []
    parameters.on_change = changes.append
    results = node.set_parameters(
        [Parameter("gain", value=0.5), Parameter("even", value=3), Parameter("mode", value="b")]
    )
    assert [result.successful for result in results] == [True, False, False]
    assert "must be even" in results[1].reason
    assert "read-only" in results[2].reason
    assert parameters.settings.gain == 0.5
    assert len(changes) == 1


@pytest.mark.parametrize("simulated", [False, True])
def test_a_managed_node_keeps_its_clock(ros: Any, overrides: Any, simulated: bool) -> None:
    node = ros.add(ManagedNode("one", parameter_overrides=overrides(use_sim_time=simulated)))
    parameters = Parameters(node, Settings)
    clock = node.get_clock()
    assert isinstance(clock, ROSClock)
    other = Parameter("use_sim_time", value=not simulated)
    result = node.set_parameters_atomically([Parameter("gain", value=0.5), other])
    assert not result.successful
    now, then = ("true", "false") if simulated else ("false", "true")
    assert f"use_sim_time: is {now} and cannot be set to {then}" in result.reason
    assert clock.ros_time_is_active is simulated
    assert node.get_parameter("use_sim_time").value is simulated
    assert parameters.settings.gain == 1.0
    same = Parameter("use_sim_time", value=simulated)
    assert node.set_parameters([same])[0].successful, "as a file of all parameters sets it"


def test_a_node_that_commands_nothing_may_change_its_clock(ros: Any, overrides: Any) -> None:
    node, _ = declare(ros, overrides)
    (result,) = node.set_parameters([Parameter("use_sim_time", value=True)])
    assert result.successful
    assert node.get_clock().ros_time_is_active


def test_a_field_that_ros_cannot_hold_is_a_programming_error(ros: Any, overrides: Any) -> None:
    class Odd(BaseModel):
        table: dict[str, int] = {}

    with pytest.raises(TypeError, match="table"):
        declare(ros, overrides, Odd)
