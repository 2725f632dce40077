# SPDX-License-Identifier: Apache-2.0
"""A FixedNetwork holds what was given, or refuses it by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.network import FixedNetwork, FixedPopulation, FixedProjection, Port

LIMITS = {
    "du": (0, 4095),
    "dv": (0, 4095),
    "vth": (0, 131071),
    "bias_mantissa": (-4096, 4095),
    "refractory": (0, 62),
    "threshold_decay": (0, 4095),
    "threshold_step": (0, 131071),
}
POPULATION = FixedPopulation("n", (2,), 0, du=0, dv=0, vth=1, bias_mantissa=0)
PROJECTION = FixedProjection.from_matrix("a", "n", [[1, 2, 3], [4, 5, 6]])


def network(**changes) -> FixedNetwork:
    """Inputs a (3) and b (2), and two outputs that show the two neurons."""
    parts = {
        "inputs": {"a": Port(0, 3, (3,)), "b": Port(3, 2, (2, 1))},
        "outputs": {"x": Port(0, 2, (2,)), "y": Port(2, 2, (2,))},
    }
    shown = {"x": "n", "y": "n"}
    return FixedNetwork(
        (POPULATION,), (PROJECTION,), output_populations=shown, dt_s=1e-3, **parts | changes
    )


@given(
    st.sampled_from(sorted(LIMITS)),
    st.integers(-(2**70), 2**70) | st.integers(-5000, 200_000),
    st.sampled_from([int, float, np.float32, lambda v: [0, v], lambda v: np.array([v, 0])]),
)
def test_a_parameter_is_kept_or_refused_and_never_becomes_another(name, value, form) -> None:
    least, most = LIMITS[name]
    if least <= value <= most:
        kept = getattr(replace(POPULATION, **{name: form(value)}), name)
        assert kept.dtype == np.int32
        assert value in kept
    else:
        with pytest.raises(
            ValueError, match=rf"population 'n': {name} must be .*{least}\.\.{most}"
        ):
            replace(POPULATION, **{name: form(value)})


@pytest.mark.parametrize(
    ("name", "value"), [("vth", 2**40 + 7), ("du", 2**32 + 5), ("dv", -(2**32)), ("vth", 2**64)]
)
def test_what_32_bits_cannot_hold_does_not_wrap_round(name, value) -> None:
    with pytest.raises(ValueError, match=rf"{name} must be .*, not {value}\.\."):
        replace(POPULATION, **{name: value})


@pytest.mark.parametrize("value", [0.5, float("nan"), float("inf"), [1.0, 2.5], "7", []])
def test_what_is_no_whole_number_is_refused(value) -> None:
    with pytest.raises(ValueError, match=r"population 'n': vth must be .*; whole numbers only"):
        replace(POPULATION, vth=value)


@pytest.mark.parametrize("kind", ["input", "output"])
@pytest.mark.parametrize("offset", [-1, 0, 1, 3, 4])
def test_ports_leave_no_gap_and_do_not_overlap(kind, offset) -> None:
    ports = {"one": Port(0, 2, (2,)), "two": Port(offset, 2, (2,))}
    shown = {"one": "n", "two": "n"}
    given_ = {f"{kind}s": ports, "projections": (), "output_populations": shown}
    with pytest.raises(ValueError, match=rf"{kind} 'two': its offset must be 2, .* not {offset}"):
        replace(network(), **given_)


def test_the_first_port_begins_at_zero() -> None:
    with pytest.raises(ValueError, match="input 'a': its offset must be 0"):
        network(inputs={"a": Port(1, 3, (3,))})


@pytest.mark.parametrize("port", [Port(3, 2, (3,)), Port(3, 0, (0,)), Port(3, -1, (-1,))])
def test_a_port_has_the_size_of_its_shape(port) -> None:
    with pytest.raises(ValueError, match="input 'b': its size"):
        network(inputs={"a": Port(0, 3, (3,)), "b": port})


def test_populations_leave_no_gap_and_do_not_overlap() -> None:
    for offset in (0, 1, 3):
        second = replace(POPULATION, name="m", offset=offset)
        with pytest.raises(ValueError, match=r"population 'm': .* its offset 2"):
            replace(network(), populations=(POPULATION, second))


@pytest.mark.parametrize("count", [0, 5, 7])
def test_every_synapse_has_one_weight(count) -> None:
    weight = np.ones(count, np.int16)
    with pytest.raises(ValueError, match=r"projection 'a -> n': weight must have one .* of the 6"):
        replace(PROJECTION, weight=weight)


def test_what_fits_together_is_taken() -> None:
    made = network()
    assert list(made.inputs) == ["a", "b"]
    assert made.n_synapses == 6
