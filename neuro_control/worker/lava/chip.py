# SPDX-License-Identifier: Apache-2.0
"""A network on Lava: its fixed-point model of the chip, or the chip."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2HwCfg, Loihi2SimCfg
from numpy.typing import NDArray

from .. import board
from ..protocol import Message, RefusalError
from ..spikes import Spikes, fault_of
from ..structure import check
from ..wire_network import WireNetwork, read_network
from . import one_process
from .ports import rows
from .processes import BATCH_TICKS, RECORDING, Processes

BEYOND = 1 << 31
"""Lava's variables are int32."""


def lava_version() -> str:
    """The installed release of lava-nc."""
    from importlib.metadata import version

    return version("lava-nc")


class LavaChip:
    """See the module; implements `program.Chip`."""

    def __init__(self, backend: str) -> None:
        self._loihi = backend == "loihi"
        self._made: Processes | None = None
        self._network: WireNetwork | None = None
        self._probes: dict[str, Any] = {}
        self._ticks = 0

    def load(self, message: Message) -> dict[str, Any]:
        """Build the network, and start Lava's processes; RefusalError names what Lava cannot do.

        Options: of Lava's model ``record_membranes``, and ``lava_processes`` for Lava's own
        processes instead of coroutines; of a board those of `board.choose`, and ``probes``, a list.
        """
        network = read_network(message)
        if self._network is not None:
            raise RefusalError("a network is loaded already; a worker holds one")
        notes = check(network, self._loihi)
        options = message.fields.get("options")
        options = options if isinstance(options, dict) else {}
        about: dict[str, Any] = {}
        if self._loihi:
            about["board"] = board.choose(options)
            self._probes, more = board.probes(options.get("probes") or ())
            notes += more
        record = bool(options.get("record_membranes")) and not self._loihi
        made = self._made = Processes(network, record, self._loihi)
        own = self._loihi or bool(options.get("lava_processes"))
        if not own and not one_process.available():
            notes.append("greenlet is not installed: each of Lava's models has a process, slowly")
        one_process.use(not own and one_process.available())
        # Better now than in a control cycle: this compiles, and takes a second.
        process = made.neurons[0].process
        process.create_runtime(run_cfg=self._configuration(record))
        # Lava takes it for started from its first tick on only, and reads no state before.
        process.runtime._is_started = True
        self._network = network
        return about | {"notes": notes, "processes": made.count}

    def step(self, given: Spikes) -> Spikes:
        """See `program.Chip.step`."""
        network, made = self._loaded()
        indices, offsets = given.indices, given.offsets
        if fault := fault_of(indices, offsets, network.n_inputs):
            raise RefusalError(fault)
        parts, ends = [np.zeros(0, np.int32)], [0]
        membranes = [np.zeros((0, network.n_neurons), np.int32)]
        for first in range(0, len(offsets) - 1, BATCH_TICKS):
            last = min(first + BATCH_TICKS, len(offsets) - 1)
            at = self._run(made, indices, offsets[first : last + 1])
            for active in _seen(made, at, network.n_outputs):
                parts.append(active)
                ends.append(ends[-1] + len(active))
            if made.recorded:
                membranes.append(_recorded(made, at, network.n_neurons))
        return Spikes(
            np.concatenate(parts),
            np.array(ends, np.int64),
            membranes=np.concatenate(membranes) if made.recorded else None,
        )

    def state(self) -> dict[str, NDArray[np.int64]]:
        """See `program.Chip.state`."""
        network, made = self._loaded()
        n = network.n_neurons
        current, membrane = np.zeros(n, np.int64), np.zeros(n, np.int64)
        pending = np.zeros((network.longest_delay + 1, n), np.int64)
        for neurons in made.neurons:
            current[neurons.place] = values(neurons.process.u)
            membrane[neurons.place] = values(neurons.process.v)
            for process, delay in neurons.synapses:
                waiting = values(process.a_buff).reshape(-1, delay + 1)
                pending[: delay + 1, neurons.place] += waiting.T
        return {"current": current, "membrane": membrane, "pending": pending}

    def restore(self, state: dict[str, NDArray[np.int64]]) -> None:
        """See `program.Chip.restore`."""
        network, made = self._loaded()
        n, rows_wanted = network.n_neurons, network.longest_delay + 1
        shapes = {"current": (n,), "membrane": (n,), "pending": (rows_wanted, n)}
        for name, shape in shapes.items():
            if state[name].shape != shape:
                raise RefusalError(
                    f"{name} is {list(state[name].shape)}; this network has {list(shape)}"
                )
            if state[name].min() < -BEYOND or state[name].max() >= BEYOND:
                raise RefusalError(f"{name} holds what Lava's 32 bits cannot")
        plan = []
        for neurons in made.neurons:
            waiting = state["pending"][:, neurons.place]
            longest = max((delay for _, delay in neurons.synapses), default=-1)
            if waiting[longest + 1 :].any():
                raise RefusalError("pending holds input that no synapse of this network can hold")
            plan.append((neurons, waiting, longest))
        for neurons, waiting, longest in plan:
            set_values(neurons.process.u, state["current"][neurons.place])
            set_values(neurons.process.v, state["membrane"][neurons.place])
            # One process takes it all: what is summed is the same.
            taken = False
            for process, delay in neurons.synapses:
                mine = np.zeros((waiting.shape[1], delay + 1), np.int64)
                if delay == longest and not taken:
                    mine[:], taken = waiting[: delay + 1].T, True
                set_values(process.a_buff, mine)

    def probe(self) -> dict[str, Any]:
        """Lava's models measure nothing; on a board, what was asked for at load."""
        return {"ticks": self._ticks, **board.measured(self._probes)}

    def stop(self) -> None:
        """Stop Lava's processes."""
        if self._made is not None:
            self._made.neurons[0].process.stop()
            self._made = None

    def _loaded(self) -> tuple[WireNetwork, Processes]:
        if self._network is None or self._made is None:
            raise RefusalError("no network is loaded")
        return self._network, self._made

    def _configuration(self, record: bool) -> Any:
        if self._loihi:
            return Loihi2HwCfg(callback_fxs=list(self._probes.values()))
        models = RECORDING if record else {}
        return Loihi2SimCfg(select_tag="fixed_pt", exception_proc_model_map=models)

    def _run(
        self, made: Processes, indices: NDArray[np.int32], offsets: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Step; returns the rows of the tables in which the ticks are."""
        ticks = len(offsets) - 1
        given = rows(made.source)
        at = (self._ticks + np.arange(ticks)) % BATCH_TICKS
        given[at] = 0
        tick = np.repeat(at, np.diff(offsets))
        given[tick, indices[offsets[0] : offsets[-1]]] = 1
        made.neurons[0].process.run(condition=RunSteps(num_steps=ticks))
        self._ticks += ticks
        return at


def _seen(made: Processes, at: NDArray[np.int64], n_outputs: int) -> list[NDArray[np.int32]]:
    """Active outputs of the ticks in those rows."""
    seen = np.zeros((len(at), n_outputs), bool)
    for key, offset in made.sinks:
        table = rows(key)[at]
        seen[:, offset : offset + table.shape[1]] = table != 0
    return [np.flatnonzero(row).astype(np.int32) for row in seen]


def _recorded(made: Processes, at: NDArray[np.int64], n_neurons: int) -> NDArray[np.int32]:
    """Membranes after the ticks in those rows, int32[t, n]."""
    found = np.zeros((len(at), n_neurons), np.int32)
    for key, where in made.recorded.items():
        found[:, where] = rows(key)[at]
    return found


def values(variable: Any) -> NDArray[np.int64]:
    """What a Lava variable holds, flat; Lava gives a number for an array of one."""
    return np.asarray(variable.get()).astype(np.int64).ravel()


def set_values(variable: Any, given: NDArray[np.int64]) -> None:
    """Give a Lava variable its values, in its own shape."""
    variable.set(given.astype(np.int32).reshape(variable.shape))
