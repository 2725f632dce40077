# SPDX-License-Identifier: Apache-2.0
"""Who spikes in a network that steers, by sample, and where its activity dies."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from neuro_control.inspection.running import where_activity_dies, why_silent_now
from neuro_control.inspection.shown_spikes import Neurons, ShowsSpikes
from neuro_control.network import FixedNetwork

STEPS_A_LOOK = 4
"""Of so many steps of a controller one is looked at, which costs some microseconds."""
LEAST_LOOKS = 100
"""Ticks that must have been looked at before a population is called silent."""


class RecentSpikes:
    """Samples the spikes of a controller's network, and says where they end.

    A place may be named that is silent for good reason: a map of targets while there is none.

    Why a place is silent is searched for in a thread: it takes some milliseconds for each million
    synapses, which whoever steers does not have. One search is under way at most; `close` ends the
    thread.
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
        # It has no thread before there is something to search for.
        self._thread = ThreadPoolExecutor(1, "silence search")
        self._search: Future[str] | None = None

    def stepped(self, inputs: int) -> None:
        """After a step of one tick or more, in which so many spikes were given."""
        self._steps += 1
        self._inputs += inputs
        if self._runner is None or self._steps % STEPS_A_LOOK:
            return
        for number, name in enumerate(self._names):
            self._counts[number] += len(self._runner.spikes(name))
        self._looks += 1

    def where_activity_dies(self) -> str:
        """Where spikes end, and why, as far as that has been found; "" if nowhere.

        Never waits: after `LEAST_LOOKS` looks or more a search begins, and until it has ended the
        answer is what was found before.
        """
        if self._search is not None:
            if not self._search.done():
                return self._said
            self._said, self._search = _found(self._search), None
        if self._runner is None or self._looks < LEAST_LOOKS:
            return self._said
        spikes = dict(zip(self._names, self._counts.tolist(), strict=True))
        spikes[self._given] = self._inputs
        looks = self._looks
        self._looks = self._inputs = 0
        self._counts[:] = 0
        if all(spikes.values()):
            self._said = ""
            return self._said
        # The network steps on while the thread searches, and so the thread is given a copy, and of
        # what it may look at alone.
        silent = [name for name in self._names if not spikes[name]]
        neurons = {name: self._runner.neurons(name) for name in silent}
        self._search = self._thread.submit(_search, self._network, looks, spikes, neurons)
        return self._said

    def close(self) -> None:
        """End the thread, when the search under way has ended; nothing more is found after."""
        self._thread.shutdown(cancel_futures=True)
        self._runner = self._search = None


def _search(
    network: FixedNetwork, looks: int, spikes: dict[str, int], neurons: dict[str, Neurons]
) -> str:
    return where_activity_dies(why_silent_now(network, looks, spikes, neurons=neurons))


def _found(search: Future[str]) -> str:
    """What a search says. One that failed must not stop the controller that asked for it."""
    error = search.exception()
    return search.result() if error is None else f"not known: {type(error).__name__}: {error}"
