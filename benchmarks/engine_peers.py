# SPDX-License-Identifier: Apache-2.0
"""The engine beside other frameworks: `python -m benchmarks.engine_peers`.

Two dense layers of LIF neurons with the same random weights, batch 1, one step a call, 5 % of the
inputs active. Every peer runs in an environment of its own that this script makes from PyPI once
(several gigabytes for all; --environments says where, --only which). Rounds of ours and of each
peer take turns. The neuron models are each framework's own plain LIF: the work is comparable, the
spikes are not the same.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.page import Bars, Boxes, Drawing
from neuro_control.backends import CpuRunner
from neuro_control.network import LIF, Input, Linear, Network, Output, quantize

ACTIVITY = 0.05
ROUNDS = 3
TICKS = 64
LIMIT_S = 300
"""Seconds that a peer may take for a round, its import included: on a busy machine that alone can
take a minute."""
NETWORKS = {"64-64-6": (64, 64, 6), "1024-512-6": (1024, 512, 6)}
_TORCH = "torch==2.13.0"


@dataclass(frozen=True)
class Peer:
    """How a peer is installed (pip's arguments, a step each) and how many calls are timed."""

    installs: Sequence[Sequence[str]]
    calls: int = 2000


PEERS = {
    "snntorch": Peer([[_TORCH], ["snntorch==1.0.0", "numpy", _TORCH]]),
    "norse": Peer([[_TORCH], ["norse==1.1.0", _TORCH]]),
    "sinabs": Peer([[_TORCH], ["sinabs==3.1.3", _TORCH]]),
    "spikingjelly": Peer([[_TORCH], ["spikingjelly==2.0.0", _TORCH]]),
    "nengo": Peer([["nengo==4.1.0"]]),
    "lava": Peer(
        [
            ["--no-deps", "--ignore-requires-python", "lava-nc==0.10.0"],
            ["numpy<2", "scipy<1.16", "networkx<=2.8.7", "asteval<1.1", "scikit-learn<2"],
        ],
        calls=300,
    ),
}


def environment(name: str, folder: Path) -> Path:
    """The Python of a peer's environment, made on first use.

    Raises:
        RuntimeError: it cannot be made; the last line of what pip said.
    """
    home = folder / name
    python, done = home / "bin" / "python", home / ".installed"
    if not done.is_file():
        print(f"making the environment of {name} in {home}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        for arguments in PEERS[name].installs:
            command = [str(python), "-m", "pip", "install", "-q", *arguments]
            ran = subprocess.run(
                command, capture_output=True, text=True, check=False, env=clean_environment()
            )
            if ran.returncode:
                raise RuntimeError(ran.stderr.strip().splitlines()[-1])
        # The first import writes byte code, for seconds to minutes: not in a measured round.
        compiling = [str(python), "-m", "compileall", "-q", str(home / "lib")]
        subprocess.run(compiling, check=False, capture_output=True, env=clean_environment())
        done.touch()
    return python


def clean_environment() -> dict[str, str]:
    """Variables for another interpreter: nothing of ours leaks in, and one thread."""
    leaking = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "_ROS_WHEELS_BOOTSTRAP_COMPLETE")
    kept = {key: value for key, value in os.environ.items() if key not in leaking}
    return kept | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def layers(sizes: Sequence[int], rng: np.random.Generator) -> list[np.ndarray]:
    """Weights of which about one neuron in ten fires in a tick."""
    return [
        rng.normal(0.0, 2 / np.sqrt(n_in), (n_out, n_in)).astype(np.float32)
        for n_in, n_out in pairwise(sizes)
    ]


def network_of(weights: Sequence[np.ndarray]) -> Network:
    """Layers of LIF neurons with these weights."""
    nodes: dict[str, Any] = {"in": Input((weights[0].shape[1],))}
    for i, weight in enumerate(weights):
        nodes[f"w{i}"] = Linear(weight)
        nodes[f"n{i}"] = LIF.with_unit_gain((weight.shape[0],), dt_s=1e-3, tau_s=0.02)
    nodes["out"] = Output((weights[-1].shape[0],))
    return Network(nodes, list(pairwise(nodes)), 1e-3)


def runner(weights: Sequence[np.ndarray]) -> CpuRunner:
    """Ours, with the same weights."""
    engine = CpuRunner(quantize(network_of(weights)))
    engine.warm()
    return engine


def our_times_us(engine: CpuRunner, inputs: np.ndarray, calls: int) -> tuple[list[float], float]:
    """Each call of one tick, and a tick's share of calls of ten (median)."""
    trains = [np.flatnonzero(row).astype(np.int32) for row in inputs]
    clock, single = time.perf_counter_ns, []
    for i in range(calls + 200):
        active = trains[i % len(trains)]
        start = clock()
        engine.step(active)
        single.append((clock() - start) / 1000)
    groups = [trains[i : i + 10] for i in range(0, len(trains) - 9, 10)]
    given = [(np.concatenate(g), np.cumsum([0, *map(len, g)])) for g in groups]
    together = []
    for i in range(calls // 10):
        indices, offsets = given[i % len(given)]
        start = clock()
        engine.run(indices, offsets)
        together.append((clock() - start) / 10_000)
    return single[200:], float(np.median(together))


def peer_times_us(name: str, python: Path, given: Path, out: Path) -> dict[str, Any]:
    """What a peer's script measured.

    Raises:
        RuntimeError: it failed; its last line.
    """
    script = Path(__file__).parent / "peers" / f"{name}_peer.py"
    command = [str(python), str(script), str(given), str(out)]
    try:
        ran = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            env=clean_environment(),
            timeout=LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"it took more than {LIMIT_S} s") from None
    if ran.returncode:
        raise RuntimeError((ran.stderr.strip().splitlines() or ["no message"])[-1])
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def row(network: str, name: str, times: Sequence[float], ours: float) -> dict[str, Any]:
    """One line of the table; the ratio is of medians."""
    median, p99 = np.percentile(times, [50, 99])
    return {
        "network": network,
        "who": name,
        "median_us": round(float(median), 2),
        "p99_us": round(float(p99), 2),
        "times_ours": round(float(median) / ours, 1),
    }


def add_environments(parser: argparse.ArgumentParser) -> None:
    """The option that says where peers' environments are kept."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    parser.add_argument(
        "--environments", type=Path, default=cache / "neuro_control" / "peers", metavar="DIR"
    )


def plots_of(
    rows: Sequence[Mapping[str, Any]], samples: Mapping[str, Mapping[str, Sequence[float]]]
) -> list[Drawing]:
    """Bars and boxes of each network. samples: times of single steps, by network and framework."""
    plots: list[Drawing] = []
    for network, times in samples.items():
        mine = [line for line in rows if line["network"] == network]
        plots.append(
            Bars(
                f"{network}: median, p99 as a mark, and how many times ours",
                mine,
                ("who",),
                "median_us",
                "time of a step [µs]",
                mark="p99_us",
                reference="neuro_control",
                log=True,
            )
        )
        plots.append(
            Boxes(
                f"{network}: quartiles and median; whiskers from the 1st to the 99th percentile",
                times,
                "time of a step [µs]",
                log=True,
            )
        )
    return plots


def main() -> None:
    """Measure and print."""
    parser = report.parser("engine_peers", "The engine beside other frameworks, one step a call.")
    add_environments(parser)
    parser.add_argument("--only", nargs="*", default=list(PEERS), choices=list(PEERS))
    options = parser.parse_args()
    missing: dict[str, str] = {}
    pythons: dict[str, Path] = {}
    for name in options.only:
        try:
            pythons[name] = environment(name, options.environments)
        except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
            missing[name] = f"cannot be installed: {error}"
    rows: list[dict[str, Any]] = []
    versions: dict[str, str] = {}
    samples: dict[str, dict[str, list[float]]] = {}
    for network, sizes in NETWORKS.items():
        rng = np.random.default_rng(0)
        weights = layers(sizes, rng)
        inputs = (rng.random((TICKS, sizes[0])) < ACTIVITY).astype(np.float32)
        times: dict[str, list[float]] = {name: [] for name in pythons}
        ours: list[float] = []
        tens: list[float] = []
        engine = runner(weights)
        with tempfile.TemporaryDirectory() as scratch:
            given, out = Path(scratch) / "given.npz", Path(scratch) / "out.json"
            for name in [n for _ in range(ROUNDS) for n in pythons]:
                calls = PEERS[name].calls
                arrays = {"weight0": weights[0], "weight1": weights[1], "inputs": inputs}
                np.savez(given, calls=np.int64(calls), **arrays)
                single, ten = our_times_us(engine, inputs, 2000)
                ours += single
                tens.append(ten)
                try:
                    found = peer_times_us(name, pythons[name], given, out)
                except RuntimeError as error:
                    missing[name] = f"failed: {error}"
                    continue
                times[name] += found["times_us"]
                versions[name] = found["version"]
        median = float(np.median(ours))
        samples[network] = {"neuro_control": ours, **{n: v for n, v in times.items() if v}}
        rows.append(row(network, "neuro_control", ours, median))
        rows.append(row(network, "neuro_control, ten ticks a call", tens, median))
        rows += [row(network, name, values, median) for name, values in times.items() if values]
    title = "Two dense LIF layers, batch 1, one step a call, 5 % input"
    report.print_table(rows, title)
    for name, why in missing.items():
        print(f"{name}: {why}")
    report.print_versions(report.versions() | versions)
    report.write_json(options.json, "engine_peers", rows, {"peers": versions, "missing": missing})
    notes = [f"{name}: {why}" for name, why in missing.items()]
    found, plots = report.versions() | versions, plots_of(rows, samples)
    report.write_page(options, "engine_peers", __doc__, {title: rows}, found, plots, notes)


if __name__ == "__main__":
    main()
