# SPDX-License-Identifier: Apache-2.0
"""Lava itself, in its own process: every spike and every voltage is the engine's.

`make lava` (or `neuro_control backend setup lava`) brings it.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from neuro_control.backends.parity import compare_with_engine, random_network
from neuro_control.backends.process_runner import ProcessRunner
from neuro_control.backends.registry import BackendSettings, choose_runner, lava_python
from neuro_control.backends.shadow import ShadowRunner, ShadowSettings, ShadowState
from neuro_control.backends.worker_process import BackendError, RefusedError, worker_command
from neuro_control.control.arm import load_network
from neuro_control.network import FixedNetwork

try:
    LAVA = worker_command(lava_python(), "lava")
except BackendError as error:
    pytest.skip(f"{error}", allow_module_level=True)


def segments() -> set[str]:
    return {path.name for path in Path("/dev/shm").glob("neuro*")}


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


@pytest.mark.parametrize("seed", range(12))
def test_random_networks_are_equal_in_spikes_and_state(seed: int) -> None:
    network = random_network(seed)
    runner = ProcessRunner(network, LAVA, "lava")
    found = compare_with_engine(runner, network, 100, seed=seed, activity=0.3)
    runner.close()
    assert found.exact, found


def test_the_arms_network_is_equal() -> None:
    network = load_network("arm_tracker.nir")
    runner = ProcessRunner(network, LAVA, "lava")
    found = compare_with_engine(runner, network, 100, activity=0.01)
    runner.close()
    assert found.exact, found
    assert found.spikes > 0


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


def busy(network: FixedNetwork, runner: ProcessRunner) -> list[int]:
    compare_with_engine(runner, network, 10)
    processes = descendants(runner.process.pid)
    assert len(processes) > 3
    return processes


@pytest.mark.parametrize("end", ["close", "kill", "kill the worker, then close"])
def test_nothing_is_left(end: str) -> None:
    network = random_network(2)
    before = segments()
    runner = ProcessRunner(network, LAVA, "lava")
    processes = busy(network, runner)
    assert segments() > before
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
    assert segments() <= before


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
