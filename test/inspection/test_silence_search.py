# SPDX-License-Identifier: Apache-2.0
"""Faults planted in networks are found and named; in networks that are well nothing is found; and
the factors that are given are those at which the engine's first spike appears."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from neuro_control.backends import CpuRunner
from neuro_control.inspection import (
    Cause,
    SilenceReport,
    Wiring,
    find_silence,
    record_activity,
    scaled_thresholds,
    scaled_weights,
    silent_front,
)
from neuro_control.inspection.first_spike import threshold_factor, weight_factor
from neuro_control.network import (
    LI,
    LIF,
    Affine,
    Conv2d,
    Delay,
    FixedNetwork,
    FixedPopulation,
    FixedProjection,
    Flatten,
    Input,
    Linear,
    Network,
    Output,
    Port,
    Scale,
    quantize,
    read_nir,
)
from neuro_control.robots.description import share_directory

DT = 1e-3
TICKS = 200


def lif(
    n: int | tuple[int, ...], tau_s: float = 0.02, threshold: float = 1.0, **more: object
) -> LIF:
    shape = (n,) if isinstance(n, int) else n
    return LIF(shape, tau=tau_s, r=tau_s / DT, v_threshold=threshold, **more)


def network(nodes: Mapping[str, object], *more: tuple[str, str], without: tuple = ()) -> Network:
    edges = [edge for edge in pairwise(nodes) if edge not in without]
    return Network(nodes, [*edges, *more], DT)


def two_layers(**changed: object) -> Network:
    """Ten inputs, eight neurons, four neurons: well unless a node is changed."""
    rng = np.random.default_rng(0)
    nodes = {
        "in": Input((10,)),
        "w1": Linear(rng.uniform(0.2, 0.6, (8, 10))),
        "first": lif(8),
        "w2": Linear(rng.uniform(0.2, 0.6, (4, 8))),
        "second": lif(4),
        "out": Output((4,)),
    }
    return network(nodes | changed)


def spikes(channels: int, rate: float = 0.1, *, seed: int = 1, first: int = 0, ticks: int = TICKS):
    """Random spikes of channels ``first`` to ``first + channels``."""
    rng = np.random.default_rng(seed)
    parts = [first + np.flatnonzero(rng.random(channels) < rate) for _ in range(ticks)]
    offsets = np.cumsum([0] + [len(part) for part in parts]).astype(np.int64)
    return np.concatenate(parts).astype(np.int32), offsets


def why(described: Network, given, bits: int = 8) -> SilenceReport:
    report = find_silence(quantize(described, bits), *given, described)
    assert SilenceReport.from_json(json.loads(json.dumps(report.as_json()))) == report
    return report


def only(report: SilenceReport):
    assert len(report.findings) == 1, report.findings
    return report.findings[0]


# Healthy networks


def healthy_networks():
    rng = np.random.default_rng(5)
    image = {
        "in": Input((2, 8, 8)),
        "conv": Conv2d(rng.uniform(-0.2, 0.6, (3, 2, 3, 3)), padding=1),
        "seen": lif((3, 8, 8)),
        "flat": Flatten(),
        "w": Linear(rng.uniform(-0.05, 0.2, (5, 192))),
        "decided": lif(5),
        "out": Output((5,)),
    }
    recurrent = {
        "in": Input((10,)),
        "w": Linear(rng.uniform(0.2, 0.5, (6, 10))),
        "n": lif(6),
        "late": Delay(0.004),
        "back": Linear(rng.uniform(-0.3, 0.1, (6, 6))),
    }
    read_out = {
        "in": Input((10,)),
        "w": Linear(rng.uniform(0.2, 0.5, (6, 10))),
        "n": lif(6),
        "sum": Linear(np.ones((1, 6))),
        "voltage": LI((1,), tau=0.05),
        "out": Output((1,)),
    }
    driven = {
        "in": Input((10,)),
        "w": Affine(rng.uniform(0.0, 0.2, (6, 10)), np.full(6, 0.2)),
        "n": lif(6),
        "out": Output((6,)),
    }
    return {
        "two layers": (two_layers(), spikes(10)),
        "image": (network(image), spikes(128)),
        "recurrent": (network(recurrent, ("back", "n")), spikes(10)),
        "read-out": (network(read_out), spikes(10)),
        "driven by a bias": (network(driven), spikes(10)),
        "late": (two_layers(w2=Delay(0.01), second=lif(8, threshold=0.01), out=Output((8,))),
                 spikes(10)),
    }  # fmt: skip


@pytest.mark.parametrize("name", list(healthy_networks()))
def test_in_a_network_that_is_well_nothing_is_found(name: str):
    described, given_spikes = healthy_networks()[name]
    report = why(described, given_spikes)
    assert report.healthy, report.findings
    assert not report.silent_because
    assert all(seen.spikes for seen in report.inputs)


def test_the_shipped_network_is_well_while_it_sees_something_move():
    """A dot that moves through the image, and velocities that are coded."""
    described = read_nir(share_directory() / "config" / "networks" / "arm_tracker.nir")
    rng = np.random.default_rng(0)
    parts = []
    for tick in range(TICKS):
        rows, columns = np.meshgrid(np.arange(8) + 60, np.arange(8) + 20 + tick // 4)
        pixels = (rows * 128 + columns).ravel()
        seen = np.concatenate([pixels, pixels + 128 * 128])
        velocity = 32768 + np.flatnonzero(rng.random(64) < 0.2)
        parts.append(np.concatenate([np.sort(seen[rng.random(len(seen)) < 0.3]), velocity]))
    offsets = np.cumsum([0] + [len(part) for part in parts]).astype(np.int64)
    report = why(described, (np.concatenate(parts).astype(np.int32), offsets))
    assert report.healthy, report.findings
    # The gain control waits for more events than these.
    assert [note.node for note in report.notes] == ["gain_control"]


# Planted faults: each network has one, and it is named


def test_no_input_at_all():
    finding = only(why(two_layers(), (np.zeros(0, np.int32), np.zeros(TICKS + 1, np.int64))))
    assert (finding.node, finding.cause) == ("in", Cause.NO_INPUT)


def two_inputs(*, joined: bool = True) -> Network:
    nodes = {
        "left": Input((6,)),
        "right": Input((6,)),
        "wl": Linear(np.full((4, 6), 0.5)),
        "wr": Linear(np.full((4, 6), 0.5)),
        "nl": lif(4),
        "nr": lif(4),
        "out": Output((4,)),
    }
    edges = [("left", "wl"), ("wl", "nl"), ("right", "wr"), ("wr", "nr"), ("nl", "out")]
    if not joined:
        edges[2] = ("left", "wr")
    return Network(nodes, edges, DT)


def test_one_of_two_inputs_is_given_nothing():
    report = why(two_inputs(), spikes(6))
    finding = only(report)
    assert (finding.node, finding.cause) == ("right", Cause.NO_INPUT)
    assert "channels 6 to 11" in finding.text
    assert "while left is given some" in finding.text
    assert report.silent_because == {"nr": ("right",)}


def test_an_input_that_nothing_was_meant_for_is_a_note():
    described = two_inputs()
    report = find_silence(quantize(described), *spikes(6), described, fed=["left"])
    assert report.healthy
    assert [(note.node, note.cause) for note in report.notes] == [("right", Cause.NO_INPUT)]
    assert report.silent_because == {"nr": ("right",)}


def test_what_an_unfed_input_would_excite_is_not_blamed():
    """A recording of a camera has nothing for the velocities, which alone excite their copy."""
    nodes = {
        "eye": Input((6,)),
        "velocity": Input((4,)),
        "w": Linear(np.full((4, 6), 0.5)),
        "seen": lif(4),
        "relay": Linear(np.eye(4) * 2),
        "clear": Linear(np.full((4, 4), -1.0)),
        "copy": lif(4),
        "out": Output((4,)),
    }
    edges = [("eye", "w"), ("w", "seen"), ("seen", "clear"), ("clear", "copy")]
    edges += [("velocity", "relay"), ("relay", "copy"), ("copy", "out")]
    described = Network(nodes, edges, DT)
    given_spikes = spikes(6)
    report = find_silence(quantize(described), *given_spikes, described, fed=["eye"])
    assert report.healthy, report.findings
    assert report.silent_because == {"copy": ("velocity",)}
    causes = [(f.node, f.cause) for f in why(described, given_spikes).findings]
    assert causes == [("velocity", Cause.NO_INPUT), ("copy", Cause.ONLY_INHIBITION)]


def test_an_input_that_leads_nowhere():
    finding = only(why(two_inputs(joined=False), spikes(12)))
    assert (finding.node, finding.cause) == ("right", Cause.INPUT_NOT_CONNECTED)


def test_an_input_of_another_shape():
    finding = only(why(two_layers(), spikes(20)))
    assert finding.cause is Cause.INPUT_DOES_NOT_FIT
    assert "the network has 10: in 0..9 (10)" in finding.text


def test_all_weights_are_zero():
    report = why(two_layers(w2=Linear(np.zeros((4, 8)))), spikes(10))
    finding = only(report)
    assert (finding.node, finding.cause) == ("second", Cause.NO_SYNAPSES)


def test_weights_that_are_rounded_to_zero():
    """An outlier from a neuron that never fires takes the eight bits for itself."""
    weights = np.full((4, 8), 0.3)
    weights[:, 7] = 500.0
    first = np.random.default_rng(0).uniform(0.2, 0.6, (8, 10))
    first[7] = 0.0
    finding = only(why(two_layers(w1=Linear(first), w2=Linear(weights)), spikes(10)))
    assert (finding.node, finding.cause) == ("second", Cause.ROUNDED_TO_ZERO)
    kept = weights.copy()
    kept[:, :7] *= finding.figures["factor"] * 1.001
    mended = two_layers(w1=Linear(first), w2=Linear(kept))
    assert why(mended, spikes(10)).findings[:1] != (finding,)
    assert quantize(mended).projections[1].weight.shape[0] == 32
    kept[:, :7] *= 0.99
    assert quantize(two_layers(w1=Linear(first), w2=Linear(kept))).n_synapses < 80


def test_input_in_channels_that_have_no_synapse():
    weights = np.random.default_rng(0).uniform(0.2, 0.6, (8, 10))
    weights[:, :5] = 0.0
    finding = only(why(two_layers(w1=Linear(weights)), spikes(5)))
    assert (finding.node, finding.cause) == ("first", Cause.WRONG_CHANNELS)
    assert "in spikes in 5 of its 10 channels (0..4)" in finding.text
    assert "synapses begin in 5 (5..9)" in finding.text


def test_a_delay_longer_than_the_run():
    described = two_layers(w2=Delay(0.05), second=lif(8, threshold=0.01), out=Output((8,)))
    finding = only(why(described, spikes(10, ticks=40)))
    assert (finding.node, finding.cause) == ("second", Cause.TOO_LATE)
    longer = finding.figures["arrival_tick"]
    assert why(described, spikes(10, ticks=longer + 1)).healthy
    assert not why(described, spikes(10, ticks=longer)).healthy


def test_weights_of_the_wrong_sign():
    finding = only(why(two_layers(w2=Linear(np.full((4, 8), -0.4))), spikes(10)))
    assert (finding.node, finding.cause) == ("second", Cause.ONLY_INHIBITION)


def test_inhibition_that_outweighs():
    weights = np.random.default_rng(0).uniform(0.2, 0.6, (4, 8))
    weights[:, :6] -= 0.8
    finding = only(why(two_layers(w2=Linear(weights)), spikes(10)))
    assert (finding.node, finding.cause) == ("second", Cause.INHIBITED)


def test_a_bias_that_is_too_negative():
    weights = np.random.default_rng(0).uniform(0.2, 0.6, (4, 8))
    finding = only(why(two_layers(w2=Affine(weights, np.full(4, -5.0))), spikes(10)))
    assert (finding.node, finding.cause) == ("second", Cause.NEGATIVE_BIAS)


def test_sources_that_are_refractory():
    """Each neuron of the first layer fires so seldom that nothing adds up in the second."""
    weights = np.full((4, 8), 0.1)
    well = two_layers(w2=Linear(weights))
    assert why(well, spikes(10, 0.3)).healthy
    finding = only(
        why(two_layers(first=lif(8, refractory=0.06), w2=Linear(weights)), spikes(10, 0.3))
    )
    assert (finding.node, finding.cause) == ("second", Cause.REFRACTORY)


def test_a_scale_that_is_too_small():
    described = network(
        {
            "in": Input((10,)),
            "w1": Linear(np.random.default_rng(0).uniform(0.2, 0.6, (8, 10))),
            "scale": Scale(np.full(8, 0.01)),
            "first": lif(8),
            "out": Output((8,)),
        }
    )
    finding = only(why(described, spikes(10)))
    assert (finding.node, finding.cause) == ("first", Cause.SMALL_SCALE)
    assert finding.figures["scale_node"] == "scale"
    enough = 0.01 * finding.figures["weight_factor"] * 1.02
    nodes = dict(described.nodes) | {"scale": Scale(np.full(8, enough))}
    assert why(replace_nodes(described, nodes), spikes(10)).healthy


def replace_nodes(described: Network, nodes: Mapping[str, object]) -> Network:
    return Network(nodes, described.edges, described.dt_s)


def test_a_decay_so_fast_that_nothing_adds_up():
    weights = Linear(np.full((4, 8), 0.11))
    slow = two_layers(w2=weights)
    assert why(slow, spikes(10)).healthy
    finding = only(why(two_layers(w2=weights, second=lif(4, tau_s=DT)), spikes(10)))
    assert (finding.node, finding.cause) == ("second", Cause.DECAY)


def test_a_threshold_that_no_input_reaches():
    finding = only(why(two_layers(second=lif(4, tau_s=0.01, threshold=60.0)), spikes(10)))
    assert (finding.node, finding.cause) == ("second", Cause.OUT_OF_REACH)
    assert finding.figures["reachable"] < 1


def test_kernels_that_are_dead():
    described, given_spikes = healthy_networks()["image"]
    kernels = np.array(described.nodes["conv"].weight)
    kernels[1] = 0.0
    nodes = dict(described.nodes) | {"conv": Conv2d(kernels, padding=1)}
    finding = only(why(replace_nodes(described, nodes), given_spikes))
    assert (finding.node, finding.cause) == ("seen", Cause.DEAD_KERNELS)
    assert finding.figures["channels"] == [1]
    nodes["conv"] = Conv2d(kernels * 0.0, padding=1)
    report = why(replace_nodes(described, nodes), given_spikes)
    assert only(report).figures["channels"] == [0, 1, 2]
    assert report.silent_because == {"decided": ("seen",)}


def test_a_current_that_wraps():
    """Eight inputs at once exceed 24 bits: their sum turns negative."""
    population = FixedPopulation("n", (1,), 0, *(np.full(1, v) for v in (4095, 0, 100_000, 0)))
    fixed = FixedNetwork(
        (population,),
        (FixedProjection.from_matrix("in", "n", np.full((1, 8), 255), weight_exponent=7),),
        {"in": Port(0, 8, (8,))},
        {"out": Port(0, 1, (1,))},
        {"out": "n"},
        DT,
    )
    flash = np.tile(np.arange(8), 5).astype(np.int32), np.arange(0, 41, 8)
    finding = only(find_silence(fixed, *flash))
    assert (finding.node, finding.cause) == ("n", Cause.CURRENT_WRAPS)
    factor = finding.figures["smaller_weight_factor"]
    assert factor < 1
    assert len(CpuRunner(scaled_weights(fixed, "n", factor)).run(*flash)[0])


def test_what_quantisation_loses():
    """Two weights add up to more than the threshold; in two bits the smaller is lost."""
    weights = np.array([[0.8, 0.38, -0.8]])
    nodes = {"in": Input((3,)), "w": Linear(weights), "n": lif(1, 0.002, 1.1), "out": Output((1,))}
    both = (
        np.tile([0, 1], 20).astype(np.int32),
        np.concatenate([[0], np.repeat(np.arange(2, 41, 2), 10)]),
    )
    both = (both[0], both[1].astype(np.int64))
    assert why(network(nodes), both).healthy
    finding = only(why(network(nodes), both, bits=2))
    assert (finding.node, finding.cause) == ("n", Cause.QUANTIZATION)


def test_a_loop_that_no_input_reaches():
    nodes = {
        "in": Input((10,)),
        "w": Linear(np.full((4, 10), 0.5)),
        "n": lif(4),
        "a": Linear(np.eye(4)),
        "loop": lif(4),
        "b": Linear(np.eye(4)),
    }
    edges = [("in", "w"), ("w", "n"), ("a", "loop"), ("loop", "b"), ("b", "loop"), ("loop", "a")]
    report = why(Network(nodes, edges, DT), spikes(10))
    finding = only(report)
    assert (finding.node, finding.cause) == ("loop", Cause.NO_PATH)


def test_an_integrator_that_stays_at_rest():
    nodes = {
        "in": Input((10,)),
        "w": Linear(np.full((4, 10), 0.5)),
        "n": lif(4),
        "sum": Linear(np.zeros((1, 4))),
        "voltage": LI((1,), tau=0.05),
        "out": Output((1,)),
    }
    finding = only(why(network(nodes), spikes(10)))
    assert (finding.node, finding.cause) == ("voltage", Cause.NO_SYNAPSES)


@pytest.mark.parametrize("divisor", [40.0, 300.0])
def test_weights_that_are_too_small_are_missed_by_the_factor_that_is_given(divisor: float):
    """The factor is applied to the description, quantised anew: it is what a person would do."""
    well = two_layers()
    weak = np.asarray(well.nodes["w2"].weight) / divisor
    described = two_layers(w2=Linear(weak))
    report = why(described, spikes(10))
    finding = only(report)
    assert finding.node == "second"
    assert finding.cause in (Cause.WEIGHTS_MISS, Cause.OUT_OF_REACH)
    if divisor < 100:
        assert finding.cause is Cause.WEIGHTS_MISS
    factor = finding.figures["weight_factor"]
    assert 1 < factor < divisor
    # Rounding to eight bits moves it by less than two in a hundred.
    assert why(two_layers(w2=Linear(weak * factor * 1.02)), spikes(10)).healthy
    assert only(why(two_layers(w2=Linear(weak * factor / 1.02)), spikes(10))).node == "second"
    lower = lif(4, threshold=finding.figures["threshold_factor"] / 1.02)
    assert why(two_layers(w2=Linear(weak), second=lower), spikes(10)).healthy


def test_activity_dies_at_the_first_silent_population_of_each_path():
    described = two_layers(w1=Linear(np.full((8, 10), 0.004)))
    report = why(described, spikes(10))
    assert only(report).node == "first"
    assert report.silent_because == {"second": ("first",)}


# Laws of the factors, on any network

graphs = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 4), st.integers(1, 8)
)


@settings(max_examples=25)
@given(graph=graphs)
@example(graph=(355318791, 1, 3, 1))  # weights that cannot be halved without rounding
def test_factors_are_those_of_the_whole_network_on_the_engine(graph, fixed_network):
    """At the factor the population spikes within the whole network, just short of it it does not;
    what comes before its first spike is what came before."""
    fixed = fixed_network(*graph)
    channels = sum(port.size for port in fixed.inputs.values())
    given_spikes = spikes(channels, 0.3, seed=graph[0], ticks=60)
    activity = record_activity(fixed, *given_spikes)
    alive = {name for name, train in activity.trains.items() if len(train.tick)}
    names = [p.name for p in fixed.populations if p.spiking]
    silent = [name for name in silent_front(Wiring.of(fixed), alive).populations if name in names]
    assume(silent)
    from neuro_control.inspection.activity import isolate

    for name in silent:
        alone = isolate(fixed, activity, name)
        found = threshold_factor(alone)
        if found is not None:
            for factor, fires in ((found.value, True), (found.silent_at, False)):
                run = record_activity(scaled_thresholds(fixed, name, factor), *given_spikes)
                assert (len(run.trains[name].tick) > 0) is fires
        found = weight_factor(alone)
        if found is not None:
            assert found.silent_at < found.value <= found.silent_at * 1.0011
            for factor, fires in ((found.value, True), (found.silent_at, False)):
                run = record_activity(scaled_weights(fixed, name, factor), *given_spikes)
                assert (len(run.trains[name].tick) > 0) is fires


@settings(max_examples=25)
@given(graph=graphs)
def test_any_network_has_an_answer_and_every_silent_population_is_in_it(graph, fixed_network):
    fixed = fixed_network(*graph)
    channels = sum(port.size for port in fixed.inputs.values())
    report = find_silence(fixed, *spikes(channels, 0.2, seed=graph[0], ticks=30))
    explained = {finding.node for finding in (*report.findings, *report.notes)}
    explained |= set(report.silent_because)
    for seen in report.populations:
        if fixed.population(seen.name).spiking and not seen.spikes:
            assert seen.name in explained
    assert SilenceReport.from_json(json.loads(json.dumps(report.as_json()))) == report


def test_a_population_alone_spikes_as_it_does_in_the_network(fixed_network):
    from neuro_control.inspection.activity import isolate, operations_by_projection

    for seed in range(40):
        fixed = fixed_network(seed, 2, 4, 8)
        channels = sum(port.size for port in fixed.inputs.values())
        activity = record_activity(fixed, *spikes(channels, 0.3, seed=seed, ticks=50))
        for population in fixed.populations:
            alone = isolate(fixed, activity, population.name)
            again = CpuRunner(alone.network).run(alone.indices, alone.offsets)
            train = activity.trains[population.name]
            np.testing.assert_array_equal(again[0], train.neuron)
            np.testing.assert_array_equal(np.repeat(np.arange(50), np.diff(again[1])), train.tick)
        total = operations_by_projection(fixed, activity).sum()
        assert total == activity.counters.synaptic_operations


def test_runs_without_ticks_are_refused():
    with pytest.raises(ValueError, match="without ticks"):
        find_silence(quantize(two_layers()), np.zeros(0, np.int32), np.zeros(1, np.int64))
