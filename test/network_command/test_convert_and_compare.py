# SPDX-License-Identifier: Apache-2.0
"""`neuro_control network convert|quantize|compare`: other formats, and where two networks part."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from neuro_control import cli
from neuro_control.network import (
    LIF,
    Input,
    Linear,
    Network,
    Output,
    quantize,
    read_nir,
    write_nir,
)

NETX = Path(__file__).parents[1] / "network" / "foreign" / "netx"


def written(path: Path, weight: float = 1.0, threshold: float = 1.5) -> Path:
    nodes = {
        "in": Input((3,)),
        "w": Linear([[weight, 1.0, 0.0], [0.0, -0.3, 2.0]]),
        "n": LIF.with_unit_gain((2,), dt_s=1e-3, tau_s=0.02, v_threshold=threshold),
        "out": Output((2,)),
    }
    write_nir(Network(nodes, list(pairwise(nodes)), 1e-3), path)
    return path


def said(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = cli.main(["network", *map(str, words)])
    out = capsys.readouterr()
    return code, out.out, out.err


def test_a_network_converts_to_netx_and_spikes_the_same(tmp_path: Path, capsys):
    # Sums of weights of 64 and their halves are the same at every scale.
    nir, netx = written(tmp_path / "a.nir", threshold=1.0), tmp_path / "a.net"
    code, out, _ = said(capsys, "convert", nir, netx)
    assert code == 0
    assert "netx, 2 neurons, 4 synapses" in out
    code, out, _ = said(capsys, "compare", netx, netx, "--rate-hz", 100)
    assert code == 0
    assert "the same integers" in out
    assert "output spikes in 1000 ticks" in out
    code, out, _ = said(capsys, "run", netx, "--rate-hz", 100)
    assert code == 0
    assert "layer0" in out
    assert said(capsys, "bench", netx)[0] == 0


def test_a_network_converts_to_nir_and_stays_the_same(tmp_path: Path, capsys):
    nir = written(tmp_path / "a.nir")
    assert said(capsys, "convert", nir, tmp_path / "b.nir")[0] == 0
    code, out, _ = said(capsys, "compare", nir, tmp_path / "b.nir")
    assert code == 0
    assert out.startswith("the same integers\nthe same ")


def test_compare_says_what_differs_and_where_the_spikes_part(tmp_path: Path, capsys):
    one, other = written(tmp_path / "a.nir"), written(tmp_path / "b.nir", threshold=3.0)
    path = tmp_path / "spikes.npz"
    np.savez(path, tick=np.array([4, 4, 7]), channel=np.array([0, 1, 2]), ticks=20)
    code, out, _ = said(capsys, "compare", one, other, "--input", path)
    assert code == 1
    assert "population n: vth differs in 2 of 2 neurons" in out
    assert "output spikes differ from tick 5 on, first in channel 0: 2 and 0 spikes" in out


def test_compare_of_networks_of_different_sizes_says_so(tmp_path: Path, capsys):
    nodes = {"in": Input((1,)), "n": LIF((1,), tau=0.01), "out": Output((1,))}
    write_nir(Network(nodes, list(pairwise(nodes)), 1e-3), tmp_path / "b.nir")
    code, out, _ = said(capsys, "compare", written(tmp_path / "a.nir"), tmp_path / "b.nir")
    assert code == 1
    assert "population n: 2 and 1 neurons" in out
    assert "inputs have 3 and 1 channels" in out


def test_quantize_says_what_is_lost_and_how_rates_change(tmp_path: Path, capsys):
    nir = written(tmp_path / "a.nir")
    code, out, _ = said(capsys, "quantize", nir, "--rate-hz", 100, "--bits", 4)
    assert code == 0
    assert "population n: scale" in out
    assert "rates over 1000 ticks" in out
    assert " Hz -> " in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("convert", "a.nir", "b.txt"), "the suffix must be .nir (NIR), .onnx (ONNX) or .net"),
        (("convert", "none.nir", "b.net"), "no network 'none.nir'"),
        (("quantize", "a.net"), "a netx file holds integers"),
        (("compare", "a.nir", "broken.net"), "not a readable netx file"),
    ],
)
def test_what_cannot_be_is_one_line(words, message, tmp_path: Path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written(Path("a.nir"))
    Path("broken.net").write_bytes(b"\x89HDF no more")
    code, _, err = said(capsys, *words)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


def test_show_of_a_netx_file_shows_its_integers(tmp_path: Path, capsys):
    said(capsys, "convert", written(tmp_path / "a.nir"), tmp_path / "a.net")
    code, out, _ = said(capsys, "show", tmp_path / "a.net")
    assert code == 0
    assert "in Loihi's integers" in out
    assert "population layer0: 2; du " in out
    code, out, _ = said(capsys, "show", tmp_path / "a.net", "--json")
    assert json.loads(out)["neurons"] == 2
    code, _, err = said(capsys, "show", tmp_path / "a.nir", "--bits", 9)
    assert code == 2
    assert "--bits 9: must be 1 to 8" in err


@pytest.mark.parametrize("name", ["b.nir", "b.net", "b.onnx"])
def test_a_network_that_is_written_over_is_told(name: str, tmp_path: Path, capsys):
    if name.endswith(".onnx"):
        pytest.importorskip("onnx")
    nir, out = written(tmp_path / "a.nir"), tmp_path / name
    for over in (False, True):
        code, text, _ = said(capsys, "convert", nir, out)
        assert code == 0
        assert ("; it was there and is written over" in text) == over
    assert {path.name for path in tmp_path.iterdir()} == {"a.nir", name}


def test_convert_to_onnx_writes_a_tick(tmp_path: Path, capsys):
    pytest.importorskip("onnx")
    code, out, _ = said(capsys, "convert", written(tmp_path / "a.nir"), tmp_path / "a.onnx")
    assert code == 0
    assert "ONNX, one tick of 2 neurons in whole numbers" in out
    assert (tmp_path / "a.onnx").stat().st_size > 0


def test_a_written_file_says_who_made_it_how_and_what_integers_lose(tmp_path: Path, capsys):
    nir, again = written(tmp_path / "a.nir"), tmp_path / "b.nir"
    assert said(capsys, "convert", nir, again, "--bits", 5)[0] == 0
    found = read_nir(again).metadata
    assert str(found["made_by"]).startswith("neuro_control ")
    assert found["command"] == f"neuro_control network convert {nir} {again} --bits 5"
    assert found["input_in"] == found["output_out"] == "spikes, 0 or 1 a tick"
    assert found["quantization_bits"] == 5
    assert "weights" in str(found["quantization_error"])
    assert "0 weights rounded to zero, none clipped" in str(found["quantization_error"])
    assert said(capsys, "convert", again, tmp_path / "c.net")[0] == 0
    code, out, _ = said(capsys, "show", tmp_path / "c.net")
    assert code == 0
    assert f"made_from: {found['made_by']}: {found['command']}" in out
    assert "quantization_error: weights" in out


def test_a_file_of_integers_becomes_nir_and_spikes_the_same(tmp_path: Path, capsys):
    for name in ("dense", "bias", "conv", "recurrent", "delay"):
        netx, nir = NETX / f"{name}.net", tmp_path / f"{name}.nir"
        assert said(capsys, "convert", netx, nir)[0] == 0
        code, out, _ = said(capsys, "compare", netx, nir, "--rate-hz", 200)
        assert code == 0, name
        assert " output spikes in 1000 ticks" in out
        if name not in ("recurrent", "delay"):
            # And back: netx is written from the description.
            code, _, err = said(capsys, "convert", nir, tmp_path / "back.net")
            assert code == 0, err
            assert said(capsys, "compare", netx, tmp_path / "back.net")[0] == 0, name


def test_a_dialect_is_written_as_nirs_own_numbers(tmp_path: Path, capsys):
    theirs, ours = NETX.parent / "graphs" / "norse_lif.nir", tmp_path / "ours.nir"
    code, _, err = said(capsys, "convert", theirs, ours, "--dialect", "norse", "--dt-s", "0.001")
    assert code == 0, err
    mine, as_meant = read_nir(ours), read_nir(theirs, 1e-3, "norse")
    assert quantize(mine).fingerprint() == quantize(as_meant).fingerprint()
    assert str(mine.metadata["command"]).endswith("--dt-s 0.001 --dialect norse")
    code, _, err = said(capsys, "convert", theirs, ours, "--dialect", "brian", "--dt-s", "0.001")
    assert code == 2
    assert "dialect 'brian' must be one of nir, snntorch, norse, sinabs, rockpool" in err
