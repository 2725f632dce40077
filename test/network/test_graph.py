# SPDX-License-Identifier: Apache-2.0
"""A network's nodes and edges fit together, or it is refused by the name of what does not."""

from __future__ import annotations

import copy
import pickle
from itertools import pairwise

import numpy as np
import pytest

from neuro_control.network import (
    IF,
    LI,
    LIF,
    Conv1d,
    Conv2d,
    Flatten,
    Input,
    Linear,
    Network,
    Output,
    Scale,
    SumPool2d,
    quantize,
)

INPUT, OUTPUT, NEURON = Input((4,)), Output((4,)), IF((4,))


def network(nodes, edges, dt_s: float = 1e-3) -> Network:
    return Network(nodes, edges, dt_s)


def test_shapes_are_inferred_through_synapses():
    nodes = {
        "in": Input((2, 9, 12)),
        "conv": Conv2d(np.ones((4, 1, 3, 3)), stride=2, padding=(1, 0), groups=2),
        "pool": SumPool2d(2),
        "flat": Flatten(),
        "n": IF((4 * 2 * 2,)),
        "out": Output((16,)),
    }
    names = list(nodes)
    shapes = network(nodes, list(pairwise(names))).shapes
    assert shapes["conv"] == (4, 5, 5)
    assert shapes["pool"] == (4, 2, 2)
    assert shapes["flat"] == (16,)


def test_a_flat_projection_may_reach_an_image_shaped_population():
    nodes = {"in": Input((1,)), "w": Linear(np.ones((6, 1))), "n": IF((1, 2, 3))}
    assert network(nodes, [("in", "w"), ("w", "n")]).shapes["n"] == (1, 2, 3)


@pytest.mark.parametrize(
    ("nodes", "edges", "message"),
    [
        ({"in": INPUT, "n": NEURON}, [("in", "m")], "no node 'm'"),
        ({"in": INPUT, "n": NEURON}, [], "node 'n' has no incoming edge"),
        ({"in": INPUT, "n": NEURON}, [("in", "n"), ("in", "n")], "there twice"),
        ({"in": INPUT, "n": NEURON}, [("in", "n"), ("n", "in")], "enters an input"),
        ({"in": INPUT, "o": OUTPUT, "n": NEURON}, [("in", "o"), ("o", "n")], "leaves an output"),
        ({"in": INPUT, "n": IF((5,))}, [("in", "n")], r"'n' takes \(5,\), but 'in' gives \(4,\)"),
        (
            {"in": INPUT, "w": Linear(np.ones((4, 3))), "n": NEURON},
            [("in", "w"), ("w", "n")],
            r"'w' \(Linear\) takes \(3,\), but is given \(4,\) by 'in'",
        ),
        (
            {"in": Input((1, 2, 2)), "w": Linear(np.ones((4, 4))), "n": NEURON},
            [("in", "w"), ("w", "n")],
            "put a Flatten before it",
        ),
        (
            {"in": INPUT, "a": Scale(np.ones(4)), "b": Scale(np.ones(4)), "n": NEURON},
            [("in", "a"), ("a", "b"), ("b", "a"), ("b", "n")],
            r"nodes \['a', 'b'\] form or follow a cycle without a population",
        ),
        (
            {"in": INPUT, "x": Input((2, 2)), "s": Scale(np.ones(4)), "n": NEURON},
            [("in", "s"), ("x", "s"), ("s", "n")],
            "'s' sums inputs of different shapes",
        ),
        ({"in": Input((3,)), "n": "LIF"}, [("in", "n")], "node 'n': str is not supported"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(nodes, edges, message: str):
    with pytest.raises(ValueError, match=message):
        network(nodes, edges)


@pytest.mark.parametrize("dt_s", [0, -1e-3, float("nan"), float("inf")])
def test_the_time_step_must_be_positive(dt_s: float):
    with pytest.raises(ValueError, match="dt_s must be a positive number"):
        network({"in": INPUT, "n": NEURON}, [("in", "n")], dt_s)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Linear(np.ones(3)), "Linear.weight has shape"),
        (lambda: Linear([[np.inf]]), "Linear.weight holds NaN or infinite"),
        (lambda: Conv2d(np.ones((3, 1, 2, 2)), groups=2), "groups 2 must divide"),
        (lambda: Conv2d(np.ones((1, 1, 2, 2)), stride=0), "stride must be at least 1"),
        (lambda: Conv2d(np.ones((1, 1, 2, 2)), padding="full"), "'same' or 'valid'"),
        (lambda: Conv2d(np.ones((1, 1, 2, 2)), stride=2, padding="same"), "needs stride 1"),
        (lambda: SumPool2d((2, 2, 2)), "a pair of integers"),
        (lambda: Conv2d(np.ones((2, 1, 2, 2)), groups=1.5), "groups must be .* number, not 1.5"),
        (lambda: Conv1d(np.ones((2, 1, 2)), groups="2"), "Conv1d.groups must be a whole number"),
        (lambda: Linear(np.ones((2, 2)) * 1j), "Linear.weight holds complex numbers"),
        (lambda: Linear([["many"]]), "Linear.weight must be an array of numbers: .*'many'"),
        (lambda: Linear(None), "Linear.weight"),
        (lambda: LIF((2,), tau=[[1], [1, 2]]), "LIF.tau must be an array of numbers"),
        (lambda: LIF(np.array(4), tau=0.02), "LIF: shape must be a tuple of sizes"),
        (lambda: Input(()), "Input: shape"),
        (lambda: Input(3), r"Input: shape must be a tuple of sizes, as \(3,\), not 3"),
        (lambda: Input((2.5,)), r"Input: shape \(2.5,\) must be whole numbers"),
        (lambda: Output("ab"), r"Output: shape \('a', 'b'\) must be whole numbers"),
    ],
)
def test_a_synapse_that_cannot_be_is_refused(build, message: str):
    with pytest.raises(ValueError, match=message):
        build()


def test_a_cycle_of_flattens_behind_an_integrator_is_told_and_does_not_hang():
    nodes = {"in": Input((4,)), "v": LI((4,), tau=0.02), "f": Flatten(), "g": Flatten()}
    nodes["out"] = Output((4,))
    edges = [("in", "v"), ("v", "f"), ("f", "g"), ("g", "f"), ("f", "out")]
    with pytest.raises(ValueError, match=r"cycle without a population"):
        Network(nodes, edges, 1e-3)


def test_a_network_can_be_copied_and_pickled_and_stays_read_only():
    network = Network({"in": Input((2,)), "n": LIF((2,), tau=0.02)}, [("in", "n")], 1e-3)
    for again in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert again.shapes == network.shapes
        with pytest.raises(TypeError):
            again.nodes["x"] = Input((1,))
    fixed = quantize(network)
    assert pickle.loads(pickle.dumps(fixed)).fingerprint() == fixed.fingerprint()


def test_a_time_step_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="dt_s must be a positive number of seconds, not '1e-3'"):
        Network({"in": Input((1,)), "n": LIF((1,), tau=0.02)}, [("in", "n")], "1e-3")
