# SPDX-License-Identifier: Apache-2.0
"""snnTorch: one batch of training of two linear layers with Leaky neurons.

`python snntorch_training.py IN.npz OUT.json`. IN holds `weight0`, `weight1` float32 (out, in),
`spikes` float32 (ticks, batch, in), `wanted` int64 (batch) and `batches`.
"""

import json
import sys
import time
from importlib import metadata
from pathlib import Path

import numpy as np
import snntorch
import torch

torch.set_num_threads(1)

with np.load(sys.argv[1]) as given:
    weights = [given["weight0"], given["weight1"]]
    spikes, wanted = torch.from_numpy(given["spikes"]), torch.from_numpy(given["wanted"])
    batches = int(given["batches"])
layers = [torch.nn.Linear(w.shape[1], w.shape[0], bias=False) for w in weights]
for layer, weight in zip(layers, weights, strict=True):
    layer.weight.data = torch.from_numpy(weight)
neurons = [snntorch.Leaky(beta=0.95, reset_mechanism="zero") for _ in weights]
optimiser = torch.optim.Adam([p for layer in layers for p in layer.parameters()], lr=1e-3)
times = []
for _ in range(batches):
    start = time.perf_counter()
    optimiser.zero_grad()
    membranes = [neuron.init_leaky() for neuron in neurons]
    counts = 0
    for given in spikes:
        sent = given
        for i, layer in enumerate(layers):
            sent, membranes[i] = neurons[i](layer(sent), membranes[i])
        counts = counts + sent
    torch.nn.functional.cross_entropy(counts, wanted).backward()
    optimiser.step()
    times.append(time.perf_counter() - start)
found = {"times_s": times, "version": metadata.version("snntorch")}
Path(sys.argv[2]).write_text(json.dumps(found))
