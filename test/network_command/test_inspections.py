# SPDX-License-Identifier: Apache-2.0
"""`neuro_control network debug`, `why` and `profile`: what they print, and their exit codes."""

from __future__ import annotations

import io
import json
import signal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib import image

from neuro_control import cli
from neuro_control.events import Events, Packet, encode_mono
from neuro_control.events.bag import write_packets
from neuro_control.events.files import write
from neuro_control.inspection import Debugger, Units
from neuro_control.network import (
    LIF,
    FixedNetwork,
    Flatten,
    Input,
    Linear,
    Network,
    Output,
    quantize,
    write_netx,
    write_nir,
)
from neuro_control.network_command.debug_prompt import DebugPrompt

DT = 1e-3


def two_layers(weight: float = 1.0, *, threshold: float = 1.5, reset: float = 0.0) -> Network:
    """Three channels, two neurons of which the second hears the last channel, and one after."""
    nodes = {
        "in": Input((3,)),
        "w": Linear([[1.0, 1.0, 0.0], [0.0, 0.0, 2.0]]),
        "a": LIF.with_unit_gain((2,), dt_s=DT, tau_s=0.02, v_threshold=threshold),
        "x": Linear([[weight, weight]]),
        "b": LIF((1,), tau=0.02, r=20.0, v_threshold=0.9, v_reset=reset),
        "out": Output((1,)),
    }
    return Network(nodes, list(pairwise(nodes)), DT)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "two.nir"
    write_nir(two_layers(), path)
    return path


@pytest.fixture
def spikes(tmp_path: Path) -> Path:
    path = tmp_path / "spikes.npz"
    np.savez(path, tick=np.array([0, 0, 3]), channel=np.array([0, 1, 2]), ticks=np.int64(10))
    return path


def debugged(network: Path, spikes: Path, commands: str) -> list[str]:
    return ["network", "debug", str(network), "--input", str(spikes), "--commands", commands]


def test_a_script_steps_breaks_looks_and_goes_back(
    network: Path, spikes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = (
        "break fires b; run; show b; synapses b[0]; back; show a; goto 0; show; run; delete; run"
    )
    assert cli.main(debugged(network, spikes, script)) == 0
    said = capsys.readouterr().out
    # Two channels in tick 0 reach a in tick 1, and a reaches b in tick 2.
    assert "stopped: b[0] fired\ntick 2 of 0..9 done: b 1 spiked" in said
    assert "x -> b: +" in said
    assert "by 1 synapses of a, which spiked in tick 1" in said
    assert "tick 1 of 0..9 done: a 1 spiked" in said
    assert "before tick 0 of 10" in said
    assert said.count("stopped: b[0] fired") == 2
    assert said.rstrip().endswith("the input is over")


def test_integers_stand_beside_the_networks_own_units(
    network: Path, spikes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(debugged(network, spikes, "step 2; show a[0:2]")) == 0
    said = capsys.readouterr().out
    assert "a: 2 of 2 neurons, integers | own units; tick 1 of 0..9 done: a 1 spiked" in said
    row = next(line for line in said.splitlines() if line.endswith("spiked") and "tick" not in line)
    # Input, current, the membrane before its reset, threshold: two weights of 1 against 1.5.
    assert [cell.split()[0] for cell in row.split("|")[1:]] == ["2", "2", "2", "1.5"]


def test_a_state_is_saved_and_restored(
    network: Path, spikes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state.npz"
    assert cli.main(debugged(network, spikes, f"step 2; save {state}; step; spikes")) == 0
    first = capsys.readouterr().out.splitlines()[-7:]
    assert cli.main(debugged(network, spikes, f"restore {state}; step; spikes")) == 0
    assert capsys.readouterr().out.splitlines()[-4:] == first[-4:]


def test_commands_are_read_from_a_pipe(
    network: Path,
    spikes: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("s 2\n\ninputs\nhelp\nhelp step\n"))
    assert cli.main(["network", "debug", str(network), "--input", str(spikes)]) == 0
    said = capsys.readouterr().out
    assert "tick 1 of 0..9 done: a 1 spiked" in said
    assert "tick 2, given next: 0 active channels" in said
    assert "break membrane POP[NEURONS] X" in said


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("stpe", "no command 'stpe'"),
        ("help stpe", "no command 'stpe'"),
        ("step x", "'x' is not a number of ticks"),
        ("goto 11", "tick 11: there are 0 to 10"),
        ("back", "tick -1: there are 0 to 10"),
        ("step -1", "cannot do -1 ticks"),
        ("show c", "no population 'c'"),
        ("show a[2]", "a has the neurons 0 to 1"),
        ("show a[0", "write NAME, NAME[3]"),
        ("show a[x]", "'x' is no number of a neuron"),
        ("synapses a", "name neurons, as in a[0]"),
        ("break", None),
        ("break sometimes", "write one of"),
        ("break fires", "write one of"),
        ("break silent a", "write one of"),
        ("break silent a 0", "must be at least 1"),
        ("break silent a[0] 3", "counts a whole population"),
        ("break membrane a x", "'x' must be a part of the threshold"),
        ("break membrane a nan", "'nan' must be a part of the threshold"),
        ("delete 3", "there is no break 3"),
        ("save", "write save FILE.npz"),
        ("save /nowhere/s.npz", "save /nowhere/s.npz: its folder does not exist; make it first"),
        ("restore /nowhere.npz", "there is no such file"),
        ("spikes now", "this command takes nothing"),
    ],
)
def test_a_wrong_command_ends_a_script_with_its_reason(
    network: Path, spikes: Path, command: str, why: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(debugged(network, spikes, f"{command}; step 5"))
    said = capsys.readouterr().out
    if why is None:
        assert code == 0
        return
    assert code == 2
    assert why in said
    assert "tick 4 of" not in said


def at_a_prompt(network: FixedNetwork, ticks: int, lines: str) -> str:
    """What a person sees who types these lines."""
    debugger = Debugger(network, np.zeros(ticks, np.int32), np.arange(ticks + 1))
    shown = io.StringIO()
    prompt = DebugPrompt(debugger, Units.of(network, None), stdin=io.StringIO(lines), stdout=shown)
    prompt.cmdloop()
    return shown.getvalue()


def test_a_person_may_err_and_repeats_with_an_empty_line() -> None:
    said = at_a_prompt(quantize(two_layers()), 10, "stpe\nstep\n\n\nquit\n")
    assert "`help` lists the commands" in said
    assert "error: no command 'stpe'" in said
    assert "tick 2 of 0..9 done" in said


def test_control_c_stops_a_run_and_not_the_debugger(monkeypatch: pytest.MonkeyPatch) -> None:
    step = Debugger._step

    def interrupt(self: Debugger) -> None:
        step(self)
        if self.tick == 50:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Debugger, "_step", interrupt)
    before = signal.getsignal(signal.SIGINT)
    said = at_a_prompt(quantize(two_layers()), 1000, "run\nback\nquit\n")
    assert "stopped: interrupted" in said
    assert "tick 48 of 0..999 done" in said
    assert signal.getsignal(signal.SIGINT) is before


def test_names_are_completed() -> None:
    network = quantize(two_layers())
    prompt = DebugPrompt(Debugger(network, np.zeros(0, np.int32), np.zeros(1, np.int64)), Units({}))
    assert prompt.completedefault("a", "show a", 5, 6) == ["a"]
    assert "EOF" not in prompt.completenames("")
    assert prompt.completenames("sp") == ["spikes"]


def test_every_break_condition_stops(
    network: Path, spikes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for condition, reason in (
        ("fires a[1]", "a[1] fired"),
        ("silent a 3", "a has been silent for 3 ticks"),
        ("count a 2", "a has spiked 2 times"),
        ("membrane a[0,1] 0.9", "membrane of a[0] is above 0.9 of its threshold"),
    ):
        assert cli.main(debugged(network, spikes, f"break {condition}; run")) == 0
        assert f"stopped: {reason}" in capsys.readouterr().out
    assert cli.main(debugged(network, spikes, "break overflow; run")) == 0
    assert "the input is over" in capsys.readouterr().out


def test_a_netx_file_is_debugged_in_integers(
    tmp_path: Path, spikes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "two.net"
    write_netx(two_layers(), path)
    names = "step 2; spikes"
    assert cli.main(debugged(path, spikes, names)) == 0
    said = capsys.readouterr().out
    name = said.split("populations: ")[1].split(" (")[0]
    assert cli.main(debugged(path, spikes, f"step 2; show {name}")) == 0
    assert f"{name}: 2 of 2 neurons, integers; " in capsys.readouterr().out


# why


def test_why_finds_nothing_where_all_is_well(
    network: Path, spikes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["network", "why", str(network), "--silent", "--input", str(spikes)]) == 0
    assert "nothing is wrong" in capsys.readouterr().out


def test_why_names_the_place_and_the_factors(
    tmp_path: Path, spikes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "weak.nir"
    write_nir(two_layers(0.3), path)
    words = ["network", "why", str(path), "--silent", "--input", str(spikes)]
    assert cli.main(words) == 1
    said = capsys.readouterr().out
    assert "b: weights miss the threshold" in said
    assert "bring the first spike" in said
    assert cli.main([*words, "--json"]) == 1
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert finding["node"] == "b"
    assert finding["cause"] == "weights miss the threshold"
    # Two spikes of 0.3, three ticks apart: 0.3 * 0.95**3 + 0.3 = 0.557 of 0.9.
    assert finding["figures"]["ratio"] == pytest.approx(0.557 / 0.9, rel=0.02)
    assert finding["figures"]["weight_factor"] == pytest.approx(0.9 / 0.557, rel=0.02)
    write_nir(two_layers(0.3 * finding["figures"]["weight_factor"] * 1.02), path)
    assert cli.main(words) == 0


def test_why_says_what_does_not_fit_the_integers(
    tmp_path: Path, spikes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "reset.nir"
    write_nir(two_layers(reset=0.5), path)
    assert cli.main(["network", "why", str(path), "--silent", "--input", str(spikes)]) == 1
    said = capsys.readouterr().out
    assert "does not fit the integers" in said
    assert "node 'b': v_reset must equal v_leak" in said


def test_why_asks_for_silence_unless_told_otherwise(
    network: Path, spikes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    for words in ([], ["--silent"]):
        code = cli.main(["network", "why", str(network), *words, "--input", str(spikes)])
        said.append((code, capsys.readouterr()))
    assert said[0] == said[1]
    assert said[0][1].out


def test_why_says_that_the_input_has_other_channels(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.npz"
    np.savez(path, tick=np.array([0, 1]), channel=np.array([0, 3]), ticks=np.int64(10))
    assert cli.main(["network", "why", str(network), "--silent", "--input", str(path)]) == 1
    assert "the network has 3: in 0..2 (3)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["why", "--silent"], "FILE is missing"),
        (["why"], "FILE is missing: name a network, or ask --running"),
        (["why", "nothing.nir", "--silent"], "no network 'nothing.nir'"),
        (["why", "arm_tracker", "--silent", "--ticks", "0"], "--ticks 0: must be 1 to"),
        (["why", "arm_tracker", "--silent", "--bag", "/nowhere.mcap"], "/nowhere.mcap"),
        (["why", "--silent", "--running", "--seconds", "0"], "--seconds 0"),
        (["profile", "arm_tracker", "--input", "/nowhere.npz"], "/nowhere.npz"),
        (["debug", "nothing.nir"], "no network 'nothing.nir'"),
    ],
)
def test_what_cannot_be_asked_is_one_line_and_exit_code_2(
    words: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["network", *words]) == 2
    said = capsys.readouterr().err
    assert why in said
    assert said.count("\n") == 1


# Recorded events


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Two events a tick at (x, y) = (1, 2) and (3, 0), the second with polarity on, for 20 ms."""
    t_ns = np.repeat(np.arange(20, dtype=np.int64) * 1_000_000 + 5_000_000_000, 2)
    events = Events(
        t_ns,
        np.tile([1, 3], 20).astype(np.uint16),
        np.tile([2, 0], 20).astype(np.uint16),
        np.tile([0, 1], 20).astype(np.uint8),
        4,
        4,
    )
    path = tmp_path / "events.npz"
    write(path, [events], (4, 4))
    return path


@pytest.fixture
def camera_network(tmp_path: Path) -> Path:
    nodes = {
        "other": Input((5,)),
        "eye": Input((2, 4, 4)),
        "flat": Flatten(),
        "w": Linear(np.full((3, 32), 0.4)),
        "v": Linear(np.full((3, 5), 0.4)),
        "n": LIF.with_unit_gain((3,), dt_s=DT, tau_s=0.02),
        "out": Output((3,)),
    }
    edges = [("eye", "flat"), ("flat", "w"), ("w", "n"), ("other", "v"), ("v", "n"), ("n", "out")]
    path = tmp_path / "eye.nir"
    write_nir(Network(nodes, edges, DT), path)
    return path


def test_events_go_into_the_input_that_has_their_shape(
    camera_network: Path, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["network", "debug", str(camera_network), "--bag", str(recording)]
    assert cli.main([*words, "--commands", "inputs; run"]) == 0
    said = capsys.readouterr().out
    # (polarity, row, column): 0 * 16 + 2 * 4 + 1 and 1 * 16 + 0 * 4 + 3.
    assert "eye: 9, 19" in said
    assert "tick 19 of 0..19 done" in said
    assert cli.main([*words, "--ticks", "5", "--commands", "run"]) == 0
    assert "tick 4 of 0..4 done" in capsys.readouterr().out


def test_the_cameras_topic_is_taken_of_a_recording_with_others(
    camera_network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def packet(topic: str, x: int) -> Packet:
        zero = np.zeros(1, np.uint16)
        one = Events(np.zeros(1, np.int64), zero + np.uint16(x), zero, zero.astype(np.uint8), 4, 4)
        payload, base = encode_mono(one)
        return Packet(topic, 0, base, 0, "mono", 4, 4, False, payload)

    path = tmp_path / "run.mcap"
    write_packets(path, [packet("/network/spikes", 1), packet("/event_camera/events", 2)])
    words = ["network", "debug", str(camera_network), "--bag", str(path), "--commands", "inputs"]
    assert cli.main(words) == 0
    assert "eye: 2" in capsys.readouterr().out
    assert cli.main([*words, "--topic", "/network/spikes"]) == 0
    assert "eye: 1" in capsys.readouterr().out


def test_why_does_not_blame_an_input_that_a_recording_is_not_for(
    camera_network: Path, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["network", "why", str(camera_network), "--silent", "--bag", str(recording)]
    assert cli.main(words) == 0
    assert "note: other: no input" in capsys.readouterr().out


def test_events_need_an_input_of_their_shape(
    network: Path, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["network", "profile", str(network), "--bag", str(recording)]) == 2
    assert "shape (2, rows, columns); the network has in (3,)" in capsys.readouterr().err


# profile


def test_profile_prints_writes_and_draws_what_the_engine_counts(
    network: Path, spikes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, picture = tmp_path / "profile.json", tmp_path / "profile.png"
    words = ["network", "profile", str(network), "--input", str(spikes)]
    assert cli.main([*words, "--json", str(figures), "--picture", str(picture)]) == 0
    said = capsys.readouterr().out
    # Three spikes pass one synapse each, and those of a, two of them, one more each.
    assert "5 synaptic operations" in said
    found = json.loads(figures.read_text())
    assert found["counters"]["synaptic_operations"] == 5
    assert {p["name"]: p["spikes"] for p in found["populations"]} == {"a": 2, "b": 2}
    assert image.imread(picture).size
