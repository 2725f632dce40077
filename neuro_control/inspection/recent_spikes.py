# SPDX-License-Identifier: Apache-2.0
"""Who spikes in a network that steers, by sample, and where its activity dies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from neuro_control.backends.runner import Indices, RunnerState
from neuro_control.inspection.running import where_activity_dies, why_silent_now
from neuro_control.network import FixedNetwork

STEPS_A_LOOK = 4
"""Of so many steps of a controller one is looked at, which costs some microseconds."""
LEAST_LOOKS = 100
"""Ticks that must have been looked at before a population is called silent."""


@runtime_checkable
class ShowsSpikes(Protocol):
    """A runner that shows who spiked in the last tick."""

    def spikes(self, name: str) -> Indices:
        """Neurons of a population that spiked in the last tick, int32[m], ascending."""


class RecentSpikes:
    """Samples the spikes of a controller's network, and says where they end.

    A place may be named that is silent for good reason: a map of targets while there is none.
    """

    def __init__(self, network: FixedNetwork, runner: object, given: str) -> None:
        """Of a runner that shows no spikes, nothing is said.

        Args:
            network: that the runner steps.
            runner: who has just been stepped at every `stepped`.
            given: name of the input whose spikes are counted by the controller; what the others
                are given is not known.
        """
        self._network, self._given = network, given
        self._runner = runner if isinstance(runner, ShowsSpikes) else None
        self._names = [p.name for p in network.populations if p.spiking]
        self._counts = np.zeros(len(self._names), np.int64)
        self._steps = self._looks = self._inputs = 0
        self._said = ""

    def stepped(self, inputs: int) -> None:
        """After a step of one tick or more, in which so many spikes were given."""
        self._steps += 1
        self._inputs += inputs
        if self._runner is None or self._steps % STEPS_A_LOOK:
            return
        for number, name in enumerate(self._names):
            self._counts[number] += len(self._runner.spikes(name))
        self._looks += 1

    def where_activity_dies(self, state: Callable[[], RunnerState]) -> str:
        """Where spikes end, and why, as of the last `LEAST_LOOKS` looks or more; "" if nowhere.

        state: asked only where something is silent.
        """
        if self._looks < LEAST_LOOKS:
            return self._said
        spikes = dict(zip(self._names, self._counts.tolist(), strict=True))
        spikes[self._given] = self._inputs
        self._said = ""
        if not all(spikes.values()):
            report = why_silent_now(self._network, self._looks, spikes, state())
            self._said = where_activity_dies(report)
        self._looks = self._inputs = 0
        self._counts[:] = 0
        return self._said
