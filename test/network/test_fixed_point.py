# SPDX-License-Identifier: Apache-2.0
"""Quantisation: Loihi's integers that mean the same, an honest report, and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.backends import CpuRunner
from neuro_control.network import (
    IF,
    LIF,
    Affine,
    CubaLIF,
    Flatten,
    Input,
    Linear,
    Network,
    Output,
    SignMode,
    quantize,
    truncate_weights,
)

DT = 1e-3


def single(weight, neuron, **more) -> Network:
    """One input, one synapse, one population; ``more`` adds (node, source) pairs."""
    weight = np.atleast_2d(weight)
    nodes = {"in": Input((weight.shape[1],)), "w": Linear(weight), "n": neuron}
    edges = [("in", "w"), ("w", "n")]
    for name, (node, source) in more.items():
        nodes[name] = node
        edges += [(source, name), (name, "n")]
    return Network(nodes, edges, DT)


def unit(shape=(1,), **parameters) -> LIF:
    return LIF.with_unit_gain(shape, dt_s=DT, tau_s=0.02, **parameters)


def test_decays_are_rounded_as_the_design_says():
    neuron = CubaLIF.with_unit_gain((1,), dt_s=DT, tau_mem_s=0.02, tau_syn_s=0.005)
    population = quantize(single([[1.0]], neuron)).population("n")
    assert population.du.tolist() == [round(4096 / 5) - 1]
    assert population.dv.tolist() == [round(4096 / 20)]


def test_without_a_synaptic_filter_the_current_does_not_outlive_its_tick():
    for neuron in (unit(), CubaLIF.with_unit_gain((1,), dt_s=DT, tau_mem_s=0.02), IF((1,))):
        assert quantize(single([[1.0]], neuron)).population("n").du.tolist() == [4095]


def test_whole_ratios_are_kept_exactly():
    network = quantize(single([[1.0, 2.0, -3.0]], unit(v_threshold=4.5)))
    (projection,) = network.projections
    weight, threshold = projection.weight, network.population("n").vth[0]
    assert (weight * 4.5 == threshold * np.array([1.0, 2.0, -3.0])).all()
    assert network.report.projections[0].max_abs_error == pytest.approx(0, abs=1e-12)
    assert network.report.populations[0].threshold_error == pytest.approx(0, abs=1e-12)


@settings(max_examples=100)
@given(
    seed=st.integers(0, 10**6),
    bits=st.integers(3, 8),
    mode=st.sampled_from(list(SignMode)),
    ratio=st.floats(0.2, 50),
    recurrent=st.floats(0.05, 5),
)
def test_weights_are_rounded_to_what_the_chip_holds_and_share_one_scale(
    seed, bits, mode, ratio, recurrent
):
    rng = np.random.default_rng(seed)
    weight = rng.normal(size=(4, 6))
    if mode is not SignMode.MIXED:
        weight = np.abs(weight) * (1 if mode is SignMode.EXCITATORY else -1)
    again = recurrent * rng.normal(size=(4, 4))
    more = {"again": (Linear(again), "n")}
    network = quantize(single(weight, unit((4,), v_threshold=ratio), **more), weight_bits=bits)
    report, scale = network.report, network.report.populations[0].scale
    assert report.projections[0].sign_mode is mode
    for projection, told, exact in zip(
        network.projections, report.projections, (weight, again), strict=True
    ):
        integers = projection.matrix().astype(np.int64)
        step = 2 ** (8 - bits + (told.sign_mode is SignMode.MIXED))
        assert (integers % step == 0).all()
        # Half a step of the chip's grid at most: rounded, not truncated.
        error = integers * 2.0**projection.weight_exponent - exact * scale
        assert np.abs(error).max() <= step / 2 * 2.0**projection.weight_exponent * (1 + 1e-9)
        # The largest weight uses more than a quarter of its range, so that few bits lie idle.
        assert np.abs(integers).max() >= 63
    vth = network.population("n").vth[0]
    assert abs(vth - ratio * scale) <= 0.5
    assert report.populations[0].threshold_error <= 0.5 / 64


@pytest.mark.parametrize(("large", "small"), [(2.0, 0.01), (10.0, 0.01), (10.0, 0.002)])
def test_projections_far_apart_share_a_scale_by_their_exponents(large: float, small: float):
    network = quantize(single([[large]], unit(), fine=(Linear([[small]]), "in")))
    assert all(q.relative_rms_error < 0.0013 for q in network.report.projections)
    assert network.report.populations[0].threshold_error < 0.0013


@settings(max_examples=100)
@given(
    octaves=st.floats(0, 15),
    largest=st.floats(0.1, 10),
    signs=st.tuples(*[st.sampled_from([[1.0], [-1.0], [1.0, -1.0]])] * 2),
)
def test_whatever_lies_within_the_reach_of_the_exponents_quantises(octaves, largest, signs):
    one, other = (np.array([sign]) for sign in signs)
    nodes = {
        "a": Input((one.shape[1],)),
        "b": Input((other.shape[1],)),
        "coarse": Linear(one * largest),
        # The margin is what 254 steps (of weights of both signs) are below 255.
        "fine": Linear(other * (largest * 2.0**-octaves * 1.005)),
        "n": unit(v_threshold=largest / 2),
    }
    network = Network(nodes, [("a", "coarse"), ("b", "fine"), ("coarse", "n"), ("fine", "n")], DT)
    for report in quantize(network).report.projections:
        assert report.rounded_to_zero == 0
        assert report.relative_rms_error < 1 / 127


def test_the_report_says_what_rounding_lost():
    network = quantize(single([[1.0, 0.001]], unit(v_threshold=2.0)))
    (report,) = network.report.projections
    assert report.rounded_to_zero == 1
    assert report.max_abs_error == pytest.approx(0.001, rel=0.01)
    assert "1 rounded to zero" in str(network.report)


def test_a_global_projection_is_scaled_so_that_it_cannot_wrap():
    network = quantize(single(np.ones((1, 1024)), unit(v_threshold=30.0)))
    report = network.report.populations[0]
    assert not report.may_wrap
    assert report.worst_case_input <= 1 << 17
    runner = CpuRunner(network)
    runner.step(np.arange(1024, dtype=np.int32))
    runner.step(np.zeros(0, np.int32))
    assert runner.counters.spikes == 1


def test_the_report_warns_where_no_scale_keeps_a_current_from_wrapping():
    wide = np.concatenate([np.full((1, 4000), 1.0), np.full((1, 1), 0.004)], axis=1)
    report = quantize(single(wide, unit(v_threshold=0.01))).report.populations[0]
    assert report.may_wrap
    assert report.worst_case_input > 1 << 17


def test_a_bias_becomes_a_mantissa_and_an_exponent():
    nodes = {
        "in": Input((1,)),
        "w": Affine([[1.0], [1.0]], [0.25, -0.125]),
        "n": unit((2,), v_threshold=2.0),
    }
    network = quantize(Network(nodes, [("in", "w"), ("w", "n")], DT))
    scale = network.report.populations[0].scale
    expected = np.array([0.25, -0.125]) * scale * 64
    np.testing.assert_allclose(network.population("n").bias, expected, rtol=1e-3)


def test_a_resting_potential_is_taken_off_threshold_and_reset():
    rest = {"v_leak": -65.0, "v_reset": -65.0, "v_threshold": -50.0}
    network = quantize(single([[5.0]], LIF((1,), tau=0.02, r=20.0, **rest)))
    assert network.population("n").vth[0] / network.projections[0].weight[0] == pytest.approx(3)


def test_ports_follow_the_order_of_nodes():
    nodes = {
        "b": Input((3,)),
        "a": Input((2,)),
        "wb": Linear(np.ones((4, 3))),
        "wa": Linear(np.ones((4, 2))),
        "n": unit((1, 2, 2)),
        "flat": Flatten(),
        "out": Output((4,)),
    }
    edges = [("b", "wb"), ("a", "wa"), ("wb", "n"), ("wa", "n"), ("n", "flat"), ("flat", "out")]
    network = quantize(Network(nodes, edges, DT))
    assert [(p.offset, p.size) for p in network.inputs.values()] == [(0, 3), (3, 2)]
    assert network.output_populations == {"out": "n"}


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (lambda: single([[1.0]], unit(v_threshold=1e9)), "'n': thresholds up to 1e.09"),
        (lambda: single([[1e6]], unit(v_threshold=1e-3)), "'n': threshold 0.001 rounds to zero"),
        (lambda: single([[1.0]], LIF((1,), tau=1e-4)), "'n': tau 0.0001 s is below the time step"),
        (lambda: single([[1.0]], LIF((1,), tau=100.0)), "decays by less than 1/8192"),
        (lambda: single([[1.0]], LIF((1,), tau=0.01, v_leak=0.5)), "v_reset must equal v_leak"),
        (
            lambda: single([[1.0]], unit(), far=(Linear([[1e-9]]), "n")),
            "'n': .* have no common scale",
        ),
        (
            lambda: Network(
                {"in": Input((1,)), "w": Linear([[1.0]]), "n": unit(), "out": Output((1,))},
                [("in", "w"), ("w", "n"), ("w", "out")],
                DT,
            ),
            "output 'out' shows Linear 'w', which is no population",
        ),
        (lambda: Network({"in": Input((1,))}, [], DT), "no population"),
    ],
)
def test_what_does_not_fit_the_integers_is_refused_with_the_reason(network, message: str):
    with pytest.raises(ValueError, match=message):
        quantize(network())


def test_one_bit_holds_no_weights_of_both_signs():
    assert quantize(single([[1.0]], unit()), 1).projections[0].weight.any()
    with pytest.raises(ValueError, match="'n': the weights from 'in' have both signs"):
        quantize(single([[1.0, -1.0]], unit()), 1)


@pytest.mark.parametrize("bits", [0, 9, 4.5, "8", None])
def test_bits_that_no_weight_has_are_refused(bits):
    with pytest.raises(ValueError, match="weight_bits must be a whole number from 1 to 8, not"):
        quantize(single([[1.0]], unit()), bits)


@pytest.mark.parametrize("ends", [(5, 2), (-20, 20), (-9, 0), (0, 8), (0.5, 2), (1,), 3])
def test_exponents_that_loihi_has_not_are_refused(ends):
    with pytest.raises(ValueError, match=r"two whole numbers within -8\.\.7, not"):
        quantize(single([[1.0]], unit()), 8, ends)


@pytest.mark.parametrize(
    ("given", "bits", "kept"),
    [
        ([300, -1], 8, [254, -2]),
        ([300, 7], 8, [255, 7]),
        ([-300, -7], 8, [-255, -7]),
        ([-300, 7], 8, [-256, 6]),
        ([255, 17], 4, [240, 16]),
        ([-255, -17], 4, [-240, -16]),
    ],
)
def test_truncation_is_lavas(given, bits: int, kept):
    assert truncate_weights([given], bits).tolist() == [kept]
