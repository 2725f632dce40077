# SPDX-License-Identifier: Apache-2.0
"""NIR files: what we write we read, what others write we read, and the rest is refused by name."""

from __future__ import annotations

import re
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import h5py
import nir
import numpy as np
import pytest

from neuro_control.network import (
    IF,
    LI,
    LIF,
    AdaptiveLIF,
    Affine,
    AvgPool2d,
    Conv1d,
    Conv2d,
    CubaLI,
    CubaLIF,
    Delay,
    Flatten,
    I,
    Input,
    Linear,
    Network,
    Output,
    Scale,
    SumPool2d,
    Threshold,
    quantize,
    read_nir,
    write_nir,
)
from neuro_control.network.nir_file import network_from_nir
from neuro_control.network.nir_nodes import READERS


def every_node() -> Network:
    rng = np.random.default_rng(0)
    nodes = {
        "z": Input((2, 8, 8)),
        "a": Input((3,)),
        "conv": Conv2d(rng.normal(size=(4, 1, 3, 3)), rng.normal(size=4), 2, "valid", (1, 1), 2),
        "n1": LIF.with_unit_gain((4, 3, 3), dt_s=1e-3, tau_s=0.01, v_threshold=2),
        "pool": SumPool2d(3),
        "flat": Flatten(),
        "w": Affine(rng.normal(size=(5, 4)), rng.normal(size=5)),
        "n2": CubaLIF.with_unit_gain((5,), dt_s=1e-3, tau_mem_s=0.02, tau_syn_s=0.004),
        "again": Linear(rng.normal(size=(5, 5))),
        "side": Linear(rng.normal(size=(5, 3))),
        "scale": Scale(rng.normal(size=5)),
        "n3": IF((5,), r=0.5, v_threshold=1.5),
        "out2": Output((5,)),
        "out1": Output((5,)),
    }
    names = ["z", "conv", "n1", "pool", "flat", "w", "n2", "scale", "n3", "out2"]
    edges = list(pairwise(names))
    edges += [("n2", "again"), ("again", "n2"), ("a", "side"), ("side", "n2"), ("n2", "out1")]
    metadata = {"made_by": "a test", "command": "pytest", "description": "µ", "count": 3}
    return Network(nodes, edges, 1e-3, metadata)


@pytest.mark.parametrize(
    "readout",
    [LI((2,), tau=[0.01, 0.02], r=3), CubaLI((2,), 0.004, 0.02, w_in=2), I((2,), r=0.5)],
    ids=lambda node: type(node).__name__,
)
def test_readouts_without_spikes_are_read_as_they_were_written(readout, tmp_path: Path):
    nodes = {"in": Input((3,)), "w": Linear(np.ones((2, 3))), "v": readout, "out": Output((2,))}
    network = Network(nodes, list(pairwise(nodes)), 1e-3)
    write_nir(network, tmp_path / "n.nir")
    again = read_nir(tmp_path / "n.nir").nodes["v"]
    assert type(again) is type(readout)
    for field, values in vars(readout).items():
        assert np.array_equal(getattr(again, field), values)


def test_signals_and_averages_are_read_as_they_were_written(tmp_path: Path):
    rng = np.random.default_rng(0)
    signal = Conv1d(rng.normal(size=(4, 1, 3)), rng.normal(size=4), 2, "valid", 1, 2)
    nodes = {
        "a": Input((2, 9)),
        "conv": signal,
        "n1": LIF.with_unit_gain((4, 4), dt_s=1e-3, tau_s=0.01),
        "b": Input((1, 4, 6)),
        "pool": AvgPool2d((2, 3)),
        "n2": IF((1, 2, 2)),
        "out1": Output((4, 4)),
        "out2": Output((1, 2, 2)),
    }
    edges = [*pairwise(["a", "conv", "n1", "out1"]), *pairwise(["b", "pool", "n2", "out2"])]
    network = Network(nodes, edges, 1e-3)
    write_nir(network, tmp_path / "n.nir")
    again = read_nir(tmp_path / "n.nir")
    assert quantize(again).fingerprint() == quantize(network).fingerprint()
    assert vars(again.nodes["pool"]) == vars(network.nodes["pool"])


@pytest.mark.parametrize(
    "neuron",
    [
        Threshold((2,), threshold=[1, 2]),
        LIF((2,), tau=0.01, refractory=[0.002, 0.003]),
        CubaLIF((2,), 0.005, 0.01, refractory=0.002),
        AdaptiveLIF((2,), tau=0.02, tau_adaptation=[0.1, 0.2], adaptation=0.3, refractory=0.001),
    ],
    ids=lambda node: type(node).__name__,
)
def test_neurons_are_read_as_they_were_written(neuron, tmp_path: Path):
    nodes = {
        "in": Input((2,)),
        "late": Delay([0.003, 0.0]),
        "w": Linear(np.eye(2)),
        "n": neuron,
        "out": Output((2,)),
    }
    network = Network(nodes, list(pairwise(nodes)), 1e-3)
    write_nir(network, tmp_path / "n.nir")
    again = read_nir(tmp_path / "n.nir")
    assert type(again.nodes["n"]) is type(neuron)
    for field, values in vars(neuron).items():
        assert np.array_equal(getattr(again.nodes["n"], field), values)
    assert again.nodes["late"].delay.tolist() == [0.003, 0.0]
    assert quantize(again).fingerprint() == quantize(network).fingerprint()


def test_other_tools_read_an_adaptive_neuron_as_a_plain_one(tmp_path: Path):
    neuron = AdaptiveLIF((2,), tau=0.02, tau_adaptation=0.1, adaptation=0.3)
    nodes = {"in": Input((2,)), "n": neuron, "out": Output((2,))}
    write_nir(Network(nodes, list(pairwise(nodes)), 1e-3), tmp_path / "n.nir")
    assert type(nir.read(tmp_path / "n.nir").nodes["n"]) is nir.LIF


def test_a_network_is_read_as_it_was_written(tmp_path: Path):
    network = every_node()
    write_nir(network, tmp_path / "n.nir")
    read = read_nir(tmp_path / "n.nir")
    assert list(read.nodes) == list(network.nodes)
    assert set(read.edges) == set(network.edges)
    assert read.dt_s == network.dt_s
    assert read.metadata == network.metadata
    assert read.shapes == network.shapes
    for name, node in network.nodes.items():
        assert type(read.nodes[name]) is type(node)
        for key, value in vars(node).items():
            np.testing.assert_array_equal(getattr(read.nodes[name], key), value)
    assert quantize(read).fingerprint() == quantize(network).fingerprint()


def test_a_file_says_who_made_it_unless_its_network_does(tmp_path: Path):
    network = every_node()
    own = Network(network.nodes, network.edges, network.dt_s, {"description": "of no one yet"})
    write_nir(own, tmp_path / "n.nir")
    assert read_nir(tmp_path / "n.nir").metadata == {
        "description": "of no one yet",
        "made_by": f"neuro_control {version('neuro_control')}",
    }
    assert "made_by" not in own.metadata


def test_the_time_step_must_be_known(tmp_path: Path):
    graph = nir.NIRGraph.from_list(
        nir.Linear(np.ones((1, 1))),
        nir.CubaLIF(*(np.array([x]) for x in (4e-4, 1e-3, 10.0, 0.0, 1.0, 0.0, 4.0))),
    )
    nir.write(tmp_path / "n.nir", graph)
    with pytest.raises(ValueError, match=r"give dt_s, in a command --dt-s \(its Cuba.* 0.0001 s\)"):
        read_nir(tmp_path / "n.nir")
    assert read_nir(tmp_path / "n.nir", dt_s=1e-4).dt_s == 1e-4


def test_every_node_of_nir_is_supported():
    found = {kind.__name__ for kind in vars(nir).values() if isinstance(kind, type)}
    found &= {kind.__name__ for kind in nir.NIRNode.__subclasses__()}
    assert {"LIF", "Delay", "Threshold"} < found
    assert found - {"NIRGraph"} == set(READERS)


def test_a_node_that_is_not_supported_is_refused_by_name():
    class Dendrite(nir.NIRNode):
        input_type: ClassVar = {"input": np.array([2])}
        output_type: ClassVar = {"output": np.array([2])}
        metadata: ClassVar = {}

        def __init__(self) -> None:
            pass

    ends = nir.Input({"input": np.array([2])}), nir.Output({"output": np.array([2])})
    graph = nir.NIRGraph(
        {"i": ends[0], "x": Dendrite(), "o": ends[1]}, [("i", "x"), ("x", "o")], type_check=False
    )
    with pytest.raises(ValueError, match="node 'x': Dendrite is not supported; supported are"):
        network_from_nir(graph, 1e-3)


def test_sub_graphs_are_flattened():
    cell = nir.NIRGraph(
        {
            "in": nir.Input({"input": np.array([2])}),
            "lif": nir.IF(np.ones(2), np.ones(2)),
            "rec": nir.Linear(np.ones((2, 2))),
            "out": nir.Output({"output": np.array([2])}),
        },
        [("in", "lif"), ("lif", "rec"), ("rec", "lif"), ("lif", "out")],
    )
    nodes = {
        "input": nir.Input({"input": np.array([3])}),
        "fc": nir.Linear(np.ones((2, 3))),
        "cell": cell,
        "output": nir.Output({"output": np.array([2])}),
    }
    edges = [("input", "fc"), ("fc", "cell"), ("cell", "output")]
    network = network_from_nir(nir.NIRGraph(nodes, edges, type_check=False), 1e-3)
    assert set(network.edges) == {
        ("input", "fc"),
        ("fc", "cell.lif"),
        ("cell.lif", "cell.rec"),
        ("cell.rec", "cell.lif"),
        ("cell.lif", "output"),
    }


def test_a_file_that_is_no_network_says_so(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="no network file"):
        read_nir(tmp_path / "absent.nir")
    written = tmp_path / "n.nir"
    write_nir(every_node(), written)
    whole = written.read_bytes()
    for part in (b"", b"text", whole[: len(whole) // 2]):
        written.write_bytes(part)
        with pytest.raises(ValueError, match="is not a readable NIR file"):
            read_nir(written)


def test_a_file_with_one_node_says_that_it_is_no_graph(tmp_path: Path):
    nir.write(tmp_path / "n.nir", nir.LIF(*np.ones((4, 2))))
    with pytest.raises(ValueError, match=r"n\.nir holds a single LIF, not a graph; put it between"):
        read_nir(tmp_path / "n.nir", 1e-3)


def sub_graph(with_node: bool) -> nir.NIRGraph:
    ports = {"i": nir.Input({"input": np.array([3])}), "o": nir.Output({"output": np.array([3])})}
    edges = [("i", "o")]
    if with_node:
        ports["s"] = nir.Scale(np.full(3, 2.0))
        edges += [("i", "s"), ("s", "o")]
    return nir.NIRGraph(ports, edges)


@pytest.mark.parametrize("with_node", [True, False])
def test_what_passes_straight_through_a_sub_graph_is_kept(with_node, tmp_path: Path):
    nodes = {
        "in": nir.Input({"input": np.array([3])}),
        "g": sub_graph(with_node),
        "n": nir.IF(np.ones(3), np.ones(3), np.zeros(3)),
        "out": nir.Output({"output": np.array([3])}),
    }
    graph = nir.NIRGraph(nodes, [("in", "g"), ("g", "n"), ("n", "out")])
    nir.write(tmp_path / "a.nir", graph)
    edges = set(read_nir(tmp_path / "a.nir", 1e-3).edges)
    expected = {("in", "n"), ("n", "out")}
    assert edges == expected | ({("in", "g.s"), ("g.s", "n")} if with_node else set())


def test_an_unknown_node_is_named_with_those_that_are_known(tmp_path: Path):
    nodes = {"in": nir.Input({"input": np.array([1])}), "n": nir.Threshold(np.ones(1))}
    nodes["out"] = nir.Output({"output": np.array([1])})
    nir.write(tmp_path / "a.nir", nir.NIRGraph(nodes, [("in", "n"), ("n", "out")]))
    with h5py.File(tmp_path / "a.nir", "r+") as file:
        del file["node/nodes/n/type"]
        file["node/nodes/n/type"] = "Izhikevich"
    with pytest.raises(ValueError, match="node 'n': Izhikevich is not supported; supported are"):
        read_nir(tmp_path / "a.nir", 1e-3)


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path):
    nodes = {"in": Input((1,)), "n": LIF((1,), tau=0.02), "out": Output((1,))}
    edges = [("in", "n"), ("n", "out")]
    write_nir(Network(nodes, edges, 1e-3), tmp_path / "a.nir")
    with pytest.raises(ValueError, match="metadata 'note' is None; it must be text, a number"):
        write_nir(Network(nodes, edges, 1e-3, {"note": None}), tmp_path / "a.nir")
    assert read_nir(tmp_path / "a.nir").dt_s == 1e-3
    assert [path.name for path in tmp_path.iterdir()] == ["a.nir"]


@pytest.mark.parametrize("name", ["a/b", ".", "", "a\0b"])
def test_a_name_that_a_file_cannot_hold_is_refused(name: str, tmp_path: Path):
    network = Network({"in": Input((1,)), name: LIF((1,), tau=0.02)}, [("in", name)], 1e-3)
    with pytest.raises(ValueError, match=rf"the name {re.escape(repr(name))} cannot be in a NIR"):
        write_nir(network, tmp_path / "n.nir")
    noted = Network({"in": Input((1,)), "n": IF((1,))}, [("in", "n")], 1e-3, {"note": "a\0b"})
    with pytest.raises(ValueError, match=r"metadata 'note' is .* without NUL"):
        write_nir(noted, tmp_path / "n.nir")
    assert not list(tmp_path.iterdir())


def test_names_with_dots_in_them_are_kept(tmp_path: Path):
    network = Network({"..": Input((1,)), "a.b": IF((1,))}, [("..", "a.b")], 1e-3)
    write_nir(network, tmp_path / "n.nir")
    assert list(read_nir(tmp_path / "n.nir").nodes) == ["..", "a.b"]


@pytest.mark.parametrize("order", ["5", '[["i"]]', "nonsense"])
def test_an_order_of_nodes_that_is_none_is_refused(order, tmp_path: Path):
    nodes = {"in": Input((1,)), "n": LIF((1,), tau=0.02)}
    write_nir(Network(nodes, [("in", "n")], 1e-3), tmp_path / "a.nir")
    with h5py.File(tmp_path / "a.nir", "r+") as file:
        del file["node/metadata/node_order"]
        file["node/metadata/node_order"] = order
    with pytest.raises(ValueError, match="metadata 'node_order' is"):
        read_nir(tmp_path / "a.nir")


def test_one_delay_for_all_is_written_for_each(tmp_path: Path):
    nodes = {"in": Input((2,)), "late": Delay(0.003), "n": IF((2,)), "out": Output((2,))}
    network = Network(nodes, list(pairwise(nodes)), 1e-3)
    write_nir(network, tmp_path / "n.nir")
    again = read_nir(tmp_path / "n.nir")
    assert again.nodes["late"].delay.tolist() == [0.003, 0.003]
    assert quantize(again).fingerprint() == quantize(network).fingerprint()


def without_shapes(*layers: nir.NIRNode) -> nir.NIRGraph:
    """A chain whose input and output do not say how many channels they have."""
    nodes = {"in": nir.Input({"input": None})}
    nodes |= {f"{i}": layer for i, layer in enumerate(layers)}
    nodes["out"] = nir.Output({"output": None})
    return nir.NIRGraph(nodes, list(pairwise(nodes)), type_check=False)


def a_if(*shape: int) -> nir.IF:
    return nir.IF(np.ones(shape), np.full(shape, 0.5), np.zeros(shape))


def a_conv(input_shape: tuple[int, int] | None = None, groups: int = 1) -> nir.Conv2d:
    return nir.Conv2d(input_shape, np.ones((4, 2, 3, 3)), 1, 0, 1, groups, np.zeros(4))


@pytest.mark.parametrize(
    ("layers", "shapes"),
    [
        ((nir.Linear(np.ones((2, 3))), a_if(2)), ((3,), (2,))),
        ((nir.Affine(np.ones((2, 3)), np.ones(2)), a_if(1)), ((3,), (2,))),
        ((nir.Linear(np.ones((2, 3))), a_if()), ((3,), (2,))),
        ((nir.Scale(np.ones((2, 5))), a_if()), ((2, 5), (2, 5))),
        ((a_if(4),), ((4,), (4,))),
        ((nir.Delay(np.full(3, 0.002)), a_if(1)), ((3,), (3,))),
        ((a_conv((6, 7)), a_if(1)), ((2, 6, 7), (4, 4, 5))),
        ((a_conv((6, 7), groups=2), a_if(4, 1, 1)), ((4, 6, 7), (4, 4, 5))),
        ((a_conv((6, 7)), a_if(), nir.Flatten(None, 0), a_if(1)), ((2, 6, 7), (80,))),
    ],
)
def test_shapes_that_are_left_out_follow_from_their_neighbours(layers, shapes):
    network = network_from_nir(without_shapes(*layers), 1e-3)
    assert (network.shapes["in"], network.shapes["out"]) == shapes


def test_a_neuron_with_one_number_for_all_is_as_large_as_what_it_is_given_in_a_cycle_too():
    nodes = {
        "in": nir.Input({"input": np.array([3])}),
        "w": nir.Linear(np.ones((2, 3))),
        "n": nir.LIF(*(np.array(x) for x in (0.01, 10.0, 0.0, 0.7))),
        "back": nir.Linear(np.ones((2, 2))),
        "out": nir.Output({"output": np.array([2])}),
    }
    edges = [("back", "n"), ("in", "w"), ("w", "n"), ("n", "back"), ("n", "out")]
    network = network_from_nir(nir.NIRGraph(nodes, edges, type_check=False), 1e-3)
    assert network.nodes["n"].v_threshold.tolist() == [0.7, 0.7]
    # One neuron that hears itself alone, through a Scale, is one.
    nodes = {"n": a_if(1), "s": nir.Scale(np.ones(1)), "out": nir.Output({"output": None})}
    edges = [("n", "s"), ("s", "n"), ("n", "out")]
    network = network_from_nir(nir.NIRGraph(nodes, edges, type_check=False), 1e-3)
    assert network.shapes["out"] == (1,)


def test_a_shape_that_follows_from_nothing_is_asked_for_by_name():
    with pytest.raises(ValueError, match="'in': Input has no shape, and what it leads to says non"):
        network_from_nir(without_shapes(a_conv(), a_if()), 1e-3)
    nodes = {"in": nir.Input({"input": np.array([2])}), "p": nir.SumPool2d(2, 2, 0)}
    nodes["out"] = nir.Output({"output": None})
    graph = nir.NIRGraph(nodes, [("in", "p"), ("p", "out")], type_check=False)
    with pytest.raises(ValueError, match="'out': Output has no shape, and what it shows says none"):
        network_from_nir(graph, 1e-3)


def test_what_a_file_leaves_out_is_filled_in(tmp_path: Path):
    nodes = {
        "in": Input((2, 12, 10)),
        "conv": Conv2d(np.ones((4, 2, 3, 3))),
        "n": IF((4, 10, 8)),
        "sum": SumPool2d(2),
        "mean": AvgPool2d((1, 2)),
        "flat": Flatten(),
        "w": Linear(np.ones((3, 40))),
        "m": IF((3,)),
        "out": Output((3,)),
    }
    network = Network(nodes, list(pairwise(nodes)), 1e-3)
    write_nir(network, tmp_path / "n.nir")
    kept = {"conv": {"type", "weight", "input_shape"}, "in": {"type"}, "out": {"type"}}
    kept |= {pool: {"type", "kernel_size"} for pool in ("sum", "mean")}
    with h5py.File(tmp_path / "n.nir", "r+") as file:
        for name, fields in kept.items():
            for field in set(file["node/nodes"][name]) - fields:
                del file["node/nodes"][name][field]
    again = read_nir(tmp_path / "n.nir")
    assert again.shapes == network.shapes
    assert quantize(again).fingerprint() == quantize(network).fingerprint()
    with h5py.File(tmp_path / "n.nir", "r+") as file:
        del file["node/nodes/conv/input_shape"]
        file["node/nodes/in/shape"] = [2, 12, 10]
    assert quantize(read_nir(tmp_path / "n.nir")).fingerprint() == quantize(network).fingerprint()


@pytest.mark.parametrize("left_out", [(), ("s/nodes/i/shape", "s/nodes/o/shape")])
def test_what_is_inferred_is_so_within_sub_graphs_too(left_out, tmp_path: Path):
    size = {"input": np.array([5])}
    one = {k: np.ones(1) for k in ("tau", "r", "v_threshold")}
    neuron = nir.LIF(v_leak=np.zeros(1), v_reset=np.zeros(1), **one)
    inner = nir.NIRGraph(
        {"i": nir.Input(size), "p": neuron, "o": nir.Output({"output": np.array([5])})},
        [("i", "p"), ("p", "o")],
        type_check=False,
    )
    nodes = {
        "in": nir.Input({"input": np.array([3])}),
        "w": nir.Linear(np.ones((5, 3))),
        "s": inner,
        "out": nir.Output({"output": np.array([5])}),
    }
    nir.write(tmp_path / "n.nir", nir.NIRGraph(nodes, list(pairwise(nodes)), type_check=False))
    with h5py.File(tmp_path / "n.nir", "r+") as file:
        for field in left_out:
            del file["node/nodes"][field]
    network = read_nir(tmp_path / "n.nir", dt_s=1e-3)
    assert [s for n, s in network.shapes.items() if isinstance(network.nodes[n], LIF)] == [(5,)]
