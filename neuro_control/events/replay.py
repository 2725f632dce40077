# SPDX-License-Identifier: Apache-2.0
"""Recordings decoded as fast as it goes, with an account of what was in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from neuro_control.events.address_events import Events
from neuro_control.events.bag import BagError, read_packets
from neuro_control.events.packets import DropReason, Packet, PacketStream

_S_PER_NS = 1e-9


@dataclass(frozen=True)
class ReplayReport:
    """What a recording held.

    events_on, events_off: events decoded, by polarity.
    packets: packets recorded; packets_lost: gaps in their sequence numbers.
    duplicates: packets that were there twice, and were taken once.
    errors: packets dropped for other reasons, and words or events that could not be used.
    duration_s: sensor time from the first event to the last (each run, if the device restarted).
    topic, encoding, width, height: which stream this was.
    restarts: times the device began anew.
    triggers: edges at the external trigger input.
    drops: what makes up `errors`: reason -> count, reasons that occurred only.
    """

    events_on: int
    events_off: int
    packets: int
    packets_lost: int
    duplicates: int
    errors: int
    duration_s: float
    topic: str
    encoding: str
    width: int
    height: int
    restarts: int
    triggers: int
    drops: Mapping[str, int]


class Replay:
    """Plays one topic of a recording: iterate for (packet, events), then ask for the report.

    Packets that had to be dropped are not given out; the report counts them. The size and the
    encoding of the first packet are those of the stream. Each iteration begins at the start.

    Raises BagError (see `read_packets`), also for an encoding that is not supported.
    """

    def __init__(self, path: str | Path, topic: str | None = None) -> None:
        self._path = Path(path)
        self._topic = topic
        first = next(read_packets(self._path, topic))
        self._first = first
        self._start()

    def _start(self) -> None:
        first = self._first
        try:
            self._stream = PacketStream(first.width, first.height, first.encoding)
        except ValueError as error:
            raise BagError(f"{self._path}: {first.topic}: {error}") from error
        self._duration_ns = 0

    @property
    def stream(self) -> PacketStream:
        """The stream being played: size, encoding and counters."""
        return self._stream

    def __iter__(self) -> Iterator[tuple[Packet, Events]]:
        self._start()
        stream = self._stream
        finished_ns = 0
        start_ns: int | None = None
        restarts = 0
        for packet in read_packets(self._path, self._topic):
            events = stream.receive(packet)
            if events is None:
                continue
            if len(events):
                if stream.restarts != restarts:
                    restarts = stream.restarts
                    finished_ns = self._duration_ns
                    start_ns = None
                if start_ns is None:
                    start_ns = int(events.t_ns[0])
                self._duration_ns = finished_ns + int(events.t_ns[-1]) - start_ns
            yield packet, events

    def report(self) -> ReplayReport:
        """What has been played since the last iteration began."""
        counters = self._stream.counters
        decoded = counters.decoder
        reasons = {reason.value: count for reason, count in counters.drops.items()}
        # Nothing is missing for them: a simulation in lockstep sends a packet again.
        duplicates = reasons.pop(DropReason.DUPLICATE.value)
        reasons["outside_sensor"] = decoded.outside_sensor
        reasons["malformed"] = decoded.malformed
        reasons["unreferenced"] = decoded.unreferenced
        reasons["time_reversals"] = decoded.time_reversals
        return ReplayReport(
            events_on=decoded.events_on,
            events_off=decoded.events_off,
            packets=counters.packets,
            packets_lost=counters.packets_lost,
            duplicates=duplicates,
            errors=counters.errors - duplicates,
            duration_s=self._duration_ns * _S_PER_NS,
            topic=self._first.topic,
            encoding=self._stream.encoding,
            width=self._stream.width,
            height=self._stream.height,
            restarts=counters.restarts,
            triggers=decoded.triggers,
            drops={reason: count for reason, count in reasons.items() if count},
        )


def count(path: str | Path, topic: str | None = None) -> ReplayReport:
    """Decode a whole recording and say what was in it; raises BagError as `Replay` does."""
    replay = Replay(path, topic)
    for _ in replay:
        pass
    return replay.report()
