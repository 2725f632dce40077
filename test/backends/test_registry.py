# SPDX-License-Identifier: Apache-2.0
"""A backend is chosen by name; who is chosen, and why, is said."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pytest

from neuro_control.backend_command.listing import listing
from neuro_control.backends import CpuRunner, RefusedError, ShadowRunner, registry
from neuro_control.backends.backend_report import report_backend
from neuro_control.backends.random_networks import random_network
from neuro_control.backends.registry import BackendSettings, choose_runner, installed
from neuro_control.backends.trust import ShadowSettings
from neuro_control.backends.worker_process import BackendError, worker_command
from neuro_control.bringup import BringupError, check_argument

EMULATOR = Path(__file__).with_name("board_emulator.py")
EXAMPLE = f"""
import sys
from neuro_control.backends import CpuRunner, ProcessRunner, RefusedError

class Counting(CpuRunner):
    name = "counting"

def counting(network, options):
    return Counting(network)

def board(network, options):
    return ProcessRunner(network, [sys.executable, {str(EMULATOR)!r}, "--dense"], "board")

def broken(network, options):
    raise ValueError("no cable")

def refusing(network, options):
    raise RefusedError("population 'x' has delays")

def nothing(network, options):
    pass

class Half(CpuRunner):
    name = "half"

    closed = 0

    def begin(self, indices, offsets):
        return 0

    def close(self):
        Half.closed += 1
        raise OSError("it is stuck")

def half(network, options):
    return Half(network)
"""


PATIENT = ShadowSettings(deadline_s=30.0, hang_s=60.0)


@pytest.fixture
def network():
    return random_network(1)


@pytest.fixture
def example(tmp_path, monkeypatch):
    """Somebody else's distribution, as pip would leave it."""
    (tmp_path / "example_backend.py").write_text(EXAMPLE)
    folder = tmp_path / "example_backend-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: example-backend\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(
        "[neuro_control.backends]\n"
        "counting = example_backend:counting\n"
        "board = example_backend:board\n"
        "missing = example_backend:missing\n"
        "no_driver = example_driver:make\n"
        "broken = example_backend:broken\n"
        "refusing = example_backend:refusing\n"
        "nothing = example_backend:nothing\n"
        "half = example_backend:half\n"
        "lava = example_backend:counting\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("example_backend", None)


@pytest.fixture
def no_lava(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "nothing here"))


def test_the_cpu_is_there_always(network, no_lava) -> None:
    chosen = choose_runner(network, BackendSettings(backend="cpu"))
    assert isinstance(chosen.runner, CpuRunner)
    assert report_backend(chosen.runner, chosen.reason).values == {
        "backend": "cpu",
        "backend_reason": "asked for",
    }


def test_auto_without_lava_is_the_cpu(network, no_lava) -> None:
    chosen = choose_runner(network, BackendSettings())
    assert isinstance(chosen.runner, CpuRunner)
    assert "Lava is not set up" in chosen.reason
    assert "neuro_control backend setup lava" in chosen.reason


@pytest.mark.parametrize("name", ["lava", "loihi"])
def test_what_is_asked_for_and_missing_is_refused(network, no_lava, name) -> None:
    with pytest.raises(BackendError, match="neuro_control backend setup lava"):
        choose_runner(network, BackendSettings(backend=name))


def test_an_interpreter_that_is_not_there_is_named(network) -> None:
    settings = BackendSettings(backend="lava", backend_python="/nowhere/python")
    with pytest.raises(BackendError, match="/nowhere/python"):
        choose_runner(network, settings)


@pytest.mark.parametrize("given", ["./python", "python", "~/python"])
def test_an_interpreter_is_the_one_at_its_path_and_no_other(given, tmp_path, monkeypatch) -> None:
    (tmp_path / "python").symlink_to(sys.executable)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    found = registry.lava_python(given)
    assert worker_command(found, "lava")[0] == str(tmp_path / "python")


def test_an_interpreter_of_nobodys_home_is_named() -> None:
    with pytest.raises(BackendError, match=r"~nobody-here/python cannot be looked at: .*home"):
        registry.lava_python("~nobody-here/python")


def test_an_interpreter_without_lava_is_named_and_what_would_be_right(network) -> None:
    says = rf"backend lava: backend_python {sys.executable}: .*No module named 'lava'; .* setup"
    settings = BackendSettings(backend="lava", backend_python=sys.executable)
    with pytest.raises(BackendError, match=says):
        choose_runner(network, settings)


@pytest.fixture
def a_chip(monkeypatch):
    """The emulated board where Lava's process would be."""

    def be(*words: str) -> None:
        command = [sys.executable, str(EMULATOR), "--dense", *words]
        monkeypatch.setattr(registry, "lava_python", lambda _: Path(sys.executable))
        monkeypatch.setattr(registry, "worker_command", lambda *_: command)

    return be


def test_auto_takes_a_chip_that_answers(network, a_chip) -> None:
    a_chip()
    chosen = choose_runner(network, BackendSettings())
    assert (chosen.runner.name, chosen.reason) == ("loihi with a shadow", "a chip answers")
    chosen.runner.close()


def test_auto_goes_on_with_the_cpu_where_the_chip_is_too_small(network, a_chip) -> None:
    a_chip("--fault", "neurons")
    chosen = choose_runner(network, BackendSettings())
    assert chosen.runner.name == "cpu"
    assert "128 neurocores" in chosen.reason
    with pytest.raises(RefusedError, match=r"backend loihi: .*128 neurocores"):
        choose_runner(network, BackendSettings(backend="loihi"))


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("backend_deadline_s", 0.021, "less than or equal to 0.02"),
        ("backend_hang_s", 0.02, "greater than or equal to 0.05"),
    ],
)
def test_no_step_waits_longer_than_an_arm_can_bear(name, value, right) -> None:
    with pytest.raises(ValueError, match=rf"{name}\n.*{right}"):
        BackendSettings(**{name: value})


def test_an_unknown_name_is_answered_with_the_nearest(network) -> None:
    with pytest.raises(ValueError, match=r"'lohi' is not known \(did you mean loihi\?\)"):
        choose_runner(network, BackendSettings(backend="lohi"))


def test_a_backend_of_others_is_found_by_its_entry_point(network, example) -> None:
    assert installed()["counting"] == "example_backend:counting"
    chosen = choose_runner(network, BackendSettings(backend="counting"))
    assert chosen.runner.name == "counting"
    assert check_argument("backend", "counting") == "counting"
    with pytest.raises(BringupError, match="backend:=countin"):
        check_argument("backend", "countin")


def test_a_backend_of_others_that_can_be_asked_ahead_is_shadowed(network, example) -> None:
    chosen = choose_runner(network, BackendSettings(backend="board"))
    runner = chosen.runner
    assert isinstance(runner, ShadowRunner)
    runner.settings = PATIENT
    engine = CpuRunner(network)
    for _ in range(20):
        assert np.array_equal(runner.step(np.arange(3)), engine.step(np.arange(3)))
    report = report_backend(runner, chosen.reason)
    assert report.values["backend_ticks_compared"] == 20
    assert not report.warning
    runner.close()
    bare = choose_runner(network, BackendSettings(backend="board", shadow=False)).runner
    assert bare.name == "board"
    bare.close()


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("missing", BackendError, r"example_backend:missing cannot be loaded: AttributeError: "),
        ("no_driver", BackendError, r"example_driver:make cannot be loaded: RuntimeError: no SDK"),
        ("broken", BackendError, r"example_backend:broken: ValueError: no cable"),
        ("refusing", RefusedError, r"population 'x' has delays"),
        ("nothing", BackendError, r"returns, NoneType, has no name, input_ports, .*membrane;"),
        ("half", BackendError, r"returns, Half, has no poll, begin_restore, poll_done; see"),
    ],
)
def test_a_backend_of_others_that_cannot_be_had_is_named(
    network, example, tmp_path, name, kind, says
) -> None:
    (tmp_path / "example_driver.py").write_text("raise RuntimeError('no SDK')")
    with pytest.raises(BackendError, match=rf"^backend {name}: .*{says}") as raised:
        choose_runner(network, BackendSettings(backend=name))
    assert type(raised.value) is kind


def test_what_is_not_taken_is_closed(network, example, caplog) -> None:
    with pytest.raises(BackendError, match="has no poll"):
        choose_runner(network, BackendSettings(backend="half"))
    assert sys.modules["example_backend"].Half.closed == 1
    assert "Half cannot be closed" in caplog.text


def test_what_cannot_be_shadowed_needs_less_where_nothing_is(network, example) -> None:
    chosen = choose_runner(network, BackendSettings(backend="half", shadow=False))
    assert chosen.runner.name == "half"


def test_a_name_of_ours_is_nobody_elses(network, example, no_lava, capsys) -> None:
    with pytest.raises(BackendError, match="Lava is not set up"):
        choose_runner(network, BackendSettings(backend="lava"))
    assert listing(argparse.Namespace()) == 0
    out = capsys.readouterr().out
    assert "lava    from example_backend:counting; never used: the name is one of" in out
    assert "board   from example_backend:board\n" in out
