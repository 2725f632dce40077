# SPDX-License-Identifier: Apache-2.0
"""Whole rosbag2 recordings: messages of any topics as they are on the wire, from any time on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from neuro_control.events.bag import BagError, first_line, open_recording, remedy


@dataclass(frozen=True)
class RecordedMessage:
    """One message: its topic and type, when it was recorded, and itself in CDR."""

    topic: str
    type: str
    log_ns: int
    data: bytes


class Recording:
    """What a recording holds; it is opened anew for each reading.

    topics: topic -> type, of those with messages. start_ns, end_ns: when the first and the last
    message were recorded.

    Raises:
        BagError: it cannot be read, or is damaged; see `neuro_control.events.bag`.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with open_recording(self.path) as reader:
            self.topics: Mapping[str, str] = MappingProxyType(
                {c.topic: c.msgtype for c in reader.connections if c.msgcount}
            )
            self.start_ns, self.end_ns = int(reader.start_time), int(reader.end_time)

    def messages(
        self, topics: Collection[str], start_ns: int | None = None
    ) -> Iterator[RecordedMessage]:
        """The topics' messages in the order of recording, from start_ns on where it is given.

        Raises:
            BagError: while iterating, where it is damaged.
        """
        with open_recording(self.path) as reader:
            wanted = [c for c in reader.connections if c.topic in topics]
            # rosbags reads all topics if it is given none.
            messages = reader.messages(wanted, start=start_ns) if wanted else iter(())
            while True:
                # As in events.bag: what parsers meet in damaged files can raise anything.
                try:
                    connection, log_ns, data = next(messages)
                except StopIteration:
                    return
                except Exception as error:
                    raise BagError(
                        f"{self.path}: corrupt or truncated ({first_line(error)});"
                        f" {remedy(self.path)}"
                    ) from error
                yield RecordedMessage(connection.topic, connection.msgtype, int(log_ns), data)
