# SPDX-License-Identifier: Apache-2.0
"""Settings (pydantic models) as ROS parameters.

Every field becomes a parameter with its default, description and range; the fields of a model
within a model get dotted names (`controller.dt_s`). Parameters are read-only once the node runs,
unless a field says `json_schema_extra={"dynamic": True}`. A value that the model refuses is refused
here too, with the parameter's name, the value and what would be right; one that is set and that no
field is called by is told in the log.

A managed node's `use_sim_time` cannot be changed either once it runs: its clock would be another,
and timers that wait on the first one, a guard's watchdog among them, would wait for ever.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterUninitializedException,
)
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from rclpy.parameter import Parameter

from neuro_control.nodes.parameter_fields import ParameterField, parameter_fields

Model = TypeVar("Model", bound=BaseModel)

_LATER = "qos_overrides."
_CLOCK = "use_sim_time"


class ParameterError(ValueError):
    """Parameters that were refused; one line for each, with the reason."""


def _nested(values: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, value in values.items():
        branch = tree
        for part in path[:-1]:
            branch = branch.setdefault(part, {})
        branch[path[-1]] = value
    return tree


def validated(
    model: type[Model],
    fields: Mapping[str, ParameterField],
    values: Mapping[tuple[str, ...], Any],
) -> Model:
    """The settings that values, by their paths in the model, make up.

    fields: the model's, by the names of their parameters.
    Raises ParameterError naming every parameter that was refused.
    """
    try:
        return model.model_validate(_nested(values))
    except ValidationError as error:
        reasons = "; ".join(_reasons(model, fields, error))
    # Not raised from that error: it holds what a validator raised, by that the node whose
    # parameters they are, and the garbage collector does not look into it.
    raise ParameterError(reasons)


def _reasons(
    model: type[BaseModel], fields: Mapping[str, ParameterField], error: ValidationError
) -> Iterator[str]:
    for problem in error.errors():
        path = [str(part) for part in problem["loc"]]
        name = ".".join(path)
        declared = fields.get(name) or fields.get(".".join(path[:-1]))
        expected = f" (expected {declared.expected})" if declared else ""
        message = problem["msg"].removeprefix("Value error, ")
        given = f", got {problem['input']!r}" if declared else ""
        yield f"{name or model.__name__}: {message}{given}{expected}"


class Parameters(Generic[Model]):
    """A node's parameters, declared from a model and validated by it.

    settings: the model with the values the node was started with, and later changes.
    on_change: called with the new settings when a dynamic parameter is set, before `settings`
        changes; what it refuses with a ValueError stays as it was.
    Raises ParameterError naming every parameter that was refused.
    """

    def __init__(self, node: Node, model: type[Model], defaults: Model | None = None) -> None:
        self._model = model
        self._declared = {d.name: d for d in parameter_fields(model, defaults)}
        self.on_change: Callable[[Model], None] | None = None
        self._values: dict[tuple[str, ...], Any] = {}
        refused = []
        for declared in self._declared.values():
            try:
                self._values[declared.path] = self._declare(node, declared)
            except (InvalidParameterTypeException, InvalidParameterValueException):
                # What these say of the range or the type is what is expected, once more.
                given = self._given(node)[declared.name].value
                refused.append(f"{declared.name}: expected {declared.expected}, got {given!r}")
            except ParameterUninitializedException:
                refused.append(f"{declared.name}: must be set; expected {declared.expected}")
        for name in self._unknown(node):
            close = difflib.get_close_matches(name, self._declared, n=1)
            hint = f"did you mean {close[0]!r}?" if close else "it is ignored"
            node.get_logger().warning(f"parameter {name!r} is set, and there is none; {hint}")
        if refused:
            raise ParameterError("; ".join(refused))
        self.settings = self._validate(self._values)
        self._clock = node.get_parameter(_CLOCK) if isinstance(node, LifecycleNode) else None
        # Called before the clock's own, which changes the clock as it is asked.
        node.add_on_set_parameters_callback(self._set)

    def _unknown(self, node: Node) -> list[str]:
        """Names that the node was given values for and that nobody asks for."""
        # rclpy's own parameters of topics come later.
        return [
            name
            for name in sorted(self._given(node))
            if not (name in self._declared or node.has_parameter(name) or name.startswith(_LATER))
        ]

    @staticmethod
    def _given(node: Node) -> Mapping[str, Parameter]:
        """What the node was given values for, to which rclpy has no public way."""
        given: Mapping[str, Parameter] = getattr(node, "_parameter_overrides", {})
        return given

    def _declare(self, node: Node, declared: ParameterField) -> Any:
        descriptor = declared.descriptor()
        if declared.default is Ellipsis:
            node.declare_parameter(declared.name, declared.type, descriptor)
            return declared.to_model(node.get_parameter(declared.name).value)
        default = declared.to_ros(declared.default)
        # An empty list has no element type that rclpy could tell.
        descriptor.dynamic_typing = default == []
        return declared.to_model(node.declare_parameter(declared.name, default, descriptor).value)

    def _validate(self, values: dict[tuple[str, ...], Any]) -> Model:
        return validated(self._model, self._declared, values)

    def _set(self, parameters: list[Parameter]) -> SetParametersResult:
        changed = dict(self._values)
        ours = False
        for parameter in parameters:
            clock = self._clock
            if clock and parameter.name == _CLOCK and parameter.value != clock.value:
                now, then = (str(p.value).lower() for p in (clock, parameter))
                reason = (
                    f"{_CLOCK}: is {now} and cannot be set to {then} while the node runs; "
                    "end the node, and start it with the other"
                )
                return SetParametersResult(successful=False, reason=reason)
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
