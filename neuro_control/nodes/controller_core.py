# SPDX-License-Identifier: Apache-2.0
"""What the controller node needs of a controller."""

from __future__ import annotations

from typing import Protocol

from neuro_control.backends.backend_report import BackendReport
from neuro_control.control.arm import ArmCommand, ControllerStatistics, JointSample
from neuro_control.control.network_watch import NetworkWatch
from neuro_control.events import Events


class Controller(Protocol):
    """Steers an arm (`control.arm.ArmController` is one)."""

    backend: str

    @property
    def statistics(self) -> ControllerStatistics:
        """Totals since it was made."""

    def step(self, events: Events, joints: JointSample, t_ns: int) -> ArmCommand:
        """Take events up to t_ns and the newest joint state; say where to go.

        t_ns goes on from step to step; it may start lower after `reset`.
        """

    @property
    def backend_report(self) -> BackendReport:
        """Who steps its network, and how it goes."""

    @property
    def network_watch(self) -> NetworkWatch | None:
        """What happens inside its network; None where nobody can look."""

    def where_activity_dies(self) -> str:
        """Where spikes end on their way through its network, and why; "" where they do not."""

    def reset(self) -> None:
        """Forget what was seen."""

    def close(self) -> None:
        """Give back what its backend holds."""
