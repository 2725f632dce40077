# SPDX-License-Identifier: Apache-2.0
"""A sensor's own clock, and the node's: events are given the node's time.

A camera counts from its own start, often microseconds since power-on, while commands are stamped
by the node's clock. A simulated camera shares the clock, and its times are left alone.
"""

from __future__ import annotations

from dataclasses import replace

from neuro_control.events import Events

# Transport is faster than this; a larger difference means that the clocks count from elsewhere,
# or have drifted apart.
LARGEST_DELAY_NS = 50_000_000


class SensorClock:
    """Shifts events by a constant, found anew when sensor and node disagree."""

    def __init__(self) -> None:
        self.offset_ns = 0

    def to_node_time(self, events: Events, stamp_ns: int) -> Events:
        """The events in the node's time; stamp_ns is when the node's clock saw the packet."""
        if len(events) == 0:
            return events
        last_ns = int(events.t_ns[-1])
        if not -LARGEST_DELAY_NS <= last_ns + self.offset_ns - stamp_ns <= LARGEST_DELAY_NS:
            self.offset_ns = stamp_ns - last_ns
        if self.offset_ns == 0:
            return events
        return replace(events, t_ns=events.t_ns + self.offset_ns)
