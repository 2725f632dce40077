# SPDX-License-Identifier: Apache-2.0
"""What the engine's cost follows: `python -m benchmarks.engine_activity`.

First activity: a 1024-512-6 network from 0.1 % to 50 % of its inputs, beside the same layers as
dense torch matrices in the same process (`make torch`; left out with a line where it is not there).
Then size: 50 active inputs with 100 synapses each, into 10^2 to 10^6 neurons, with the memory of a
process that holds nothing else. Then what a start costs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.engine import layered
from benchmarks.page import Bars, Curves
from neuro_control.backends import CpuRunner
from neuro_control.network import (
    FixedNetwork,
    FixedPopulation,
    FixedProjection,
    Port,
    quantize,
)

SIZES = (1024, 512, 6)
ACTIVITIES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
COUNTS = (100, 1_000, 10_000, 100_000, 1_000_000)
ACTIVE, FAN_OUT = 50, 100


def median_us(step: Callable[[Any], Any], given: Sequence[Any], calls: int) -> float:
    """Median time of a call, in microseconds, after a warm-up."""
    times = []
    for i in range(calls + 20):
        x = given[i % len(given)]
        start = time.perf_counter_ns()
        step(x)
        times.append((time.perf_counter_ns() - start) / 1000)
    return float(np.median(times[20:]))


def dense_torch() -> Callable[[Any], Any] | None:
    """One step of the same layers, current-based LIF, in dense torch; None without torch."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    weights = [torch.randn(m, n) / n**0.5 for n, m in pairwise(SIZES)]
    currents = [torch.zeros(1, m) for m in SIZES[1:]]
    membranes = [torch.zeros(1, m) for m in SIZES[1:]]

    @torch.inference_mode()
    def step(row: np.ndarray) -> Any:
        x = torch.from_numpy(row)
        for i, weight in enumerate(weights):
            currents[i].mul_(0.8).add_(torch.nn.functional.linear(x, weight))
            membranes[i].mul_(0.95).add_(currents[i])
            x = (membranes[i] > 1.0).float()
            membranes[i].mul_(1.0 - x)
        return x

    return step


def activity_rows(calls: int = 1000) -> list[dict[str, Any]]:
    """A row an activity."""
    rng = np.random.default_rng(0)
    engine, peer = CpuRunner(quantize(layered(SIZES, rng))), dense_torch()
    engine.warm()
    rows = []
    for activity in ACTIVITIES:
        given = (rng.random((100, 1, SIZES[0])) < activity).astype(np.float32)
        trains = [np.flatnonzero(x).astype(np.int32) for x in given]
        engine.reset()
        row: dict[str, Any] = {
            "input": f"{activity:.1%}",
            "median_us": round(median_us(engine.step, trains, calls), 2),
        }
        if peer is not None:
            dense = median_us(peer, list(given), calls)
            row |= {"torch_us": round(dense, 1), "times_faster": round(dense / row["median_us"], 2)}
        rows.append(row)
    return rows


def where_dense_wins(rows: Sequence[dict[str, Any]]) -> str:
    """The verdict of the rows, in words."""
    faster = [row["input"] for row in rows if row.get("times_faster", 1) < 1]
    if "times_faster" not in rows[0]:
        return "torch is not installed, so that nothing is known of dense: make torch"
    if not faster:
        least = min(row["times_faster"] for row in rows)
        return f"dense torch wins nowhere up to {rows[-1]['input']}: it takes {least} times as long"
    return f"dense torch wins from {faster[0]} of the inputs on"


def sparse_network(n: int) -> FixedNetwork:
    """As many inputs as neurons, each input with 100 synapses anywhere."""
    rng = np.random.default_rng(0)
    target = np.sort(rng.integers(0, n, (n, FAN_OUT), np.int32), axis=1).ravel()
    weight = rng.integers(-10, 20, n * FAN_OUT, np.int16) * 2
    population = FixedPopulation(
        "n", (n,), 0, du=np.int32(4095), dv=np.int32(200), vth=np.int32(1000), bias_mantissa=0
    )
    projection = FixedProjection(
        "in -> n", "in", "n", n, np.arange(0, n * FAN_OUT + 1, FAN_OUT), target, weight
    )
    ports = {"in": Port(0, n, (n,))}, {"out": Port(0, n, (n,))}
    return FixedNetwork((population,), (projection,), *ports, {"out": "n"}, 1e-3)


def resident_bytes() -> int:
    """What this process holds now (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def size_row(n: int, calls: int = 400) -> dict[str, Any]:
    """Time and memory of a network of n neurons; to be called in a process of its own."""
    CpuRunner(sparse_network(100)).warm()
    before = resident_bytes()
    network = sparse_network(n)
    described = resident_bytes() - before
    start = time.perf_counter()
    engine = CpuRunner(network)
    ready_s = time.perf_counter() - start
    held = resident_bytes() - before - described
    rng = np.random.default_rng(1)
    trains = [np.sort(rng.choice(n, ACTIVE, replace=False)).astype(np.int32) for _ in range(100)]
    return {
        "neurons": n,
        "synapses": network.n_synapses,
        "median_us": round(median_us(engine.step, trains, calls), 2),
        "ready_s": round(ready_s, 3),
        "engine_mb": round(held / 1e6, 1),
        "description_mb": round(described / 1e6, 1),
        "bytes_a_synapse": round(engine.memory.synapses / network.n_synapses, 1),
        "bytes_a_neuron": round(engine.memory.neurons / network.n_neurons, 1),
    }


def in_a_process(code: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


def start_rows() -> list[dict[str, Any]]:
    """Seconds from a running interpreter, median of five fresh ones each."""
    clock = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"
    works = {
        "import neuro_control": "import neuro_control",
        "import neuro_control.network": "import neuro_control.network",
        "engine ready, code cached": (
            "import numpy as np; from benchmarks.engine_activity import sparse_network; "
            "from neuro_control.backends import CpuRunner; CpuRunner(sparse_network(1000)).warm()"
        ),
    }
    return [
        {
            "what": name,
            "seconds": round(
                float(np.median([float(in_a_process(clock.format(work))) for _ in range(5)])), 3
            ),
        }
        for name, work in works.items()
    ]


def curves_by_activity(rows: list[dict[str, Any]]) -> Curves:
    """The engine's time and dense torch's over the part of the inputs that is active."""
    curves = {}
    for name, key in (("engine", "median_us"), ("dense torch", "torch_us")):
        have = [row for row in rows if key in row]
        if have:
            percent = [float(row["input"].rstrip("%")) for row in have]
            curves[name] = (percent, [row[key] for row in have])
    return Curves(
        "A tick by the part of the inputs that is active",
        curves,
        "active inputs [%]",
        "time of a tick, median [µs]",
    )


def main() -> None:
    """Measure and print."""
    options = report.parser("engine_activity", "What the engine's cost follows.").parse_args()
    activity = activity_rows()
    by_activity = "1024-512-6 by activity, one step a call, beside dense torch"
    report.print_table(activity, by_activity)
    verdict = where_dense_wins(activity)
    print(verdict)
    size = [
        json.loads(
            in_a_process(
                "import json; from benchmarks.engine_activity import size_row; "
                f"print(json.dumps(size_row({n})))"
            )
        )
        for n in COUNTS
    ]
    by_size = f"{ACTIVE} active inputs of {FAN_OUT} synapses each, by size"
    report.print_table(size, by_size)
    start = start_rows()
    report.print_table(start, "Start")
    versions = report.versions("torch")
    report.print_versions(versions)
    report.write_json(options.json, "engine_activity", activity, {"size": size, "start": start})
    tables = {by_activity: activity, by_size: size, "Start": start}
    plots = [
        curves_by_activity(activity),
        Curves(
            "A tick by the number of neurons, as many active inputs and synapses each",
            {"engine": ([row["neurons"] for row in size], [row["median_us"] for row in size])},
            "neurons",
            "time of a tick, median [µs]",
        ),
        Bars("Start", start, ("what",), "seconds", "time [s]"),
    ]
    report.write_page(options, "engine_activity", __doc__, tables, versions, plots, [verdict])


if __name__ == "__main__":
    main()
