# SPDX-License-Identifier: Apache-2.0
"""Topics that are looked at when a frame is due, and not with every message.

An executor would call Python for each of some thousand messages a second. A tap is a subscription
of a node that is in no executor: its messages wait in the middleware, as raw bytes, the oldest
falling out, until the frame takes them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from neuro_control.nodes.messages import message_class


@dataclass(frozen=True)
class TapSpec:
    """topic: relative. types: those that can be read. depth: messages that wait at most.

    latched: the last one sent before we came is wanted too.
    """

    topic: str
    types: tuple[str, ...]
    depth: int = 1
    latched: bool = False

    @property
    def profile(self) -> QoSProfile:
        """Best effort, which hears every publisher; what is latched must be reliable."""
        return QoSProfile(
            depth=self.depth,
            history=HistoryPolicy.KEEP_LAST,
            reliability=ReliabilityPolicy.RELIABLE
            if self.latched
            else ReliabilityPolicy.BEST_EFFORT,
            durability=DurabilityPolicy.TRANSIENT_LOCAL
            if self.latched
            else DurabilityPolicy.VOLATILE,
        )


@dataclass(frozen=True)
class Taken:
    """One message: its bytes (CDR), and when it was published (ns, wall clock).

    missed: others may have been sent shortly before that never came here: it is the first, or its
    number is not the next.
    """

    data: bytes
    published_ns: int
    missed: bool = False


class Tap:
    """One topic. Open only while somebody publishes it in a type that can be read.

    kind: the type that it is open for, "" while closed. heard_s: when a message last came
    (`time.monotonic`), None if none has. rate_hz: messages a second, those that fell out too.
    """

    def __init__(self, node: Node, spec: TapSpec) -> None:
        self._node = node
        self.spec = spec
        self.kind = ""
        self.heard_s: float | None = None
        self.rate_hz = 0.0
        self._subscription: Any = None
        self._class: Any = None
        self._count = 0
        self._last_sequence: int | None = None
        self._first = True
        self._counted_s = time.monotonic()

    @property
    def topic(self) -> str:
        """The full name."""
        return str(self._node.resolve_topic_name(self.spec.topic))

    def follow(self, types: Mapping[str, Sequence[str]]) -> None:
        """Open or close as the topics that are published now say."""
        offered = types.get(self.topic, ())
        kind = next((k for k in self.spec.types if k in offered), "")
        if kind == self.kind:
            return
        self.close()
        if kind:
            self._class = message_class(kind)
            self._subscription = self._node.create_subscription(
                self._class, self.spec.topic, _never, self.spec.profile, raw=True
            )
            self.kind = kind

    def close(self) -> None:
        """Listen no more."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
        self._subscription = None
        self.kind = ""
        self.heard_s = None
        self.rate_hz = 0.0
        self._count = 0
        self._last_sequence = None
        self._first = True

    def take(self) -> list[Taken]:
        """What has come since the last time, oldest first."""
        if self._subscription is None:
            return []
        handle = self._subscription.handle
        taken = []
        with handle:
            # As many as wait: a publisher that is faster than this loop does not hold it.
            for _ in range(self.spec.depth):
                message = handle.take_message(self._class, True)
                if message is None:
                    break
                data, info = message
                missed = self._count_one(info.get("publication_sequence_number"))
                taken.append(Taken(data, int(info["source_timestamp"]), missed))
        now_s = time.monotonic()
        if taken:
            self.heard_s = now_s
        if now_s - self._counted_s >= 1.0:
            self.rate_hz = self._count / (now_s - self._counted_s)
            self._count, self._counted_s = 0, now_s
        return taken

    def _count_one(self, sequence: int | None) -> bool:
        """Count it and those before it that never came; whether there may be such."""
        ahead, missed = 1, self._first
        if sequence is not None and self._last_sequence is not None:
            ahead = sequence - self._last_sequence
            missed = ahead != 1
        self._first, self._last_sequence = False, sequence
        # A publisher that began anew counts from elsewhere.
        self._count += ahead if 0 < ahead < 100_000 else 1
        return missed

    def age_s(self, now_s: float) -> float | None:
        """Time since the last message; None if none has come."""
        return None if self.heard_s is None else now_s - self.heard_s


def _never(message: Any) -> None:
    """A tap's node is in no executor."""
    del message
    raise RuntimeError("a tap's node must not be in an executor")
