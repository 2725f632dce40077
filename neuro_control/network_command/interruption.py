# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C as a break condition: a run stops after a whole tick, and the prompt comes back."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from neuro_control.inspection import BreakCondition, TickFacts


class _Interrupted:
    """Somebody pressed Ctrl-C: the run stops after a whole tick."""

    looks_inside = False

    def __init__(self) -> None:
        self.told = False

    def tell(self, *_signal: object) -> None:
        """A signal handler."""
        self.told = True

    def why(self, facts: TickFacts) -> str:
        """See `BreakCondition`."""
        del facts
        return "interrupted" if self.told else ""


@contextmanager
def interruptible(wanted: bool) -> Iterator[list[BreakCondition]]:
    """A condition that Ctrl-C makes true meanwhile, for a person; none for a script."""
    if not wanted or threading.current_thread() is not threading.main_thread():
        yield []
        return
    condition = _Interrupted()
    before = signal.signal(signal.SIGINT, condition.tell)
    try:
        yield [condition]
    finally:
        signal.signal(signal.SIGINT, before)
