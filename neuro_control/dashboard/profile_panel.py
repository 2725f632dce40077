# SPDX-License-Identifier: Apache-2.0
"""What each node of the network costs, and why one of them is silent: `network/profile`."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Callable, Mapping
from typing import Any

from rclpy.node import Node
from rclpy.serialization import deserialize_message

from neuro_control.dashboard.panel import FrameParts, rounded
from neuro_control.dashboard.requests import is_number
from neuro_control.dashboard.taps import Tap, TapSpec
from neuro_control.nodes.messages import message_class
from neuro_control.reports.json_text import json_text

TEXT = "std_msgs/msg/String"
MOST_NODES = 1000
# Once a second it is said anew; what is older than this is not what happens now.
OLD_S = 5.0
TIMES = ("ticks", "whole_us", "overhead_us", "coverage", "age_s", "processor_s")


class ProfilePanel:
    """The text `profile`, as the controller says it, and the state `profile` with its age.

    In place of what cannot be read the text has `error`.
    """

    def __init__(self, node: Node) -> None:
        self._tap = Tap(node, TapSpec("network/profile", (TEXT,), depth=2))
        self._said: dict[str, Any] | None = None

    @property
    def taps(self) -> list[Tap]:
        """See Panel."""
        return [self._tap]

    def draw(self, now_s: float, parts: FrameParts) -> None:
        """See Panel."""
        for taken in self._tap.take()[-1:]:
            try:
                self._said = read_profile(deserialize_message(taken.data, message_class(TEXT)).data)
            except ValueError as error:
                self._said = {"error": str(error)}
        age_s = self._tap.age_s(now_s) if self._tap.kind else None
        if age_s is None or age_s > OLD_S:
            self._said = None
        if self._said is not None:
            parts.texts["profile"] = self._said
            parts.state["profile"] = {"age_s": rounded(age_s)}


def read_profile(text: str) -> dict[str, Any]:
    """What a controller says of its network, checked as far as it is drawn.

    Raises ValueError where it is not that, naming the field.
    """
    try:
        said = json.loads(text)
        # Nested deeper than it can be written again, it would take the page's frame with it.
        json_text(said)
        if not isinstance(said, dict):
            raise ValueError(f"it is {reprlib.repr(said)}; it must be an object")
        _check(said)
    except (ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"network/profile cannot be read: {error}") from error
    return said


def _check(said: Mapping[str, Any]) -> None:
    _field(said, "dt_s", "a number above 0")
    _field(said, "ticks", "a number above 0")
    _field(said, "times_missing", "a text")
    nodes = _objects(said, "nodes")
    if len(nodes) > MOST_NODES:
        raise ValueError(f"it has {len(nodes)} nodes; at most {MOST_NODES} are drawn")
    for at, node in nodes.items():
        for key in ("name", "role"):
            _field(node, key, "a text", at)
        for key in ("spikes", "operations", "us"):
            _field(node, key, "a number or null", at)
        for place, projection in _objects(node, "into", at).items():
            _field(projection, "name", "a text", place)
            for key in ("operations", "us"):
                _field(projection, key, "a number or null", place)
    times = _field(said, "times", "an object or null")
    for key in TIMES if times is not None else ():
        _field(times, key, "a number", "times.")
    silence = _field(said, "silence", "an object or null")
    findings = {} if silence is None else _objects(silence, "findings", "silence.")
    for at, finding in findings.items():
        for key in ("node", "cause", "text"):
            _field(finding, key, "a text", at)
        _field(finding, "figures", "an object", at)


_KINDS: dict[str, Callable[[Any], bool]] = {
    "a number": is_number,
    "a number above 0": lambda value: is_number(value) and value > 0,
    "a number or null": lambda value: value is None or is_number(value),
    "a text": lambda value: isinstance(value, str),
    "a list": lambda value: isinstance(value, list),
    "an object": lambda value: isinstance(value, dict),
    "an object or null": lambda value: value is None or isinstance(value, dict),
}


def _field(of: Mapping[str, Any], name: str, kind: str, at: str = "") -> Any:
    """A field of a kind; at: where it is, for the message. Raises ValueError."""
    if name not in of:
        raise ValueError(f"{at}{name} is not given; it must be {kind}")
    if not _KINDS[kind](of[name]):
        raise ValueError(f"{at}{name} is {reprlib.repr(of[name])}; it must be {kind}")
    return of[name]


def _objects(of: Mapping[str, Any], name: str, at: str = "") -> dict[str, dict[str, Any]]:
    """A field that is a list of objects, by where each is. Raises ValueError."""
    found = _field(of, name, "a list", at)
    for index, entry in enumerate(found):
        if not isinstance(entry, dict):
            said = reprlib.repr(entry)
            raise ValueError(f"{at}{name}[{index}] is {said}; it must be an object")
    return {f"{at}{name}[{index}].": entry for index, entry in enumerate(found)}
