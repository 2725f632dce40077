# SPDX-License-Identifier: Apache-2.0
"""Training beside snnTorch: `python -m benchmarks.training_peers`.

One batch of 32 trains of 50 ticks through 128-256-10 LIF neurons: forward, backward, a step of
Adam, on one core. snnTorch runs in the environment that `benchmarks.engine_peers` makes; rounds
take turns. The twin computes Loihi's integers beside the float equations (`exact`), which snnTorch
does not.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.engine_peers import environment, layers
from neuro_control.network import LIF, Input, Linear, Network, Output

SIZES = (128, 256, 10)
BATCH, TICKS, BATCHES, ROUNDS = 32, 50, 12, 3


def network(weights: list[np.ndarray]) -> Network:
    nodes: dict[str, Any] = {"in": Input((SIZES[0],))}
    for i, weight in enumerate(weights):
        nodes[f"w{i}"] = Linear(weight)
        nodes[f"n{i}"] = LIF.with_unit_gain((weight.shape[0],), dt_s=1e-3, tau_s=0.02)
    nodes["out"] = Output((SIZES[-1],))
    return Network(nodes, list(pairwise(nodes)), 1e-3)


def ours(
    weights: list[np.ndarray], spikes: np.ndarray, wanted: np.ndarray, exact: bool
) -> list[float]:
    import torch

    from neuro_control.training import TorchNetwork

    torch.set_num_threads(1)
    twin = TorchNetwork(network(weights), exact=exact)
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
        subprocess.run([str(python), str(script), str(given), str(out)], check=True, env=_clean())
        found = json.loads(out.read_text())
    return found["times_s"][2:], found["version"]


def _clean() -> dict[str, str]:
    leaking = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "_ROS_WHEELS_BOOTSTRAP_COMPLETE")
    return {key: value for key, value in os.environ.items() if key not in leaking}


def main() -> None:
    arguments = report.parser("training_peers", "Training beside snnTorch.")
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    arguments.add_argument(
        "--environments", type=Path, default=cache / "neuro_control" / "peers", metavar="DIR"
    )
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
    report.print_table(rows, f"{'-'.join(map(str, SIZES))}, batch {BATCH}, {TICKS} ticks")
    report.print_versions(report.versions("torch") | {"snntorch": version})
    report.write_json(options.json, "training_peers", rows)


if __name__ == "__main__":
    main()
