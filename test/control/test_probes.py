# SPDX-License-Identifier: Apache-2.0
"""Neurons are written as population and number, and what is written otherwise is told so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuro_control.control.probes import Probe, parse_probes

NAMES = st.from_regex(r"[a-z][a-z0-9_.:]{0,8}[a-z]", fullmatch=True)


@given(st.lists(st.builds(Probe, NAMES, st.integers(0, 10**6)), unique=True, max_size=6))
def test_what_is_written_is_read(probes: list[Probe]) -> None:
    assert parse_probes(", ".join(map(str, probes))) == tuple(probes)


def test_blanks_and_empty_parts_mean_nothing() -> None:
    assert parse_probes("") == parse_probes(" , ") == ()
    assert parse_probes(" a:1 ,, b:2 ") == (Probe("a", 1), Probe("b", 2))


@pytest.mark.parametrize("text", ["field", "field:", ":3", "field:-1", "field:1.5", "field:x"])
def test_what_is_no_neuron_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="population:neuron"):
        parse_probes(text)


def test_a_neuron_is_chosen_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        parse_probes("a:1, a:01")
