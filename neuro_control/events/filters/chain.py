# SPDX-License-Identifier: Apache-2.0
"""Filters one behind the other, and what each of them took out."""

from __future__ import annotations

from collections.abc import Sequence

from neuro_control.events.address_events import Events
from neuro_control.events.filters.event_filter import EventFilter


class FilterChain:
    """Filters of one stream with their states.

    Args:
        width, height: size of the sensor.
        filters: in the order in which they are applied.

    Raises:
        ValueError: a filter does not fit the size that those before it leave.
    """

    def __init__(self, width: int, height: int, filters: Sequence[EventFilter]) -> None:
        self._filters = tuple(filters)
        self._given = (width, height)
        self._dropped = [0] * len(self._filters)
        self._sizes = [self._given]
        for one in self._filters:
            self._sizes.append(one.output_size(*self._sizes[-1]))
        self.reset()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of what comes out."""
        return self._sizes[-1]

    @property
    def dropped(self) -> tuple[tuple[str, int], ...]:
        """Each filter's name and how many events it has taken out, in order."""
        names = (type(one).__name__ for one in self._filters)
        return tuple(zip(names, self._dropped, strict=True))

    def apply(self, events: Events) -> Events:
        """The events that pass all filters. Raises ValueError for events of another size."""
        if (events.width, events.height) != self._given:
            raise ValueError(
                f"events are of a sensor of {events.width}x{events.height}, the filters are for"
                f" {self._given[0]}x{self._given[1]}"
            )
        for number, one in enumerate(self._filters):
            n = len(events)
            events = one.apply(events, self._states[number])
            self._dropped[number] += n - len(events)
        return events

    def reset(self) -> None:
        """Forget all events; the counts stay."""
        sizes = zip(self._filters, self._sizes, strict=False)
        self._states = [one.initial_state(*size) for one, size in sizes]
