# SPDX-License-Identifier: Apache-2.0
"""When packets are answered: at once, or with those that wait behind them in the middleware."""

from __future__ import annotations

import time
from collections.abc import Callable

from neuro_control.nodes.backlog import LATE_NS
from neuro_control.nodes.lifecycle import ManagedNode


class PacketGathering:
    """Fetches what waits before it is answered, as late packets have others behind them.

    answer: answers all that is held. held: how many packets that are. most: so many that the
    middleware keeps.
    """

    def __init__(
        self,
        node: ManagedNode,
        answer: Callable[[], None],
        held: Callable[[], int],
        most: int,
    ) -> None:
        self._answer = answer
        self._held = held
        self._most = most
        self._looked_at = 0
        self._newest_waited_ns = 0
        self._timer = node.add_timer(0.0, self._look, wall=True)
        self._timer.cancel()

    def came(self, received_ns: int) -> None:
        """A packet is held that came at this time (system's clock); 0: it is not known when."""
        # Not every middleware knows when it came.
        self._newest_waited_ns = time.time_ns() - received_ns if received_ns > 0 else 0
        if self._held() > 1:
            return  # it is looked at already
        if received_ns > 0 and self._newest_waited_ns <= LATE_NS:
            self._answer()
        else:
            self._looked_at = 1
            self._look_later()

    def _look_later(self) -> None:
        """Look at what waits after all that the executor has on its list, other packets first."""
        # Not as a task: rclpy's EventsExecutor falls over one that raises.
        self._timer.reset()

    def _look(self) -> None:
        self._timer.cancel()
        held = self._held()
        # An executor that takes one message a round has not come to them all yet.
        more = self._looked_at < held < self._most and self._newest_waited_ns > LATE_NS
        self._looked_at = held
        if more:
            self._look_later()
        else:
            self._answer()
