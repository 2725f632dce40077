# SPDX-License-Identifier: Apache-2.0
"""Chains of linear nodes become one sparse map that does the same."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from neuro_control.network import (
    IF,
    Affine,
    AvgPool2d,
    Conv1d,
    Conv2d,
    Flatten,
    Input,
    Linear,
    Network,
    SumPool2d,
)
from neuro_control.network.lowering import Lowering, synapse_map


def convolve(x: np.ndarray, node: Conv2d, before: tuple[int, int]) -> np.ndarray:
    """The definition, one output at a time."""
    channels, rows, columns = node.output_shape(x.shape)
    stride, dilation = np.atleast_1d(node.stride), np.atleast_1d(node.dilation)
    y = np.zeros((channels, rows, columns))
    n_in = node.weight.shape[1]
    for o, r, c in np.ndindex(y.shape):
        first = o // (channels // node.groups) * n_in
        for i, h, w in np.ndindex(node.weight.shape[1:]):
            row = r * stride[0] + h * dilation[0] - before[0]
            column = c * stride[1] + w * dilation[1] - before[1]
            if 0 <= row < x.shape[1] and 0 <= column < x.shape[2]:
                y[o, r, c] += node.weight[o, i, h, w] * x[first + i, row, column]
    return y


pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@settings(max_examples=60)
@given(
    groups=st.integers(1, 2),
    kernel=pairs,
    stride=pairs,
    dilation=pairs,
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    image=st.tuples(st.integers(3, 7), st.integers(3, 7)),
    seed=st.integers(0, 1000),
)
def test_convolution_is_its_definition(groups, kernel, stride, dilation, padding, image, seed):
    rng = np.random.default_rng(seed)
    node = Conv2d(
        rng.normal(size=(2 * groups, 2, *kernel)),
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )
    x = rng.normal(size=(2 * groups, *image))
    extents = [(k - 1) * d + 1 - 2 * p for k, d, p in zip(kernel, dilation, padding, strict=True)]
    assume(all(e <= length for e, length in zip(extents, image, strict=True)))
    y = synapse_map(node, x.shape).apply(x.ravel())
    np.testing.assert_allclose(y, convolve(x, node, padding).ravel(), atol=1e-12)


def test_padding_same_keeps_the_size_and_centres_the_kernel():
    node = Conv2d(np.arange(1.0, 5).reshape(1, 1, 2, 2), padding="same")
    x = np.zeros((1, 3, 3))
    x[0, 1, 1] = 1
    y = synapse_map(node, x.shape).apply(x.ravel()).reshape(3, 3)
    assert y[:2, :2].tolist() == [[4, 3], [2, 1]]


def test_pooling_sums_windows():
    x = np.arange(32.0).reshape(2, 4, 4)
    y = synapse_map(SumPool2d(2), x.shape).apply(x.ravel())
    np.testing.assert_array_equal(y, x.reshape(2, 2, 2, 2, 2).sum(axis=(2, 4)).ravel())


def test_a_chain_is_the_product_of_its_maps_and_biases_travel_along():
    rng = np.random.default_rng(0)
    conv = Conv2d(rng.normal(size=(3, 2, 3, 3)), rng.normal(size=3), padding=1)
    last = Affine(rng.normal(size=(5, 12)), rng.normal(size=5))
    nodes = {
        "in": Input((2, 4, 4)),
        "conv": conv,
        "pool": SumPool2d(2),
        "flat": Flatten(),
        "last": last,
        "n": IF((5,)),
    }
    names = list(nodes)
    lowering = Lowering(Network(nodes, list(pairwise(names)), 1e-3))
    (connection,) = lowering.into("n")
    assert connection.via == ("conv", "pool", "flat", "last")
    x = rng.normal(size=(2, 4, 4))
    image = convolve(x, conv, (1, 1)) + conv.bias[:, None, None]
    pooled = image.reshape(3, 2, 2, 2, 2).sum(axis=(2, 4))
    expected = last.weight @ pooled.ravel() + last.bias
    actual = connection.map.apply(x.ravel()) + lowering.constant_into("n")
    np.testing.assert_allclose(actual, expected)


def test_every_path_between_two_populations_is_a_connection_of_its_own():
    nodes = {
        "in": Input((2,)),
        "a": Linear(np.eye(2)),
        "b": Linear(2 * np.eye(2)),
        "n": IF((2,)),
        "again": Linear(-np.eye(2)),
    }
    edges = [("in", "a"), ("in", "b"), ("a", "n"), ("b", "n"), ("n", "again"), ("again", "n")]
    found = list(Lowering(Network(nodes, edges, 1e-3)).into("n"))
    assert [(c.source, c.via) for c in found] == [
        ("in", ("a",)),
        ("in", ("b",)),
        ("n", ("again",)),
    ]


@settings(max_examples=40)
@given(
    groups=st.integers(1, 2),
    length=st.integers(1, 4),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 3),
    padding=st.integers(0, 2),
    seed=st.integers(0, 1000),
)
def test_a_convolution_of_signals_is_numpys(groups, length, stride, dilation, padding, seed):
    rng = np.random.default_rng(seed)
    weight, bias = rng.normal(size=(2 * groups, 3, length)), rng.normal(size=2 * groups)
    node = Conv1d(weight, bias, stride, padding, dilation, groups)
    x = rng.normal(size=(3 * groups, 12))
    padded = np.pad(x, ((0, 0), (padding, padding)))
    spread = np.zeros((2 * groups, 3, (length - 1) * dilation + 1))
    spread[:, :, ::dilation] = weight
    expected = [
        sum(np.correlate(padded[3 * (o // 2) + i], spread[o, i], "valid") for i in range(3))
        for o in range(2 * groups)
    ]
    expected = np.array(expected)[:, ::stride]
    assert node.output_shape(x.shape) == expected.shape
    y = synapse_map(node, x.shape).apply(x.ravel())
    np.testing.assert_allclose(y, expected.ravel(), atol=1e-12)


@given(pairs, pairs, st.integers(0, 1000))
def test_an_average_is_the_sum_over_the_size_of_the_window(kernel, stride, seed):
    x = np.random.default_rng(seed).normal(size=(2, 5, 6))
    total = synapse_map(SumPool2d(kernel, stride), x.shape).apply(x.ravel())
    mean = synapse_map(AvgPool2d(kernel, stride), x.shape).apply(x.ravel())
    np.testing.assert_allclose(mean * kernel[0] * kernel[1], total)
