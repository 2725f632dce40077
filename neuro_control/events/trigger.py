# SPDX-License-Identifier: Apache-2.0
"""What a sensor's external trigger input says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Trigger:
    """An edge at the sensor's external trigger input.

    t_ns: sensor time; channel: which input, 0 to 31; rising: the edge's direction.
    """

    t_ns: int
    channel: int
    rising: bool
