# SPDX-License-Identifier: Apache-2.0
"""The backend that a shadow stands beside, and how another is started when it is lost."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.runner import Indices, RunnerState

Offsets = NDArray[np.int64]
Outputs = tuple[Indices, Offsets]
CLOSE_S = 5.0
_log = logging.getLogger(__name__)


class Primary(Protocol):
    """What is shadowed; `process_runner.ProcessRunner` is one.

    Whatever its methods raise is noted as a fault, and its twin goes on; but for a ValueError of
    `begin`: the input is none of this network. That is a fault where the twin takes it.
    """

    def begin(self, indices: Indices, offsets: Offsets) -> int:
        """Ask for some ticks."""

    def poll(self, sequence: int, timeout_s: float) -> Outputs | None:
        """Their outputs, if they have come."""

    def begin_restore(self, state: RunnerState) -> int:
        """Ask to go on from a state."""

    def poll_done(self, sequence: int, timeout_s: float) -> bool:
        """Whether it does."""

    def close(self, ask: bool = True) -> None:
        """End it."""


class Successor:
    """Ends a backend that was lost and starts the next, in the background: both take long."""

    def __init__(self, make: Callable[[], Primary]) -> None:
        self._make = make
        self._found: Primary | Exception | None = None
        self._starter: threading.Thread | None = None
        self._lost: list[Primary] = []
        self._closed = threading.Event()

    @property
    def expected(self) -> bool:
        """Whether there is something to `take`, now or later."""
        return self._starter is not None

    def follow(self, lost: Primary | None, again: bool) -> None:
        """End the one that was lost, and start another if ``again``.

        Nothing is raised: what keeps it from that is what `take` gives, and what was lost is ended
        with the next that is.
        """
        if lost is not None:
            self._lost.append(lost)

        def start() -> None:
            # Whatever is raised, files or memory that ran out among it, is a fault of the backend.
            try:
                self._end_lost()
                if not again or self._closed.is_set():
                    return
                started = self._make()
            except Exception as error:  # noqa: BLE001 - noted as a fault
                self._found = error
                return
            if self._closed.is_set():
                started.close(ask=False)
            else:
                self._found = started

        self._starter = threading.Thread(target=start, name="backend start", daemon=True)
        try:
            self._starter.start()
        except (RuntimeError, MemoryError) as error:
            # There are no more threads to be had.
            self._found = error if again else None

    def _end_lost(self) -> None:
        while self._lost:
            try:
                self._lost.pop().close(ask=False)
            except Exception:  # noqa: BLE001 - told, and the next goes on
                # It must keep neither its successor nor its host from going on.
                _log.warning("a backend that was lost cannot be ended", exc_info=True)

    def take(self) -> Primary | Exception | None:
        """The next backend, or what its start raised; None while there is neither."""
        if self._starter is None or self._starter.is_alive():
            return None
        found, self._found, self._starter = self._found, None, None
        return found

    def close(self) -> None:
        """End what may just be starting; that by itself, if it takes longer."""
        self._closed.set()
        if self._starter is not None and self._starter.is_alive():
            self._starter.join(CLOSE_S)
        found, self._found = self._found, None
        if found is not None and not isinstance(found, Exception):
            found.close()
        self._end_lost()
