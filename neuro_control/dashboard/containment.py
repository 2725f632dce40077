# SPDX-License-Identifier: Apache-2.0
"""What cannot be drawn is told and left out: the page, and its stop button, go on.

Anybody on the network of ROS can send anything. A message that no panel foresaw must not end the
process that carries the stop button.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

# So long after its last failure a panel still says why (s).
TOLD_S = 3.0
LONGEST_REASON = 300


@dataclass
class Failure:
    """reason: of the last one. count: how many there were since the start."""

    reason: str
    count: int
    last_s: float


class Containment:
    """Failures by the name of the panel. log: told each kind of failure of a panel once."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._logged: set[tuple[str, type[Exception]]] = set()
        self.failures: dict[str, Failure] = {}

    @contextmanager
    def contained(self, name: str, now_s: float) -> Iterator[None]:
        """An exception within ends here, and is told."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - logged, counted and shown
            before = self.failures.get(name)
            reason = f"{type(error).__name__}: {error}"[:LONGEST_REASON]
            count = 1 if before is None else before.count + 1
            self.failures[name] = Failure(reason, count, now_s)
            if (name, type(error)) not in self._logged:
                self._logged.add((name, type(error)))
                trace = traceback.format_exc().rstrip()
                self._log(f"{name} cannot be drawn, which is told once:\n{trace}")

    def says(self, now_s: float) -> dict[str, Any]:
        """For the page: why what could not be drawn lately could not."""
        return {
            name: {"reason": failure.reason, "count": failure.count}
            for name, failure in self.failures.items()
            if now_s - failure.last_s < TOLD_S
        }
