# SPDX-License-Identifier: Apache-2.0
"""Skins that give events of their own: they pass through, checked."""

from __future__ import annotations

from neuro_control.events import Events
from neuro_control.senses.skin_layout import SkinLayout


def pass_through(events: Events, layout: SkinLayout, not_before_ns: int = 0) -> Events:
    """The same events, once it is sure that they are of this skin.

    Args:
        events: x is the column, y the row, p 1 pressed and 0 released.
        layout: of the skin; columns and rows are the events' width and height.
        not_before_ns: time of the last event that was passed before.

    Raises:
        ValueError: another size, an event outside it, or a time that runs backwards.
    """
    if (events.width, events.height) != (layout.columns, layout.rows):
        raise ValueError(
            f"events are of {events.width} x {events.height} taxels; {layout.name!r} has"
            f" columns x rows = {layout.columns} x {layout.rows}"
        )
    events.check()
    if len(events) and events.t_ns[0] < not_before_ns:
        raise ValueError(
            f"t_ns[0] is {events.t_ns[0]}, before {not_before_ns}, the last event's before it"
        )
    return events
