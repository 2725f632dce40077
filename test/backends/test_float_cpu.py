# SPDX-License-Identifier: Apache-2.0
"""The float backend computes the equations: exactly where float32 can, closely elsewhere."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.backends import FloatRunner, measure_cost, plot_traces, record
from neuro_control.network import (
    IF,
    LI,
    LIF,
    AdaptiveLIF,
    Affine,
    CubaLIF,
    Delay,
    Input,
    Linear,
    Network,
    Output,
    read_nir,
)
from neuro_control.network.euler import EulerNetwork

DT = 1 / 1024
"""Times that are powers of two make decays that float32 holds exactly."""


@st.composite
def networks(draw) -> Network:
    """Two populations, recurrent, whose sums float32 holds exactly for a while."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))

    def weights(rows: int, columns: int):
        return rng.integers(-4, 7, (rows, columns)) / 8

    def neuron(n: int):
        kind = draw(st.sampled_from(["IF", "LIF", "CubaLIF", "AdaptiveLIF", "refractory"]))
        if kind == "IF":
            return IF((n,), v_threshold=1.0)
        if kind == "refractory":
            return IF((n,), v_threshold=1.0, refractory=3 * DT)
        if kind == "LIF":
            return LIF((n,), tau=2 * DT, r=2.0, v_threshold=1.0)
        if kind == "CubaLIF":
            return CubaLIF((n,), tau_mem=2 * DT, tau_syn=4 * DT, r=2.0, w_in=4.0)
        return AdaptiveLIF((n,), tau=2 * DT, r=2.0, tau_adaptation=4 * DT, adaptation=0.5)

    nodes = {
        "in": Input((3,)),
        "w": Affine(weights(4, 3), rng.integers(0, 2, 4) / 8),
        "a": neuron(4),
        "late": Delay(np.array([0.0, DT, DT, 3 * DT])),
        "v": Linear(weights(2, 4)),
        "b": neuron(2),
        "back": Linear(weights(4, 2)),
        "x": Output((4,)),
        "y": Output((2,)),
    }
    chain = ["in", "w", "a", "late", "v", "b", "back", "a"]
    edges = [*pairwise(chain), ("a", "x"), ("b", "y")]
    return Network(nodes, edges, DT)


@settings(max_examples=60)
@given(network=networks(), seed=st.integers(0, 2**32))
def test_spikes_and_voltages_are_those_of_float64_where_both_are_exact(network, seed):
    rng = np.random.default_rng(seed)
    runner, exact = FloatRunner(network), EulerNetwork(network)
    # Each tick takes two bits more; eight leave room in the 24 of float32.
    for _ in range(8):
        active = np.flatnonzero(rng.random(3) < 0.6).astype(np.int32)
        out, expected = runner.step(active), exact.step(active)
        assert out.tolist() == [*expected["a"], *(expected["b"] + 4)]
        for name in ("a", "b"):
            assert runner.spikes(name).tolist() == expected[name].tolist()
            assert np.array_equal(runner.membrane(name), exact.voltage(name))
        shown = [spikes.tolist() for spikes in runner.all_spikes()]
        assert shown == [expected[name].tolist() for name in ("a", "b")]


@settings(max_examples=30)
@given(network=networks(), seed=st.integers(0, 2**32), cut=st.integers(0, 30))
def test_a_state_that_is_restored_goes_on_as_it_was(network, seed, cut):
    rng = np.random.default_rng(seed)
    trains = [np.flatnonzero(rng.random(3) < 0.5).astype(np.int32) for _ in range(30)]
    indices = np.concatenate([np.zeros(0, np.int32), *trains])
    offsets = np.cumsum([0, *map(len, trains)])
    whole, runner = FloatRunner(network), FloatRunner(network)
    expected, ends = whole.run(indices, offsets)
    for active in trains[:cut]:
        runner.step(active)
    other = FloatRunner(network)
    other.step(np.array([0], np.int32))  # somewhere else in its ring
    other.restore(runner.state())
    found = [other.step(active) for active in trains[cut:]]
    joined = np.concatenate([np.zeros(0, np.int32), *found])
    assert joined.tolist() == expected[ends[cut] :].tolist()
    runner.reset()
    assert runner.run(indices, offsets)[0].tolist() == expected.tolist()


def test_a_trained_network_gives_the_float_equations_voltages(shared_data):
    network = read_nir(shared_data / "nir" / "braille_rnn.nir", 1e-4)
    runner, exact = FloatRunner(network), EulerNetwork(network)
    n = sum(port.size for port in runner.input_ports.values())
    rng = np.random.default_rng(0)
    agree = total = 0
    for _ in range(100):
        active = np.flatnonzero(rng.random(n) < 0.3).astype(np.int32)
        runner.step(active)
        for name, fired in exact.step(active).items():
            agree += np.array_equal(runner.spikes(name), fired)
            total += 1
    assert agree == total
    assert runner.counters.spikes > 0
    assert runner.counters.ticks == 100


def readout() -> Network:
    nodes = {"in": Input((2,)), "w": Linear([[0.5, 1.0]]), "v": LI((1,), tau=0.01, r=10.0)}
    nodes["out"] = Output((1,))
    return Network(nodes, [("in", "w"), ("w", "v"), ("v", "out")], 1e-3)


def test_voltages_are_in_the_networks_own_unit_and_integrators_do_not_spike():
    runner = FloatRunner(readout())
    runner.step(np.array([0, 1], np.int32))
    assert len(runner.step(np.zeros(0, np.int32))) == 0
    assert runner.membrane("v").tolist() == pytest.approx([1.5])
    assert runner.counters.synaptic_operations == 2


def test_what_cannot_be_is_refused():
    runner = FloatRunner(readout())
    with pytest.raises(ValueError, match=r"index 2 lies .* their last port, 'in', is 0\.\.1"):
        runner.step(np.array([2], np.int32))
    with pytest.raises(ValueError, match=r"active holds 0\.\.4294967296, beyond 32 bits"):
        runner.step(np.array([0, 2**32]))
    with pytest.raises(ValueError, match="must be a one-dimensional array of integers"):
        runner.step(np.array([0.5]))
    with pytest.raises(ValueError, match="offsets must rise from 0 to 1"):
        runner.run(np.array([0], np.int32), np.array([0, 2]))
    with pytest.raises(ValueError, match=r"no population 'w'; there are \['v'\]"):
        runner.membrane("w")
    with pytest.raises(ValueError, match=r"offsets must be .* integers, not float64"):
        runner.run(np.array([0, 1], np.int32), np.array([0, 1.5, 2]))
    assert runner.counters.ticks == 0


def test_active_inputs_are_taken_in_every_form_that_the_engine_takes_them_in():
    runner = FloatRunner(readout())
    runner.step([0, 1])
    runner.step(np.array([]))
    assert runner.membrane("v").tolist() == pytest.approx([1.5])
    runner.run([0, 1], [0, 1, 2])
    runner.run(np.zeros(0), np.zeros(2, np.uint64))
    assert runner.counters.ticks == 5
    assert runner.counters.synaptic_operations == 4


def test_a_state_of_another_network_or_of_no_network_is_refused_and_nothing_is_changed():
    runner = FloatRunner(readout())
    runner.step([0, 1])
    runner.step([])
    state = runner.state()
    nodes = dict(readout().nodes) | {"w": Linear([[0.5, 2.0]])}
    other = FloatRunner(Network(nodes, readout().edges, 1e-3))
    with pytest.raises(ValueError, match=r"the state belongs to network \w{12}, this is \w{12}"):
        runner.restore(other.state())
    for field in ("state", "pending"):
        bad = getattr(state, field).copy()
        bad[0, 0] = np.nan
        with pytest.raises(ValueError, match=f"{field} holds NaN or infinite values"):
            runner.restore(replace(state, **{field: bad}))
        with pytest.raises(ValueError, match="the state has the shapes"):
            runner.restore(replace(state, **{field: bad[:, :0]}))
    assert np.array_equal(runner.state().state, state.state)
    assert FloatRunner(readout()).state().network == state.network


@settings(max_examples=20)
@given(network=networks(), seed=st.integers(0, 2**32))
def test_a_recorded_run_shows_what_happens_inside(network, seed):
    rng = np.random.default_rng(seed)
    trains = [np.flatnonzero(rng.random(3) < 0.5) for _ in range(12)]
    given = np.concatenate(trains), np.cumsum([0, *map(len, trains)])
    seen = record(FloatRunner(network), *given, traces={"b": [1, 0]})
    runner = FloatRunner(network)
    for tick, active in enumerate(trains):
        runner.step(active)
        for name in ("a", "b"):
            fired = seen.spikes[name].neuron[seen.spikes[name].tick == tick]
            assert fired.tolist() == runner.spikes(name).tolist()
        assert seen.traces["b"].membrane[tick].tolist() == runner.membrane("b")[::-1].tolist()
    assert seen.dt_s == network.dt_s
    assert seen.traces["b"].threshold.tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match=r"no population 'c'; there are \['a', 'b'\]"):
        record(runner, *given, spikes=["c"])


def test_a_recorded_integrator_has_no_threshold():
    seen = record(FloatRunner(readout()), [0], [0, 1, 1], traces={"v": 0})
    assert seen.traces["v"].membrane.tolist() == pytest.approx(np.array([[0.0], [0.5]]))
    assert seen.traces["v"].threshold.tolist() == [np.inf]
    (membrane, current) = plot_traces(seen).axes
    drawn, triangles = membrane.get_lines()  # and no threshold
    assert not len(triangles.get_xdata())
    assert drawn.get_ydata().tolist() == pytest.approx([0.0, 0.5])
    assert membrane.get_ylabel() == "the network's own unit"
    assert current.get_ylabel() == "the network's own unit per tick"


def test_the_cost_in_integers_is_not_counted_of_a_run_in_float():
    with pytest.raises(ValueError, match=r"'cpu, float32' computes in float"):
        measure_cost(FloatRunner(readout()), [([0], [0, 1])])
