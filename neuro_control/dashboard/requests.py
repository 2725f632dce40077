# SPDX-License-Identifier: Apache-2.0
"""What a request asks of the page, checked; a refusal names field, value and what would be right.

A script may post what the buttons post; what it gets wrong must not move anything.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from rcl_interfaces.msg import ParameterDescriptor, ParameterType, ParameterValue


class ActionError(ValueError):
    """What a button asked for cannot be done now; the message says why."""


class RequestError(ActionError):
    """What was asked for is not a request of this kind; the message says what would be."""


def wanted_of(body: bytes) -> dict[str, Any]:
    """What a request asks for; nothing if it is empty. Raises ValueError."""
    if not body:
        return {}
    try:
        wanted = json.loads(body)
        # Numbers that no float holds, and halves of characters, go no further either.
        json.dumps(wanted, ensure_ascii=False, allow_nan=False).encode()
        _check_numbers(wanted)
    except (ValueError, RecursionError, OverflowError) as error:
        raise ValueError(f"the request is not JSON that can be used: {error}") from error
    if not isinstance(wanted, dict):
        raise ValueError("the request is no JSON object")
    return wanted


def _check_numbers(value: Any) -> None:
    """Raises OverflowError for an integer beyond every float."""
    if isinstance(value, int):
        float(value)
    elif isinstance(value, dict):
        _check_numbers(list(value.values()))
    elif isinstance(value, list):
        for entry in value:
            _check_numbers(entry)


def check_fields(wanted: Mapping[str, Any], *known: str) -> None:
    """Raises RequestError for a field that there is none of."""
    for name in wanted:
        if name not in known:
            raise RequestError(f"{name} is no field of this request; it has {', '.join(known)}")


def flag(wanted: Mapping[str, Any], name: str) -> bool:
    """A field that is true or false. Raises RequestError."""
    value = wanted.get(name)
    if not isinstance(value, bool):
        raise RequestError(f"{name} is {_shown(value)}; it must be true or false")
    return value


def text(wanted: Mapping[str, Any], name: str, meaning: str) -> str:
    """A field that is a text. Raises RequestError."""
    value = wanted.get(name)
    if not isinstance(value, str):
        raise RequestError(f"{name} is {_shown(value)}; it must be {meaning}")
    return value


def seconds(wanted: Mapping[str, Any], name: str) -> float:
    """A field that is a time from the beginning. Raises RequestError."""
    value = wanted.get(name)
    if not is_number(value) or value < 0:
        raise RequestError(f"{name} is {_shown(value)}; it must be a number of seconds, 0 or more")
    return float(value)


def is_number(value: Any) -> TypeGuard[float]:
    """Whether it is a number that a float can hold; true and false are none."""
    if isinstance(value, bool):
        return False
    try:
        return isinstance(value, (int, float)) and math.isfinite(value)
    except OverflowError:
        return False


def _shown(value: Any) -> str:
    """A value as a message shows it."""
    shown = "not given" if value is None else repr(value)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


# Parameters

_KINDS: dict[int, tuple[str, str, Callable[[ParameterValue], Any]]] = {
    ParameterType.PARAMETER_BOOL: ("bool", "true or false", lambda v: bool(v.bool_value)),
    ParameterType.PARAMETER_INTEGER: ("int", "a whole number", lambda v: int(v.integer_value)),
    ParameterType.PARAMETER_DOUBLE: ("float", "a number", lambda v: float(v.double_value)),
    ParameterType.PARAMETER_STRING: ("text", "a text", lambda v: str(v.string_value)),
}


def describe(descriptor: ParameterDescriptor, value: ParameterValue) -> dict[str, Any]:
    """A parameter for the page: name, type, meaning, range, choices, value."""
    kind, _, read = _KINDS.get(value.type, ("", "", lambda _: None))
    low, high = _range(descriptor)
    return {
        "name": str(descriptor.name),
        "type": kind,
        "description": str(descriptor.description),
        "low": low,
        "high": high,
        "choices": _choices(descriptor),
        "value": read(value),
    }


def parameter_value(descriptor: ParameterDescriptor, value: Any) -> ParameterValue:
    """A value of JSON as a parameter's.

    Raises:
        RequestError: it is of another type, or beyond the parameter's range or choices.
    """
    kind, name = descriptor.type, descriptor.name
    low, high = _range(descriptor)
    choices = _choices(descriptor)
    found = _typed(kind, value)
    if found is None or not _within(value, low, high) or (choices and value not in choices):
        right = _KINDS[kind][1] if kind in _KINDS else "of a type that the page does not set"
        if low is not None and high is not None:
            right += f" from {low:g} to {high:g}"
        if choices:
            right = f"one of {', '.join(choices)}"
        raise RequestError(f"value of {name} is {_shown(value)}; it must be {right}")
    return found


def _typed(kind: int, value: Any) -> ParameterValue | None:
    number = is_number(value)
    if kind == ParameterType.PARAMETER_BOOL and isinstance(value, bool):
        return ParameterValue(type=kind, bool_value=value)
    whole = number and -(2**63) <= value < 2**63 and float(value).is_integer()
    if kind == ParameterType.PARAMETER_INTEGER and whole:
        return ParameterValue(type=kind, integer_value=int(value))
    if kind == ParameterType.PARAMETER_DOUBLE and number:
        return ParameterValue(type=kind, double_value=float(value))
    if kind == ParameterType.PARAMETER_STRING and isinstance(value, str):
        return ParameterValue(type=kind, string_value=value)
    return None


def _range(descriptor: ParameterDescriptor) -> tuple[float | None, float | None]:
    ranges = [*descriptor.floating_point_range, *descriptor.integer_range]
    return (float(ranges[0].from_value), float(ranges[0].to_value)) if ranges else (None, None)


def _within(value: Any, low: float | None, high: float | None) -> bool:
    if low is None or high is None:
        return True
    return low <= value <= high


def _choices(descriptor: ParameterDescriptor) -> list[str]:
    said = str(descriptor.additional_constraints)
    return said.removeprefix("one of ").split(", ") if said.startswith("one of ") else []
