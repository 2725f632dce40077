# SPDX-License-Identifier: Apache-2.0
"""A network as processes of Lava.

A population becomes a LIF process; one whose neurons differ in decays or threshold a `NeuronLIF`,
the same model with an array of each. A projection becomes a Dense, Sparse, DelayDense or
DelaySparse, and all inputs together are one source. Everything is exact: Dense keeps what it has
summed for one tick, so a spike reaches the membrane in the next one, as in `network.fixed_network`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from lava.proc.dense.process import DelayDense, Dense
from lava.proc.lif.process import LIF
from lava.proc.sparse.process import DelaySparse, Sparse
from lava.utils.weightutils import SignMode
from scipy.sparse import csr_matrix

from ..structure import nothing, one_of_each, place, strays
from ..wire_network import WireNetwork, WirePopulation, WireProjection
from .neuron_lif import NeuronLIF, RecordingLif, RecordingNeuronLif
from .ports import SpikeSink, SpikeSource, shared_rows

BATCH_TICKS = 256
"""Ticks that Lava runs in one go at most; a longer STEP is cut."""
SPARSE_BELOW = 0.1
"""Share of weights that are not zero, below which a large matrix is kept sparse."""
SPARSE_ABOVE = 4096
RECORDING = {LIF: RecordingLif, NeuronLIF: RecordingNeuronLif}
"""Models that write down membranes, for Lava's run configuration."""


@dataclass
class Neurons:
    """The process of a population, and those of the synapses that it hears, with their delays."""

    place: slice
    process: Any
    synapses: list[tuple[Any, int]]


class Processes:
    """The processes of a network, tied together.

    ``source`` is the table of the inputs, ``sinks`` those of the outputs with their offsets,
    ``recorded`` those of the membranes with their places, rows being ticks modulo `BATCH_TICKS`;
    ``count`` is how many processes there are.
    """

    def __init__(self, network: WireNetwork, record: bool, on_chip: bool) -> None:
        """Make them. record: of every membrane after every tick, which a chip cannot."""
        self._on_chip = on_chip
        self.sinks: list[tuple[int, int]] = []
        self.recorded: dict[int, slice] = {}
        self.count = 1
        n_inputs = max(network.n_inputs, 1)
        self.source = shared_rows(BATCH_TICKS, n_inputs)
        source = SpikeSource(key=self.source, channels=n_inputs)
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
            self.sinks.append((self._drain(port, size), offset))
        self.neurons = list(neurons.values())

    def _population(self, population: WirePopulation, record: bool) -> Any:
        self.count += 1
        n = len(population.du)
        more: dict[str, Any] = {}
        if record:
            more["record"] = key = shared_rows(BATCH_TICKS, n, np.int32)
            self.recorded[key] = place(population)
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
        self.count += 1

    def _onto_chip(self, port: Any, channels: int) -> Any:
        if not self._on_chip:
            return port
        from lava.proc.embedded_io.spike import PyToNxAdapter

        adapter = PyToNxAdapter(shape=(channels,))
        port.connect(adapter.inp)
        return adapter.out

    def _off_chip(self, port: Any, channels: int) -> Any:
        if not self._on_chip:
            return port
        from lava.proc.embedded_io.spike import NxToPyAdapter

        adapter = NxToPyAdapter(shape=(channels,))
        port.connect(adapter.inp)
        return adapter.out

    def _drain(self, port: Any, channels: int) -> int:
        key = shared_rows(BATCH_TICKS, channels)
        port.connect(SpikeSink(key=key, channels=channels).a_in)
        self.count += 1
        return key
