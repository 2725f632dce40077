# SPDX-License-Identifier: Apache-2.0
"""Networks that snnTorch, Norse, sinabs and Rockpool made, exported and ran run here the same.

`foreign/make_graphs.py` made them, in an environment of each framework. A framework hands a spike
through all layers in one tick; here every synapse takes one, so that the output of a network with
n layers comes n ticks later (and a bias acts n ticks before the first spike arrives).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neuro_control.backends import FloatRunner
from neuro_control.network import Network, quantize, read_nir
from neuro_control.network.neurons import INTEGRATORS, NEURONS

GRAPHS = Path(__file__).parent / "foreign" / "graphs"
SPIKING = [
    "snntorch_leaky",
    "snntorch_synaptic",
    "snntorch_recurrent",
    "snntorch_convolution",
    "norse_lif",
    "norse_lifbox",
    "norse_iaf",
    "sinabs_lif",
    "sinabs_iaf",
]
VOLTAGES = ["norse_li", "sinabs_expleak", "rockpool_expsyn"]
SUBTRACTING = ["rockpool_lif", "rockpool_lifneuron"]
VOLTAGE_TOLERANCE = 1e-5
"""Of voltages around 1, which both sides compute in float32."""


def read(name: str, dialect: str | None = None) -> tuple[Network, np.ndarray, np.ndarray]:
    """The network in its framework's dialect, spikes in, and what the framework gave."""
    with np.load(GRAPHS / f"{name}.npz") as file:
        given, output, dt_s = file["spikes"], file["output"], float(file["dt_s"])
        assert str(file["made_by"]).startswith(name.split("_", maxsplit=1)[0])
    dialect = name.split("_", maxsplit=1)[0] if dialect is None else dialect
    return read_nir(GRAPHS / f"{name}.nir", dt_s, dialect), given, output


def run(network: Network, given: np.ndarray) -> np.ndarray:
    """Spikes or voltages [ticks, n] of the last population, without the layers' delay."""
    names = [name for name, node in network.nodes.items() if isinstance(node, NEURONS)]
    voltage = isinstance(network.nodes[names[-1]], INTEGRATORS)
    runner, found = FloatRunner(network), []
    for frame in np.concatenate([given, np.zeros((len(names), given.shape[1]), bool)]):
        active = runner.step(np.flatnonzero(frame).astype(np.int32))
        row = runner.membrane(names[-1]).ravel().astype(float)
        if not voltage:
            row[:] = 0
            row[active] = 1
        found.append(row)
    return np.stack(found[len(names) :])


@pytest.mark.parametrize("name", SPIKING)
def test_every_spike_is_the_frameworks(name: str):
    network, given, output = read(name)
    assert output.sum() >= 5
    np.testing.assert_array_equal(run(network, given), output)


@pytest.mark.parametrize("name", VOLTAGES)
def test_every_voltage_is_the_frameworks(name: str):
    network, given, output = read(name)
    assert np.ptp(output) > 0.5
    np.testing.assert_allclose(run(network, given), output, atol=VOLTAGE_TOLERANCE)


@pytest.mark.parametrize("name", SUBTRACTING)
def test_neurons_that_subtract_their_threshold_are_the_same_until_they_do(name: str):
    network, given, output = read(name)
    found = run(network, given)
    fires = output.any(axis=0)
    assert fires.sum() >= 4
    assert np.array_equal(found.any(axis=0), fires)
    assert np.array_equal(found.argmax(axis=0), output.argmax(axis=0))
    assert found.sum() < output.sum()


@pytest.mark.parametrize("name", SPIKING)
def test_every_framework_file_fits_the_integers_at_nearly_the_same_rate(name: str):
    """Near a threshold an error of a thousandth moves a spike; the mean rate stays."""
    from neuro_control.backends import CpuRunner

    network, given, _ = read(name)
    indices, offsets = np.nonzero(given)[1], np.cumsum([0, *given.sum(axis=1)])
    exact = FloatRunner(network)
    exact.run(indices.astype(np.int32), offsets)
    runner = CpuRunner(quantize(network))
    runner.run(indices.astype(np.int32), offsets)
    assert runner.counters.spikes == pytest.approx(exact.counters.spikes, rel=0.1, abs=3)


@pytest.mark.parametrize("name", ["norse_lif", "sinabs_lif", "rockpool_lif"])
def test_the_dialect_matters(name: str):
    try:
        network, given, output = read(name, "nir")
        assert not np.array_equal(run(network, given), output)
    except ValueError as error:
        assert "is below the time step" in str(error)  # noqa: PT017 - either is right


def test_an_unknown_dialect_is_refused():
    with pytest.raises(ValueError, match="dialect 'brian' must be one of nir, snntorch, norse"):
        read("norse_lif", "brian")
