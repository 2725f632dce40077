# SPDX-License-Identifier: Apache-2.0
"""A tick as ONNX is the engine's tick, state and all, in somebody else's runtime."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuro_control.backends import CpuRunner
from neuro_control.network import (
    FixedNetwork,
    FixedPopulation,
    FixedProjection,
    Port,
    quantize,
    read_nir,
    write_onnx,
)
from neuro_control.network.onnx_file import STATE

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


class Session:
    """A file stepped by onnxruntime."""

    def __init__(self, network: FixedNetwork, path) -> None:
        write_onnx(network, path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        providers = ["CPUExecutionProvider"]
        self.session = onnxruntime.InferenceSession(str(path), options, providers=providers)
        n, rows = network.n_neurons, network.longest_delay + 1
        self.state = {
            name: np.zeros((rows, n) if name == "pending" else n, np.int64) for name in STATE
        }
        self.n_inputs = sum(port.size for port in network.inputs.values())

    def step(self, active):
        spikes = np.zeros(self.n_inputs, np.int64)
        spikes[active] = 1
        output, *after = self.session.run(None, {"spikes": spikes, **self.state})
        self.state = dict(zip(STATE, after, strict=True))
        return np.flatnonzero(output)


def agree(network: FixedNetwork, path, trains) -> int:
    """Step both; fail where they part; how many spikes came out."""
    session, runner = Session(network, path), CpuRunner(network)
    spikes = 0
    for active in trains:
        ours, theirs = runner.step(active), session.step(active)
        assert np.array_equal(ours, theirs)
        spikes += len(ours)
    state = runner.state()
    for name, values in session.state.items():
        assert np.array_equal(values, getattr(state, name)), name
    return spikes


@st.composite
def fixed_networks(draw) -> FixedNetwork:
    """Two populations, recurrent, with every feature and values that saturate and wrap."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    sizes = {"in": draw(st.integers(1, 5)), "a": draw(st.integers(1, 6)), "b": 3}
    populations, offset = [], 0
    for name in ("a", "b"):
        n = sizes[name]
        populations.append(
            FixedPopulation(
                name,
                (n,),
                offset,
                du=rng.integers(0, 4096, n).astype(np.int32),
                dv=rng.integers(0, 4096, n).astype(np.int32),
                vth=rng.integers(0, draw(st.sampled_from([50, 131072])), n).astype(np.int32),
                bias_mantissa=rng.integers(-200, 200, n).astype(np.int32),
                bias_exponent=draw(st.integers(0, 7)),
                spiking=draw(st.sampled_from([True, True, False])),
                refractory=rng.integers(0, 4, n),
                threshold_decay=rng.integers(0, 4096, n),
                threshold_step=rng.integers(0, draw(st.sampled_from([1, 90])), n),
            )
        )
        offset += n
    projections = []
    for number, (source, target) in enumerate(
        [("in", "a"), ("in", "b"), ("a", "b"), ("b", "a"), ("a", "a")]
    ):
        if number and draw(st.booleans()):
            continue
        low = draw(st.sampled_from([-256, 0]))
        matrix = rng.integers(low, 256, (sizes[target], sizes[source]))
        matrix[rng.random(matrix.shape) < 0.3] = 0
        projections.append(
            FixedProjection.from_matrix(
                source,
                target,
                matrix,
                weight_exponent=draw(st.integers(-8, 7)),
                delay=draw(st.integers(0, 3)),
            )
        )
    ports = {"in": Port(0, sizes["in"], (sizes["in"],))}
    shown = {"x": Port(0, sizes["a"], (sizes["a"],)), "y": Port(sizes["a"], 3, (3,))}
    names = {"x": "a", "y": "b"}
    return FixedNetwork(tuple(populations), tuple(projections), ports, shown, names, 1e-3)


@settings(max_examples=40)
@given(network=fixed_networks(), seed=st.integers(0, 2**32))
def test_onnxruntime_gives_the_engines_spikes_and_state(network, seed, tmp_path_factory):
    rng = np.random.default_rng(seed)
    n = network.inputs["in"].size
    trains = [np.flatnonzero(rng.random(n) < 0.5).astype(np.int32) for _ in range(60)]
    agree(network, tmp_path_factory.mktemp("onnx") / "tick.onnx", trains)


def test_a_trained_recurrent_network_runs_elsewhere(shared_data, tmp_path):
    network = quantize(read_nir(shared_data / "nir" / "braille_rnn.nir", 1e-4))
    rng = np.random.default_rng(0)
    n = sum(port.size for port in network.inputs.values())
    trains = [np.flatnonzero(rng.random(n) < 0.3).astype(np.int32) for _ in range(200)]
    assert agree(network, tmp_path / "tick.onnx", trains) > 0


def small(n=2):
    zeros = np.zeros(n, np.int32)
    population = FixedPopulation("a", (n,), 0, zeros, zeros, zeros + 5, zeros)
    projection = FixedProjection.from_matrix("in", "a", np.full((n, n), 3))
    port = {"in": Port(0, n, (n,))}
    return FixedNetwork(
        (population,),
        (projection,),
        port,
        {"out": Port(0, n, (n,))},
        {"out": "a"},
        2e-3,
        {"author": "me"},
    )


def test_the_file_says_what_it_is_of(tmp_path):
    write_onnx(small(), tmp_path / "tick.onnx")
    said = {p.key: p.value for p in onnx.load(tmp_path / "tick.onnx").metadata_props}
    assert said["dt_s"] == "0.002"
    assert said["author"] == "me"
    assert said["fingerprint"] == small().fingerprint()
    assert said["inputs"] == "{'in': [0, 2]}"


def test_a_network_too_large_for_dense_weights_is_refused(tmp_path):
    zeros = np.zeros(10_000, np.int32)
    population = FixedPopulation("a", (10_000,), 0, zeros, zeros, zeros, zeros)
    rows = np.zeros(10_001, np.int64)
    empty = np.zeros(0, np.int32)
    projection = FixedProjection("in -> a", "in", "a", 10_000, rows, empty, empty.astype(np.int16))
    network = FixedNetwork(
        (population,), (projection,), {"in": Port(0, 10_000, (10_000,))}, {}, {}, 1e-3
    )
    with pytest.raises(ValueError, match="100000000 dense weights, and at most"):
        write_onnx(network, tmp_path / "tick.onnx")
