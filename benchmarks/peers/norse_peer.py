# SPDX-License-Identifier: Apache-2.0
"""Norse: two linear layers with LIF cells, one step a call."""

import norse.torch
import torch
from stopwatch import main

torch.set_num_threads(1)
torch.set_grad_enabled(False)


def build(weights):
    layers = [torch.nn.Linear(w.shape[1], w.shape[0], bias=False) for w in weights]
    for layer, weight in zip(layers, weights, strict=True):
        layer.weight.data = torch.from_numpy(weight) * 10
    cells = [norse.torch.LIFCell() for _ in weights]
    states = [None for _ in weights]

    def step(x):
        for i, layer in enumerate(layers):
            x, states[i] = cells[i](layer(x), states[i])
        return x

    return lambda row: torch.from_numpy(row)[None], step


main("norse", build)
