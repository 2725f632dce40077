# SPDX-License-Identifier: Apache-2.0
"""Nengo's reference simulator: a node, two ensembles of LIF neurons, one step a call."""

import nengo
import numpy as np
from stopwatch import main


def build(weights):
    given = {"x": np.zeros(weights[0].shape[1])}
    model = nengo.Network(seed=0)
    with model:
        source = nengo.Node(lambda t: given["x"], size_out=weights[0].shape[1])
        for weight in weights:
            layer = nengo.Ensemble(
                weight.shape[0],
                1,
                neuron_type=nengo.LIF(),
                gain=np.ones(weight.shape[0]),
                bias=np.zeros(weight.shape[0]),
            )
            # A spike has the height 1 / dt in Nengo, an input of 0 or 1 has not.
            scale = 1000.0 if not isinstance(source, nengo.Node) else 1.0
            nengo.Connection(source, layer.neurons, transform=weight * 20.0 / scale, synapse=None)
            source = layer.neurons
        shown = nengo.Probe(source)
    simulator = nengo.Simulator(model, dt=0.001, progress_bar=False)

    def step(x):
        given["x"] = x
        simulator.step()
        return simulator.signals[simulator.model.sig[shown]["in"]]

    return lambda row: row.astype(np.float64), step


main("nengo", build)
