# SPDX-License-Identifier: Apache-2.0
"""Whether nodes would take their parameters, asked of their settings before any node starts."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence

from neuro_control.bringup import CONTROLLER, NodeEntry
from neuro_control.demo.parameters import Parameters


def wrong_settings(nodes: Iterable[NodeEntry], parameters: Parameters, texts: Sequence[str]) -> str:
    """Why a node would refuse what ``node.parameter=value`` texts set, or "".

    parameters: of every node, with what the texts set. Only those of nodes that the texts name are
    looked at: the files' own are right, and what a node is told by is slow to import.
    """
    places = [text.partition("=")[0].strip() for text in texts]
    named = {place.partition(".")[0] for place in places}
    for node in nodes:
        if node.name in named and (why := _refusal(node, parameters)):
            return why
    if f"{CONTROLLER.name}.network" in places:
        return _unreadable(str(parameters[CONTROLLER.name]["network"]))
    return ""


def _refusal(node: NodeEntry, parameters: Parameters) -> str:
    # Here and not above: rclpy reads the environment when it is loaded.
    from neuro_control.nodes.parameter_fields import parameter_fields
    from neuro_control.nodes.parameters import ParameterError, validated

    module, _, name = node.settings.partition(":")
    model = getattr(importlib.import_module(module), name)
    fields = {field.name: field for field in parameter_fields(model)}
    values = {
        fields[name].path: fields[name].to_model(value)
        for name, value in parameters[node.name].items()
        if name in fields
    }
    try:
        validated(model, fields, values)
    except ParameterError as error:
        return f"{node.name}: {error}"
    return ""


def _unreadable(network: str) -> str:
    from neuro_control.control.arm import load_network

    try:
        load_network(network)
    except (OSError, ValueError) as error:
        return f"{CONTROLLER.name}: {error}"
    return ""
