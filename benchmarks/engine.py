# SPDX-License-Identifier: Apache-2.0
"""How long a tick of the CPU engine takes: `python -m benchmarks.engine`.

One stream at a time, one step a call and many ticks a call, beside a plain numpy implementation
of the same equations with dense matrices, in the same run. Inputs are given as active indices; a
synapse delivers in the tick after the spike in both. The spikes of the two are compared as they
run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.page import Bars
from neuro_control.backends import CpuRunner
from neuro_control.network import (
    LIF,
    Conv2d,
    CubaLIF,
    FixedNetwork,
    Flatten,
    Input,
    Linear,
    Network,
    Output,
    quantize,
)

DT_S = 1e-3
DENSE_LIMIT = 40_000_000
"""Weights beyond which the dense peer is left out: its matrices would not fit this machine."""

Trains = list[np.ndarray]


def layered(sizes: Sequence[int], rng: np.random.Generator) -> Network:
    nodes: dict[str, Any] = {"in": Input((sizes[0],))}
    for i, (n_in, n_out) in enumerate(pairwise(sizes)):
        nodes[f"weights{i}"] = Linear(rng.normal(0, 2 / np.sqrt(n_in), (n_out, n_in)))
        nodes[f"neurons{i}"] = CubaLIF.with_unit_gain(
            (n_out,), dt_s=DT_S, tau_mem_s=0.02, tau_syn_s=0.005
        )
    nodes["out"] = Output((sizes[-1],))
    return Network(nodes, list(pairwise(nodes)), DT_S)


def convolutional(rng: np.random.Generator) -> Network:
    """2x128x128 -> conv 8 (5x5, stride 2) -> conv 16 (3x3, stride 2) -> 64 -> 6."""
    nodes: dict[str, Any] = {
        "in": Input((2, 128, 128)),
        "conv1": Conv2d(rng.normal(0, 0.3, (8, 2, 5, 5)), stride=2, padding=2),
        "lif1": LIF.with_unit_gain((8, 64, 64), dt_s=DT_S, tau_s=0.01),
        "conv2": Conv2d(rng.normal(0, 0.3, (16, 8, 3, 3)), stride=2, padding=1),
        "lif2": LIF.with_unit_gain((16, 32, 32), dt_s=DT_S, tau_s=0.01),
        "flat": Flatten(),
        "dense1": Linear(rng.normal(0, 0.03, (64, 16 * 32 * 32))),
        "lif3": LIF.with_unit_gain((64,), dt_s=DT_S, tau_s=0.01),
        "dense2": Linear(rng.normal(0, 0.3, (6, 64))),
        "lif4": LIF.with_unit_gain((6,), dt_s=DT_S, tau_s=0.01),
        "out": Output((6,)),
    }
    return Network(nodes, list(pairwise(nodes)), DT_S)


def tracking(rng: np.random.Generator) -> Network:
    """The shape of the arm's own network: a field with lateral connections, and a joint layer."""
    y = np.arange(9) - 4
    bump = np.exp(-(y[:, None] ** 2 + y**2) / 8)[None, None]
    image = (1, 32, 32)
    nodes: dict[str, Any] = {
        "events": Input((2, 128, 128)),
        "joints": Input((64,)),
        "patches": Conv2d(np.ones((1, 2, 4, 4)), stride=4),
        "retina": LIF.with_unit_gain(image, dt_s=DT_S, tau_s=0.005, v_threshold=2),
        "centre": Conv2d(0.05 * bump - 0.005, padding=4),
        "field": LIF.with_unit_gain(image, dt_s=DT_S, tau_s=0.01),
        "lateral": Conv2d(0.05 * bump - 0.01, padding=4),
        "flat": Flatten(),
        "sum": Linear(np.full((1, 1024), 0.25)),
        "inhibitor": LIF.with_unit_gain((1,), dt_s=DT_S, tau_s=0.005),
        "inhibition": Linear(np.full((1024, 1), -0.35)),
        "motor": Linear(rng.normal(0, 0.3, (64, 64))),
        "muscles": CubaLIF.with_unit_gain((64,), dt_s=DT_S, tau_mem_s=0.02, tau_syn_s=0.005),
        "target": Output(image),
        "command": Output((64,)),
    }
    chain = ["events", "patches", "retina", "centre", "field", "lateral", "field", "flat", "sum"]
    chain += ["inhibitor", "inhibition", "field", "target"]
    edges = [*pairwise(chain), *pairwise(["joints", "motor", "muscles", "command"])]
    return Network(nodes, edges, DT_S)


class Dense:
    """The peer: numpy, float64 matrices (exact for these integers), nothing left out."""

    def __init__(self, network: FixedNetwork) -> None:
        self.network = network
        self.matrices = [
            q.matrix().astype(np.float64) * 2.0**q.weight_exponent for q in network.projections
        ]
        self.neurons = {
            p.name: (4095 - p.du.astype(np.int64), 4096 - p.dv.astype(np.int64), p.vth << 6, p.bias)
            for p in network.populations
        }
        self.u = {p.name: np.zeros(p.size, np.int64) for p in network.populations}
        self.v = {name: u.copy() for name, u in self.u.items()}
        self.a = {name: u.astype(np.float64) for name, u in self.u.items()}
        self.x = {name: np.zeros(port.size) for name, port in network.inputs.items()}

    def step(self, active: np.ndarray) -> np.ndarray:
        """One tick: active inputs in, active outputs out."""
        for name, port in self.network.inputs.items():
            self.x[name] = x = np.zeros(port.size)
            mine = active[(active >= port.offset) & (active < port.offset + port.size)]
            x[mine - port.offset] = 1
        for name, (keep_u, keep_v, threshold, bias) in self.neurons.items():
            u, v = self.u[name], self.v[name]
            u = np.sign(u) * (np.abs(u) * keep_u >> 12) + (self.a[name].astype(np.int64) << 6)
            u -= (u > 2**23) * 2**24 - (u <= -(2**23)) * 2**24
            v = np.sign(v) * (np.abs(v) * keep_v >> 12) + u + bias
            v = np.clip(v, -(2**23) + 1, 2**23 - 1)
            spikes = v > threshold
            v[spikes] = 0
            self.u[name], self.v[name], self.x[name] = u, v, spikes.astype(np.float64)
            self.a[name][:] = 0
        for projection, matrix in zip(self.network.projections, self.matrices, strict=True):
            self.a[projection.target] += np.floor(matrix @ self.x[projection.source])
        shown = self.network.output_populations
        found = [
            port.offset + np.flatnonzero(self.x[shown[name]])
            for name, port in self.network.outputs.items()
        ]
        return np.concatenate(found)


def each_call_us(step: Callable[[np.ndarray], np.ndarray], trains: Trains, n: int) -> list[float]:
    clock, times = time.perf_counter_ns, []
    for i in range(n):
        active = trains[i % len(trains)]
        start = clock()
        step(active)
        times.append((clock() - start) / 1000)
    return times


def many_ticks_us(engine: CpuRunner, trains: Trains, ticks: int, repeats: int) -> float:
    """Microseconds a tick with so many ticks a call, median over the calls."""
    parts = [trains[i : i + ticks] for i in range(0, len(trains) - ticks + 1, ticks)]
    given = [(np.concatenate(p), np.cumsum([0, *map(len, p)])) for p in parts]
    times = []
    for i in range(repeats):
        indices, offsets = given[i % len(given)]
        start = time.perf_counter_ns()
        engine.run(indices, offsets)
        times.append((time.perf_counter_ns() - start) / 1000 / ticks)
    return float(np.median(times))


def floor(fixed: FixedNetwork, operations: float) -> dict[str, Any]:
    """What a tick must do at least, whoever computes it, and how long moving its bytes takes.

    Bytes: a membrane of 4 bytes and a sum of inputs of 2 are read and written for every neuron,
    and a current of 4 where a synapse filters it; for every synaptic operation a weight of 1 byte
    is read. Operations: one addition for each of these, and a multiplication for each decay. The
    time is that of numpy copying so many bytes (read and written together) in a buffer that it has
    just used: nothing can be faster than that on this machine and keep all neurons' state.
    """
    filtered = sum(p.size for p in fixed.populations if (p.du < 4095).any())
    moved = 12 * fixed.n_neurons + 8 * filtered + round(operations)
    source = np.ones(max(moved // 2, 1), np.uint8)
    target = source.copy()
    times = []
    for _ in range(1000):
        start = time.perf_counter_ns()
        np.copyto(target, source)
        times.append((time.perf_counter_ns() - start) / 1000)
    return {
        "floor_bytes": moved,
        "floor_operations": 3 * fixed.n_neurons + 2 * filtered + round(operations),
        "floor_us": round(float(np.median(times)), 2),
    }


def measure(name: str, network: Network, rate: float, rng: np.random.Generator) -> dict[str, Any]:
    fixed = quantize(network)
    engine = CpuRunner(fixed)
    engine.warm()
    n_inputs = sum(port.size for port in fixed.inputs.values())
    trains = [np.flatnonzero(rng.random(n_inputs) < rate).astype(np.int32) for _ in range(200)]
    calls = 2000
    each_call_us(engine.step, trains, 200)
    engine.reset()
    times = each_call_us(engine.step, trains, calls)
    counters = engine.counters
    row: dict[str, Any] = {
        "network": name,
        "input": f"{rate:.2%}",
        "neurons": fixed.n_neurons,
        "synapses": fixed.n_synapses,
        "median_us": round(float(np.median(times)), 2),
        "p99_us": round(float(np.percentile(times, 99)), 2),
        "ten_ticks_us": round(many_ticks_us(engine, trains, 10, 400), 2),
        "spikes": round(counters.spikes / calls, 1),
        "operations": round(counters.synaptic_operations / calls),
    }
    row |= floor(fixed, counters.synaptic_operations / calls)
    weights = sum(q.n_source * q.n_target for q in fixed.projections)
    if weights <= DENSE_LIMIT and all(q.weight_exponent >= 0 for q in fixed.projections):
        dense = Dense(fixed)
        engine.reset()
        for active in trains[:30]:
            if not np.array_equal(engine.step(active), dense.step(active)):
                raise RuntimeError(f"{name}: engine and dense peer differ")
        peer = float(np.median(each_call_us(dense.step, trains, 300 if weights < 1e7 else 30)))
        row |= {"numpy_us": round(peer, 1), "times_faster": round(peer / row["median_us"], 1)}
    return row


def main() -> None:
    options = report.parser("engine", "How long a tick of the CPU engine takes.").parse_args()
    rng = np.random.default_rng(0)
    conv = convolutional(rng)
    rows = [
        measure("64-64-6", layered((64, 64, 6), rng), 0.05, rng),
        measure("1024-512-6", layered((1024, 512, 6), rng), 0.05, rng),
        measure("tracking field", tracking(rng), 250 / (2 * 128 * 128), rng),
        measure("2x128x128 conv", conv, 0.01, rng),
        measure("2x128x128 conv", conv, 0.05, rng),
    ]
    title = "A tick of the CPU engine, one stream, times in microseconds"
    report.print_table(rows, title)
    note = (
        "spikes and operations are per tick; ten_ticks_us is a tick's share of a call of ten; "
        "floor: bytes of state and weights that a tick must move, additions and multiplications, "
        "and the time of copying so many bytes"
    )
    print(note)
    versions = report.versions()
    report.print_versions(versions)
    report.write_json(options.json, "engine", rows)
    plots = [
        Bars(
            "A tick, one step a call: median, and p99 as a mark",
            rows,
            ("network", "input"),
            "median_us",
            "time of a tick [µs]",
            mark="p99_us",
            log=True,
        ),
        Bars(
            "How many times faster than dense numpy the engine is",
            rows,
            ("network", "input"),
            "times_faster",
            "numpy's time over the engine's",
            log=True,
        ),
    ]
    report.write_page(options, "engine", __doc__, {title: rows}, versions, plots, [note])


if __name__ == "__main__":
    main()
