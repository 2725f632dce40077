# SPDX-License-Identifier: Apache-2.0
"""Settings (pydantic models) as ROS parameters.

Every field becomes a parameter with its default, description and range; the fields of a model
within a model get dotted names (`controller.dt_s`). Parameters are read-only once the node runs,
unless a field says `json_schema_extra={"dynamic": True}`. A value that the model refuses is refused
here too, with the parameter's name, the value and what would be right.

What ROS cannot say: None is written as "" for text, as NaN for a number, and for a whole number
as the one below its least value (-1 for a seed).
"""

from __future__ import annotations

import array
import math
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterUninitializedException,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

Model = TypeVar("Model", bound=BaseModel)

_SCALARS = {
    bool: Parameter.Type.BOOL,
    int: Parameter.Type.INTEGER,
    float: Parameter.Type.DOUBLE,
    str: Parameter.Type.STRING,
}
_ARRAYS = {
    bool: Parameter.Type.BOOL_ARRAY,
    int: Parameter.Type.INTEGER_ARRAY,
    float: Parameter.Type.DOUBLE_ARRAY,
    str: Parameter.Type.STRING_ARRAY,
}
_WORDS = {
    Parameter.Type.BOOL: "true or false",
    Parameter.Type.INTEGER: "a whole number",
    Parameter.Type.DOUBLE: "a number with a decimal point",
    Parameter.Type.STRING: "text",
    Parameter.Type.BOOL_ARRAY: "a list of true and false",
    Parameter.Type.INTEGER_ARRAY: "a list of whole numbers",
    Parameter.Type.DOUBLE_ARRAY: "a list of numbers with decimal points",
    Parameter.Type.STRING_ARRAY: "a list of texts",
}
_INT64 = (-(2**63), 2**63 - 1)


class ParameterError(ValueError):
    """Parameters that were refused; one line for each, with the reason."""


@dataclass(frozen=True)
class _Declared:
    """One field on its way to a parameter."""

    name: str
    path: tuple[str, ...]
    type: Parameter.Type
    optional: bool
    default: Any
    choices: tuple[str, ...]
    low: float | None
    high: float | None
    dynamic: bool
    description: str

    @property
    def expected(self) -> str:
        words = "one of " + ", ".join(self.choices) if self.choices else _WORDS[self.type]
        if self.low is not None and self.high is not None:
            words += f" from {self.low} to {self.high}"
        elif self.low is not None:
            words += f" of at least {self.low}"
        elif self.high is not None:
            words += f" of at most {self.high}"
        return words

    @property
    def none(self) -> Any:
        """How ROS says None."""
        if self.type is Parameter.Type.DOUBLE:
            return math.nan
        return "" if self.type is Parameter.Type.STRING else int(self.low or 0) - 1

    def descriptor(self) -> ParameterDescriptor:
        descriptor = ParameterDescriptor(
            name=self.name,
            type=self.type.value,
            description=self.description,
            read_only=not self.dynamic,
        )
        if self.choices:
            descriptor.additional_constraints = "one of " + ", ".join(self.choices)
        if self.low is None and self.high is None:
            return descriptor
        if self.type is Parameter.Type.DOUBLE:
            low = -math.inf if self.low is None else float(self.low)
            high = math.inf if self.high is None else float(self.high)
            # NaN stands for None, and no range holds it.
            if not self.optional:
                descriptor.floating_point_range = [
                    FloatingPointRange(from_value=low, to_value=high, step=0.0)
                ]
        elif self.type is Parameter.Type.INTEGER:
            low_int = _INT64[0] if self.low is None else int(self.low)
            low_int = self.none if self.optional else low_int
            high_int = _INT64[1] if self.high is None else int(self.high)
            descriptor.integer_range = [IntegerRange(from_value=low_int, to_value=high_int, step=0)]
        return descriptor

    def to_ros(self, value: Any) -> Any:
        if value is None:
            return self.none
        if isinstance(value, Enum):
            return str(value.value)
        if isinstance(value, Path):
            return str(value)
        if isinstance(value, (list, tuple)):
            return [self.to_ros(v) for v in value]
        return float(value) if self.type is Parameter.Type.DOUBLE else value

    def to_model(self, value: Any) -> Any:
        unknown = isinstance(value, float) and math.isnan(value)
        if self.optional and (unknown or value == self.none):
            return None
        return list(value) if isinstance(value, (list, tuple, array.array)) else value


def _bounds(info: FieldInfo) -> tuple[float | None, float | None]:
    low = high = None
    for constraint in info.metadata:
        for name in ("ge", "gt"):
            low = getattr(constraint, name, None) if low is None else low
        for name in ("le", "lt"):
            high = getattr(constraint, name, None) if high is None else high
    return low, high


def _ros_type(name: str, annotation: Any) -> tuple[Parameter.Type, bool, tuple[str, ...]]:
    """Parameter type, whether it may be None, and the texts it may take."""
    origin = get_origin(annotation)
    if origin is Union or origin is types.UnionType:
        inner = [a for a in get_args(annotation) if a is not type(None)]
        if len(inner) == 1:
            kind, _, choices = _ros_type(name, inner[0])
            if kind in (Parameter.Type.STRING, Parameter.Type.DOUBLE, Parameter.Type.INTEGER):
                return kind, True, choices
    elif origin is Literal:
        return Parameter.Type.STRING, False, tuple(str(a) for a in get_args(annotation))
    elif origin in (list, tuple, Sequence):
        element = get_args(annotation)[0]
        if element in _ARRAYS:
            return _ARRAYS[element], False, ()
    elif isinstance(annotation, type) and issubclass(annotation, Enum):
        return Parameter.Type.STRING, False, tuple(str(a.value) for a in annotation)
    elif isinstance(annotation, type) and issubclass(annotation, Path):
        return Parameter.Type.STRING, False, ()
    elif annotation in _SCALARS:
        return _SCALARS[annotation], False, ()
    raise TypeError(f"{name}: a field of type {annotation} has no ROS parameter type")


def _fields(
    model: type[BaseModel], defaults: BaseModel | None, path: tuple[str, ...]
) -> Iterator[_Declared]:
    for field, info in model.model_fields.items():
        here = (*path, field)
        name = ".".join(here)
        annotation: Any = info.annotation
        required = defaults is None and info.is_required()
        if defaults is not None:
            default = getattr(defaults, field)
        else:
            default = None if required else info.get_default(call_default_factory=True)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _fields(annotation, default, here)
            continue
        kind, optional, choices = _ros_type(name, annotation)
        low, high = _bounds(info)
        if optional and kind is Parameter.Type.INTEGER and low is None:
            raise TypeError(f"{name}: a whole number that may be None needs a least value (ge)")
        extra = info.json_schema_extra
        yield _Declared(
            name=name,
            path=here,
            type=kind,
            optional=optional,
            default=Ellipsis if required else default,
            choices=choices,
            low=low,
            high=high,
            dynamic=isinstance(extra, dict) and extra.get("dynamic") is True,
            description=info.description or "",
        )


def _nested(values: dict[tuple[str, ...], Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, value in values.items():
        branch = tree
        for part in path[:-1]:
            branch = branch.setdefault(part, {})
        branch[path[-1]] = value
    return tree


class Parameters(Generic[Model]):
    """A node's parameters, declared from a model and validated by it.

    settings: the model with the values the node was started with, and later changes.
    on_change: called with the new settings when a dynamic parameter is set, before `settings`
        changes; what it refuses with a ValueError stays as it was.
    Raises ParameterError naming every parameter that was refused.
    """

    def __init__(self, node: Node, model: type[Model], defaults: Model | None = None) -> None:
        self._model = model
        self._declared = {d.name: d for d in _fields(model, defaults, ())}
        self.on_change: Callable[[Model], None] | None = None
        self._values: dict[tuple[str, ...], Any] = {}
        refused = []
        for declared in self._declared.values():
            try:
                self._values[declared.path] = self._declare(node, declared)
            except InvalidParameterTypeException as error:
                refused.append(f"{declared.name}: expected {declared.expected}. {error}")
            except InvalidParameterValueException as error:
                refused.append(f"{declared.name}: expected {declared.expected}. {error}")
            except ParameterUninitializedException:
                refused.append(f"{declared.name}: must be set; expected {declared.expected}")
        if refused:
            raise ParameterError("; ".join(refused))
        self.settings = self._validate(self._values)
        node.add_on_set_parameters_callback(self._set)

    def _declare(self, node: Node, declared: _Declared) -> Any:
        descriptor = declared.descriptor()
        if declared.default is Ellipsis:
            node.declare_parameter(declared.name, declared.type, descriptor)
            return declared.to_model(node.get_parameter(declared.name).value)
        default = declared.to_ros(declared.default)
        # An empty list has no element type that rclpy could tell.
        descriptor.dynamic_typing = default == []
        return declared.to_model(node.declare_parameter(declared.name, default, descriptor).value)

    def _validate(self, values: dict[tuple[str, ...], Any]) -> Model:
        try:
            return self._model.model_validate(_nested(values))
        except ValidationError as error:
            raise ParameterError("; ".join(self._reasons(error))) from error

    def _reasons(self, error: ValidationError) -> Iterator[str]:
        for problem in error.errors():
            path = [str(part) for part in problem["loc"]]
            name = ".".join(path)
            declared = self._declared.get(name) or self._declared.get(".".join(path[:-1]))
            expected = f" (expected {declared.expected})" if declared else ""
            message = problem["msg"].removeprefix("Value error, ")
            given = f", got {problem['input']!r}" if declared else ""
            yield f"{name or self._model.__name__}: {message}{given}{expected}"

    def _set(self, parameters: list[Parameter]) -> SetParametersResult:
        changed = dict(self._values)
        ours = False
        for parameter in parameters:
            declared = self._declared.get(parameter.name)
            if declared is not None:
                ours = True
                changed[declared.path] = declared.to_model(parameter.value)
        if not ours:
            return SetParametersResult(successful=True)
        try:
            settings = self._validate(changed)
        except ParameterError as error:
            return SetParametersResult(successful=False, reason=str(error))
        if self.on_change is not None:
            try:
                self.on_change(settings)
            except ValueError as error:
                return SetParametersResult(successful=False, reason=str(error))
        self._values, self.settings = changed, settings
        return SetParametersResult(successful=True)
