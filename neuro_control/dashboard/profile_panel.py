# SPDX-License-Identifier: Apache-2.0
"""What each node of the network costs, and why one of them is silent: `network/profile`."""

from __future__ import annotations

import json
from typing import Any

from rclpy.node import Node
from rclpy.serialization import deserialize_message

from neuro_control.dashboard.panel import FrameParts, rounded
from neuro_control.dashboard.taps import Tap, TapSpec
from neuro_control.nodes.messages import message_class
from neuro_control.reports.json_text import json_text

TEXT = "std_msgs/msg/String"
MOST_NODES = 1000
# Once a second it is said anew; what is older than this is not what happens now.
OLD_S = 5.0


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

    Raises ValueError where it is not that.
    """
    try:
        said = json.loads(text)
        json_text(said)
        nodes = said["nodes"]
        if len(nodes) > MOST_NODES:
            raise ValueError(f"it has {len(nodes)} nodes; at most {MOST_NODES} are drawn")
        if not float(said["dt_s"]) > 0 or not int(said["ticks"]) > 0:
            raise ValueError("dt_s and ticks must be above 0")
        for node in nodes:
            str(node["name"]), str(node["role"])
            for key in ("spikes", "operations", "us"):
                if node[key] is not None:
                    float(node[key])
        for finding in (said["silence"] or {"findings": []})["findings"]:
            str(finding["node"]), str(finding["text"]), dict(finding["figures"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"network/profile cannot be read: {error}") from error
    return dict(said)
