# SPDX-License-Identifier: Apache-2.0
"""How every node says it is, what the guard did, and what the network costs."""

from __future__ import annotations

import json
import math
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from rclpy.node import Node
from rclpy.serialization import deserialize_message

from neuro_control.backends.energy import DEVICES
from neuro_control.dashboard.motion_panel import MotionPanel
from neuro_control.dashboard.panel import FrameParts, rounded
from neuro_control.dashboard.senses_panel import EventSense
from neuro_control.dashboard.taps import Tap, TapSpec
from neuro_control.nodes.messages import message_class, time_ns
from neuro_control.reports.json_text import json_text

DIAGNOSTICS = "diagnostic_msgs/msg/DiagnosticArray"
LEVELS = ("ok", "warning", "error", "stale")
# Nodes speak once a second; one that has missed two of them is not there.
STALE_S = 2.5
FORGOTTEN_S = 30.0
KEPT_REASONS = 12
# Counts whose rates are shown.
COUNTED = ("events", "ticks", "spikes", "synaptic_operations", "commands", "commands_passed")


@dataclass
class NodeStatus:
    """The last status of one node.

    stamp_s: by the node's clock, which is the simulation's in a simulation. rates: of `COUNTED`
    since the status before, 1/s of that clock, as a run's report has them.
    """

    level: str
    message: str
    values: dict[str, str]
    heard_s: float
    stamp_s: float
    rates: dict[str, float] = field(default_factory=dict)

    def number(self, key: str) -> float | None:
        """A value as a number, None where there is none."""
        try:
            value = float(self.values[key])
        except (KeyError, ValueError):
            return None
        return None if math.isnan(value) else value

    def grown_from(self, old: NodeStatus) -> None:
        """Set the rates."""
        span_s = self.stamp_s - old.stamp_s
        for key in COUNTED:
            count, before = self.number(key), old.number(key)
            if count is not None and before is not None and span_s > 0.0:
                # A node that was started anew counts from nothing.
                self.rates[key] = max(count - before, 0.0) / span_s


class HealthPanel:
    """Diagnostics of the robot's nodes, the flow of its data, and the guard's last reasons.

    prefix: the namespace of the nodes that are listened to, "" or such as "left/".
    """

    def __init__(self, node: Node, camera: EventSense, motion: MotionPanel) -> None:
        self._camera = camera
        self._motion = motion
        self._tap = Tap(node, TapSpec("/diagnostics", (DIAGNOSTICS,), depth=64))
        self._replay = Tap(
            node, TapSpec("replay/status", ("std_msgs/msg/String",), depth=4, latched=True)
        )
        namespace = node.get_namespace().strip("/")
        self._prefix = f"{namespace}/" if namespace else ""
        self.nodes: dict[str, NodeStatus] = {}
        self._reasons: deque[dict[str, Any]] = deque(maxlen=KEPT_REASONS)
        self._counts: dict[str, float] = {}
        self._guard_heard = False
        self.replay: dict[str, Any] | None = None

    @property
    def taps(self) -> list[Tap]:
        """See Panel."""
        return [self._tap, self._replay]

    def draw(self, now_s: float, parts: FrameParts) -> None:
        """See Panel."""
        for taken in self._tap.take():
            message = deserialize_message(taken.data, message_class(DIAGNOSTICS))
            stamp_s = time_ns(message.header.stamp) * 1e-9
            for status in message.status:
                self._hear(status, now_s, stamp_s)
        self.nodes = {
            name: status
            for name, status in self.nodes.items()
            if now_s - status.heard_s < FORGOTTEN_S
        }
        self._draw_replay(parts)
        parts.state["flow"] = self._flow(now_s)
        if self.nodes:
            parts.texts["nodes"] = {
                name: {
                    "level": "stale" if now_s - status.heard_s > STALE_S else status.level,
                    "message": status.message,
                    "values": status.values,
                    "rates": status.rates,
                }
                for name, status in sorted(self.nodes.items())
            }
        if "guard" in self.nodes:
            parts.texts["reasons"] = list(self._reasons)
        if (cost := self._cost()) is not None:
            parts.texts["cost"] = cost

    def _hear(self, status: Any, now_s: float, stamp_s: float) -> None:
        name = str(status.hardware_id)
        if not name.startswith(self._prefix):
            return
        name = name[len(self._prefix) :]
        if not name or "/" in name:
            return
        level = status.level[0] if isinstance(status.level, bytes) else int(status.level)
        new = NodeStatus(
            LEVELS[min(level, len(LEVELS) - 1)],
            str(status.message),
            {str(pair.key): str(pair.value) for pair in status.values},
            now_s,
            stamp_s,
        )
        if name == "guard":
            self._note_reasons(new)
        if (old := self.nodes.get(name)) is not None:
            new.grown_from(old)
        self.nodes[name] = new

    def _note_reasons(self, new: NodeStatus) -> None:
        """The guard counts its interventions by reason; what has grown is what happened."""
        first, self._guard_heard = not self._guard_heard, True
        for key in new.values:
            count = new.number(key)
            if not key.startswith("guard_") or count is None:
                continue
            reason = key.removeprefix("guard_")
            before = self._counts.get(reason, 0.0)
            self._counts[reason] = count
            # A guard that was started anew counts from nothing.
            grown = count if count < before else count - before
            if grown > 0:
                self._reasons.appendleft(
                    {
                        "reason": reason,
                        "count": grown,
                        "at_s": round(time.time(), 1),
                        "earlier": first,
                    }
                )

    def _flow(self, now_s: float) -> dict[str, Any]:
        """Of every stage on the way from sensor to robot: the age of its last word, its rate."""
        stages: dict[str, list[Tap]] = {
            "camera": [self._camera.tap],
            "joints": [self._motion.joints],
            "controller": [self._motion.wanted],
            "guard": [tap for tap, _ in self._motion.commands],
        }
        flow: dict[str, Any] = {}
        for name, taps in stages.items():
            open_taps = [tap for tap in taps if tap.kind]
            heard = [age for tap in open_taps if (age := tap.age_s(now_s)) is not None]
            flow[name] = {
                "there": bool(open_taps),
                "age_s": rounded(min(heard, default=None)) if heard else None,
                "rate_hz": rounded(sum(tap.rate_hz for tap in open_taps), 1),
            }
        return flow

    def _cost(self) -> dict[str, Any] | None:
        """Work of the network and the energy that it would take: an estimate, see `energy`."""
        controller = self.nodes.get("controller")
        if controller is None:
            return None
        rates, neurons = controller.rates, controller.number("neurons")
        if neurons is None or not {"synaptic_operations", "spikes", "ticks"} <= rates.keys():
            return None
        operations, spikes = rates["synaptic_operations"], rates["spikes"]
        powers = {}
        for name in ("loihi", "cpu"):
            model = DEVICES[name]
            powers[name] = {
                "name": model.name,
                "evidence": model.evidence,
                "source": model.source,
                "watt": operations * model.synaptic_operation_j
                + rates["ticks"] * neurons * model.neuron_update_j
                + spikes * model.spike_j,
            }
        return {"operations_per_s": operations, "spikes_per_s": spikes, "power": powers}

    def _draw_replay(self, parts: FrameParts) -> None:
        if not self._replay.kind:
            self.replay = None
            return
        for taken in self._replay.take()[-1:]:
            text = deserialize_message(taken.data, message_class("std_msgs/msg/String")).data
            self.replay = _replay_status(text)
        if self.replay is not None:
            parts.texts["replay"] = self.replay


def _replay_status(text: str) -> dict[str, Any] | None:
    """What a replay says of itself; None for a text that is not that."""
    try:
        said = json.loads(text)
        json_text(said)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or not isinstance(said.get("position_s"), (int, float)):
        return None
    return said
