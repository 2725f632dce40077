# SPDX-License-Identifier: Apache-2.0
"""The cost of a network is what the package neurobench says of the same network in snnTorch.

Weights, thresholds and biases are small integers times one unit, and a decay is one half, so that
float32 and Loihi's integers agree to the last bit over the ticks of a sample. Its answers are
recorded; `ask_neurobench.py`, beside this file, asks it again.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from neuro_control.backends import Cost, CpuRunner, measure_cost
from neuro_control.network import (
    LIF,
    Affine,
    Conv2d,
    FixedNetwork,
    FixedPopulation,
    FixedProjection,
    Flatten,
    Input,
    Linear,
    Network,
    Output,
    Port,
)
from neuro_control.network.lowering import synapse_map

SAMPLES, TICKS = 5, 12
# A weight of 8 with exponent 5, a vth of 256 and a bias mantissa of 128 with exponent 7 are all
# one unit: 2^14 in the membrane, of which twelve halvings leave whole numbers.
WEIGHT, WEIGHT_EXPONENT, VTH, BIAS, BIAS_EXPONENT = 8, 5, 256, 128, 7
THRESHOLD = 5


def pattern(shape: tuple[int, ...], low: int, high: int, seed: int) -> np.ndarray:
    """Integers low..high that look random and are the same everywhere (a multiplicative hash)."""
    at = np.arange(np.prod(shape), dtype=np.uint64) + np.uint64(1000 * seed + 1)
    mixed = (at * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)
    return (mixed % np.uint64(high - low + 1)).astype(np.int64).reshape(shape) + low


def pruned(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return pattern(shape, -5, 7, seed) * (pattern(shape, 0, 9, seed + 1) < 7)


@dataclass(frozen=True)
class Case:
    """One network in two layers, and what neurobench 2.3.0 with snnTorch 1.0.0 said of it."""

    first: np.ndarray
    second: np.ndarray
    bias: np.ndarray
    input_shape: tuple[int, ...]
    hidden_shape: tuple[int, ...]
    answer: dict[str, Any]

    def inputs(self) -> np.ndarray:
        """Samples of binary frames (sample, tick, *input_shape)."""
        return pattern((SAMPLES, TICKS, *self.input_shape), 0, 3, 9) == 0

    def description(self) -> Network:
        n_hidden, n_out = int(np.prod(self.hidden_shape)), len(self.second)

        def lif(shape: tuple[int, ...]) -> LIF:
            n = np.ones(shape)
            return LIF(shape, 2e-3 * n, n, 0 * n, THRESHOLD * n, 0 * n)

        is_image = self.first.ndim == 4
        nodes = {
            "in": Input(self.input_shape),
            "first": Conv2d(self.first, self.bias, 2, 1)
            if is_image
            else Affine(self.first, self.bias),
            "hidden": lif(self.hidden_shape),
            "flat": Flatten(),
            "second": Linear(self.second),
            "output": lif((n_out,)),
            "out": Output((n_out,)),
        }
        assert n_hidden == self.second.shape[1]
        order = list(nodes)
        return Network(nodes, list(itertools.pairwise(order)), 1e-3)

    def fixed(self) -> FixedNetwork:
        n_in, n_hidden = int(np.prod(self.input_shape)), int(np.prod(self.hidden_shape))
        n_out = len(self.second)
        first = self.first
        if first.ndim == 4:
            entries = synapse_map(Conv2d(first, None, 2, 1), self.input_shape)
            first = np.zeros((n_hidden, n_in), np.int64)
            first[entries.target, entries.sources()] = entries.weight
        bias = np.repeat(self.bias, n_hidden // len(self.bias)) * BIAS

        def projection(name: str, matrix: np.ndarray) -> FixedProjection:
            source, *_, target = name.split(" -> ")
            made = FixedProjection.from_matrix(
                source, target, matrix * WEIGHT, weight_exponent=WEIGHT_EXPONENT
            )
            return dataclasses.replace(made, name=name)

        neuron = {"du": 4095, "dv": 2048, "vth": THRESHOLD * VTH}
        return FixedNetwork(
            (
                FixedPopulation(
                    "hidden",
                    self.hidden_shape,
                    0,
                    **neuron,
                    bias_mantissa=bias,
                    bias_exponent=BIAS_EXPONENT,
                ),
                FixedPopulation("output", (n_out,), n_hidden, **neuron, bias_mantissa=0),
            ),
            (
                projection("in -> first -> hidden", first),
                projection("hidden -> flat -> second -> output", self.second),
            ),
            {"in": Port(0, n_in, self.input_shape)},
            {"out": Port(0, n_out, (n_out,))},
            {"out": "output"},
            1e-3,
        )

    def cost(self) -> Cost:
        samples = []
        for frames in self.inputs().reshape(SAMPLES, TICKS, -1):
            tick, index = np.nonzero(frames)
            offsets = np.searchsorted(tick, np.arange(TICKS + 1))
            samples.append((index.astype(np.int32), offsets))
        description = self.description() if self.first.ndim == 4 else None
        return measure_cost(CpuRunner(self.fixed()), samples, description)


CASES = {
    "dense": Case(
        pruned((16, 20), 1),
        pruned((6, 16), 3),
        pattern((16,), -1, 2, 5),
        (20,),
        (16,),
        {
            "Footprint": 1768,
            "ConnectionSparsity": 0.3389,
            "ActivationSparsity": 0.6363636363636364,
            "SynapticOperations": {"Effective_MACs": 0.0, "Effective_ACs": 919.0, "Dense": 4992.0},
            "MembraneUpdates": 205.6,
        },
    ),
    "convolution": Case(
        pruned((4, 2, 3, 3), 1),
        pruned((6, 36), 3),
        pattern((4,), -1, 2, 5),
        (2, 6, 6),
        (4, 3, 3),
        {
            "Footprint": 1208,
            "ConnectionSparsity": 0.3403,
            "ActivationSparsity": 0.7134920634920635,
            "SynapticOperations": {"Effective_MACs": 0.0, "Effective_ACs": 1476.0, "Dense": 8736.0},
            "MembraneUpdates": 401.8,
        },
    ),
}
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def check(case: Case, cost: Cost, answer: dict[str, Any]) -> None:
    ours = cost.neurobench()
    assert ours["SynapticOperations"] == answer["SynapticOperations"]
    assert ours["MembraneUpdates"] == answer["MembraneUpdates"]
    assert ours["ActivationSparsity"] == pytest.approx(answer["ActivationSparsity"], rel=1e-12)
    # It takes the zeros of a kernel; ours are those of the pairs that the kernel joins.
    weights = [case.first, case.second]
    if case.first.ndim == 4:
        zeros = sum(int((w == 0).sum()) for w in weights) / sum(w.size for w in weights)
        assert round(zeros, 4) == answer["ConnectionSparsity"]
        assert ours["ConnectionSparsity"] == pytest.approx(zeros, abs=0.05)
    else:
        assert round(cost.connection_sparsity, 4) == answer["ConnectionSparsity"]
        assert sum(w.size for w in weights) == sum(q.positions for q in cost.projections)
    # Its bytes are those of torch: float32 weights and biases, and snnTorch's buffers a layer
    # (threshold, graded_spikes_factor, beta in 4 bytes, reset_mechanism_val in 8).
    torch_bytes = 4 * (sum(w.size for w in weights) + case.bias.size) + 2 * 20
    assert answer["Footprint"] == torch_bytes


@cases
def test_the_cost_is_what_neurobench_gave(case: Case):
    check(case, case.cost(), case.answer)
