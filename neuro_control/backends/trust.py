# SPDX-License-Identifier: Apache-2.0
"""When a shadowed backend is trusted: its settings, and what its being late does to it.

To rejoin, a backend must have answered `TRIALS` questions in a row within the deadline. Trying it
is waiting for it, so that each answer that is late doubles the cycles until it is tried again, to
`LONGEST_PAUSE` at most: one that is always late costs a cycle in a thousand its deadline.
"""

from __future__ import annotations

from dataclasses import dataclass

TRIALS = 3
"""Answers in a row within the deadline before a backend rejoins."""
LONGEST_PAUSE = 1024
"""Cycles, at most, from an answer that was late to the next trial."""
STEADY = 100
"""Cycles in step after which earlier late answers are forgotten."""


@dataclass(frozen=True)
class ShadowSettings:
    """When to trust a backend.

    Attributes:
        deadline_s: how long a cycle waits for the answer, from when it was asked.
        tolerance_spikes: outputs that may differ in one cycle before it counts as a divergence.
        hang_s: time without an answer after which the process is ended.
        lag_ticks: ticks that it may be behind; beyond, it is given the twin's state instead.
        restarts: failures in a row (ends, hangs, divergences), without having been in step between,
            before it is given up.
    """

    deadline_s: float = 0.002
    tolerance_spikes: int = 0
    hang_s: float = 1.0
    lag_ticks: int = 2000
    restarts: int = 5

    def __post_init__(self) -> None:
        for name, least in (("deadline_s", 0), ("hang_s", 1e-3)):
            value = getattr(self, name)
            if not least <= value <= 3600:
                raise ValueError(f"{name} must be {least}..3600 seconds, not {value}")
        for name, low in (("tolerance_spikes", 0), ("lag_ticks", 1), ("restarts", 0)):
            if getattr(self, name) < low:
                raise ValueError(f"{name} must be at least {low}, not {getattr(self, name)}")


class Punctuality:
    """In step or not, and when a backend that is not is tried again; see the module."""

    def __init__(self) -> None:
        self.in_step = True
        self._cycles_in_step = self._pause = self._until_trial = self._passed = 0

    def leave(self) -> None:
        """Out of step for another reason than being late."""
        self.in_step, self._passed = False, 0

    def be_late(self) -> None:
        """No answer came in time: out of step, and the next trial twice as far away."""
        self.leave()
        self._pause = self._until_trial = min(max(2 * self._pause, 1), LONGEST_PAUSE)

    def try_now(self) -> bool:
        """Whether a backend that is behind may show in this cycle that it answers in time."""
        if self._until_trial > 0:
            self._until_trial -= 1
            return False
        return True

    def answer_in_time(self) -> bool:
        """Note an answer; True where it lets the backend rejoin."""
        if self.in_step:
            self._cycles_in_step += 1
            if self._cycles_in_step >= STEADY:
                self._pause = 0
            return False
        self._passed += 1
        if self._passed < TRIALS:
            return False
        self.in_step = True
        self._cycles_in_step = self._passed = 0
        return True
