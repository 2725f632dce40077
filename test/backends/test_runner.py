# SPDX-License-Identifier: Apache-2.0
"""A runner's state can be compared, whichever backend it came from."""

from __future__ import annotations

import numpy as np
import pytest

from neuro_control.backends import RunnerState


def state(*, network: str = "a", pending: tuple[int, ...] = (0, 0, 0)) -> RunnerState:
    rest = np.zeros(len(pending), np.int64)
    return RunnerState(network, rest, rest, np.array([pending], np.int64), rest, rest)


def test_equal_states_are_equal():
    assert state() == state()
    assert state() != state(network="b")
    assert state() != state(pending=(0, 1, 0))


def test_states_say_which_neurons_differ():
    found = state().differences(state(pending=(0, 1, 2)))
    assert {name: index.tolist() for name, index in found.items()} == {"pending": [1, 2]}


def test_states_of_different_sizes_cannot_be_compared():
    with pytest.raises(ValueError, match=r"current has the shape \(3,\) here and \(2,\) there"):
        state().differences(state(pending=(0, 0)))
