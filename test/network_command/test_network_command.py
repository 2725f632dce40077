# SPDX-License-Identifier: Apache-2.0
"""`neuro_control network`: what it says of a network is so, and what cannot be is one line."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib import image

from neuro_control import cli
from neuro_control.backends import CpuRunner, measure_cost
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
from neuro_control.network_command.spike_file import read_spikes

DT = 1e-3


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """Three inputs, two neurons of which the second hears only the last input."""
    nodes = {
        "in": Input((3,)),
        "w": Linear([[1.0, 1.0, 0.0], [0.0, 0.0, 2.0]]),
        "n": LIF.with_unit_gain((2,), dt_s=DT, tau_s=0.02, v_threshold=1.5),
        "out": Output((2,)),
    }
    path = tmp_path / "two.nir"
    write_nir(Network(nodes, list(pairwise(nodes)), DT, {"made_by": "a test"}), path)
    return path


def spikes(tmp_path: Path, **arrays: object) -> Path:
    path = tmp_path / "spikes.npz"
    given = {"tick": np.array([0, 0, 3]), "channel": np.array([0, 1, 2]), "ticks": 10, **arrays}
    np.savez(path, **{k: np.asarray(v) for k, v in given.items() if v is not None})
    return path


def test_show_says_what_is_in_the_file(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["network", "show", str(network)]) == 0
    said = capsys.readouterr().out
    assert "made_by: a test" in said
    assert "fits Loihi's integers: 2 neurons, 3 synapses" in said
    assert "input in: channels 0 to 2" in said


def test_show_as_json_has_nodes_sizes_and_losses(
    network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["network", "show", str(network), "--json", "--bits", "4"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [node["kind"] for node in found["nodes"]] == ["Input", "Linear", "LIF", "Output"]
    assert found["nodes"][2]["from"] == ["w"]
    assert found["synapses"] == 3
    assert found["quantization"]["populations"][0]["name"] == "n"


def test_a_shipped_network_is_known_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["network", "show", "arm_tracker"]) == 0
    assert "python -m neuro_control.circuits.write arm_tracker" in capsys.readouterr().out


def test_what_does_not_fit_the_integers_is_shown_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = {"in": Input((1,)), "w": Linear([[1.0]]), "n": LIF((1,), tau=100.0), "o": Output((1,))}
    write_nir(Network(nodes, list(pairwise(nodes)), DT), tmp_path / "slow.nir")
    assert cli.main(["network", "show", str(tmp_path / "slow.nir")]) == 1
    assert "does not fit Loihi's integers: node 'n': tau 100 s" in capsys.readouterr().out


def test_run_writes_the_spikes_that_the_engine_gives(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, picture = tmp_path / "out.npz", tmp_path / "out.png"
    words = ["network", "run", str(network), "--input", str(spikes(tmp_path))]
    assert cli.main([*words, "--output", str(out), "--picture", str(picture)]) == 0
    with np.load(out) as found:
        # Two inputs at once make the first neuron fire, and the last alone the second: each in
        # the tick after.
        assert found["n.tick"].tolist() == [1, 4]
        assert found["n.channel"].tolist() == [0, 1]
        assert found["ticks"] == 10
    assert "2 spikes of 2 neurons, 100 Hz each" in capsys.readouterr().out
    assert image.imread(picture).size


def test_run_says_what_it_costs(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = spikes(tmp_path)
    assert cli.main(["network", "run", str(network), "--input", str(given), "--cost"]) == 0
    said = capsys.readouterr().out
    cost = measure_cost(
        CpuRunner(quantize(read_nir(network, DT))), [read_spikes(given, 3)]
    ).neurobench()
    operations = cost["SynapticOperations"]
    assert isinstance(operations, dict)
    assert f"footprint {cost['Footprint']:,} bytes" in said
    assert f"{operations['Effective_ACs']:,.0f} accumulations and 0 multiply" in said
    assert f"{operations['Dense']:,.0f} if dense" in said
    assert f"membrane updates {cost['MembraneUpdates']:,.0f} of 20" in said
    assert "energy, estimated from these counts and not measured" in said
    assert re.search(r"loihi +[\d.e-]+ J, [\d.e-]+ W\n +Intel Loihi, effective operations", said)
    assert "table 2" in " ".join(said.split())


def test_random_input_is_of_its_rate_and_seed(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["network", "run", str(network), "--rate-hz", "200", "--ticks", "5000"]
    said = []
    for seed in ("1", "1", "2"):
        assert cli.main([*words, "--seed", seed]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] != said[2]
    given = int(said[0].split(" s; ")[1].split(" spikes")[0].replace(",", ""))
    assert given == pytest.approx(3000, rel=0.1)


def test_bench_tells_the_time_of_a_tick(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["network", "bench", str(network)]) == 0
    said = capsys.readouterr().out
    assert "one tick a call" in said
    assert "10 ticks a call" in said


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"tick": None}, "no array 'tick'"),
        ({"channel": np.array([0, 1, 3])}, "'channel' must be from 0 to 2"),
        ({"tick": np.array([0, 3, 1])}, "'tick' must ascend"),
        ({"ticks": 2}, "'tick' must ascend from 0 to less than 2"),
        ({"channel": np.array([0.0, 1.0, 2.0])}, "'channel' is float64"),
        ({"channel": np.array([0, 1])}, "3 ticks for 2 channels"),
    ],
)
def test_spikes_that_do_not_fit_are_refused(
    network: Path,
    tmp_path: Path,
    arrays: dict[str, object],
    why: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = spikes(tmp_path, **arrays)
    assert cli.main(["network", "run", str(network), "--input", str(path)]) == 2
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["show", "nothing.nir"], "no network 'nothing.nir': neither a file nor one of arm_"),
        (["show", __file__], "is not a readable NIR file"),
        (["run", "arm_tracker", "--input", "/nowhere.npz"], "--input /nowhere.npz"),
        (["run", "arm_tracker", "--input", __file__], "not a file of spikes"),
        (["run", "arm_tracker", "--ticks", "0"], "--ticks 0: must be 1 to"),
        (["run", "arm_tracker", "--rate-hz", "5000"], "--rate-hz 5000: must be from 0 to 1000, a"),
        (["run", "arm_tracker", "--rate-hz", "-1"], "--rate-hz -1: must be from 0 to 1000, a spik"),
        (
            ["bench", "arm_tracker", "--activity", "-1"],
            "--activity -1: must be from 0 to 1, the pa",
        ),
        (["convert", "arm_tracker", "/no/o.nir"], "OUT /no/o.nir: its folder does not exist"),
        (["convert", "arm_tracker", "o.nir", "--bits", "9"], "--bits 9: must be 1 to 8"),
        (["run", "arm_tracker", "--picture", "r.jpg"], "--picture r.jpg: its name must end in"),
        (["run", "arm_tracker", "--output", "o"], "--output o: its name must end in .npz"),
        (["run", "arm_tracker", "--output", "/no/o.npz"], "its folder does not exist"),
        (["profile", "arm_tracker", "--json", "/no/o.json"], "its folder does not exist"),
        (
            ["run", "arm_tracker", "--input", "i.npz", "--rate-hz", "5"],
            "--rate-hz 5: is of random input, and --input gives the spikes; leave one of them out",
        ),
        (["run", "arm_tracker", "--input", "i.npz", "--ticks", "5"], "--ticks 5: is of random"),
        (["why", "arm_tracker", "--bag", "i.mcap", "--seed", "5"], "and --bag gives the spikes"),
    ],
)
def test_what_cannot_be_is_one_line(
    words: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["network", *words]) == 2
    said = capsys.readouterr().err
    assert why in said
    assert said.count("\n") == 1
