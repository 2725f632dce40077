# SPDX-License-Identifier: Apache-2.0
"""snnTorch: two linear layers with Leaky neurons, one step a call."""

import snntorch
import torch
from stopwatch import main

torch.set_num_threads(1)
torch.set_grad_enabled(False)


def build(weights):
    layers = [torch.nn.Linear(w.shape[1], w.shape[0], bias=False) for w in weights]
    for layer, weight in zip(layers, weights, strict=True):
        layer.weight.data = torch.from_numpy(weight)
    neurons = [snntorch.Leaky(beta=0.95, reset_mechanism="zero") for _ in weights]
    membranes = [neuron.init_leaky() for neuron in neurons]

    def step(x):
        for i, layer in enumerate(layers):
            x, membranes[i] = neurons[i](layer(x), membranes[i])
        return x

    return lambda row: torch.from_numpy(row)[None], step


main("snntorch", build)
