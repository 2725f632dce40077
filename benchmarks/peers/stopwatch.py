# SPDX-License-Identifier: Apache-2.0
"""What every peer does: read weights and inputs, step, and write how long each call took.

`python PEER.py IN.npz OUT.json`. IN holds `weight0`, `weight1` float32 (out, in), `inputs` float32
(ticks, in) of 0 and 1, and `calls`. It imports nothing of this project: the peer's interpreter runs
it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

Step = Callable[[Any], Any]


def main(distribution: str, build: Callable[[list[np.ndarray]], tuple[Step, Step]]) -> None:
    """Time a peer.

    Args:
        distribution: the peer's name on PyPI.
        build: given the weights, returns what turns one tick's input into the peer's own form
            (not timed) and what steps it (timed); the step returns the output layer's spikes.
    """
    with np.load(sys.argv[1]) as given:
        weights = [given["weight0"], given["weight1"]]
        inputs, calls = given["inputs"], int(given["calls"])
    prepare, step = build(weights)
    ready = [prepare(row) for row in inputs]
    for i in range(min(50, calls)):
        step(ready[i % len(ready)])
    times, spikes = [], 0.0
    for i in range(calls):
        x = ready[i % len(ready)]
        start = time.perf_counter_ns()
        out = step(x)
        times.append((time.perf_counter_ns() - start) / 1000)
        spikes += float(np.sum(np.asarray(out) != 0))
    found = {"times_us": times, "spikes": spikes, "version": metadata.version(distribution)}
    Path(sys.argv[2]).write_text(json.dumps(found))
