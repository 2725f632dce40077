# SPDX-License-Identifier: Apache-2.0
"""A graded input: an index given k times is one spike with the payload k, in every arithmetic.

That the engine is exact with them is tested on random graphs in `test_cpu`, that it agrees with the
torch twin in `test_three_ways`.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import nir
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control import cli
from neuro_control.backends import CpuRunner, FloatRunner, rate_changes
from neuro_control.backends.runner import entering
from neuro_control.backends.wire_network import load_message
from neuro_control.network import (
    LI,
    LIF,
    FixedNetwork,
    Input,
    Linear,
    Network,
    Output,
    PopulationReport,
    Port,
    describe,
    quantize,
    read_netx,
    read_nir,
    with_provenance,
    write_netx,
    write_nir,
)
from neuro_control.network.euler import EulerNetwork

DT = 1e-3


def chain(message_bits: int, weight: float = 0.25, leaky: bool = False) -> Network:
    kind = LI((1,), 0.02, r=20.0) if leaky else LIF.with_unit_gain((1,), dt_s=DT, tau_s=0.02)
    nodes = {"in": Input((2,), message_bits), "w": Linear([[weight, -weight]]), "n": kind}
    nodes["out"] = Output((1,))
    return Network(nodes, list(pairwise(nodes)), DT)


def spikes_of(network: Network, *ticks: list[int]) -> list[int]:
    runner = CpuRunner(quantize(network))
    return [len(runner.step(np.array(tick, np.int32))) for tick in (*ticks, [])]


def test_a_payload_brings_so_many_times_the_weight():
    # More than four quarters of the threshold are needed, in the tick after.
    assert spikes_of(chain(3), [0] * 4, [], [0] * 5) == [0, 0, 0, 1]
    assert spikes_of(chain(3), [0, 0, 0, 0, 0, 0, 1]) == [0, 1]
    assert spikes_of(chain(3), [0, 0, 0, 0, 0, 1]) == [0, 0]


def test_beyond_the_largest_payload_nothing_more_counts_and_binary_inputs_count_once():
    assert spikes_of(chain(2), [0] * 200, []) == [0, 0, 0]
    assert spikes_of(chain(3), [0] * 200, []) == [0, 1, 0]
    assert spikes_of(chain(0), [0] * 200, []) == spikes_of(chain(1), [0] * 200, []) == [0, 0, 0]


@settings(max_examples=50)
@given(bits=st.integers(0, 8), active=st.lists(st.integers(0, 4), max_size=30))
def test_what_counts_of_a_tick_counts_again_as_it_is(bits, active):
    ports = {"a": Port(0, 2, (2,)), "b": Port(2, 3, (3,), bits)}
    once = entering(np.array(active, np.int32), ports)
    np.testing.assert_array_equal(entering(once, ports), once)
    for channel in range(5):
        most = max(2**bits - 1, 1) if channel >= 2 else 1
        assert np.count_nonzero(once == channel) == min(active.count(channel), most)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), bits=st.integers(1, 8))
def test_float_and_integers_hear_the_same_payloads(seed, bits):
    network = chain(bits, 2.0**-4, leaky=True)
    fixed, rng = quantize(network), np.random.default_rng(seed)
    engine, single, double = CpuRunner(fixed), FloatRunner(network), EulerNetwork(network)
    for _ in range(20):
        active = rng.integers(0, 2, rng.integers(0, 300)).astype(np.int32)
        engine.step(active)
        single.step(active)
        double.step(active)
        exact = double.voltage("n")
        np.testing.assert_allclose(single.membrane("n"), exact, rtol=1e-4, atol=1e-4)
        voltage = fixed.voltage("n", engine.membrane("n"))
        np.testing.assert_allclose(voltage, exact, rtol=0.02, atol=0.02)


def test_rates_are_compared_on_the_same_payloads():
    network = chain(3)
    given = np.tile(np.zeros(6, np.int32), 10)
    (change,) = rate_changes(network, quantize(network), given, np.arange(0, 61, 6))
    assert change.float_hz == change.fixed_hz > 0


def test_the_scale_leaves_room_for_the_largest_payload():
    def chosen(bits: int) -> PopulationReport:
        nodes = {"in": Input((4,), bits), "w": Linear(np.ones((1, 4))), "out": Output((1,))}
        nodes["n"] = LIF.with_unit_gain((1,), dt_s=DT, tau_s=0.02)
        network = Network(nodes, [("in", "w"), ("w", "n"), ("n", "out")], DT)
        return quantize(network).report.populations[0]

    # 4 times 255 thresholds would wrap a current of 24 bits at the scale of binary spikes.
    assert 255 * chosen(0).worst_case_input > 2**17 >= chosen(8).worst_case_input
    assert chosen(8).scale < chosen(0).scale


def test_files_keep_the_message_bits_and_the_fingerprint_knows_them(tmp_path: Path):
    network = chain(5)
    write_nir(network, tmp_path / "graded.nir")
    again = read_nir(tmp_path / "graded.nir")
    assert again.nodes["in"].message_bits == 5
    fixed = quantize(network)
    assert fixed.inputs["in"].message_bits == 5
    assert quantize(again).fingerprint() == fixed.fingerprint()
    assert quantize(chain(0)).fingerprint() != quantize(chain(1)).fingerprint()
    whole = quantize(describe(FixedNetwork(
        fixed.populations, fixed.projections, fixed.inputs, fixed.outputs,
        fixed.output_populations, DT,
    )))  # fmt: skip
    assert whole.inputs["in"].message_bits == 5


@pytest.mark.parametrize("bits", [99, "x", 3.7])
def test_a_file_with_bits_that_cannot_be_is_refused_by_name(tmp_path: Path, bits: object):
    path = tmp_path / "graded.nir"
    write_nir(chain(5), path)
    graph = nir.read(path)
    graph.nodes["in"].metadata["neuro_control.message_bits"] = bits
    nir.write(path, graph)
    with pytest.raises(ValueError, match=rf"node 'in': .*message_bits must be 0\.\.8, not {bits}"):
        read_nir(path)


def test_a_file_and_the_command_say_what_an_input_takes(tmp_path: Path, capsys):
    write_nir(with_provenance(chain(5), "a test"), tmp_path / "graded.nir")
    assert cli.main(["network", "show", str(tmp_path / "graded.nir")]) == 0
    shown = capsys.readouterr().out
    assert "input_in: payloads, 0 to 31" in shown
    assert "message_bits 5" in shown


def test_netx_is_told_the_bits_by_who_reads_it(tmp_path: Path):
    with pytest.raises(ValueError, match=r"node 'in'.*graded.*input_message_bits=3"):
        write_netx(chain(3), tmp_path / "graded.net")
    write_netx(chain(0), tmp_path / "binary.net")
    assert read_netx(tmp_path / "binary.net").inputs["in"].message_bits == 0
    assert read_netx(tmp_path / "binary.net", input_message_bits=3).inputs["in"].message_bits == 3


def test_what_cannot_carry_payloads_says_so():
    with pytest.raises(ValueError, match=r"input 'in' is graded \(3 bits\).*cpu backend"):
        load_message(quantize(chain(3)), 1)
    with pytest.raises(ValueError, match=r"message_bits must be 0\.\.8, not 24"):
        Input((2,), 24)
    with pytest.raises(ValueError, match=r"message_bits must be 0\.\.8, not 2\.5"):
        Input((2,), 2.5)
    with pytest.raises(ValueError, match=r"output 'out'.*message_bits must be 0"):
        FixedNetwork((), (), {}, {"out": Port(0, 1, (1,), 1)}, {}, DT)
