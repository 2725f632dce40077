# SPDX-License-Identifier: Apache-2.0
"""sinabs: two linear layers with LIF layers, one step a call."""

import sinabs.layers
import torch
from stopwatch import main

torch.set_num_threads(1)
torch.set_grad_enabled(False)


def build(weights):
    modules = []
    for weight in weights:
        layer = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        layer.weight.data = torch.from_numpy(weight) * 20
        modules += [layer, sinabs.layers.LIF(tau_mem=20.0)]
    network = torch.nn.Sequential(*modules)
    return lambda row: torch.from_numpy(row)[None, None], network


main("sinabs", build)
