# SPDX-License-Identifier: Apache-2.0
"""Prophesee RAW: a header of text, then an EVT 2.0, 2.1 or 3.0 stream as the sensor sent it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neuro_control.events.address_events import Events
from neuro_control.events.codecs import decoder
from neuro_control.events.counters import DecoderCounters
from neuro_control.events.files.event_file import (
    BLOCK_BYTES,
    EventFile,
    FileError,
    Size,
    said_size,
    text_header,
)
from neuro_control.events.trigger import Triggers

_ENCODINGS = {"EVT2": "evt2", "EVT21": "evt21", "EVT3": "evt3"}
_VERSIONS = {"2.0": "evt2", "2.1": "evt21", "3.0": "evt3"}


class RawFile(EventFile):
    """A RAW file.

    EVT 2.1 words of sensors that send their halves one after the other (IMX636) are put together;
    the header says so (`endianness=legacy`), or else the time words do.

    Raises:
        FileError: the header does not say an encoding that is known.
    """

    can_have_triggers = True

    def __init__(self, path: Path) -> None:
        lines, self._offset = text_header(path, b"%")
        fields = dict(re.findall(r"(\w+)=([\w.]+)", " ".join(lines)))
        words = {line.split()[1]: line.split()[2:] for line in lines if len(line.split()) > 2}
        name = " ".join(words.get("format", [])).split(";")[0]
        version = (words.get("evt") or [""])[0]
        encoding = _ENCODINGS.get(name) or _VERSIONS.get(version)
        if encoding is None:
            said = name or version or "nothing"
            raise FileError(
                f"{path}: the header says {said} of the encoding; it must say '% format' with"
                f" {', '.join(_ENCODINGS)} or '% evt' with {', '.join(_VERSIONS)}"
            )
        size = said_size(path, fields.get("width"), fields.get("height"))
        geometry = (words.get("geometry") or [""])[0].partition("x")
        if size is None and geometry[1]:
            size = said_size(path, geometry[0], geometry[2])
        super().__init__(path, f"Prophesee RAW, {encoding}", size)
        self._encoding = encoding
        self._halves_swapped = encoding == "evt21" and self._is_legacy(fields.get("endianness"))
        self._counters = DecoderCounters()

    @property
    def counters(self) -> DecoderCounters:
        """What the last iteration found."""
        return self._counters

    @property
    def largest_size(self) -> Size:
        """11 bits of address."""
        return 2048, 2048

    def blocks(self, size: Size) -> Iterator[Events]:
        """See `EventFile.blocks`."""
        return (events for events, _ in self.parts(size) if len(events))

    def parts(self, size: Size) -> Iterator[tuple[Events, Triggers]]:
        """See `EventFile.parts`."""
        made = decoder(self._encoding, *size)
        with self.path.open("rb") as file:
            file.seek(self._offset)
            while block := file.read(BLOCK_BYTES):
                events = made.decode(self._words(block))
                self._counters = made.counters
                triggers = made.triggers
                if len(events) or len(triggers):
                    yield events, triggers
        made.discontinuity()  # counts the part of a word at the end
        self._counters = made.counters

    def _words(self, block: bytes) -> NDArray[np.uint8]:
        payload = np.frombuffer(block, np.uint8)
        if self._halves_swapped:
            whole = len(payload) - len(payload) % 8
            halves = payload[:whole].view("<u4").reshape(-1, 2)[:, ::-1]
            swapped = np.ascontiguousarray(halves).view(np.uint8).reshape(-1)
            return np.concatenate((swapped, payload[whole:]))
        return payload

    def _is_legacy(self, said: str | None) -> bool:
        if said is not None:
            return said == "legacy"
        with self.path.open("rb") as file:
            file.seek(self._offset)
            start = file.read(1 << 16)
        halves = np.frombuffer(start[: len(start) // 8 * 8], "<u4").reshape(-1, 2)
        first, second = (np.count_nonzero(halves[:, k] >> 28 == 8) for k in range(2))
        return bool(first > second)
