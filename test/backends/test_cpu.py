# SPDX-License-Identifier: Apache-2.0
"""The CPU engine promises the spikes and voltages of Loihi's equations, to the last bit."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import threading
from itertools import pairwise
from pathlib import Path

import numba
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuro_control.backends import CpuRunner, RunCounters
from neuro_control.backends.compiled import compiled
from neuro_control.network import (
    LIF,
    Conv2d,
    CubaLIF,
    FixedNetwork,
    FixedPopulation,
    FixedProjection,
    Flatten,
    Input,
    Linear,
    Network,
    Output,
    Port,
    quantize,
)

graphs = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(0, 3), st.integers(1, 4), st.integers(0, 8)
)
exactly = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def spike_trains(n: int, ticks: int, seed: int) -> list[np.ndarray]:
    """Active indices with silence, floods, indices that come twice, and some that come often."""
    rng = np.random.default_rng(seed)
    rates = rng.choice([0.0, 0.1, 0.5, 1.0], ticks)
    trains = [np.flatnonzero(rng.random(n) < rate).astype(np.int32) for rate in rates]
    often = rng.choice([0, 0, 5, 300], ticks)
    return [
        np.concatenate([train, train[:2], rng.permutation(np.repeat(train[-2:], times))])
        for train, times in zip(trains, often, strict=True)
    ]


def n_inputs(network: FixedNetwork) -> int:
    return sum(port.size for port in network.inputs.values())


def one_neuron(weight: int, *, n: int = 1, exponent: int = 0, **parameters: int) -> FixedNetwork:
    values = {"du": 4095, "dv": 0, "vth": 131071, "bias_mantissa": 0, **parameters}
    return FixedNetwork(
        (FixedPopulation("n", (1,), 0, **values),),
        (
            FixedProjection.from_matrix(
                "in", "n", np.full((1, n), weight), weight_exponent=exponent
            ),
        ),
        {"in": Port(0, n, (n,))},
        {"out": Port(0, 1, (1,))},
        {"out": "n"},
        1e-3,
    )


@exactly
@given(graph=graphs)
def test_every_spike_and_voltage_is_that_of_the_dense_equations(
    graph, fixed_network, dense_reference
):
    network = fixed_network(*graph, graded=True)
    engine, reference = CpuRunner(network), dense_reference(network)
    for active in spike_trains(n_inputs(network), 30, graph[0]):
        np.testing.assert_array_equal(engine.step(active), reference.step(active))
        state = engine.state()
        np.testing.assert_array_equal(state.current, reference.all(reference.u))
        np.testing.assert_array_equal(state.membrane, reference.all(reference.v))
        np.testing.assert_array_equal(state.pending, reference.pending)
        np.testing.assert_array_equal(state.adaptation, reference.all(reference.w))
        np.testing.assert_array_equal(state.refractory, reference.all(reference.held))


@exactly
@given(graph=graphs)
def test_many_ticks_in_a_call_are_the_same_as_one_by_one(graph, fixed_network):
    network = fixed_network(*graph, graded=True)
    one, many = CpuRunner(network), CpuRunner(network)
    trains = spike_trains(n_inputs(network), 25, graph[0])
    singly = [one.step(active) for active in trains]
    offsets = np.cumsum([0] + [len(train) for train in trains])
    indices, out_offsets = many.run(np.concatenate(trains), offsets)
    np.testing.assert_array_equal(indices, np.concatenate(singly))
    np.testing.assert_array_equal(out_offsets, np.cumsum([0] + [len(out) for out in singly]))
    assert one.state() == many.state()
    assert one.counters == many.counters


@exactly
@given(graph=graphs)
def test_a_restored_state_goes_on_as_the_original_did(graph, fixed_network):
    network = fixed_network(*graph, graded=True)
    engine, twin = CpuRunner(network), CpuRunner(network)
    trains = spike_trains(n_inputs(network), 20, graph[0])
    for active in trains[:10]:
        engine.step(active)
    saved = engine.state()
    twin.restore(saved)
    first = [engine.step(active) for active in trains[10:]]
    second = [twin.step(active) for active in trains[10:]]
    engine.restore(saved)
    third = [engine.step(active) for active in trains[10:]]
    for a, b, c in zip(first, second, third, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)


def test_every_voltage_and_spike_of_lavas_fixed_point_model(shared_data: Path):
    trace = np.loadtxt(shared_data / "loihi_lif" / "lif_lava_cpu_fixed.csv", delimiter=",")
    # The recording's own constants: 640 for a spike is 10 in the membrane's 1/64.
    engine = CpuRunner(one_neuron(10, dv=163, vth=25))
    membrane, spikes = [], []
    for x in trace[:, 0]:
        spikes.append(len(engine.step(np.zeros(int(x), np.int32))))
        membrane.append(engine.membrane("n")[0])
    np.testing.assert_array_equal(spikes, trace[:, 2])
    np.testing.assert_array_equal(np.array(membrane), trace[:, 1])
    assert np.flatnonzero(spikes).tolist() == [461, 511, 711, 761]


def test_the_spikes_of_a_real_chip(shared_data: Path):
    trace = np.loadtxt(shared_data / "loihi_lif" / "lif_lava_loihi_fixed.csv", delimiter=",")
    engine = CpuRunner(one_neuron(10, dv=163, vth=25))
    spikes, differences = [], []
    for x, voltage, _ in trace:
        spikes.append(len(engine.step(np.zeros(int(x), np.int32))))
        differences.append(engine.membrane("n")[0] - voltage)
    np.testing.assert_array_equal(spikes, trace[:, 2])
    # The chip reads 128 out where the model has reset to 0; else every voltage is the same.
    assert np.flatnonzero(differences).tolist() == [461, 511, 711, 761]


@pytest.mark.parametrize(("threshold", "spikes"), [(9, 1), (10, 0), (11, 0)])
def test_the_threshold_is_strict(threshold: int, spikes: int):
    engine = CpuRunner(one_neuron(10, vth=threshold))
    engine.step(np.array([0], np.int32))
    assert len(engine.step(np.zeros(0, np.int32))) == spikes


def test_an_input_reaches_the_membrane_in_the_next_tick():
    engine = CpuRunner(one_neuron(10))
    engine.step(np.array([0], np.int32))
    assert engine.membrane("n")[0] == 0
    engine.step(np.zeros(0, np.int32))
    assert engine.membrane("n")[0] == 10 << 6


@pytest.mark.parametrize(("weight", "expected"), [(255, 5 * (255 << 7) - 2**18), (-255, None)])
def test_the_current_wraps_at_24_bits(weight: int, expected: int | None):
    # 5 * 255 * 2^7 = 163,200 is beyond 2^17, so that it wraps to the other sign.
    engine = CpuRunner(one_neuron(weight, n=5, exponent=7))
    engine.step(np.arange(5, dtype=np.int32))
    engine.step(np.zeros(0, np.int32))
    expected = expected if expected is not None else -(5 * (255 << 7) - 2**18)
    assert engine.state().current[0] == expected << 6


@pytest.mark.parametrize("weight", [128, -128])
def test_the_current_holds_plus_but_not_minus_2_to_the_23(weight: int):
    # 8 * 128 * 2^7 = 2^17, times 2^6: only the negative end wraps, to the positive one.
    engine = CpuRunner(one_neuron(weight, n=8, exponent=7))
    engine.step(np.arange(8, dtype=np.int32))
    engine.step(np.zeros(0, np.int32))
    assert engine.state().current[0] == 2**23


@pytest.mark.parametrize("n", [1000, 2000])
def test_sums_beyond_32_bits_stay_exact(n: int, dense_reference):
    network = one_neuron(255, n=n, exponent=7, du=0, dv=1)
    engine, reference = CpuRunner(network), dense_reference(network)
    for _ in range(50):
        everything = np.arange(n, dtype=np.int32)
        np.testing.assert_array_equal(engine.step(everything), reference.step(everything))
        assert engine.state().current[0] == reference.u["n"][0]
    assert np.abs(engine.state().current[0]) > 2**31


def test_a_negative_exponent_shifts_the_sum_and_not_the_weights():
    engine = CpuRunner(one_neuron(3, n=3, exponent=-1))
    engine.step(np.arange(3, dtype=np.int32))
    assert engine.state().pending[0, 0] == (3 * 3) >> 1


def test_an_index_that_is_given_twice_counts_once():
    engine = CpuRunner(one_neuron(10))
    engine.step(np.array([0, 0, 0], np.int32))
    assert engine.state().pending[0, 0] == 10
    assert engine.counters.synaptic_operations == 1


@pytest.mark.parametrize("index", [-1, 5, 2**31 - 1, -(2**31), 2**32])
def test_an_index_out_of_range_is_refused_and_changes_nothing(index: int):
    engine = CpuRunner(one_neuron(10, n=5))
    before = engine.state()
    with pytest.raises(ValueError, match=r"(lies outside the inputs.*'in', is 0\.\.4|32 bits)"):
        engine.step(np.array([0, index]))
    with pytest.raises(ValueError, match=f"{index}"):
        engine.run(np.array([0, index]), np.array([0, 1, 2]))
    assert engine.state() == before
    assert engine.counters == RunCounters()


@pytest.mark.parametrize("offsets", [[], [1, 2], [0, 3], [0, 2, 1, 2]])
def test_offsets_that_do_not_rise_over_all_indices_are_refused(offsets: list[int]):
    with pytest.raises(ValueError, match="offsets must rise from 0 to 2"):
        CpuRunner(one_neuron(10)).run(np.array([0, 0]), np.array(offsets, np.int64))


def test_floats_are_no_indices():
    with pytest.raises(ValueError, match="array of integers, not float64"):
        CpuRunner(one_neuron(10)).step(np.array([0.5]))


def test_reset_goes_back_to_rest_and_zeroes_the_counters():
    engine = CpuRunner(one_neuron(10, bias_mantissa=5))
    rest = engine.state()
    engine.step(np.array([0], np.int32))
    assert engine.state() != rest
    engine.reset()
    assert engine.state() == rest
    assert engine.counters == RunCounters()


def test_warming_changes_neither_state_nor_counters():
    engine = CpuRunner(one_neuron(10, bias_mantissa=5))
    engine.step(np.array([0], np.int32))
    before, counters = engine.state(), engine.counters
    engine.warm()
    assert engine.state() == before
    assert engine.counters == counters


def test_a_state_of_another_network_is_refused():
    with pytest.raises(ValueError, match="belongs to network"):
        CpuRunner(one_neuron(10)).restore(CpuRunner(one_neuron(11)).state())


@pytest.mark.parametrize("name", ["current", "membrane", "pending", "adaptation", "refractory"])
def test_a_state_of_another_shape_is_refused_and_changes_nothing(name: str):
    engine = CpuRunner(one_neuron(10))
    engine.step(np.array([0], np.int32))
    before = engine.state()
    longer = np.concatenate([getattr(before, name)] * 2)
    with pytest.raises(ValueError, match=rf"the state's {name} has the shape \(2,.*, this network"):
        engine.restore(dataclasses.replace(before, **{name: longer}))
    assert engine.state() == before


def test_counters_count_spikes_synapses_and_membranes():
    nodes = {
        "in": Input((4,)),
        "w": Linear(np.array([[1.0, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 0]])),
        "n": LIF.with_unit_gain((3,), dt_s=1e-3, tau_s=0.01, v_threshold=0.5),
        "out": Output((3,)),
    }
    engine = CpuRunner(quantize(Network(nodes, [("in", "w"), ("w", "n"), ("n", "out")], 1e-3)))
    assert engine.step(np.array([0, 3], np.int32)).tolist() == []
    assert engine.step(np.array([2], np.int32)).tolist() == [0, 1]
    expected = RunCounters(ticks=2, spikes=2, synaptic_operations=2 + 2, membrane_updates=6)
    assert engine.counters == expected


def test_instances_in_threads_do_not_disturb_each_other(fixed_network):
    networks = [fixed_network(seed, 2, 3, 8) for seed in range(4)]
    trains = [spike_trains(n_inputs(network), 300, 7) for network in networks]

    def spikes(i: int) -> np.ndarray:
        offsets = np.cumsum([0] + [len(train) for train in trains[i]])
        return CpuRunner(networks[i]).run(np.concatenate(trains[i]), offsets)[0]

    alone = [spikes(i) for i in range(4)]
    together: dict[int, np.ndarray] = {}
    threads = [
        threading.Thread(target=lambda i=i: together.update({i: spikes(i)})) for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(4):
        np.testing.assert_array_equal(together[i], alone[i])


def test_a_convolution_costs_what_its_events_cost():
    nodes = {
        "in": Input((1, 32, 32)),
        "w": Conv2d(np.ones((1, 1, 9, 9)), padding=4),
        "n": LIF.with_unit_gain((1, 32, 32), dt_s=1e-3, tau_s=0.01, v_threshold=10),
    }
    engine = CpuRunner(quantize(Network(nodes, [("in", "w"), ("w", "n")], 1e-3)))
    engine.step(np.array([16 * 32 + 16], np.int32))
    assert engine.counters.synaptic_operations == 81


def test_where_no_folder_can_be_written_the_code_is_compiled_without_a_cache(monkeypatch):
    really = numba.njit

    def njit(function, **options):
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return really(function, **options)

    monkeypatch.setattr(numba, "njit", njit)
    assert compiled(lambda x: x + 1)(1) == 2


@settings(max_examples=40, suppress_health_check=exactly.suppress_health_check)
@given(seed=st.integers(0, 2**32 - 1))
def test_neurons_that_sleep_wake_as_if_they_had_been_awake(seed, dense_reference):
    """Populations of several blocks; long silence, then a few spikes into some of them."""
    rng = np.random.default_rng(seed)
    n, n_in = 700, 20
    decay = int(rng.choice([0, 1, 300, 2000, 4095]))
    population = FixedPopulation(
        "n",
        (n,),
        0,
        du=np.full(n, int(rng.choice([100, 4095]))),
        dv=np.full(n, decay) if rng.random() < 0.5 else rng.integers(decay, 4096, n),
        vth=np.full(n, int(rng.choice([0, 100, 3000]))),
        bias_mantissa=(rng.random(n) < 0.01) * int(rng.choice([0, 300])),
    )
    sparse = rng.random((n, n_in)) < 0.01
    recurrent = rng.random((n, n)) < 0.001
    network = FixedNetwork(
        (population,),
        (
            FixedProjection.from_matrix("in", "n", rng.integers(-200, 256, (n, n_in)) * sparse),
            FixedProjection.from_matrix("n", "n", rng.integers(-200, 256, (n, n)) * recurrent),
        ),
        {"in": Port(0, n_in, (n_in,))},
        {"out": Port(0, n, (n,))},
        {"out": "n"},
        1e-3,
    )
    engine, reference = CpuRunner(network), dense_reference(network)
    for tick in range(120):
        few = np.flatnonzero(rng.random(n_in) < (0.1 if tick % 40 < 3 else 0.0)).astype(np.int32)
        np.testing.assert_array_equal(engine.step(few), reference.step(few))
        if tick == 60:
            engine.restore(engine.state())
        state = engine.state()
        np.testing.assert_array_equal(state.current, reference.all(reference.u))
        np.testing.assert_array_equal(state.membrane, reference.all(reference.v))
    assert engine.counters.membrane_updates == 120 * n


def image_network(seed: int) -> FixedNetwork:
    """Images through convolutions and back, so that channels may lie side by side in the engine."""
    rng = np.random.default_rng(seed)
    channels, size = int(rng.choice([2, 3, 8, 9])), int(rng.integers(3, 8))
    shape = (channels, size, size)
    kernel, back = int(rng.choice([1, 3])), int(rng.choice([1, 3, 5]))
    scale = float(rng.choice([0.1, 1.0, 30.0]))

    def neurons() -> LIF | CubaLIF:
        if rng.random() < 0.5:
            return LIF.with_unit_gain(shape, dt_s=1e-3, tau_s=0.01)
        return CubaLIF.with_unit_gain(shape, dt_s=1e-3, tau_mem_s=0.02, tau_syn_s=0.005)

    def conv(n_out: int, n_in: int, width: int) -> Conv2d:
        weight = rng.normal(0, scale, (n_out, n_in, width, width))
        return Conv2d(weight, padding=width // 2)

    nodes = {
        "in": Input((2, size, size)),
        "c1": conv(channels, 2, kernel),
        "a": neurons(),
        "c2": conv(channels, channels, back),
        "b": neurons(),
        "c3": conv(channels, channels, kernel),
        "flat": Flatten(),
        "dense": Linear(rng.normal(0, scale / 4, (5, channels * size * size))),
        "n": LIF.with_unit_gain((5,), dt_s=1e-3, tau_s=0.01),
        "images": Output(shape),
        "out": Output((5,)),
    }
    edges = [*pairwise(["in", "c1", "a", "c2", "b", "c3", "a"]), *pairwise(["b", "flat", "dense"])]
    edges += [("dense", "n"), ("n", "out"), ("b", "images")]
    return quantize(Network(nodes, edges, 1e-3))


def check_chosen_neurons(engine: CpuRunner, seed: int) -> None:
    state, rng = engine.state(), np.random.default_rng(seed)
    for population in engine.network.populations:
        place = slice(population.offset, population.offset + population.size)
        wanted = state.membrane[place], state.adaptation[place]
        chosen = rng.integers(0, population.size, 7)
        for values, whole in zip(engine.neurons(population.name), wanted, strict=True):
            np.testing.assert_array_equal(values, whole)
        for values, whole in zip(engine.neurons(population.name, chosen), wanted, strict=True):
            np.testing.assert_array_equal(values, whole[chosen])
            assert values.dtype == np.int64
        currents = engine.currents(population.name, chosen)
        np.testing.assert_array_equal(currents, state.current[place][chosen])
        assert currents.dtype == np.int64


@exactly
@given(graph=graphs)
def test_chosen_neurons_are_shown_as_in_the_state(graph, fixed_network):
    network = fixed_network(*graph, graded=True)
    engine = CpuRunner(network)
    for active in spike_trains(n_inputs(network), 12, graph[0]):
        engine.step(active)
    check_chosen_neurons(engine, graph[0])


def test_chosen_neurons_of_images_are_shown_in_their_documented_order():
    for seed in range(8):
        network = image_network(seed)
        engine = CpuRunner(network)
        for active in spike_trains(n_inputs(network), 12, seed):
            engine.step(active)
            check_chosen_neurons(engine, seed)


def test_chosen_neurons_that_are_not_there_are_refused():
    engine = CpuRunner(one_neuron(1))
    for number in (-1, 1):
        with pytest.raises(ValueError, match="n has the neurons 0 to 0"):
            engine.neurons("n", np.array([number]))
        with pytest.raises(ValueError, match="n has the neurons 0 to 0"):
            engine.currents("n", np.array([number]))
    with pytest.raises(ValueError, match="there are"):
        engine.neurons("m")


@settings(max_examples=60, suppress_health_check=exactly.suppress_health_check)
@given(seed=st.integers(0, 2**32 - 1))
def test_images_keep_their_documented_order_whatever_order_the_engine_likes(seed, dense_reference):
    network = image_network(seed)
    engine, twin, reference = CpuRunner(network), CpuRunner(network), dense_reference(network)
    for tick, active in enumerate(spike_trains(n_inputs(network), 25, seed)):
        out = engine.step(active)
        np.testing.assert_array_equal(out, reference.step(active))
        assert out.dtype == np.int32
        state = engine.state()
        np.testing.assert_array_equal(state.current, reference.all(reference.u))
        np.testing.assert_array_equal(state.membrane, reference.all(reference.v))
        np.testing.assert_array_equal(state.pending, reference.pending)
        for name in ("a", "b", "n"):
            np.testing.assert_array_equal(engine.spikes(name), reference.spikes[name])
            np.testing.assert_array_equal(engine.membrane(name).ravel(), reference.v[name])
        names = [population.name for population in network.populations]
        for name, spikes in zip(names, engine.all_spikes(), strict=True):
            np.testing.assert_array_equal(spikes, reference.spikes[name])
            assert spikes.dtype == np.int32
        if tick == 12:
            twin.restore(state)
        elif tick > 12:
            np.testing.assert_array_equal(twin.step(active), out)
    assert twin.state() == engine.state()


@pytest.mark.parametrize("largest", [1, 127, 128, 255])
@pytest.mark.parametrize("n_sources", [1, 3, 4, 5, 8, 9, 300])
def test_full_tables_of_every_width_and_any_number_of_active_rows(
    largest: int, n_sources: int, dense_reference
):
    rng = np.random.default_rng(n_sources)
    weight = rng.integers(0, largest + 1, (37, n_sources))
    population = FixedPopulation("n", (37,), 0, du=1000, dv=100, vth=9000, bias_mantissa=0)
    network = FixedNetwork(
        (population,),
        (FixedProjection.from_matrix("in", "n", weight, weight_exponent=2),),
        {"in": Port(0, n_sources, (n_sources,))},
        {"out": Port(0, 37, (37,))},
        {"out": "n"},
        1e-3,
    )
    engine, reference = CpuRunner(network), dense_reference(network)
    for n_active in (n_sources, n_sources // 2, 1, 0, n_sources):
        active = np.sort(rng.permutation(n_sources)[:n_active]).astype(np.int32)
        np.testing.assert_array_equal(engine.step(active), reference.step(active))
        np.testing.assert_array_equal(engine.state().pending, reference.pending)


@pytest.mark.parametrize("n_target", [2, 40])
def test_two_synapses_between_the_same_two_neurons_add_up(n_target: int):
    """In a row of single synapses, of chunks, and where a full table could not hold them."""
    target = np.repeat(np.arange(n_target, dtype=np.int32), 2)
    weight = np.tile(np.array([200, 56], np.int16), n_target)
    network = FixedNetwork(
        (FixedPopulation("n", (n_target,), 0, 4095, 0, 131071, 0),),
        (FixedProjection("p", "in", "n", n_target, np.array([0, len(target)]), target, weight),),
        {"in": Port(0, 1, (1,))},
        {},
        {},
        1e-3,
    )
    engine = CpuRunner(network)
    engine.step(np.array([0], np.int32))
    assert engine.state().pending.tolist() == [[256] * n_target]
    assert engine.counters.synaptic_operations == 2 * n_target


def test_a_state_that_the_network_cannot_reach_is_refused_and_changes_nothing():
    engine = CpuRunner(one_neuron(10))
    engine.step(np.array([0], np.int32))
    before = engine.state()
    impossible = dataclasses.replace(before, pending=np.array([[100_000]]))
    with pytest.raises(ValueError, match=r"holds 100000\.\.100000 .* within -32768\.\.32767"):
        engine.restore(impossible)
    assert engine.state() == before


@pytest.mark.parametrize(
    ("name", "most"), [("membrane", 2**23 - 1), ("current", 2**23), ("current", 16_777_216)]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_membranes_and_currents_beyond_what_can_be_reached_are_refused(name, most, sign):
    """A current that keeps half of itself, and gains up to 25165824 a tick, wraps once each."""
    strong = most > 2**23
    network = one_neuron(96, n=32, exponent=7, du=2047) if strong else one_neuron(10, du=2047)
    engine = CpuRunner(network)
    engine.step(np.array([0], np.int32))
    before = engine.state()
    held = dataclasses.replace(before, **{name: np.array([sign * most])})
    engine.restore(held)
    assert getattr(engine.state(), name).tolist() == [sign * most]
    engine.restore(before)
    for beyond in (sign * (most + 1), sign * (2**31 - 1), sign * 2**62, -(2**63)):
        with pytest.raises(
            ValueError, match=rf"{name} of neuron 0 of 'n' is {beyond}; .* within -{most}\.\.{most}"
        ):
            engine.restore(dataclasses.replace(before, **{name: np.array([beyond])}))
        assert engine.state() == before


@pytest.mark.parametrize(("weight", "exponent"), [(255, 7), (-255, 7), (96, 7), (255, 0)])
@pytest.mark.parametrize("du", [0, 7, 2047, 4095])
@pytest.mark.parametrize("n", [1, 32, 300])
def test_every_state_on_the_way_can_be_restored(weight, exponent, du, n):
    """With floods that leave the current beyond 24 bits though it is wrapped in every tick."""
    network = one_neuron(weight, n=n, exponent=exponent, du=du, bias_mantissa=4095)
    engine, twin = CpuRunner(network), CpuRunner(network)
    for tick in range(200):
        engine.step(np.arange(n if tick % 50 else n // 2, dtype=np.int32))
        twin.restore(engine.state())
    assert twin.state() == engine.state()


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda engine: pickle.loads(pickle.dumps(engine))]
)
def test_a_copy_goes_its_own_way(copied):
    engine = CpuRunner(one_neuron(10, bias_mantissa=5))
    twin = copied(engine)
    before = twin.state()
    engine.step(np.array([0], np.int32))
    assert engine.state() != before
    assert twin.state() == before
    twin.step(np.array([0], np.int32))
    assert engine.state() == twin.state()


def test_the_engine_says_what_its_neurons_and_synapses_take():
    small, large = (CpuRunner(quantize(dense_network(n_in, 64))).memory for n_in in (64, 128))
    # A byte for each pair and one row of zeros, and four for each source's number of synapses.
    assert small.synapses == 65 * 64 + 64 * 4
    assert large.synapses == 129 * 64 + 128 * 4
    # Membrane, current and input of 64 neurons, vectors to write past them, and their spikes.
    assert small.neurons == large.neurons
    assert 64 * (4 + 4 + 2 + 4) <= small.neurons <= 64 * 24


def dense_network(n_in: int, n_out: int) -> Network:
    weight = np.random.default_rng(0).uniform(-1, 1, (n_out, n_in))
    nodes = {
        "in": Input((n_in,)),
        "w": Linear(weight),
        "n": CubaLIF.with_unit_gain((n_out,), dt_s=1e-3, tau_mem_s=0.02, tau_syn_s=0.005),
        "out": Output((n_out,)),
    }
    return Network(nodes, list(pairwise(nodes)), 1e-3)
