# SPDX-License-Identifier: Apache-2.0
"""The line that tells how a run goes: rewritten on a terminal, plain elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

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

    def text(self) -> str:
        """Return the line, with what is known."""
        total = f"/{self.total_s:g}" if self.total_s is not None else ""
        parts = [
            (self.simulated_s, f"{self.simulated_s:5.1f}{total} s"),
            (self.real_time_factor, f"x{_number(self.real_time_factor, '.2f')} real time"),
            (self.error_deg, f"error {_number(self.error_deg, '.1f')}°"),
            (self.events_per_second, f"{_scaled(self.events_per_second)} events/s"),
            (self.spikes_per_second, f"{_scaled(self.spikes_per_second)} spikes/s"),
            (self.delay_ms, f"sensor to command {_number(self.delay_ms, '.1f')} ms"),
        ]
        known = [words for value, words in parts if value is not None and math.isfinite(value)]
        return "  ".join([*known, self.remark] if self.remark else known)


class ProgressLine:
    """Writes `Progress` to a stream, no more often than makes sense there.

    stream: where to; a terminal (`isatty`) has its line rewritten, anything else gets plain lines.
    clock: monotonic wall time in seconds.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._terminal = stream.isatty()
        self._next_s = float("-inf")
        self._open = False

    def show(self, progress: Progress) -> None:
        """Write the line if it is time to."""
        now = self._clock()
        if now < self._next_s:
            return
        self._next_s = now + (TERMINAL_PERIOD_S if self._terminal else PLAIN_PERIOD_S)
        if self._terminal:
            self._stream.write(f"\r{progress.text()}\x1b[K")
            self._open = True
        else:
            self._stream.write(progress.text() + "\n")
        self._stream.flush()

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


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _scaled(value: float | None) -> str:
    if value is None:
        return "–"
    for size, letter in ((1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.1f}{letter}"
    return f"{value:.0f}"
