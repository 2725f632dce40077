# SPDX-License-Identifier: Apache-2.0
"""A Delay hands spikes on so many ticks later, wherever it stands on their way."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.backends import CpuRunner, FloatRunner
from neuro_control.network import IF, Delay, Input, Linear, Network, Output, quantize
from neuro_control.network.euler import EulerNetwork

DT = 1e-3


def chain(*steps) -> Network:
    nodes = {f"n{i}": node for i, node in enumerate(steps)}
    return Network(nodes, list(pairwise(nodes)), DT)


def spikes(network: Network, given_ticks: dict[int, list[int]], ticks: int) -> list[list[int]]:
    runner = CpuRunner(quantize(network))
    found = [
        runner.step(np.array(given_ticks.get(tick, []), np.int32)).tolist() for tick in range(ticks)
    ]
    return [[tick for tick, active in enumerate(found) if channel in active] for channel in (0, 1)]


@given(st.lists(st.integers(0, 62), min_size=2, max_size=2))
@settings(max_examples=30)
def test_a_spike_arrives_a_tick_and_its_delay_later(lengths: list[int]):
    late = Delay(np.array(lengths) * DT)
    for steps in ([late, Linear(2 * np.eye(2))], [Linear(2 * np.eye(2)), late]):
        network = chain(Input((2,)), *steps, IF((2,)), Output((2,)))
        first, second = spikes(network, {3: [0, 1], 5: [1]}, 80)
        assert first == [3 + 1 + lengths[0]]
        assert second == [3 + 1 + lengths[1], 5 + 1 + lengths[1]]


def test_delays_in_a_row_add_up_and_paths_of_several_lengths_meet():
    nodes = {
        "in": Input((1,)),
        "a": Delay(0.002),
        "b": Delay(0.003),
        "early": Linear([[0.6]]),
        "late": Linear([[0.6]]),
        "n": IF((1,)),
        "out": Output((1,)),
    }
    edges = [*pairwise(["in", "a", "b", "late", "n", "out"]), ("in", "early"), ("early", "n")]
    network = Network(nodes, edges, DT)
    assert [q.delay for q in quantize(network).projections] == [5, 0]
    # The first half reaches the membrane in tick 1, the other half in tick 6.
    assert spikes(network, {0: [0]}, 10)[0] == [6]


def test_recurrent_spikes_can_be_delayed():
    nodes = {
        "in": Input((1,)),
        "w": Linear([[2.0]]),
        "n": IF((1,)),
        "again": Delay(0.009),
        "back": Linear([[2.0]]),
        "out": Output((1,)),
    }
    edges = [*pairwise(["in", "w", "n", "again", "back", "n"]), ("n", "out")]
    assert spikes(Network(nodes, edges, DT), {0: [0]}, 32)[0] == [1, 11, 21, 31]


def test_rounding_to_ticks_is_reported():
    network = chain(Input((2,)), Delay([0.0023, 0.004]), Linear(np.eye(2)), IF((2,)), Output((2,)))
    report = quantize(network).report
    assert [p.delay for p in report.projections] == [2, 4]
    assert report.projections[0].delay_error == pytest.approx(0.3)
    assert "(delay 2): 1 synapses" in str(report)
    assert "; delay 2 ticks, error 0.30" in str(report)


def test_a_delay_that_is_rounded_away_is_reported():
    network = chain(Input((1,)), Delay(0.0004), Linear([[1.0]]), IF((1,)), Output((1,)))
    assert "; delay 0 ticks, error 0.40" in str(quantize(network).report)
    whole = chain(Input((1,)), Delay(0.0), Linear([[1.0]]), IF((1,)), Output((1,)))
    assert "delay" not in str(quantize(whole).report).replace("'", "")


def test_what_does_not_fit_is_refused_by_name():
    with pytest.raises(ValueError, match=r"delay must be 0..62 ticks, not 63"):
        quantize(chain(Input((1,)), Delay(0.063), Linear([[1.0]]), IF((1,)), Output((1,))))
    with pytest.raises(ValueError, match="must be 0 s or more"):
        Delay([-0.001])
    with pytest.raises(ValueError, match=r"'n1' \(Delay\) delays \(3,\), but is given \(2,\)"):
        chain(Input((2,)), Delay(np.zeros(3)), IF((2,)), Output((2,)))


@pytest.mark.parametrize("seconds", [1e9, 1e300])
@pytest.mark.parametrize("made", [quantize, EulerNetwork, FloatRunner])
def test_a_delay_that_nothing_can_wait_for_is_refused_by_name(made, seconds: float):
    network = chain(Input((1,)), Delay(seconds), Linear([[1.0]]), IF((1,)), Output((1,)))
    with pytest.raises(ValueError, match=r"node 'n1': a delay of 1e\+\d+ ticks is too long"):
        made(network)


@pytest.mark.parametrize("made", [EulerNetwork, FloatRunner])
def test_a_delay_that_takes_all_memory_in_float_is_refused_by_name(made):
    late = chain(Input((1,)), Delay(1e6), Linear([[1.0]]), IF((1,)), Output((1,)))
    with pytest.raises(ValueError, match=r"'n3': what waits 1,000,000,000 ticks .*'n0 -> n1 -> n"):
        made(late)


def test_a_long_delay_costs_nothing_until_spikes_wait():
    late = chain(Input((1,)), Delay(9e4), Linear([[1.0]]), IF((1,)), Output((1,)))
    runner, euler = FloatRunner(late), EulerNetwork(late)
    for _ in range(3):
        runner.step(np.zeros(1, np.int32))
        assert not len(euler.step(np.zeros(1, np.int32))["n3"])
    assert runner.counters.synaptic_operations == 3


def test_one_long_delay_is_kept_for_all_neurons_of_a_float_runner_and_refused_by_name():
    nodes = {
        "in": Input((1,)),
        "wait": Delay(100.0),
        "one": IF((1,)),
        "w": Linear(np.ones((1000, 1))),
        "many": IF((1000,)),
    }
    network = Network(nodes, [*pairwise(["in", "wait", "one", "w", "many"])], DT)
    EulerNetwork(network)
    with pytest.raises(ValueError, match=r"'one': what waits 100,000 ticks .* for 1,001 neurons"):
        FloatRunner(network)


def test_a_state_taken_with_spikes_on_their_way_goes_on_in_another_runner():
    network = quantize(
        chain(Input((2,)), Delay([0.004, 0.007]), IF((2,), v_threshold=0.5), Output((2,)))
    )
    one, other = CpuRunner(network), CpuRunner(network)
    other.step(np.zeros(0, np.int32))
    one.step(np.array([0, 1], np.int32))
    assert one.state().pending.shape == (8, 2)
    one.step(np.zeros(0, np.int32))
    other.restore(one.state())
    assert one.state() == other.state()
    nothing = np.zeros(0, np.int32)
    for _ in range(10):
        np.testing.assert_array_equal(one.step(nothing), other.step(nothing))
        assert one.state() == other.state()
