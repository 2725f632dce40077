# SPDX-License-Identifier: Apache-2.0
"""The delay from the publication of an event packet to that of the command that takes it in."""

from __future__ import annotations

import math
from collections import OrderedDict

import numpy as np

from neuro_control.dashboard.panel import FrameParts, rounded
from neuro_control.nodes.latency import LatencyHistogram

PER_DECADE = 10
FIRST_MS = 0.1
BINS = 40
"""Bins of the histogram: ten a decade from 0.1 ms to 1 s; what is beyond counts at the ends."""

KEPT_PACKETS = 4000
SLICES = 10


class DelayMeter:
    """Matches commands with the packets that they answer by their stamps.

    A command answers the packet of its stamp and all before it that have had no answer, as the
    simulator counts it too. Commands are matched when a frame is drawn. One that answers a packet
    which has not come yet waits for the next frame: packets and commands are not taken at the same
    moment, and dropped it would leave its packet to a later command. The histogram is that of the
    last ten seconds.
    """

    def __init__(self) -> None:
        self._packets: OrderedDict[int, int] = OrderedDict()
        self._commands: list[tuple[int, int, bool]] = []
        self._waiting: list[tuple[int, int, bool]] = []
        self._histogram = LatencyHistogram(SLICES)
        self._counts = np.zeros((SLICES, BINS), np.uint32)
        self._slice = 0
        self._slice_s: float | None = None

    def packet(self, stamp_ns: int, published_ns: int) -> None:
        """A packet of the sensor. One with an earlier stamp begins a new time."""
        if self._packets and stamp_ns < next(reversed(self._packets)):
            self._packets.clear()
        self._packets.setdefault(stamp_ns, published_ns)
        if len(self._packets) > KEPT_PACKETS:
            self._packets.popitem(last=False)

    def command(self, stamp_ns: int, published_ns: int, missed: bool = False) -> None:
        """A command to the robot.

        missed: others were sent before it, or may have been, that never came here. The packets
        before its own may have had their answer from those: how late that was is not known.
        """
        self._commands.append((stamp_ns, published_ns, missed))

    def _match(self) -> None:
        commands, self._commands = self._commands, []
        waiting, self._waiting = self._waiting, []
        for command in waiting:
            self._answer(*command)
        newest_ns = next(reversed(self._packets), None)
        for command in commands:
            if newest_ns is None or command[0] > newest_ns:
                self._waiting.append(command)
            else:
                self._answer(*command)

    def _answer(self, stamp_ns: int, published_ns: int, missed: bool) -> None:
        while missed and self._packets and next(iter(self._packets)) < stamp_ns:
            self._packets.popitem(last=False)
        if stamp_ns not in self._packets:
            # A hold answers nothing; nor does what was sent before we came.
            return
        while self._packets and next(iter(self._packets)) <= stamp_ns:
            _, sent_ns = self._packets.popitem(last=False)
            delay_ns = published_ns - sent_ns
            if delay_ns < 0:
                continue
            self._histogram.add(delay_ns)
            place = math.log10(max(delay_ns * 1e-6, 1e-9) / FIRST_MS) * PER_DECADE
            self._counts[self._slice, min(max(int(place), 0), BINS - 1)] += 1

    def draw(self, now_s: float, parts: FrameParts) -> None:
        """Match, and write `delays` uint32[BINS] and its summary; nothing before the first delay.

        now_s: of `time.monotonic`.
        """
        if self._slice_s is None:
            self._slice_s = now_s
        self._match()
        if now_s - self._slice_s >= 1.0:
            self._slice_s = now_s
            self._histogram.next_slice()
            self._slice = (self._slice + 1) % SLICES
            self._counts[self._slice] = 0
        summary = self._histogram.window()
        if summary.count == 0:
            return
        parts.state["delay"] = {
            "count": summary.count,
            "median_ms": rounded(summary.median_ms),
            "p99_ms": rounded(summary.p99_ms),
            "max_ms": rounded(summary.max_ms),
            "first_ms": FIRST_MS,
            "per_decade": PER_DECADE,
        }
        parts.arrays["delays"] = self._counts.sum(axis=0).astype(np.uint32)
