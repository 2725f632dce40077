# SPDX-License-Identifier: Apache-2.0
"""A description of integers: what a netx file holds as a Network, to be written as NIR."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from neuro_control.network.fixed_network import DECAY_MAX, FixedNetwork, FixedPopulation
from neuro_control.network.fixed_point import quantize
from neuro_control.network.graph import Network
from neuro_control.network.neurons import IF, LIF, CubaLIF, FloatArray, size_of
from neuro_control.network.scaling import INTEGERS_PER_VOLT
from neuro_control.network.synapses import Affine, Delay, Flatten, Input, Linear, Output

LARGEST_WEIGHTS = 1 << 26
"""Most weights, zeros included: 512 MiB as float64."""


def describe(fixed: FixedNetwork) -> Network:
    """A network whose `quantize` gives these integers again.

    Its unit of voltage is one integer of ``vth``; the metadata `INTEGERS_PER_VOLT` says so.
    Convolutions are matrices, as they are in the integers.

    Raises:
        ValueError: naming the population or projection that has no description.
    """
    dense = sum(q.n_source * q.n_target for q in fixed.projections)
    if dense > LARGEST_WEIGHTS:
        raise ValueError(
            f"as matrices the network has {dense} weights, and at most {LARGEST_WEIGHTS} are "
            "described; convert a smaller one"
        )
    nodes: dict[str, Any] = {
        name: Input(port.shape, port.message_bits) for name, port in fixed.inputs.items()
    }
    edges: list[tuple[str, str]] = []
    neurons = {p.name: _neuron(p, fixed.dt_s) for p in fixed.populations}
    nodes |= {name: neuron for name, (neuron, _) in neurons.items()}
    for population in fixed.populations:
        bias = neurons[population.name][1]
        into = [q for q in fixed.projections if q.target == population.name]
        for number, projection in enumerate(into):
            weight = projection.matrix().astype(np.float64) * 2.0**projection.weight_exponent
            name = f"{population.name}_weights{number}"
            own = bias if number == 0 else np.zeros(0)
            nodes[name] = Affine(weight, own) if own.any() else Linear(weight)
            path = [projection.source, name, population.name]
            if projection.delay:
                late = f"{name}_delay"
                nodes[late] = Delay(projection.delay * fixed.dt_s)
                path.insert(1, late)
            if len(nodes[projection.source].shape) > 1:
                nodes[f"{name}_flat"] = Flatten()
                path.insert(1, f"{name}_flat")
            edges += pairwise(path)
    for name, port in fixed.outputs.items():
        nodes[name] = Output(port.shape)
        edges.append((fixed.output_populations[name], name))
    metadata = dict(fixed.metadata) | {INTEGERS_PER_VOLT: 1.0}
    network = Network(nodes, edges, fixed.dt_s, metadata)
    _check(fixed, quantize(network))
    return network


def _neuron(population: FixedPopulation, dt_s: float) -> tuple[Any, FloatArray]:
    """The neuron, and the constant input that is its bias, flat."""
    name, shape = population.name, population.shape
    du, dv = (np.asarray(x, np.float64).reshape(shape) for x in (population.du, population.dv))
    threshold = population.vth.astype(np.float64).reshape(shape)
    bias = population.bias / 64.0
    held = np.asarray(population.refractory, np.float64).reshape(shape) * dt_s
    if not population.spiking or np.any(population.threshold_step):
        raise ValueError(f"population {name!r} is no plain spiking neuron; it has no description")
    if (du == DECAY_MAX).all() and (dv == 0).all():
        return IF(shape, v_threshold=threshold, refractory=held), bias
    if (dv == 0).any():
        raise ValueError(f"population {name!r} has a current and no leak; it has no description")
    tau = 4096 * dt_s / dv
    if (du == DECAY_MAX).all():
        return LIF(shape, tau, r=tau / dt_s, v_threshold=threshold, refractory=held), bias
    synapse = 4096 * dt_s / (du + 1)
    neuron = CubaLIF(
        shape,
        synapse,
        tau,
        r=tau / dt_s,
        w_in=synapse / dt_s,
        v_threshold=threshold,
        refractory=held,
    )
    return neuron, bias * dt_s / synapse.ravel()


def _check(given: FixedNetwork, again: FixedNetwork) -> None:
    for p, q in zip(given.populations, again.populations, strict=True):
        if any((getattr(p, f) != getattr(q, f)).any() for f in ("du", "dv", "vth", "bias")):
            raise ValueError(f"population {p.name!r} would not be quantised to itself again")
    ours = {q.name: q for q in again.projections}
    for population in given.populations:
        into = [q for q in given.projections if q.target == population.name]
        for number, projection in enumerate(into):
            found = next(n for n in ours if f"{population.name}_weights{number} ->" in n)
            other = ours[found]
            size = size_of((projection.n_target, projection.n_source))
            same = size and np.array_equal(
                projection.matrix() * 2.0**projection.weight_exponent,
                other.matrix() * 2.0**other.weight_exponent,
            )
            if not same:
                raise ValueError(
                    f"projection {projection.name!r} would not be quantised to itself again: of "
                    "both signs, -256 fits netx and not a description"
                )
