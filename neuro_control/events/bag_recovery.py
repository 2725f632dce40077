# SPDX-License-Identifier: Apache-2.0
"""What is whole of an MCAP recording that was cut off, as by a killed recorder or a full disk.

MCAP is written in records of known length, messages in chunks of them; only its end has the index
without which no player opens it. Source: the MCAP format specification, "Records".

`mcap` is imported when a recording is recovered: whatever else is done with events does without it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from neuro_control.events.bag import BagError, first_line

if TYPE_CHECKING:
    from mcap.records import McapRecord
    from mcap.writer import Writer

# What every MCAP file begins with (specification, "Magic").
MAGIC = b"\x89MCAP0\r\n"
# A chunk is about a megabyte; a length beyond this is damage, and not read into memory (bytes).
LONGEST_RECORD = 1 << 30


@dataclass(frozen=True)
class Recovered:
    """What was found.

    messages, topics: how many. duration_s: from the first message to the last.
    lost: bytes of the file after the last whole record.
    damage: why it was read no further; empty for a recording that was whole.
    """

    messages: int
    topics: int
    duration_s: float
    lost: int
    damage: str


def recover(path: Path, out: Path) -> Recovered:
    """Write the messages of the MCAP file `path` to `out`, a recording that can be played.

    All up to where it was cut off, or to the first damage. `path` is not changed.

    Raises:
        BagError: `path` is no MCAP file or has no whole message; `out` is there already.
        OSError: a file cannot be read or written.
    """
    if not path.is_file():
        raise BagError(f"{path}: is no file; give the .mcap file that was cut off")
    with path.open("rb") as source:
        # Of a file that was cut off within it, there is nothing to recover (see below).
        if not MAGIC.startswith(source.read(len(MAGIC))):
            raise BagError(f"{path}: is no .mcap file: it does not begin as one does")
    if out.suffix != ".mcap":
        raise BagError(f"{out}: what is recovered is one file; let its name end in .mcap")
    if not out.absolute().parent.is_dir():
        raise BagError(f"{out}: its folder does not exist; make it first")
    if out.exists() or out.is_symlink():
        raise BagError(f"{out}: is there already; choose another name")
    growing = out.with_name(f".{out.name}.recovering")
    try:
        with growing.open("wb") as stream:
            found = _copy(path, stream)
        if not found.messages:
            raise BagError(f"{path}: has no whole message to recover ({found.damage or 'empty'})")
        growing.replace(out)
    finally:
        growing.unlink(missing_ok=True)
    return found


class _Copy:
    """Writes what is read from another recording under new numbers."""

    def __init__(self, writer: Writer) -> None:
        from mcap import records

        self._kinds = records
        self._writer = writer
        self._schemas: dict[int, int] = {0: 0}
        self._channels: dict[int, int] = {}
        self.topics: set[str] = set()
        self.messages = 0
        self.first_ns = self.last_ns = 0

    def add(self, record: McapRecord) -> None:
        """One record; those of the index are written anew and not copied."""
        kinds = self._kinds
        if isinstance(record, kinds.Schema):
            if record.id not in self._schemas:
                self._schemas[record.id] = self._writer.register_schema(
                    record.name, record.encoding, record.data
                )
        elif isinstance(record, kinds.Channel):
            if record.id not in self._channels:
                self._channels[record.id] = self._writer.register_channel(
                    record.topic,
                    record.message_encoding,
                    self._schemas[record.schema_id],
                    record.metadata,
                )
                self.topics.add(record.topic)
        elif isinstance(record, kinds.Message):
            self._writer.add_message(
                self._channels[record.channel_id],
                record.log_time,
                record.data,
                record.publish_time,
                record.sequence,
            )
            t_ns = record.log_time
            self.first_ns = min(self.first_ns, t_ns) if self.messages else t_ns
            self.last_ns = max(self.last_ns, t_ns)
            self.messages += 1
        elif isinstance(record, kinds.Metadata) and record.name != "rosbag2":
            self._writer.add_metadata(record.name, record.metadata)


def _copy(path: Path, stream: IO[bytes]) -> Recovered:
    try:
        from mcap.exceptions import EndOfFile
        from mcap.stream_reader import StreamReader
        from mcap.writer import CompressionType, Writer
    except ImportError as error:
        raise BagError(f"{path}: recovery needs mcap: pip install mcap ({error})") from error

    # Not compressed, as those of the recorder are not.
    writer = Writer(stream, compression=CompressionType.NONE)
    writer.start(profile="ros2", library="neuro_control")
    copy = _Copy(writer)
    damage = ""
    size = path.stat().st_size
    with path.open("rb") as source:
        reader = StreamReader(source, validate_crcs=True, record_size_limit=LONGEST_RECORD)
        records, whole = reader.records, 0
        while True:
            # Parsers raise what they meet in damaged data: their own errors, and those of struct,
            # decompression, text, memory and missing keys; whichever it is ends what is whole.
            try:
                copy.add(next(records))
            except StopIteration:
                whole = source.tell()
                break
            except OSError:
                raise
            except Exception as error:  # noqa: BLE001 - it is told
                # A record can be cut within the fields of a fixed size too.
                at_end = isinstance(error, struct.error) and source.tell() >= size
                ends = isinstance(error, EndOfFile) or at_end
                damage = "the file ends there" if ends else first_line(error)
                break
            whole = source.tell()
    writer.finish()  # type: ignore[no-untyped-call]
    return Recovered(
        copy.messages,
        len(copy.topics),
        (copy.last_ns - copy.first_ns) * 1e-9,
        size - whole,
        damage,
    )
