# SPDX-License-Identifier: Apache-2.0
"""Ask neurobench for the figures that `test_neurobench` has recorded: `python ask_neurobench.py`.

It prints them, and exits with 1 where they differ from what is recorded, or change with the size of
a batch. It runs from the root of the repository, in an environment of its own:

    pip install torch==2.13.0 snntorch==1.0.0 numpy scipy numba pytest tqdm
    pip install --no-deps neurobench==2.3.0
    PYTHONPATH=. python test/backends/ask_neurobench.py
"""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import snntorch
import torch
from neurobench.benchmarks import Benchmark
from neurobench.metrics import static, workload
from neurobench.models import SNNTorchModel
from test_neurobench import CASES, SAMPLES, THRESHOLD, Case


def neurobench_says(case: Case, batch_size: int = SAMPLES) -> dict[str, Any]:
    """Its figures for the network in snnTorch, where a layer's input waits for the next tick."""

    def weighted(weight: np.ndarray, bias: np.ndarray | None) -> torch.nn.Module:
        n_out, n_in = weight.shape[:2]
        layer = (
            torch.nn.Conv2d(n_in, n_out, 3, stride=2, padding=1)
            if weight.ndim == 4
            else torch.nn.Linear(n_in, n_out, bias=bias is not None)
        )
        layer.weight.data = torch.tensor(weight, dtype=torch.float32)
        if bias is not None:
            layer.bias.data = torch.tensor(bias, dtype=torch.float32)
        return layer

    def leaky() -> torch.nn.Module:
        # Without reset_delay=False the reset would come a tick later than Loihi's.
        return snntorch.Leaky(
            0.5, float(THRESHOLD), init_hidden=True, reset_mechanism="zero", reset_delay=False
        )

    class Delayed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.hidden = weighted(case.first, case.bias), leaky()
            self.second, self.output = weighted(case.second, None), leaky()

        def reset(self) -> None:
            self.hidden.reset_mem()
            self.output.reset_mem()
            self.waiting = None

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            if self.waiting is None:
                bias = self.first.bias.reshape(-1, *[1] * (len(case.hidden_shape) - 1))
                self.waiting = (
                    bias.expand(len(x), *case.hidden_shape),
                    torch.zeros(len(x), len(case.second)),
                )
            hidden, output = self.hidden(self.waiting[0]), self.output(self.waiting[1])
            self.waiting = (self.first(x), self.second(hidden.flatten(1)))
            return output, self.output.mem

    frames = torch.tensor(case.inputs(), dtype=torch.float32)
    data = torch.utils.data.TensorDataset(frames, torch.zeros(SAMPLES))
    benchmark = Benchmark(
        SNNTorchModel(Delayed()),
        torch.utils.data.DataLoader(data, batch_size=batch_size),
        [],
        [],
        [
            [static.Footprint, static.ConnectionSparsity],
            [workload.ActivationSparsity, workload.SynapticOperations, workload.MembraneUpdates],
        ],
    )
    with torch.no_grad():
        return benchmark.run(quiet=True)


def main() -> int:
    """Ask for every case; 1 where an answer is not what is recorded."""
    differing = 0
    for name, case in CASES.items():
        for batch_size in (SAMPLES, 2):
            answer = neurobench_says(case, batch_size)
            # A mean of means rounds differently with the size of a batch.
            share = answer["ActivationSparsity"]
            recorded = case.answer["ActivationSparsity"]
            same = math.isclose(share, recorded, rel_tol=1e-12) and (
                answer | {"ActivationSparsity": recorded} == case.answer
            )
            print(f"{name}, batches of {batch_size}: {'as recorded' if same else answer}")
            differing += not same
    return int(differing > 0)


if __name__ == "__main__":
    sys.exit(main())
