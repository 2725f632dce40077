# SPDX-License-Identifier: Apache-2.0
"""What a decoder counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DecoderCounters:
    """What one decoder has made of its bytes since construction.

    events_on, events_off: events returned, by polarity.
    triggers: edges on the sensor's external trigger input.
    outside_sensor: events dropped because no such pixel exists.
    malformed: words or bytes that mean nothing in this encoding.
    unreferenced: events and triggers dropped because the time, row or column that they refer to
        was never received: at the start of a stream, or after a loss.
    time_reversals: time stamps that ran backwards; events are given in ascending time all the
        same.
    """

    events_on: int = 0
    events_off: int = 0
    triggers: int = 0
    outside_sensor: int = 0
    malformed: int = 0
    unreferenced: int = 0
    time_reversals: int = 0

    @property
    def events(self) -> int:
        """Events returned, both polarities."""
        return self.events_on + self.events_off

    @property
    def errors(self) -> int:
        """Everything that should not have been in the stream."""
        return self.outside_sensor + self.malformed + self.unreferenced + self.time_reversals
