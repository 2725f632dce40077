# SPDX-License-Identifier: Apache-2.0
"""Lava itself, in its own process: every spike and every voltage is the engine's.

`make lava` (or `neuro_control backend setup lava`) brings it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuro_control.backends.parity import compare_with_engine
from neuro_control.backends.process_runner import ProcessRunner
from neuro_control.backends.random_networks import random_convolution, random_network
from neuro_control.backends.registry import BackendSettings, choose_runner, lava_python
from neuro_control.backends.shadow import ShadowRunner
from neuro_control.backends.shadowed import ShadowState
from neuro_control.backends.trust import ShadowSettings
from neuro_control.backends.worker_process import BackendError, RefusedError, worker_command
from neuro_control.control.arm import load_network
from neuro_control.network import FixedNetwork, FixedPopulation, FixedProjection, Port
from neuro_control.worker.protocol import DTYPES, Kind, Message

try:
    LAVA = worker_command(lava_python(), "lava")
except BackendError as error:
    pytest.skip(f"{error}", allow_module_level=True)


def segments(runner: ProcessRunner) -> set[str]:
    """Shared memory of this one: other tests have theirs at the same time."""
    return {path.name for path in Path("/dev/shm").glob(f"{runner.process.prefix}*")}


def descendants(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == pid:
            found.append(int(path.parent.name))
    return found


RECORDED = {"record_membranes": True}


# More, and the shipped ones, by `neuro_control backend check lava` (see test_backend_command).
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("make", [random_network, random_convolution])
def test_random_networks_are_equal_in_spikes_membranes_and_state(make, seed: int) -> None:
    network = make(seed)
    runner = ProcessRunner(network, LAVA, "lava", RECORDED)
    found = compare_with_engine(runner, network, 200, seed=seed, activity=0.3, batch=20)
    runner.close()
    assert found.exact, found
    assert found.membranes == 200 * network.n_neurons


@pytest.mark.parametrize("seed", [1, 5])
def test_lavas_own_processes_give_the_same(seed: int) -> None:
    network = random_network(seed)
    runner = ProcessRunner(network, LAVA, "lava", RECORDED | {"lava_processes": True})
    found = compare_with_engine(runner, network, 60, seed=seed, activity=0.3)
    assert len(descendants(runner.process.pid)) > len(network.populations)
    runner.close()
    assert found.exact, found
    assert found.membranes > 0


def test_the_arms_network_is_equal() -> None:
    network = load_network("arm_tracker.nir")
    runner = ProcessRunner(network, LAVA, "lava", RECORDED)
    found = compare_with_engine(runner, network, 100, activity=0.03)
    runner.close()
    assert found.exact, found
    assert found.spikes > 0


def test_the_spikes_of_a_real_chip(shared_data: Path) -> None:
    trace = np.loadtxt(shared_data / "loihi_lif" / "lif_lava_loihi_fixed.csv", delimiter=",")
    lif = FixedPopulation("n", (1,), 0, np.full(1, 4095), np.full(1, 163), np.full(1, 25), 0)
    synapse = FixedProjection.from_matrix("in", "n", [[10]])
    network = FixedNetwork(
        (lif,), (synapse,), {"in": Port(0, 1, (1,))}, {"out": Port(0, 1, (1,))}, {"out": "n"}, 1e-3
    )
    runner = ProcessRunner(network, LAVA, "lava", RECORDED)
    offsets = np.concatenate([[0], np.cumsum(trace[:, 0])]).astype(np.int64)
    _, ends = runner.run(np.zeros(offsets[-1], np.int32), offsets)
    membranes = runner.last.membranes
    runner.close()
    np.testing.assert_array_equal(np.diff(ends), trace[:, 2])
    assert np.flatnonzero(np.diff(ends)).tolist() == [461, 511, 711, 761]
    # The chip reads 128 out where the model has reset to 0; else every voltage is the same.
    odd = np.flatnonzero(membranes[:, 0] != trace[:, 1])
    assert odd.tolist() == [461, 511, 711, 761]


def test_calls_of_any_length_give_the_same_spikes() -> None:
    network = random_network(4)
    runner = ProcessRunner(network, LAVA, "lava")
    # 300 ticks in one call are more than Lava is given at once.
    found = compare_with_engine(runner, network, 300, batch=300)
    again = compare_with_engine(reset(runner), network, 21, batch=1, states_every=5)
    runner.close()
    assert found.exact
    assert again.exact


def reset(runner: ProcessRunner) -> ProcessRunner:
    runner.reset()
    return runner


def test_a_state_of_the_engine_goes_on_in_lava() -> None:
    from neuro_control.backends import CpuRunner

    network = random_network(4)
    engine = CpuRunner(network)
    rng = np.random.default_rng(0)
    n = sum(port.size for port in network.inputs.values())
    given = [np.flatnonzero(rng.random(n) < 0.3).astype(np.int32) for _ in range(60)]
    for active in given[:30]:
        engine.step(active)
    runner = ProcessRunner(network, LAVA, "lava")
    runner.restore(engine.state())
    for active in given[30:]:
        assert np.array_equal(runner.step(active), engine.step(active))
    beyond = dataclasses.replace(engine.state(), membrane=np.full(network.n_neurons, 1 << 40))
    with pytest.raises(RefusedError, match="membrane holds what Lava's 32 bits cannot"):
        runner.restore(beyond)
    assert runner.state() == engine.state()
    runner.close()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"refractory": 3}, "'n0': Lava's fixed-point LIF has no refractory time"),
        ({"threshold_step": 5}, "'n0': Lava's fixed-point LIF has no adaptive threshold"),
    ],
)
def test_what_lava_cannot_do_is_refused_by_name(change: dict[str, int], message: str) -> None:
    network = random_network(0)
    first = dataclasses.replace(network.populations[0], **change)
    other = dataclasses.replace(network, populations=(first, *network.populations[1:]))
    with pytest.raises(RefusedError, match=message):
        ProcessRunner(other, LAVA, "lava")
    with pytest.raises(RefusedError, match=message):
        choose_runner(other, BackendSettings(backend="lava"))


def test_loihi_without_a_chip_says_what_is_missing() -> None:
    with pytest.raises(BackendError, match=r"lava-loihi.*not installed"):
        choose_runner(random_network(0), BackendSettings(backend="loihi"))


def test_auto_without_a_chip_is_the_cpu_and_says_why() -> None:
    chosen = choose_runner(random_network(0), BackendSettings())
    assert chosen.runner.name == "cpu"
    assert "lava-loihi" in chosen.reason


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("end", ["close", "kill", "kill the worker, then close"])
def test_nothing_is_left(end: str, own: bool) -> None:
    network = random_network(2)
    runner = ProcessRunner(network, LAVA, "lava", {"lava_processes": own})
    compare_with_engine(runner, network, 10)
    processes = descendants(runner.process.pid)
    assert (len(processes) > 3) is own
    assert bool(segments(runner)) is own
    if end != "close":
        os.kill(runner.process.pid, signal.SIGKILL)
    if end == "kill":
        with pytest.raises(BackendError):
            compare_with_engine(runner, network, 10)
    runner.close()
    limit = time.monotonic() + 30
    while any(running(pid) for pid in processes):
        assert time.monotonic() < limit, "processes of Lava live on"
        time.sleep(0.01)
    assert not segments(runner)


def test_nothing_is_left_when_the_host_is_killed() -> None:
    """Though all of Lava's processes are stopped: none sees anything, or can do anything."""
    program = (
        "import time\n"
        "from neuro_control.backends.process_runner import ProcessRunner\n"
        "from neuro_control.backends.random_networks import random_network\n"
        f"runner = ProcessRunner(random_network(2), {LAVA!r}, 'lava', {{'lava_processes': True}})\n"
        "print(runner.process.pid, runner.process.prefix, flush=True)\n"
        "time.sleep(600)\n"
    )
    host = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    pid, prefix = host.stdout.readline().split()
    processes = descendants(int(pid))
    assert len(processes) > 3
    assert list(Path("/dev/shm").glob(f"{prefix}*"))
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    host.kill()
    host.wait()
    host.stdout.close()
    try:
        limit = time.monotonic() + 30
        while any(running(pid) for pid in processes) or list(Path("/dev/shm").glob(f"{prefix}*")):
            assert time.monotonic() < limit, "processes of Lava live on, or their shared memory"
            time.sleep(0.01)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(int(pid), signal.SIGKILL)


def test_two_controllers_on_one_machine_do_not_meet() -> None:
    networks = [random_network(1), random_network(5)]
    runners = [ProcessRunner(network, LAVA, "lava", RECORDED) for network in networks]
    for ticks in (20, 20):
        for runner, network in zip(runners, networks, strict=True):
            runner.reset()
            assert compare_with_engine(runner, network, ticks).exact
    os.kill(runners[0].process.pid, signal.SIGKILL)
    runners[0].close()
    runners[1].reset()
    assert compare_with_engine(runners[1], networks[1], 20).exact
    runners[1].close()


def test_questions_of_any_kind_do_not_break_it() -> None:
    network = random_network(4)
    runner = ProcessRunner(network, LAVA, "lava")
    process = runner.process
    rng = np.random.default_rng(0)
    kinds = [kind for kind in Kind if kind is not Kind.STOP]
    refused = 0
    for _ in range(300):
        kind = kinds[rng.integers(len(kinds))]
        message = Message(kind, process.next_sequence())
        if kind in (Kind.STEP, Kind.SPIKES):
            message = message._replace(body=rng.bytes(int(rng.integers(0, 100))))
        else:
            names = rng.choice(["current", "membrane", "pending", "du.0", "x"], 2)
            shape = rng.integers(0, 4, rng.integers(0, 3))
            arrays = {str(name): np.ones(shape, rng.choice(DTYPES)) for name in names}
            fields = {"populations": [[1, 2]], "options": "x", "inputs": rng.integers(3).item()}
            message = message._replace(fields=fields, arrays=arrays)
        try:
            process.wait(process.ask(message), 30.0)
        except RefusedError:
            refused += 1
    assert refused > 200
    runner.reset()
    assert compare_with_engine(runner, network, 30).exact
    runner.close()


BOARDS = """
import importlib.util, json, os, sys
from lava.utils import loihi, slurm
folder = sys.argv[1]
spec = importlib.util.spec_from_file_location("w", folder + "/__init__.py",
                                              submodule_search_locations=[folder])
module = importlib.util.module_from_spec(spec); sys.modules["w"] = module
spec.loader.exec_module(module)
board = importlib.import_module("w.board")
keys = ("SLURM", "BOARD", "PARTITION", "LOIHI_GEN", "NXSDKHOST")
for options, path in json.loads(sys.argv[2]):
    # What is chosen is kept in the environment of a process: one for each.
    if os.fork():
        os.wait()
        continue
    os.environ["PATH"] = path
    found = {"missing": board.missing()}
    try:
        found["chosen"] = board.choose(options)
    except board.RefusalError as error:
        found["refused"] = str(error)
    found["environment"] = {key: os.environ[key] for key in keys if key in os.environ}
    probes, found["notes"] = board.probes(["power", "time"])
    found["measured"] = board.measured(probes)
    print(json.dumps(found), flush=True)
    os._exit(0)
"""
SINFO = """#!/bin/sh
if [ "$1" = -N ]; then
  echo 'NODELIST NODES PARTITION STATE'; echo 'ncl-01 1 oheogulch idle'; echo 'ncl-02 1 kp down'
else
  echo 'PARTITION AVAIL TIMELIMIT NODES STATE NODELIST'; echo 'oheogulch up 1:00 1 idle ncl-01'
fi
"""
EXTENSION = """
class Loihi2Power:
    def __init__(self, num_steps):
        self.total_power, self.unit = [0.5, 1.5], "W"
    @property
    def vdd_power(self):
        raise RuntimeError("not run yet")
"""


LOOKED_FOR = [
    ({}, False, {"chosen": "as the environment says"}),
    ({}, True, {"chosen": "slurm", "environment": {"SLURM": "1", "LOIHI_GEN": "N3B3"}}),
    (
        {"board": "ncl-01", "generation": "N3C1"},
        True,
        {
            "chosen": "slurm, board ncl-01",
            "environment": {"SLURM": "1", "LOIHI_GEN": "N3C1", "BOARD": "ncl-01"},
        },
    ),
    ({"partition": "oheogulch"}, True, {"chosen": "slurm, partition oheogulch"}),
    ({"board": "ncl-02"}, True, {"refused": "down"}),
    ({"partition": "nowhere"}, True, {"refused": "nowhere"}),
    ({"board": "ncl-01"}, False, {"refused": "no sinfo on the path"}),
    ({"host": "192.0.2.1"}, False, {"refused": "192.0.2.1"}),
    ({"host": "a", "board": "b"}, True, {"refused": "exclude each other"}),
    ({"generation": "N9"}, False, {"refused": "none of N2A2, N3B2, N3B3"}),
]


@pytest.fixture(scope="module")
def looked_for(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What was found for each of `LOOKED_FOR`.

    The extension is a stand-in with what its published tutorials use; Lava's part is Lava's.
    """
    folder = tmp_path_factory.mktemp("boards")
    nothing, programs, extension = (folder / name for name in ("nothing", "bin", "site"))
    for made in (nothing, programs, extension / "lava" / "utils"):
        made.mkdir(parents=True)
    (extension / "lava" / "utils" / "loihi2_profiler.py").write_text(EXTENSION)
    (programs / "sinfo").write_text(SINFO)
    (programs / "sinfo").chmod(0o755)
    # No ping, no sinfo but ours.
    cases = [(options, str(programs if slurm else nothing)) for options, slurm, _ in LOOKED_FOR]
    done = subprocess.run(
        [LAVA[0], "-c", BOARDS, str(Path(LAVA[3])), json.dumps(cases)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(nothing), "PYTHONPATH": str(extension)},
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(found) == len(LOOKED_FOR), done.stderr
    return found


@pytest.mark.parametrize("case", range(len(LOOKED_FOR)))
def test_a_board_is_looked_for_with_lavas_own_detection(looked_for, case: int) -> None:
    found, expected = looked_for[case], LOOKED_FOR[case][2]
    assert found["missing"] == ""
    for key, value in expected.items():
        assert value in found.get(key, "") if isinstance(value, str) else found[key] == value, found
    # One probe is there and needs an argument, one of its values cannot be read; one is missing.
    assert found["measured"]["power"]["total_power"] == {"mean": 1.0, "max": 1.5, "n": 2}
    assert "not run yet" in found["measured"]["power"]["vdd_power"]
    assert found["notes"] == [
        "no probe of time: AttributeError: module 'lava.utils.loihi2_profiler' has no attribute "
        "'Loihi2ExecutionTime'"
    ]


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_killed_lava_is_replaced_and_rejoins() -> None:
    network = random_network(4)
    made: list[ProcessRunner] = []

    def make() -> ProcessRunner:
        made.append(ProcessRunner(network, LAVA, "lava"))
        return made[-1]

    shadow = ShadowRunner(network, make, "lava", ShadowSettings(deadline_s=30, hang_s=60))
    found = compare_with_engine(shadow, network, 20)
    os.kill(made[0].process.pid, signal.SIGKILL)
    assert found.exact
    limit = time.monotonic() + 60
    n = sum(port.size for port in network.inputs.values())
    while not (shadow.totals.restarts == 1 and shadow.status is ShadowState.IN_STEP):
        shadow.step(np.arange(n, dtype=np.int32))
        assert time.monotonic() < limit, list(map(str, shadow.faults))
        # Lava takes milliseconds for a tick: asked for more in a second, it would not catch up.
        time.sleep(0.03)
    for _ in range(30):
        shadow.step(np.arange(0, n, 2, dtype=np.int32))
    assert made[1].state() == shadow.state()
    assert shadow.totals.spikes_differing == 0
    assert len(shadow.faults) == 1
    shadow.close()
