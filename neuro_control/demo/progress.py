# SPDX-License-Identifier: Apache-2.0
"""The line that tells how a run goes: rewritten on a terminal, plain elsewhere."""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TextIO

from neuro_control.demo.record import RunRecord

TERMINAL_PERIOD_S = 0.2
PLAIN_PERIOD_S = 5.0


@dataclass(frozen=True)
class Progress:
    """How the run stands; None: not known (yet)."""

    simulated_s: float
    total_s: float | None = None
    real_time_factor: float | None = None
    error_deg: float | None = None
    events_per_second: float | None = None
    spikes_per_second: float | None = None
    delay_ms: float | None = None
    remark: str = ""

    def text(self, width: int | None = None) -> str:
        """Return the line, with what is known.

        width: columns that there are. What does not fit is said in fewer words, and then what
        matters least is left out.
        """
        parts = [part for part in self._parts() if part.known]
        forms = [[part.long for part in parts], [part.short for part in parts]]
        # Time and remark, which matter most, stay: where they are too long, they are cut.
        by_weight = sorted(range(len(parts)), key=lambda place: parts[place].weight)
        stay = 2 if self.remark else 1
        forms += [
            [part.short for place, part in enumerate(parts) if place not in by_weight[:left_out]]
            for left_out in range(1, len(parts) - stay + 1)
        ]
        lines = ["  ".join(words) for words in forms]
        if width is None:
            return lines[0]
        line = next((line for line in lines if len(line) <= width), lines[-1])
        return line if len(line) <= width else line[: max(width - 1, 0)] + "…"

    def _parts(self) -> Sequence[_Part]:
        total = f"/{self.total_s:g}" if self.total_s is not None else ""
        pace = f"x{_number(self.real_time_factor, '.2f')}"
        events, spikes = _scaled(self.events_per_second), _scaled(self.spikes_per_second)
        delay = f"{_number(self.delay_ms, '.1f')} ms"
        return [
            _Part(7, _known(self.simulated_s), f"{self.simulated_s:5.1f}{total} s"),
            _Part(4, _known(self.real_time_factor), f"{pace} real time", pace),
            _Part(5, _known(self.error_deg), f"error {_number(self.error_deg, '.1f')}°"),
            _Part(2, _known(self.events_per_second), f"{events} events/s"),
            _Part(1, _known(self.spikes_per_second), f"{spikes} spikes/s"),
            _Part(3, _known(self.delay_ms), f"sensor to command {delay}", f"delay {delay}"),
            _Part(6, bool(self.remark), self.remark),
        ]


@dataclass(frozen=True)
class _Part:
    """A part of the line.

    weight: how much it matters. known: whether there is anything to say. fewer: its words where
    room is scarce, if they are others.
    """

    weight: int
    known: bool
    long: str
    fewer: str = ""

    @property
    def short(self) -> str:
        return self.fewer or self.long


class ProgressLine:
    """Writes `Progress` to a stream, no more often than makes sense there.

    stream: where to; a terminal (`isatty`) has its line rewritten, anything else, and a terminal
    that cannot (TERM=dumb), gets plain lines.
    clock: monotonic wall time in seconds. columns: how wide the terminal is now.
    """

    def __init__(
        self,
        stream: TextIO,
        clock: Callable[[], float] = time.monotonic,
        columns: Callable[[], int] | None = None,
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._columns = columns or self._columns_of_stream
        self._next_s = float("-inf")
        self._open = False

    def show(self, progress: Progress) -> None:
        """Write the line if it is time to."""
        now = self._clock()
        if now < self._next_s:
            return
        self._next_s = now + (TERMINAL_PERIOD_S if self._terminal else PLAIN_PERIOD_S)
        if self._terminal:
            # A line that fills its last column is wrapped, and cannot be rewritten.
            self._stream.write(f"\r{progress.text(self._columns() - 1)}\x1b[K")
            self._open = True
        else:
            self._stream.write(progress.text() + "\n")
        self._stream.flush()

    def _columns_of_stream(self) -> int:
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError):
            columns = 0
        return columns or shutil.get_terminal_size().columns

    def say(self, text: str) -> None:
        """Write a message on a line of its own."""
        self.close()
        self._stream.write(text + "\n")
        self._stream.flush()

    def close(self) -> None:
        """End the line that stands open, if one does."""
        if self._open:
            self._stream.write("\n")
            self._stream.flush()
            self._open = False


def remark_of(record: RunRecord) -> str:
    """What the robot does, as the page's header says it: that it is held comes before all else."""
    held = record.word("guard", "stopped_because")
    if held:
        return f"held: {held.replace('_', ' ').replace(',', ', ')}"
    because = record.word("controller", "no_data_because")
    return because or record.word("controller", "controller_state") or ""


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _scaled(value: float | None) -> str:
    if value is None:
        return "–"
    for size, letter in ((1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.1f}{letter}"
    return f"{value:.0f}"
