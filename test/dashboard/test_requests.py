# SPDX-License-Identifier: Apache-2.0
"""What a request asks is checked before anything is done: field, value, what would be right."""

from __future__ import annotations

from typing import Any

import pytest

rcl_interfaces = pytest.importorskip("rcl_interfaces.msg", reason="needs ROS 2 (rcl_interfaces)")

from rcl_interfaces.msg import (  # noqa: E402
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    ParameterType,
    ParameterValue,
)

from neuro_control.dashboard.requests import (  # noqa: E402
    RequestError,
    describe,
    flag,
    parameter_value,
)

BOOL, INT = ParameterType.PARAMETER_BOOL, ParameterType.PARAMETER_INTEGER
FLOAT, TEXT = ParameterType.PARAMETER_DOUBLE, ParameterType.PARAMETER_STRING


def descriptor(kind: int, **more: Any) -> ParameterDescriptor:
    return ParameterDescriptor(name="p", type=kind, **more)


MASS = descriptor(FLOAT, floating_point_range=[FloatingPointRange(from_value=0.0, to_value=5.0)])
COUNT = descriptor(INT, integer_range=[IntegerRange(from_value=-2, to_value=3, step=0)])
PATH = descriptor(TEXT, additional_constraints="one of jump, lissajous")


@pytest.mark.parametrize(
    ("parameter", "value", "words"),
    [
        (descriptor(INT), 2**63, "a whole number"),
        (descriptor(INT), 10**400, "a whole number"),
        (descriptor(INT), 0.5, "value of p is 0.5; it must be a whole number"),
        (descriptor(INT), True, "value of p is True; it must be a whole number"),
        (descriptor(FLOAT), 10**400, "a number"),
        (descriptor(FLOAT), float("nan"), "value of p is nan; it must be a number"),
        (descriptor(FLOAT), None, "value of p is not given; it must be a number"),
        (descriptor(FLOAT), False, "value of p is False; it must be a number"),
        (descriptor(TEXT), 1, "value of p is 1; it must be a text"),
        (descriptor(BOOL), "yes", "value of p is 'yes'; it must be true or false"),
        (descriptor(BOOL), 1, "value of p is 1; it must be true or false"),
        (MASS, -1, "value of p is -1; it must be a number from 0 to 5"),
        (MASS, "heavy", "value of p is 'heavy'; it must be a number from 0 to 5"),
        (COUNT, 4, "value of p is 4; it must be a whole number from -2 to 3"),
        (PATH, "circle", "value of p is 'circle'; it must be one of jump, lissajous"),
        (PATH, 3, "value of p is 3; it must be one of jump, lissajous"),
        (descriptor(ParameterType.PARAMETER_BYTE_ARRAY), [1], "a type that the page does not set"),
    ],
)
def test_a_value_that_cannot_be_is_refused(
    parameter: ParameterDescriptor, value: Any, words: str
) -> None:
    with pytest.raises(RequestError, match=words):
        parameter_value(parameter, value)


def test_a_whole_number_is_an_integer_and_the_ends_of_a_range_belong_to_it() -> None:
    assert parameter_value(descriptor(INT), -(2**63)).integer_value == -(2**63)
    assert parameter_value(descriptor(INT), 3.0).integer_value == 3
    assert parameter_value(MASS, 5).double_value == 5.0
    assert parameter_value(COUNT, -2).integer_value == -2
    assert parameter_value(PATH, "jump").string_value == "jump"
    assert parameter_value(descriptor(BOOL), False) == ParameterValue(type=BOOL, bool_value=False)


def test_a_parameter_is_described_with_its_range_and_choices() -> None:
    found = describe(MASS, ParameterValue(type=FLOAT, double_value=1.5))
    assert found == {
        "name": "p", "type": "float", "description": "", "low": 0.0, "high": 5.0, "choices": [],
        "value": 1.5,
    }  # fmt: skip
    found = describe(PATH, ParameterValue(type=TEXT, string_value="jump"))
    assert (found["type"], found["choices"]) == ("text", ["jump", "lissajous"])


@pytest.mark.parametrize("value", ["yes", 1, 0, None, [], {"on": True}])
def test_a_flag_is_true_or_false(value: Any) -> None:
    with pytest.raises(RequestError, match=r"on is .*; it must be true or false"):
        flag({"on": value}, "on")


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(RequestError) as refused:
        flag({"on": "x" * 10_000}, "on")
    assert len(str(refused.value)) < 150
