# SPDX-License-Identifier: Apache-2.0
"""The reference in the documentation, made from the code: a hook of MkDocs.

Nodes are made and configured, and asked for their topics, services and parameters; the command is
asked for its options. What a topic is for stands here; a topic without it, or the other way round,
ends the build.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import os
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

# Before rclpy is imported: nobody else's nodes.
os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")

PURPOSE = {
    "/clock": "simulated or recorded time",
    "/diagnostics": "how each node is, once a second",
    "arm_controller/joint_trajectory": "guarded commands: one point, position and velocity",
    "arm_position_controller/commands": "guarded commands as positions [rad]",
    "arm_velocity_controller/commands": "guarded commands as velocities [rad/s]",
    "audio": "samples, interleaved by ear",
    "cochlea/events": "x channel, y ear",
    "desired_trajectory": "what the controller wants; the guard decides",
    "event_camera/events": "the event camera's events",
    "guard/emergency_stop": "hold the arm until it is released",
    "guard/release": "let commands through again after a latched stop",
    "image": "pictures to be turned into events",
    "joint_states": "positions [rad], velocities [rad/s], efforts [N m] of the joints",
    "network/description": "populations and projections of the running network, as JSON",
    "network/membranes": "membrane, threshold and current of the neurons in `probe_neurons`",
    "network/profile": "spikes, synaptic operations and time by node, and why one is silent (JSON)",
    "network/spikes": "the network's own spikes: x neuron, y row of `network/description`",
    "replay/pause": "stand where it is",
    "replay/resume": "go on",
    "replay/seek": "go to this place: seconds from the recording's start",
    "replay/status": "where it is, how long it is, what it plays, as JSON",
    "simulation/target": "the ball in the camera's frame, for figures only [m]",
    "skin/events": "spikes of the afferents; bands of rows SA-I, FA-I, FA-II",
    "target_direction": "x/z and y/z of the target in the camera's frame",
    "taxels": "pressures of the taxels",
}
# rclpy's own, the same for every node.
EVERY_NODE = (
    "parameter_events",
    "rosout",
    "describe_parameters",
    "get_parameter_types",
    "get_parameters",
    "list_parameters",
    "set_parameters",
    "set_parameters_atomically",
    "get_type_description",
    "transition_event",
    "change_state",
    "get_state",
    "get_available_states",
    "get_available_transitions",
    "get_transition_graph",
)
OWN_PARAMETERS = ("use_sim_time", "start_type_description_service")


@dataclass(frozen=True)
class Described:
    """A node as it is: rows of its topics and services, and of its parameters."""

    name: str
    purpose: str
    lifecycle: bool
    parameter_file: str
    endpoints: tuple[tuple[str, str, str, str], ...]
    parameters: tuple[tuple[str, str, str, str, str], ...]
    diagnostics: tuple[str, ...]


@contextmanager
def _recording() -> Iterator[Path]:
    """A recording for the node that must have one."""
    import numpy as np

    from neuro_control.events import Events, write

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "one.npz")
        one = np.zeros(1, np.uint16)
        write(path, [Events(np.zeros(1, np.int64), one, one, np.ones(1, np.uint8), 1, 1)], (1, 1))
        yield path


def describe_nodes() -> list[Described]:
    """Make every node that `neuro_control run` knows, and describe it."""
    import rclpy

    from neuro_control.bringup import RUNNABLE
    from neuro_control.demo.domain import DomainClaim

    found = []
    context = rclpy.Context()
    # A node is asked for its topics by its name: nobody else's may have the same. Whatever
    # ROS_DOMAIN_ID says, for others may be there.
    with DomainClaim() as claim, _recording() as path:
        # What a node says as it starts is no part of a page's making.
        words = ["--ros-args", "--log-level", "warn"]
        rclpy.init(args=words, context=context, domain_id=claim.domain)
        try:
            required = {"replay": {"path": str(path)}}
            for entry in RUNNABLE.values():
                node = _made(entry.module, required.get(entry.name, {}), context)
                try:
                    found.append(_described(entry, node))
                finally:
                    node.destroy_node()
        finally:
            rclpy.try_shutdown(context=context)
    return found


def _made(module_name: str, values: dict[str, Any], context: Any) -> Any:
    from rclpy.node import Node
    from rclpy.parameter import Parameter

    from neuro_control.nodes.lifecycle import ManagedNode

    module = importlib.import_module(module_name)
    kind: Any
    (kind,) = (
        thing
        for thing in vars(module).values()
        if inspect.isclass(thing) and issubclass(thing, Node) and thing.__module__ == module_name
    )
    node = kind(
        context=context,
        parameter_overrides=[Parameter(name, value=value) for name, value in values.items()],
    )
    if isinstance(node, ManagedNode):
        node.trigger_configure()  # type: ignore[no-untyped-call]
        if node.failure:
            raise RuntimeError(f"{module_name}: {node.failure}")
    return node


def _described(entry: Any, node: Any) -> Described:
    return Described(
        entry.name,
        entry.purpose,
        entry.lifecycle,
        entry.parameter_file,
        tuple(sorted(_endpoints(node))),
        tuple(_parameters(node)),
        tuple(node.report().values) if hasattr(node, "report") else (),
    )


def _endpoints(node: Any) -> Iterator[tuple[str, str, str, str]]:
    name, namespace = node.get_name(), node.get_namespace()
    for way, listed, about in (
        (
            "publishes",
            node.get_publisher_names_and_types_by_node(name, namespace),
            node.get_publishers_info_by_topic,
        ),
        (
            "subscribes",
            node.get_subscriber_names_and_types_by_node(name, namespace),
            node.get_subscriptions_info_by_topic,
        ),
        ("serves", node.get_service_names_and_types_by_node(name, namespace), None),
    ):
        for topic, types in listed:
            if topic.rsplit("/", 1)[-1] in EVERY_NODE:
                continue
            quality = ""
            if about is not None:
                quality = next(_quality(i) for i in about(topic) if i.node_name == name)
            yield (
                way,
                _relative(topic),
                types[0].replace("/msg/", "/").replace("/srv/", "/"),
                quality,
            )


def _relative(topic: str) -> str:
    return topic if topic in ("/clock", "/diagnostics") else topic.lstrip("/")


def _quality(info: Any) -> str:
    profile = info.qos_profile
    words = profile.reliability.name.lower().replace("_", " ")
    if profile.durability.name == "TRANSIENT_LOCAL":
        words += ", transient local"
    return f"{words}, depth {profile.depth}" if profile.depth else words


def _parameters(node: Any) -> Iterator[tuple[str, str, str, str, str]]:
    for name, parameter in node.get_parameters_by_prefix("").items():
        if name in OWN_PARAMETERS or name.startswith("qos_overrides."):
            continue
        described = node.describe_parameter(name)
        value = parameter.value
        kind = parameter.type_.name.lower().replace("_", " ")
        yield (
            name,
            ", ".join(words for words in (kind, _range(described)) if words),
            "" if value is None else str(value),
            "" if described.read_only else " *(live)*",
            described.description,
        )


def _range(described: Any) -> str:
    words = str(described.additional_constraints)
    for bounds in (*described.floating_point_range, *described.integer_range):
        low, high = bounds.from_value, bounds.to_value
        words = f"{low:g} to {high:g}" if isinstance(low, float) else f"{low} to {high}"
        words = words.replace("-inf to", "at most").replace(" to inf", " or more")
        words = words.replace(f" to {2**63 - 1}", " or more")
    return words


def topics_page(nodes: list[Described]) -> str:
    """Topics and services, node by node."""
    seen = {row[1] for node in nodes for row in node.endpoints}
    if unexplained := seen - set(PURPOSE):
        raise ValueError(f"tools/reference_pages.py: say what these are for: {unexplained}")
    if gone := set(PURPOSE) - seen:
        raise ValueError(f"tools/reference_pages.py: no node has these: {gone}")
    lines = [
        "# Topics and services",
        "",
        "Names are relative but for `/clock` and `/diagnostics`, and can be remapped. Every node"
        " has rclpy's parameter services too, and each lifecycle node those of its lifecycle."
        " QoS can be overridden by parameters `qos_overrides./TOPIC.subscription.depth` and so on.",
        "",
    ]
    for node in nodes:
        kind = "A lifecycle node. " if node.lifecycle else ""
        purpose = node.purpose[0].upper() + node.purpose[1:]
        lines += [f"## {node.name}", "", f"{kind}{purpose}.", ""]
        lines += ["| | topic or service | type | QoS | |", "|---|---|---|---|---|"]
        lines += [
            f"| {way} | `{topic}` | `{kind}` | {quality} | {PURPOSE.get(topic, '')} |"
            for way, topic, kind, quality in node.endpoints
        ]
        lines.append("")
    return "\n".join(lines)


def parameters_page(nodes: list[Described]) -> str:
    """Parameters, node by node."""
    lines = [
        "# Parameters",
        "",
        "Set one for a run of the demo by `--set NODE.PARAMETER=VALUE`, for a node by"
        " `--ros-args -p PARAMETER:=VALUE`, or in a file. *(live)*: can be changed while the node"
        " runs. A value that is refused is refused with the reason.",
        "",
    ]
    for node in nodes:
        lines += [f"## {node.name}", "", f"File: `{node.parameter_file}`.", ""]
        lines += ["| parameter | default | | |", "|---|---|---|---|"]
        lines += [
            f"| `{name}` | {_code(default)} | {_cell(kind)} | {_cell(about)}{live} |"
            for name, kind, default, live, about in node.parameters
        ]
        lines.append("")
    return "\n".join(lines)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def diagnostics_page(nodes: list[Described]) -> str:
    """Keys of the statuses, with the nodes that give them."""
    from neuro_control.control.guard_settings import Reason
    from neuro_control.events import DropReason
    from neuro_control.nodes.diagnostics import KEYS, drop_key, reason_key

    by_key = {key: [node.name for node in nodes if key in node.diagnostics] for key in KEYS}
    lines = [
        "# Diagnostics",
        "",
        "Each node publishes one status a second of wall-clock time on `/diagnostics`, named"
        " `neuro_control: NODE`. Where a key says *recent*, the last ten seconds count; otherwise a"
        " rate is that since the last status, and a count that since the start.",
        "",
        "| key | meaning | nodes |",
        "|---|---|---|",
    ]
    lines += [
        f"| `{key}` | {_cell(text)} | {', '.join(by_key[key])} |" for key, text in KEYS.items()
    ]
    groups = {
        "What the guard counts": {reason_key(r): _text_of(r) for r in Reason},
        "Why the controller drops packets": {drop_key(r): _text_of(r) for r in DropReason},
    }
    for title, about in groups.items():
        lines += ["", f"## {title}", "", "| key | meaning |", "|---|---|"]
        lines += [f"| `{key}` | {_cell(text)} |" for key, text in about.items()]
    return "\n".join(lines) + "\n"


def _text_of(member: Enum) -> str:
    """The text below a member of an enumeration, which Python itself does not keep."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(type(member)))).body
    name = ""
    for statement in getattr(body, "body", []):
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
        elif (
            name == member.name
            and isinstance(statement, ast.Expr)
            and isinstance(statement.value, ast.Constant)
        ):
            return " ".join(str(statement.value.value).split())
    raise ValueError(f"{member}: has no text below it")


def commands_page() -> str:
    """Every command with its options."""
    from neuro_control.cli import build_parser

    lines = ["# Commands", "", "`neuro_control COMMAND --help` says the same.", ""]
    lines += _parser_lines(build_parser(), 2)
    return "\n".join(lines) + "\n"


def _parser_lines(parser: argparse.ArgumentParser, level: int) -> Iterator[str]:
    subs = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not subs:
        os.environ["COLUMNS"] = "88"
        yield from (f"{'#' * level} {parser.prog}", "", "```text", parser.format_help().strip())
        yield from ("```", "")
        return
    for sub in subs:
        for one in sub.choices.values():
            yield from _parser_lines(one, level)


def pages() -> dict[str, str]:
    """Every page of the reference by its path below docs/."""
    nodes = describe_nodes()
    return {
        "reference/topics.md": topics_page(nodes),
        "reference/parameters.md": parameters_page(nodes),
        "reference/diagnostics.md": diagnostics_page(nodes),
        "reference/commands.md": commands_page(),
    }


def on_files(files: Any, config: Any) -> Any:
    """Called by MkDocs: add the pages of the reference to those that are written."""
    from mkdocs.structure.files import File

    for path, content in pages().items():
        files.append(File.generated(config, path, content=content))
    return files
