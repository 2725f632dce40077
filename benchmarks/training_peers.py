# SPDX-License-Identifier: Apache-2.0
"""Training beside snnTorch: `python -m benchmarks.training_peers`.

One batch of 32 trains of 50 ticks through 128-256-10 LIF neurons: forward, backward, a step of
Adam, on one core. snnTorch runs in the environment that `benchmarks.engine_peers` makes; rounds
take turns. The twin's forward pass computes Loihi's integers (`exact`), which snnTorch's does not.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import report
from benchmarks.engine_peers import (
    add_environments,
    clean_environment,
    environment,
    layers,
    network_of,
)
from benchmarks.page import Bars, Boxes

SIZES = (128, 256, 10)
BATCH, TICKS, BATCHES, ROUNDS = 32, 50, 12, 3


def ours(
    weights: list[np.ndarray], spikes: np.ndarray, wanted: np.ndarray, exact: bool
) -> list[float]:
    import torch

    from neuro_control.training import TorchNetwork

    torch.set_num_threads(1)
    twin = TorchNetwork(network_of(weights), exact=exact)
    optimiser = torch.optim.Adam(twin.parameters(), lr=1e-3)
    given = torch.from_numpy(spikes).transpose(0, 1).contiguous()
    target = torch.from_numpy(wanted)
    times = []
    for _ in range(BATCHES):
        start = time.perf_counter()
        optimiser.zero_grad()
        counts = twin(given).spikes.sum(dim=1)
        torch.nn.functional.cross_entropy(counts, target).backward()
        optimiser.step()
        times.append(time.perf_counter() - start)
    return times[2:]


def snntorch(
    python: Path, weights: list[np.ndarray], spikes: np.ndarray, wanted: np.ndarray
) -> tuple[list[float], str]:
    script = Path(__file__).parent / "peers" / "snntorch_training.py"
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder) / "in.npz", Path(folder) / "out.json"
        arrays = {"weight0": weights[0], "weight1": weights[1], "spikes": spikes, "wanted": wanted}
        np.savez(given, batches=BATCHES, **arrays)
        subprocess.run(
            [str(python), str(script), str(given), str(out)], check=True, env=clean_environment()
        )
        found = json.loads(out.read_text())
    return found["times_s"][2:], found["version"]


def main() -> None:
    arguments = report.parser("training_peers", "Training beside snnTorch.")
    add_environments(arguments)
    options = arguments.parse_args()
    python = environment("snntorch", options.environments)
    rng = np.random.default_rng(0)
    weights = layers(SIZES, rng)
    spikes = (rng.random((TICKS, BATCH, SIZES[0])) < 0.1).astype(np.float32)
    wanted = rng.integers(0, SIZES[-1], BATCH)
    times: dict[str, list[float]] = {}
    version = ""
    for _ in range(ROUNDS):
        times.setdefault("neuro_control, exact", []).extend(ours(weights, spikes, wanted, True))
        times.setdefault("neuro_control, float", []).extend(ours(weights, spikes, wanted, False))
        found, version = snntorch(python, weights, spikes, wanted)
        times.setdefault("snnTorch", []).extend(found)
    theirs = float(np.median(times["snnTorch"]))
    rows = []
    for who, values in times.items():
        median, p99 = np.percentile(values, [50, 99])
        rows.append(
            {
                "who": who,
                "ms a batch": round(float(median) * 1e3, 1),
                "p99 ms": round(float(p99) * 1e3, 1),
                "of snnTorch's time": round(float(median) / theirs, 2),
            }
        )
    title = f"{'-'.join(map(str, SIZES))}, batch {BATCH}, {TICKS} ticks"
    report.print_table(rows, title)
    versions = report.versions("torch") | {"snntorch": version}
    report.print_versions(versions)
    report.write_json(options.json, "training_peers", rows)
    plots = [
        Bars(
            "A batch: median, p99 as a mark, and its multiple of snnTorch's",
            rows,
            ("who",),
            "ms a batch",
            "time of a batch [ms]",
            mark="p99 ms",
            reference="snnTorch",
        ),
        Boxes(
            "A batch: quartiles and median; whiskers from the 1st to the 99th percentile",
            {who: [1e3 * value for value in values] for who, values in times.items()},
            "time of a batch [ms]",
        ),
    ]
    report.write_page(options, "training_peers", __doc__, {title: rows}, versions, plots)


if __name__ == "__main__":
    main()
