# SPDX-License-Identifier: Apache-2.0
"""How each topic is sent and heard.

Events: best effort, as real drivers send them; a reliable subscription would silently get nothing.
Commands: reliable, depth 1; an old command is worth nothing when there is a newer one.
Every profile can be overridden by parameters `qos_overrides./TOPIC.subscription.depth` and so on.
"""

from __future__ import annotations

from typing import Literal

from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSPolicyKind,
    QoSProfile,
    ReliabilityPolicy,
)
from rclpy.qos_overriding_options import QoSOverridingOptions


def reliable(depth: int) -> QoSProfile:
    """Every message, in order."""
    return QoSProfile(
        depth=depth, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE
    )


def best_effort(depth: int) -> QoSProfile:
    """What gets through."""
    return QoSProfile(
        depth=depth, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.BEST_EFFORT
    )


Sent = Literal["data", "state", "latched"]
"""As sensors send (best effort), reliably, or once for all who come later."""


def of(sent: Sent, depth: int) -> QoSProfile:
    """The profile of a topic that is sent so."""
    if sent == "latched":
        return LATCHED
    return best_effort(depth) if sent == "data" else reliable(depth)


COMMANDS = reliable(1)
# Whoever comes later hears the last one too.
LATCHED = QoSProfile(
    depth=1,
    history=HistoryPolicy.KEEP_LAST,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
STATES = reliable(10)

OVERRIDABLE = QoSOverridingOptions(
    policy_kinds=(QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH, QoSPolicyKind.RELIABILITY)
)
