# SPDX-License-Identifier: Apache-2.0
"""rosbag2 recordings as files of events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from neuro_control.events.address_events import Events
from neuro_control.events.bag import BagError
from neuro_control.events.counters import DecoderCounters
from neuro_control.events.files.event_file import EventFile, FileError, Size
from neuro_control.events.replay import Replay, ReplayReport
from neuro_control.events.trigger import Triggers


class BagFile(EventFile):
    """One topic with event packets.

    Raises:
        FileError: the recording cannot be read, or which topic must be said.
    """

    can_have_triggers = True

    def __init__(self, path: Path, topic: str | None = None) -> None:
        try:
            self._replay = Replay(path, topic)
        except BagError as error:
            raise FileError(str(error)) from error
        stream = self._replay.stream
        super().__init__(path, f"rosbag2, {stream.encoding}", (stream.width, stream.height))

    @property
    def counters(self) -> DecoderCounters:
        """What the last iteration found."""
        return self._replay.stream.counters.decoder

    @property
    def report(self) -> ReplayReport:
        """Packets, losses and what the last iteration found."""
        return self._replay.report()

    def blocks(self, size: Size) -> Iterator[Events]:
        """See `EventFile.blocks`; the size must be the recording's own."""
        return (events for events, _ in self.parts(size) if len(events))

    def parts(self, size: Size) -> Iterator[tuple[Events, Triggers]]:
        """See `EventFile.parts`; the size must be the recording's own."""
        if size != self.size:
            own = self.size
            raise FileError(f"{self.path}: recorded for {own}, not for width and height {size}")
        try:
            for _, events in self._replay:
                triggers = self._replay.stream.triggers
                if len(events) or len(triggers):
                    yield events, triggers
        except BagError as error:
            raise FileError(str(error)) from error
