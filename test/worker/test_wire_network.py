# SPDX-License-Identifier: Apache-2.0
"""A network arrives as it was sent; one that does not fit together is refused by name."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from neuro_control.backends.random_networks import random_network
from neuro_control.backends.wire_network import load_message
from neuro_control.worker.protocol import (
    HEADER,
    Message,
    ProtocolError,
    decode,
    decode_header,
    encode,
)
from neuro_control.worker.wire_network import read_network

NETWORK = random_network(1)


def sent(message: Message) -> Message:
    frame = encode(message)
    return decode(decode_header(frame), frame[HEADER.size :])


def test_it_arrives_as_it_was_sent() -> None:
    found = read_network(sent(load_message(NETWORK, 1)))
    assert found.n_neurons == NETWORK.n_neurons
    assert found.longest_delay == NETWORK.longest_delay
    for mine, theirs in zip(found.populations, NETWORK.populations, strict=True):
        assert mine.name == theirs.name
        for name in ("du", "dv", "vth", "bias_mantissa"):
            assert np.array_equal(getattr(mine, name), getattr(theirs, name))
    for mine, theirs in zip(found.projections, NETWORK.projections, strict=True):
        assert np.array_equal(mine.weight, theirs.weight)
        assert (mine.delay, mine.weight_exponent) == (theirs.delay, theirs.weight_exponent)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda f, a: f["populations"][0].__setitem__(1, 1 << 40), "size of population 0"),
        (lambda f, a: f["populations"][0].__setitem__(2, 99), "bias exponent of population 0"),
        (lambda f, a: f["projections"][0].__setitem__(0, "nobody"), "projection 0 does not fit"),
        (lambda f, a: f["projections"][0].__setitem__(1, ["x"]), "no network"),
        (lambda f, a: f["projections"][0].__setitem__(4, 40), "weight exponent of projection 0"),
        (lambda f, a: f["projections"][0].__setitem__(6, 63), "delay of projection 0"),
        (lambda f, a: f["inputs"][1].__setitem__(1, 0), "inputs do not follow"),
        (lambda f, a: f["inputs"][1].__setitem__(2, 1 << 60), "size of inputs"),
        (lambda f, a: f["outputs"][0].__setitem__(1, "nobody"), "no network"),
        (lambda f, a: f["populations"][1].__setitem__(0, "in0"), "no network"),
        (lambda f, a: f.pop("populations"), "no network"),
        (lambda f, a: a.pop("du.0"), "du.0 is missing"),
        (lambda f, a: a.update({"du.0": a["du.0"] + 5000}), "du.0 must be"),
        (lambda f, a: a.update({"weight.0": a["weight.0"] + 999}), "weights of projection 0"),
        (lambda f, a: a.update({"target.0": a["target.0"] - 1}), "weights of projection 0"),
    ],
)
def test_what_does_not_fit_together_is_named(change, says: str) -> None:
    message = sent(load_message(NETWORK, 1))
    fields, arrays = copy.deepcopy(dict(message.fields)), dict(message.arrays)
    change(fields, arrays)
    with pytest.raises(ProtocolError, match=says):
        read_network(message._replace(fields=fields, arrays=arrays))
