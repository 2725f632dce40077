# SPDX-License-Identifier: Apache-2.0
"""A runner that is stepped as ever, and tick by tick while somebody watches its network."""

from __future__ import annotations

from collections.abc import Mapping
from operator import le
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuro_control.backends.runner import Indices, RunCounters, Runner, RunnerState
from neuro_control.backends.shadow import ShadowRunner
from neuro_control.control.network_watch import NetworkWatch, Offsets, ticks_of
from neuro_control.inspection.shown_spikes import ShowsSpikes
from neuro_control.network import FixedNetwork, Port

_NOTHING: Indices = np.zeros(0, np.int32)


class WatchedRunner:
    """A runner that can be watched; implements `neuro_control.backends.Runner`.

    Whatever is watched, every call gives what the runner itself would give.
    """

    def __init__(self, runner: Runner, watch: NetworkWatch) -> None:
        self.runner = runner
        self.watch = watch
        self._inside = isinstance(runner, ShowsSpikes)
        self._n_inputs = sum(port.size for port in runner.input_ports.values())

    @property
    def name(self) -> str:
        """Name of the backend."""
        return self.runner.name

    @property
    def input_ports(self) -> Mapping[str, Port]:
        """Where each input lies in the active indices given."""
        return self.runner.input_ports

    @property
    def output_ports(self) -> Mapping[str, Port]:
        """Where each output lies in the active indices returned."""
        return self.runner.output_ports

    @property
    def counters(self) -> RunCounters:
        """Totals since the runner was made or reset."""
        return self.runner.counters

    def step(self, active: Indices) -> Indices:
        """Advance one tick; see `neuro_control.backends.Runner.step`."""
        if not self.watch.on:
            return self.runner.step(active)
        return self.run(np.asarray(active), np.array([0, len(active)], np.int64))[0]

    def run(self, indices: Indices, offsets: Offsets) -> tuple[Indices, Offsets]:
        """Advance many ticks; see `neuro_control.backends.Runner.run`."""
        if not self.watch.on or not self._sound(indices, offsets):
            # What is not sound is refused there, in its own words, before a tick is stepped.
            return self.runner.run(indices, offsets)
        if not self._inside:
            outputs = self.runner.run(indices, offsets)
            self.watch.look_at_outputs((indices, offsets), outputs)
            return outputs
        runner, watch = self.runner, self.watch
        said, ends = [_NOTHING], [0]
        for active in ticks_of(indices, offsets):
            out = runner.step(active)
            said.append(out)
            ends.append(ends[-1] + len(out))
            watch.look(active, runner)
        return np.concatenate(said), np.array(ends, np.int64)

    def reset(self) -> None:
        """Back to rest; what was watched stays to be taken."""
        self.runner.reset()

    def state(self) -> RunnerState:
        """A copy of the state."""
        return self.runner.state()

    def restore(self, state: RunnerState) -> None:
        """Go on from a state. ValueError where it belongs to another network."""
        self.runner.restore(state)

    def membrane(self, name: str) -> NDArray[np.int64]:
        """Membranes of a population, in its shape."""
        return self.runner.membrane(name)

    def close(self) -> None:
        """Give back what the runner holds."""
        close = getattr(self.runner, "close", None)
        if close is not None:
            close()

    def _sound(self, indices: Any, offsets: Any) -> bool:
        # Asked in every cycle of control: each of numpy's answers would cost microseconds.
        if not (
            isinstance(indices, np.ndarray)
            and isinstance(offsets, np.ndarray)
            and indices.dtype == np.int32
            and offsets.dtype == np.int64
            and indices.ndim == offsets.ndim == 1
        ):
            return False
        ends = offsets.tolist()
        return (
            bool(ends)
            and ends[0] == 0
            and ends[-1] == len(indices)
            and all(map(le, ends, ends[1:]))
            # As unsigned numbers, those below zero are the largest.
            and (not len(indices) or int(indices.view(np.uint32).max()) < self._n_inputs)
        )


def watched(runner: Runner, network: FixedNetwork) -> tuple[Runner, NetworkWatch]:
    """A runner to step in place of this one, and the watch over what its network does.

    Of a shadowed backend the twin is watched: it is there whatever becomes of the backend.
    """
    if not isinstance(runner, ShadowRunner):
        watch = NetworkWatch(network, runner)
        return WatchedRunner(runner, watch), watch
    watch = NetworkWatch(network, runner.twin)
    runner.twin = WatchedRunner(runner.twin, watch)
    return runner, watch
