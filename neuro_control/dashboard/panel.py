# SPDX-License-Identifier: Apache-2.0
"""What the panels of the page have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import NDArray

from neuro_control.dashboard.taps import Tap

EVENT_PACKET = "event_camera_msgs/msg/EventPacket"


@dataclass
class FrameParts:
    """One frame in the making: see `wire.encode_frame`.

    texts: what changes seldom, as JSON-able values by name; sent only when they differ.
    """

    state: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    texts: dict[str, Any] = field(default_factory=dict)


class Panel(Protocol):
    """One part of the page: its topics, and what it says of them in a frame."""

    @property
    def taps(self) -> list[Tap]:
        """The topics that it needs."""

    def draw(self, now_s: float, parts: FrameParts) -> None:
        """Take what has come and write it into the frame. What is not there leaves no trace."""


def rounded(value: float | None, digits: int = 3) -> float | None:
    """A number for the page; None stays None."""
    return None if value is None else round(value, digits)
