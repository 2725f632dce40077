# SPDX-License-Identifier: Apache-2.0
"""Files of lava-dl: what is written is read with the same integers; what is malformed is named."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuro_control.backends import CpuRunner
from neuro_control.network import (
    IF,
    LI,
    LIF,
    Affine,
    Conv2d,
    CubaLIF,
    Delay,
    FixedNetwork,
    Flatten,
    Input,
    Linear,
    Network,
    Output,
    read_netx,
    read_nir,
    write_netx,
    write_nir,
)

DT = 1e-3


def chain(**nodes) -> Network:
    return Network(nodes, list(pairwise(nodes)), DT)


def dense(rng: np.random.Generator) -> Network:
    n, m, k = rng.integers(1, 12, 3)
    return chain(
        a=Input((n,)),
        w=Linear(rng.normal(0, 1, (m, n)) * (rng.random((m, n)) < 0.7)),
        n=CubaLIF.with_unit_gain((m,), dt_s=DT, tau_mem_s=0.02, tau_syn_s=0.005),
        w2=Linear(np.abs(rng.normal(0, 1, (k, m)))),
        n2=LIF.with_unit_gain((k,), dt_s=DT, tau_s=0.01),
        out=Output((k,)),
    )


def convolutional(rng: np.random.Generator) -> Network:
    return chain(
        a=Input((2, 9, 7)),
        c=Conv2d(rng.normal(0, 0.5, (4, 1, 3, 2)), None, (2, 1), (1, 0), (1, 2), 2),
        n=LIF.with_unit_gain((4, 5, 5), dt_s=DT, tau_s=0.01),
        flat=Flatten(),
        w=Linear(rng.normal(0, 0.5, (6, 100))),
        o=IF((6,)),
        out=Output((6,)),
    )


def recurrent(rng: np.random.Generator) -> Network:
    """Two populations, of which the first hears itself."""
    nodes = dict(dense(rng).nodes)
    n = nodes["n"].shape[0]
    nodes["back"] = Linear(rng.normal(0, 0.4, (n, n)))
    edges = [*pairwise(["a", "w", "n", "w2", "n2", "out"]), ("n", "back"), ("back", "n")]
    return Network(nodes, edges, DT)


def delayed(rng: np.random.Generator) -> Network:
    """Inputs with delays of their own, and targets with theirs."""
    n, m, k = rng.integers(1, 12, 3)
    return chain(
        a=Input((n,)),
        late=Delay(rng.integers(0, 9, n) * DT),
        w=Linear(rng.normal(0, 1, (m, n))),
        n=LIF.with_unit_gain((m,), dt_s=DT, tau_s=0.02),
        w2=Linear(np.abs(rng.normal(0, 1, (k, m)))),
        later=Delay(rng.integers(0, 63, k) * DT),
        n2=IF((k,)),
        out=Output((k,)),
    )


def spikes(network: FixedNetwork, seed: int) -> list[list[int]]:
    rng, runner = np.random.default_rng(seed), CpuRunner(network)
    n = sum(port.size for port in network.inputs.values())
    return [
        runner.step(np.flatnonzero(rng.random(n) < 0.3).astype(np.int32)).tolist()
        for _ in range(100)
    ]


@pytest.mark.parametrize("build", [dense, convolutional, recurrent, delayed])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000))
def test_what_is_written_spikes_the_same_when_it_is_read(build, seed: int, tmp_path: Path):
    network = build(np.random.default_rng(seed))
    # What is joined in one layer shares its sign mode, which 7 bits always fit.
    bits = 8 if build in (dense, convolutional) else 7
    written = write_netx(network, tmp_path / "n.net", bits)
    again = read_netx(tmp_path / "n.net", DT)
    assert spikes(again, seed) == spikes(written, seed)
    for mine, theirs in zip(written.populations, again.populations, strict=True):
        for field in ("shape", "du", "dv", "vth"):
            assert np.array_equal(getattr(mine, field), getattr(theirs, field))


def test_biases_that_are_whole_numbers_of_threshold_units_are_kept(tmp_path: Path):
    neuron = LIF.with_unit_gain((2,), dt_s=DT, tau_s=0.01, v_threshold=100.0)
    weights = Affine([[127.0, -3.0], [5.0, 64.0]], [12.0, 3.0])
    network = chain(a=Input((2,)), w=weights, n=neuron, out=Output((2,)))
    written = write_netx(network, tmp_path / "n.net")
    again = read_netx(tmp_path / "n.net")
    assert again.populations[0].bias.tolist() == written.populations[0].bias.tolist()
    assert sum(map(len, spikes(again, 0))) > 0
    assert spikes(again, 0) == spikes(written, 0)


def test_what_all_inputs_bring_at_once_does_not_wrap_for_want_of_exponents(tmp_path: Path):
    neuron = LIF.with_unit_gain((1,), dt_s=DT, tau_s=0.02)
    network = chain(
        a=Input((3000,)), w=Linear(np.full((1, 3000), -1.0)), n=neuron, out=Output((1,))
    )
    (report,) = write_netx(network, tmp_path / "n.net").report.populations
    assert 0 < report.worst_case_input <= 2**17
    assert report.threshold_error < 0.02


@pytest.mark.parametrize("weight", [800.0, 65636.0, 1e30])
def test_a_scale_that_is_given_and_does_not_fit_is_refused_and_never_wraps(weight, tmp_path: Path):
    neuron = LIF.with_unit_gain((1,), dt_s=DT, tau_s=0.01, v_threshold=100.0)
    nodes = {"a": Input((1,)), "w": Linear([[weight]]), "n": neuron, "out": Output((1,))}
    network = Network(nodes, list(pairwise(nodes)), DT, {"integers_per_volt": 1.0})
    with pytest.raises(ValueError, match=r"'a -> w -> n': at 1 integers per volt .* 256 at most"):
        write_netx(network, tmp_path / "n.net")


def test_a_file_as_lava_dl_writes_it_is_read(tmp_path: Path):
    """Byte strings, float weights that are whole numbers, arrays of one number."""
    with h5py.File(tmp_path / "n.net", "w") as file:
        layer = file.create_group("layer/0")
        layer.create_dataset("type", (1,), "S10", b"dense")
        layer.create_dataset("shape", data=np.array([2, 1, 1]))
        layer.create_dataset("weight", data=np.array([[64.0, -2.0, 0.0], [1.0, 2.0, 127.0]]))
        neuron = layer.create_group("neuron")
        neuron.create_dataset("type", (1,), "S10", b"CUBA")
        for name, value in (("iDecay", 1024), ("vDecay", 128), ("vThMant", 80), ("refDelay", 1)):
            neuron.create_dataset(name, data=np.array([value]))
    network = read_netx(tmp_path / "n.net", 0.002)
    (population,), (projection,) = network.populations, network.projections
    assert (population.du[0], population.dv[0], population.vth[0]) == (1023, 128, 80)
    whole = projection.matrix() * 2.0**projection.weight_exponent
    assert whole.tolist() == [[64, -2, 0], [1, 2, 127]]
    assert network.dt_s == 0.002


SIZE = int(np.random.default_rng(1).integers(1, 12, 3)[2])
"""Of the last layer of what `damaged` damages."""


def damaged(path: Path, name: str, value: object) -> Path:
    """A good file with one field taken out, replaced or put in."""
    write_netx(dense(np.random.default_rng(1)), path)
    with h5py.File(path, "a") as file:
        if name in file:
            del file[name]
        if value is not None:
            file.create_dataset(name, data=value)
    return path


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("layer/1/weight", None, r"layer 1 \(dense\): it has no 'weight'"),
        ("layer/1/weight", np.full((2, 2), np.nan), r"layer 1 \(dense\): 'weight' must be numbers"),
        ("layer/1/weight", np.ones((3, 50, 2)), r"'weight' has shape \(3, 50, 2\)"),
        ("layer/1/weight", np.array([b"x"]), "'weight' must be numbers"),
        (
            "layer/0/type",
            np.array([b"pool"]),
            r"layer 0 \(pool\): supported are input, flatten, dense, dense_rec",
        ),
        ("layer/0/neuron/type", np.array([b"SDNN"]), "neuron type 'SDNN' is not supported"),
        ("layer/0/neuron/iDecay", 9000, r"du must be 0\.\.4095, not 8999"),
        ("layer/0/neuron/vThMant", [1, 2], "'neuron/vThMant' must be one number, not 2"),
        ("layer/0/neuron/gradedSpike", 1, "graded spikes are not supported"),
        ("layer/0/neuron/refDelay", 5, "set it to 1"),
        ("layer/0/shape", [-3], r"'shape' \[-3\] must be one to three sizes"),
        ("layer/0/shape", [10**9, 10**9], "must be one to three sizes"),
        ("layer/0/bias", np.ones(5), r"layer 0 \(dense\): 'bias' has 5 numbers; it must have 1, "),
        ("layer/1/weight", np.ones((SIZE, 0)), r"layer 1 \(dense\): 'weight' has shape \(\d+, 0\)"),
        ("layer/1/type", np.array([b"\xff"]), r"layer 1 \(no type\): 'type' is .*no ASCII text"),
        ("layer/1/type", np.array([b"a", b"b"]), "'type' must be one text, not 2"),
        (
            "layer/0/neuron/type",
            np.array([b"\xff"]),
            r"layer 0 \(dense\): 'neuron/type' is .*no ASCII text",
        ),
        ("layer/0", None, "layer 0 of 1 is missing"),
        ("layer", None, "no group 'layer'"),
    ],
)
def test_a_malformed_file_is_refused_with_layer_and_field(name, value, message, tmp_path: Path):
    path = damaged(tmp_path / "n.net", name, value)
    with pytest.raises(ValueError, match=message) as error:
        read_netx(path)
    assert str(path) in str(error.value)


def test_a_truncated_or_missing_file_is_refused(tmp_path: Path):
    path = tmp_path / "n.net"
    write_netx(dense(np.random.default_rng(0)), path)
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(ValueError, match="not a readable netx file"):
        read_netx(path)
    with pytest.raises(FileNotFoundError, match="no network file"):
        read_netx(tmp_path / "none.net")


def test_a_file_of_the_other_format_says_which_it_is(tmp_path: Path):
    network = dense(np.random.default_rng(0))
    write_nir(network, tmp_path / "n.h5")
    with pytest.raises(ValueError, match=r"n\.h5: it is a NIR file; call it \.nir, or read"):
        read_netx(tmp_path / "n.h5")
    write_netx(network, tmp_path / "n.nir")
    with pytest.raises(ValueError, match=r"n\.nir .*it is a netx file; call it \.net, or read it"):
        read_nir(tmp_path / "n.nir")


def test_what_has_no_place_in_such_a_file_is_refused_by_name(tmp_path: Path):
    def refused(network: Network, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            write_netx(network, tmp_path / "n.net")

    lif = LIF.with_unit_gain((2,), dt_s=DT, tau_s=0.01)
    ends = {"a": Input((2,)), "w": Linear(np.eye(2))}
    refused(chain(**ends, v=LI((2,), tau=0.01), out=Output((2,))), r"node 'v' \(LI\) has no place")
    refused(chain(a=Input((2,)), n=lif, out=Output((2,))), r"node 'n' \(LIF\) has no place")
    nodes = {**ends, "n": lif, "back": Linear(-np.eye(2)), "out": Output((2,))}
    edges = [*pairwise(["a", "w", "n", "back", "n"]), ("n", "out")]
    refused(Network(nodes, edges, DT), "node 'n': its weights of one sign.*weight_bits=7")
    twice = Network({**nodes, "b": Linear(np.eye(2))}, [*edges, ("n", "b"), ("b", "n")], DT)
    refused(twice, "node 'b': 'n' hears itself through 'back' already.*add the two up")
    branch = Network({**nodes, "o": Output((2,))}, [*edges, ("n", "o")], DT)
    refused(branch, "node 'n' has 1 edges in and 2 out")
    late = Network({**nodes, "d": Delay(DT)}, [("a", "d"), ("d", "w"), *edges[1:]], DT)
    refused(late, "node 'd': lava-dl reads delays in dense layers without recurrence only")
    image = {"a": Input((1, 2, 2)), "d": Delay(DT), "c": Conv2d(np.ones((1, 1, 1, 1)))}
    image |= {"n": LIF.with_unit_gain((1, 2, 2), dt_s=DT, tau_s=0.01), "out": Output((1, 2, 2))}
    refused(chain(**image), "node 'd': lava-dl reads delays in dense layers")
    held = LIF((2,), tau=0.01, refractory=0.003)
    refused(chain(**ends, n=held, out=Output((2,))), "node 'n': lava-dl passes over refractory")
    uneven = LIF((2,), tau=[0.01, 0.02])
    refused(chain(**ends, n=uneven, out=Output((2,))), "node 'n': a layer of a netx file has one")


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (b"dense", {"delay": 63}, r"layer 0 \(dense\): 'delay' must be 0..62, not 63..63"),
        (b"dense", {"delay": [1, 2, 3, 4, 5, 6, 7]}, r"'delay' has shape \(7,\); it must be one"),
        (b"dense_rec", {}, "it has no 'weight_rec'"),
        (
            b"dense_rec",
            {"weight_rec": np.ones((2, 3))},
            r"'weight_rec' has shape \(2, 3\), it must",
        ),
        (b"dense_rec", {"weight_rec": np.ones((2, 2)), "delay": 1}, "in dense layers only"),
        (b"dense_rec", {"weight_rec": [[300, -1], [0, 1]]}, "weights -2 to 300 do not fit 8 bits"),
    ],
)
def test_recurrence_and_delays_that_cannot_be_are_refused(kind, fields, message, tmp_path: Path):
    with h5py.File(tmp_path / "n.net", "w") as file:
        layer = file.create_group("layer/0")
        layer.create_dataset("type", (1,), "S10", kind)
        layer.create_dataset("shape", data=[2])
        layer.create_dataset("weight", data=np.array([[64, -2, 0], [1, 2, 127]]))
        for name, value in fields.items():
            layer.create_dataset(name, data=value)
        neuron = layer.create_group("neuron")
        neuron.create_dataset("type", (1,), "S10", b"CUBA")
        for name, value in (("iDecay", 1024), ("vDecay", 128), ("vThMant", 80)):
            neuron.create_dataset(name, data=value)
    with pytest.raises(ValueError, match=message):
        read_netx(tmp_path / "n.net")
