# SPDX-License-Identifier: Apache-2.0
"""A network on Lava: its fixed-point model of the chip, or the chip.

A population becomes a LIF process; one whose neurons differ in decays or threshold a `NeuronLIF`,
the same model with an array of each. A projection becomes a Dense, Sparse, DelayDense or
DelaySparse, and all inputs together are one source. Everything is exact: Dense keeps what it has
summed for one tick, so a spike reaches the membrane in the next one, as in `network.fixed_network`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2HwCfg, Loihi2SimCfg
from lava.proc.dense.process import DelayDense, Dense
from lava.proc.lif.process import LIF
from lava.proc.sparse.process import DelaySparse, Sparse
from lava.utils.weightutils import SignMode
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from .. import board
from ..protocol import Message, RefusalError
from ..spikes import Spikes, fault_of
from ..structure import check, nothing, one_of_each, place, strays
from ..wire_network import WireNetwork, WirePopulation, WireProjection, read_network
from . import one_process
from .neuron_lif import NeuronLIF, RecordingLif, RecordingNeuronLif
from .ports import SpikeSink, SpikeSource, rows, shared_rows

BATCH_TICKS = 256
"""Ticks that Lava runs in one go at most; a longer STEP is cut."""
SPARSE_BELOW = 0.1
"""Share of weights that are not zero, below which a large matrix is kept sparse."""
SPARSE_ABOVE = 4096


def lava_version() -> str:
    """The installed release of lava-nc."""
    from importlib.metadata import version

    return version("lava-nc")


@dataclass
class Neurons:
    """The process of a population, and those of the synapses that it hears, with their delays."""

    place: slice
    process: Any
    synapses: list[tuple[Any, int]]


class LavaChip:
    """See the module; implements `program.Chip`."""

    def __init__(self, backend: str) -> None:
        self._loihi = backend == "loihi"
        self._neurons: list[Neurons] = []
        self._network: WireNetwork | None = None
        self._probes: dict[str, Any] = {}
        self._record: dict[int, slice] = {}
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
        self._build(network, bool(options.get("record_membranes")) and not self._loihi)
        own = self._loihi or bool(options.get("lava_processes"))
        if not own and not one_process.available():
            notes.append("greenlet is not installed: each of Lava's models has a process, slowly")
        one_process.use(not own and one_process.available())
        # Better now than in a control cycle: this compiles, and takes a second.
        process = self._neurons[0].process
        process.create_runtime(run_cfg=self._configuration)
        # Lava takes it for started from its first tick on only, and reads no state before.
        process.runtime._is_started = True
        self._network = network
        return about | {"notes": notes, "processes": self._processes}

    def step(self, given: Spikes) -> Spikes:
        """See `program.Chip.step`."""
        network = self._loaded()
        indices, offsets = given.indices, given.offsets
        if fault := fault_of(indices, offsets, network.n_inputs):
            raise RefusalError(fault)
        parts, ends = [np.zeros(0, np.int32)], [0]
        membranes = [np.zeros((0, network.n_neurons), np.int32)]
        for first in range(0, len(offsets) - 1, BATCH_TICKS):
            last = min(first + BATCH_TICKS, len(offsets) - 1)
            at = self._run(indices, offsets[first : last + 1])
            for active in self._seen(at):
                parts.append(active)
                ends.append(ends[-1] + len(active))
            if self._record:
                membranes.append(self._recorded(at))
        return Spikes(
            np.concatenate(parts),
            np.array(ends, np.int64),
            membranes=np.concatenate(membranes) if self._record else None,
        )

    def state(self) -> dict[str, NDArray[np.int64]]:
        """See `program.Chip.state`."""
        network = self._loaded()
        n = network.n_neurons
        current, membrane = np.zeros(n, np.int64), np.zeros(n, np.int64)
        pending = np.zeros((network.longest_delay + 1, n), np.int64)
        for neurons in self._neurons:
            current[neurons.place] = values(neurons.process.u)
            membrane[neurons.place] = values(neurons.process.v)
            for process, delay in neurons.synapses:
                waiting = values(process.a_buff).reshape(-1, delay + 1)
                pending[: delay + 1, neurons.place] += waiting.T
        return {"current": current, "membrane": membrane, "pending": pending}

    def restore(self, state: dict[str, NDArray[np.int64]]) -> None:
        """See `program.Chip.restore`."""
        network = self._loaded()
        n, rows_wanted = network.n_neurons, network.longest_delay + 1
        shapes = {"current": (n,), "membrane": (n,), "pending": (rows_wanted, n)}
        for name, shape in shapes.items():
            if state[name].shape != shape:
                raise RefusalError(
                    f"{name} is {list(state[name].shape)}; this network has {list(shape)}"
                )
        plan = []
        for neurons in self._neurons:
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
        if self._neurons:
            self._neurons[0].process.stop()
            self._neurons = []

    def _loaded(self) -> WireNetwork:
        if self._network is None:
            raise RefusalError("no network is loaded")
        return self._network

    def _run(self, indices: NDArray[np.int32], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        """Step; returns the rows of the tables in which the ticks are."""
        ticks = len(offsets) - 1
        given = rows(self._source)
        at = (self._ticks + np.arange(ticks)) % BATCH_TICKS
        given[at] = 0
        tick = np.repeat(at, np.diff(offsets))
        given[tick, indices[offsets[0] : offsets[-1]]] = 1
        self._neurons[0].process.run(condition=RunSteps(num_steps=ticks))
        self._ticks += ticks
        return at

    def _seen(self, at: NDArray[np.int64]) -> list[NDArray[np.int32]]:
        """Active outputs of those ticks."""
        seen = np.zeros((len(at), self._loaded().n_outputs), bool)
        for key, offset in self._sinks:
            table = rows(key)[at]
            seen[:, offset : offset + table.shape[1]] = table != 0
        return [np.flatnonzero(row).astype(np.int32) for row in seen]

    def _recorded(self, at: NDArray[np.int64]) -> NDArray[np.int32]:
        """Membranes after those ticks."""
        found = np.zeros((len(at), self._loaded().n_neurons), np.int32)
        for key, where in self._record.items():
            found[:, where] = rows(key)[at]
        return found

    def _build(self, network: WireNetwork, record: bool) -> None:
        if self._loihi:
            self._configuration = Loihi2HwCfg(callback_fxs=list(self._probes.values()))
        else:
            recording = {LIF: RecordingLif, NeuronLIF: RecordingNeuronLif} if record else {}
            self._configuration = Loihi2SimCfg(
                select_tag="fixed_pt", exception_proc_model_map=recording
            )
        self._sinks: list[tuple[int, int]] = []
        n_inputs = max(network.n_inputs, 1)
        self._source = shared_rows(BATCH_TICKS, n_inputs)
        source = SpikeSource(key=self._source, channels=n_inputs)
        self._processes = 1
        given = self._onto_chip(source.s_out, n_inputs)
        neurons = {
            p.name: Neurons(place(p), self._population(p, record), []) for p in network.populations
        }
        for projection in network.projections:
            if not len(projection.weight):
                continue
            target = neurons[projection.target]
            if projection.source in network.inputs:
                offset, _ = network.inputs[projection.source]
                self._synapses(given, target, projection, n_inputs, offset)
            else:
                port = neurons[projection.source].process.s_out
                self._synapses(port, target, projection, projection.n_source, 0)
        # Lava runs what hangs together. Synapses of no weight tie the rest to the source.
        for name in strays(network):
            self._synapses(given, neurons[name], nothing(network, name, n_inputs), n_inputs, 0)
        for offset, name in network.outputs:
            size = len(network.population(name).du)
            port = self._off_chip(neurons[name].process.s_out, size)
            self._sinks.append((self._drain(port, size), offset))
        self._neurons = list(neurons.values())

    def _population(self, population: WirePopulation, record: bool) -> Any:
        self._processes += 1
        n = len(population.du)
        more: dict[str, Any] = {}
        if record:
            more["record"] = key = shared_rows(BATCH_TICKS, n, np.int32)
            self._record[key] = place(population)
        same = one_of_each(population)
        kind = LIF if same else NeuronLIF
        each: dict[str, Any] = {
            name: int(getattr(population, name)[0]) if same else getattr(population, name)
            for name in ("du", "dv", "vth")
        }
        return kind(
            shape=(n,),
            bias_mant=population.bias_mantissa.astype(np.int32),
            bias_exp=np.full(n, population.bias_exponent, np.int32),
            **each,
            **more,
        )

    def _synapses(
        self, port: Any, target: Neurons, projection: WireProjection, channels: int, offset: int
    ) -> None:
        """Synapses from a port of so many channels, of which the source's begin at an offset."""
        options: dict[str, Any] = {
            "weight_exp": projection.weight_exponent,
            "num_weight_bits": projection.num_weight_bits,
        }
        if projection.weight.min(initial=0) < -255:
            # It was mixed before small weights were cleared; Lava would take it for inhibitory
            # and clip it.
            options["sign_mode"] = SignMode.MIXED
        shape = (projection.n_target, channels)
        at = (projection.target_index, projection.source_index + offset)
        size = shape[0] * shape[1]
        sparse = size > SPARSE_ABOVE and 0 < len(projection.weight) < SPARSE_BELOW * size
        weights: Any
        if sparse:
            weights = csr_matrix((projection.weight.astype(np.int64), at), shape)
        else:
            weights = np.zeros(shape, int)
            weights[at] = projection.weight
        kind: Any
        if projection.delay:
            kind = DelaySparse if sparse else DelayDense
            options |= {"delays": projection.delay, "max_delay": projection.delay}
        else:
            kind = Sparse if sparse else Dense
        process = kind(weights=weights, **options)
        port.connect(process.s_in)
        process.a_out.connect(target.process.a_in)
        target.synapses.append((process, projection.delay))
        self._processes += 1

    def _onto_chip(self, port: Any, channels: int) -> Any:
        if not self._loihi:
            return port
        from lava.proc.embedded_io.spike import PyToNxAdapter

        adapter = PyToNxAdapter(shape=(channels,))
        port.connect(adapter.inp)
        return adapter.out

    def _off_chip(self, port: Any, channels: int) -> Any:
        if not self._loihi:
            return port
        from lava.proc.embedded_io.spike import NxToPyAdapter

        adapter = NxToPyAdapter(shape=(channels,))
        port.connect(adapter.inp)
        return adapter.out

    def _drain(self, port: Any, channels: int) -> int:
        key = shared_rows(BATCH_TICKS, channels)
        port.connect(SpikeSink(key=key, channels=channels).a_in)
        self._processes += 1
        return key


def values(variable: Any) -> NDArray[np.int64]:
    """What a Lava variable holds, flat; Lava gives a number for an array of one."""
    return np.asarray(variable.get()).astype(np.int64).ravel()


def set_values(variable: Any, given: NDArray[np.int64]) -> None:
    """Give a Lava variable its values, in its own shape."""
    variable.set(given.astype(np.int32).reshape(variable.shape))
