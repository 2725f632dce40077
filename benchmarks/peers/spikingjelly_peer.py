# SPDX-License-Identifier: Apache-2.0
"""spikingjelly: two linear layers with LIF nodes, one step a call."""

import torch
from spikingjelly.activation_based import neuron
from stopwatch import main

torch.set_num_threads(1)
torch.set_grad_enabled(False)


def build(weights):
    modules = []
    for weight in weights:
        layer = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        layer.weight.data = torch.from_numpy(weight)
        modules += [layer, neuron.LIFNode(tau=20.0, decay_input=False)]
    network = torch.nn.Sequential(*modules).eval()
    return lambda row: torch.from_numpy(row)[None], network


main("spikingjelly", build)
