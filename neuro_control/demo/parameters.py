# SPDX-License-Identifier: Apache-2.0
"""ROS parameter files: read with dotted names, overridden from the command line, written.

The robot's parameter file names every parameter of every node with its default, and so says
what may be overridden, and with what type, before a single process has started.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from neuro_control.bringup import nearest

Parameters = dict[str, dict[str, Any]]

_KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
}


class ParameterFileError(ValueError):
    """A parameter or parameter file that is not right; the message says what would be."""


def read_parameter_file(path: Path) -> Parameters:
    """Return {node: {parameter: value}} of a ROS parameter file; nested names become dotted.

    Whatever the namespace of a section (``/**/guard``), its node has its plain name.

    Raises ParameterFileError if the file is not one.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ParameterFileError(f"{path}: not a readable parameter file ({error})") from error
    if not isinstance(document, dict):
        raise ParameterFileError(f"{path}: not a parameter file: no node in it")
    parameters: Parameters = {}
    for node, section in document.items():
        values = section.get("ros__parameters") if isinstance(section, dict) else None
        if not isinstance(values, dict):
            raise ParameterFileError(f"{path}: node {node} has no section ros__parameters")
        parameters[str(node).rpartition("/")[2]] = _flatten(values)
    return parameters


def _flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat.update(_flatten(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def parse_override(text: str, known: Parameters) -> tuple[str, str, Any]:
    """Read ``node.parameter=value`` as (node, parameter, value of the parameter's type).

    text: the value is YAML: ``true``, ``3``, ``0.5``, ``[1.0, 2.0]``, ``lissajous``.
    known: every parameter there is, with its default.
    Raises ParameterFileError naming what is unknown, the nearest names, or the type that is right.
    """
    place, equals, written = text.partition("=")
    node, dot, name = place.strip().partition(".")
    if not (equals and dot and node and name):
        raise ParameterFileError(f"{text!r} is not of the form node.parameter=value")
    if node not in known:
        raise ParameterFileError(
            f"{text!r}: no node {node!r}{nearest(node, list(known))}; there are {', '.join(known)}"
        )
    if name not in known[node]:
        near = nearest(name, list(known[node])) or f"; it has {', '.join(sorted(known[node]))}"
        raise ParameterFileError(f"{text!r}: {node} has no parameter {name!r}{near}")
    try:
        value = yaml.safe_load(written)
    except yaml.YAMLError as error:
        raise ParameterFileError(f"{text!r}: {written!r} is not a value ({error})") from error
    if written.strip() == "":
        value = ""
    return node, name, _typed(text, value, known[node][name])


def _typed(text: str, value: Any, default: Any) -> Any:
    """Return `value` as the type of `default`, or raise."""
    if isinstance(default, list) and isinstance(value, list):
        kind = default[0] if default else None
        return [_typed(text, entry, kind) for entry in value] if default else value
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(default, float) and isinstance(value, str):
        try:  # YAML 1.1 reads 1e-3 as text
            return float(value)
        except ValueError:
            pass
    if isinstance(default, str) and value is not None and not isinstance(value, (list, dict)):
        return value if isinstance(value, str) else text.partition("=")[2].strip()
    if default is not None and type(value) is not type(default):
        raise ParameterFileError(
            f"{text!r}: the value must be {_KINDS.get(type(default), type(default).__name__)}, "
            f"such as {default!r}"
        )
    return value


def override(
    parameters: Parameters,
    texts: Sequence[str],
    startable: Mapping[str, str] | None = None,
) -> Parameters:
    """Return a copy of `parameters` with every ``node.parameter=value`` in it.

    startable: nodes that are not started and could be, each with the option that starts it.
    """
    changed = {node: dict(values) for node, values in parameters.items()}
    startable = startable or {}
    for text in texts:
        node = text.partition("=")[0].strip().partition(".")[0]
        if node in startable and node not in parameters:
            raise ParameterFileError(f"{text!r}: {node} is started with {startable[node]} only")
        node, name, value = parse_override(text, parameters)
        changed[node][name] = value
    return changed


class _Quoted(str):
    """Text that is written in quotes."""


class _Dumper(yaml.SafeDumper):
    """Writes what ROS reads: its parser takes N for a boolean, which this one would not quote."""


_Dumper.add_representer(
    _Quoted, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)


def _quoted(value: Any) -> Any:
    if isinstance(value, list):
        return [_quoted(entry) for entry in value]
    return _Quoted(value) if isinstance(value, str) else value


def write_parameter_file(path: Path, parameters: Parameters) -> None:
    """Write a ROS parameter file that every node finds itself in, whatever its namespace."""
    document = {
        f"/**/{node}": {"ros__parameters": {name: _quoted(value) for name, value in v.items()}}
        for node, v in parameters.items()
    }
    path.write_text(yaml.dump(document, Dumper=_Dumper, sort_keys=False), encoding="utf-8")
