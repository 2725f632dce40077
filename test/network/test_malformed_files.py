# SPDX-License-Identifier: Apache-2.0
"""A NIR file that is not what it should be is refused with what is wrong and where."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import h5py
import nir
import numpy as np
import pytest

from neuro_control import cli
from neuro_control.network import (
    LIF,
    Delay,
    Flatten,
    Input,
    Linear,
    Network,
    Output,
    read_nir,
    write_nir,
)

DT = 1e-3


def good(path: Path) -> Path:
    nodes = {
        "in": Input((3,)),
        "w": Linear(np.ones((2, 3))),
        "n": LIF.with_unit_gain((2,), dt_s=DT, tau_s=0.01),
        "out": Output((2,)),
    }
    write_nir(Network(nodes, list(pairwise(nodes)), DT), path)
    return path


def put(name: str, value: object) -> Callable[[h5py.File], None]:
    """Replace a field of a node, or take it out."""

    def change(file: h5py.File) -> None:
        del file[f"node/nodes/{name}"]
        if value is not None:
            file[f"node/nodes/{name}"] = value

    return change


def edges(*pairs: tuple[str, str]) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file["node/edges"]
        file["node/edges"] = np.array(pairs, dtype=h5py.string_dtype())

    return change


DAMAGE = {
    "NaN weight": (
        put("w/weight", [[1, np.nan, 1], [1, 1, 1]]),
        "node 'w': Linear.weight holds",
    ),
    "infinite threshold": (put("n/v_threshold", [1.0, np.inf]), "node 'n': LIF.v_threshold holds"),
    "weight of another shape": (put("w/weight", np.ones((2, 5))), r"node 'w' .* takes \(5,\), but"),
    "weight that is no matrix": (put("w/weight", np.ones(3)), "node 'w'"),
    "threshold of another shape": (put("n/v_threshold", np.ones(5)), "node 'n'"),
    "negative time constant": (put("n/tau", [0.01, -0.01]), "node 'n': LIF.tau must be positive"),
    "text for weights": (put("w/weight", b"many"), "node 'w'"),
    "weight missing": (put("w/weight", None), r"node 'w' \(Linear\): .*weight"),
    "type missing": (put("n/type", None), "node 'n': it has no type"),
    "unknown type": (
        put("n/type", "Izhikevich"),
        "node 'n': Izhikevich is not supported",
    ),
    "part of a channel": (put("in/shape", [3.5]), r"node 'in': shape .3.5. must be whole"),
    "edge to nowhere": (
        edges(("in", "w"), ("w", "n"), ("n", "nowhere"), ("n", "out")),
        "no node 'nowhere'",
    ),
    "cycle without a neuron": (
        edges(("in", "w"), ("w", "w"), ("w", "n"), ("n", "out")),
        r"nodes \['w'\] form or follow a cycle without a population; put a neuron into it",
    ),
    "node that nothing reaches": (
        edges(("in", "w"), ("n", "out")),
        "'n' has no incoming edge",
    ),
    "output that leads on": (
        edges(("in", "w"), ("w", "n"), ("n", "out"), ("out", "w")),
        "leaves an output",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_named(damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    change, message = DAMAGE[damage]
    path = good(tmp_path / "n.nir")
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(ValueError, match=message) as error:
        read_nir(path)
    assert str(path) in str(error.value)
    assert cli.main(["network", "show", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert "Traceback" not in said


def test_every_truncation_is_refused(tmp_path: Path):
    path = good(tmp_path / "n.nir")
    whole = path.read_bytes()
    for length in range(0, len(whole), max(1, len(whole) // 40)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"n\.nir"):
            read_nir(path)


def test_noise_in_the_bytes_is_refused_or_harmless(tmp_path: Path):
    """Whatever the bytes: a network or a ValueError, and no other error."""
    path = good(tmp_path / "n.nir")
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    rng = np.random.default_rng(0)
    for _ in range(60):
        noisy = whole.copy()
        place = rng.integers(0, len(noisy), 8)
        noisy[place] = rng.integers(0, 256, 8)
        path.write_bytes(noisy.tobytes())
        with suppress(ValueError):
            read_nir(path)


def test_a_heap_of_text_without_an_end_is_refused(tmp_path: Path):
    """HDF5 would read it for ever: an object 0, the free space, of no size."""
    path = good(tmp_path / "n.nir")
    whole = bytearray(path.read_bytes())
    first = whole.index(b"GCOL") + 16
    whole[first : first + 16] = bytes(16)
    path.write_bytes(whole)
    with pytest.raises(ValueError, match=r"n\.nir .*its heap of text at byte \d+ is damaged"):
        read_nir(path)


def test_a_group_that_holds_itself_is_refused(tmp_path: Path):
    path = good(tmp_path / "n.nir")
    with h5py.File(path, "r+") as file:
        for name in "abc":
            file[f"node/nodes/w/{name}"] = file["node/nodes"]
    with pytest.raises(ValueError, match=r"group '/node/nodes.*' is in the file twice"):
        read_nir(path)


@pytest.mark.parametrize("where", ["file", "code"])
def test_a_billion_neurons_are_refused_with_what_they_would_take(where: str, tmp_path: Path):
    """A port says how large it is in a few bytes; nothing may be made of it unseen."""
    if where == "code":
        with pytest.raises(ValueError, match=r"LIF: shape .* has 1,000,000,000 elements, and at"):
            LIF((10**9,), tau=0.01)
        return
    lif = nir.LIF(*(np.full(1, x) for x in (0.01, 1.0, 0.0, 1.0)))
    ports = nir.Input({"input": np.array([10**9])}), nir.Output({"output": np.array([10**9])})
    graph = nir.NIRGraph(
        {"in": ports[0], "n": lif, "out": ports[1]}, [("in", "n"), ("n", "out")], type_check=False
    )
    nir.write(tmp_path / "n.nir", graph)
    with pytest.raises(ValueError, match=r"node 'in': Input: shape .* 1,000,000,000 elements"):
        read_nir(tmp_path / "n.nir", DT)


def test_a_delay_and_a_flatten_do_not_make_a_cycle_a_population():
    nodes = {
        "in": Input((2,)),
        "late": Delay(0.002),
        "flat": Flatten(),
        "n": LIF((2,), tau=0.01),
    }
    loop = [("in", "late"), ("late", "flat"), ("flat", "late"), ("late", "n")]
    with pytest.raises(ValueError, match=r"\['late', 'flat'\] form or follow a cycle without"):
        Network(nodes, loop, DT)
