# SPDX-License-Identifier: Apache-2.0
"""Fields of settings (pydantic models) on their way to ROS parameters and back.

What ROS cannot say: None is written as "" for text, as NaN for a number, and for a whole number
as the one below its least value (-1 for a seed).
"""

from __future__ import annotations

import array
import math
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.parameter import Parameter

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


@dataclass(frozen=True)
class ParameterField:
    """One field on its way to a parameter.

    name: of the parameter; path: of the field, from the outermost model; type: the parameter's;
    optional: whether it may be None; default: Ellipsis if it must be set; choices: texts that it
    may be; low, high: bounds, if any; dynamic: whether it may be set while the node runs.
    """

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
        """What would be right, in words."""
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
        """What ROS is told of it."""
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
        """A field's value as the parameter's."""
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
        """A parameter's value as the field's."""
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


def parameter_fields(
    model: type[BaseModel], defaults: BaseModel | None = None, path: tuple[str, ...] = ()
) -> Iterator[ParameterField]:
    """The fields of a model and of the models within it, at `path`.

    Raises:
        TypeError: a field that ROS has no parameter type for.
    """
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
            yield from parameter_fields(annotation, default, here)
            continue
        kind, optional, choices = _ros_type(name, annotation)
        low, high = _bounds(info)
        if optional and kind is Parameter.Type.INTEGER and low is None:
            raise TypeError(f"{name}: a whole number that may be None needs a least value (ge)")
        extra = info.json_schema_extra
        yield ParameterField(
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
