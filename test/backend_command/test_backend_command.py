# SPDX-License-Identifier: Apache-2.0
"""`neuro_control backend`: set up, proven, and refused with a reason."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from neuro_control.backend_command import check, setup
from neuro_control.backends.parity import compare_with_engine
from neuro_control.backends.random_networks import random_network
from neuro_control.backends.registry import BackendSettings, choose_runner, lava_python
from neuro_control.backends.worker_process import BackendError
from neuro_control.cli import main
from neuro_control.robots.description import share_directory


@pytest.fixture
def lava() -> Path:
    try:
        return lava_python()
    except BackendError as error:
        pytest.skip(str(error))


def test_check_compares_every_network_and_writes_a_report(lava, tmp_path, capsys) -> None:
    report = tmp_path / "lava.json"
    words = ["backend", "check", "lava", "--networks", "4", "--ticks", "20", "--jobs", "2"]
    assert main([*words, "--report", str(report)]) == 0
    out = capsys.readouterr().out
    found = json.loads(report.read_text())
    shipped = [path.name for path in sorted((share_directory() / "config/networks").glob("*.nir"))]
    named = ["random 0", "random 1", "random 2", "random convolution 3"]
    assert [row["network"] for row in found["networks"]] == [*shipped, *named]
    n = len(shipped) + len(named)
    assert f"{n} of {n} networks equal, 0 not, 0 refused, 0 failed; {n * 20} ticks" in out
    assert "membranes compared, 0 and 0 differ" in out
    assert all(
        row["ticks"] == 20
        and row["spikes_differing"] == row["membranes_differing"] == 0
        and row["membranes"] > 0
        for row in found["networks"]
    )
    assert found["worker"]["versions"]["lava-nc"] == "0.10.0"
    assert found["machine"]
    assert found["worker"]["python"]


def test_list_names_what_is_there_and_what_the_rest_lacks(lava, capsys) -> None:
    assert main(["backend", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("cpu     yes")
    assert lines[1].startswith("lava    yes  Python 3.")
    assert lines[2].startswith("loihi   no ")
    assert "lava-loihi" in lines[2]


def test_a_set_up_that_is_there_is_only_tried(lava, capsys) -> None:
    if not setup.is_made(lava.parents[1]):
        pytest.skip("Lava was not set up by this release")
    assert main(["backend", "setup", "lava"]) == 0
    assert "is there already" in capsys.readouterr().out


def test_a_network_that_breaks_the_backend_is_a_row_of_the_report(
    emulated, tmp_path, capsys
) -> None:
    """The untried path of a board breaks somewhere, and its owner has one command to say where."""
    report = tmp_path / "board.json"
    words = ["backend", "check", "loihi", "--networks", "2", "--ticks", "4", "--report"]
    emulated("--fault", "failed")
    assert main([*words, str(report)]) == 1
    found = json.loads(report.read_text())
    assert [row["network"] for row in found["networks"]] == ["random 0", "random 1"]
    for row in found["networks"]:
        assert row["failed"].startswith("it broke: RuntimeError: the chip is too hot"), row
    assert found["worker"]["backend"] == "emulated"
    out = capsys.readouterr().out
    assert "failed: it broke: RuntimeError: the chip is too hot" in out
    assert "loihi: 0 of 2 networks equal, 0 not, 0 refused, 2 failed; 0 ticks" in out


def test_what_breaks_at_loading_or_measuring_is_in_the_report_too(emulated, tmp_path) -> None:
    report = tmp_path / "board.json"
    words = ["backend", "check", "loihi", "--networks", "1", "--ticks", "4", "--report"]
    emulated("--fault", "load")
    assert main([*words, str(report)]) == 1
    (row,) = json.loads(report.read_text())["networks"]
    assert row["failed"].startswith("it broke: NameError: a_buff")
    emulated("--fault", "probe")
    assert main([*words, str(report)]) == 0
    (row,) = json.loads(report.read_text())["networks"]
    assert row["exact"]
    assert row["measured"]["failed"].startswith("it broke: KeyError: 'power'")


def test_ctrl_c_ends_what_runs_and_the_report_has_what_was_found(
    emulated, monkeypatch, tmp_path, capsys
) -> None:
    report, stopped, pids = tmp_path / "board.json", threading.Semaphore(0), []

    def compare(runner, network, *rest, **options):
        if network.fingerprint() != random_network(0).fingerprint():
            pids.append(runner.process.pid)
            os.kill(pids[-1], signal.SIGSTOP)
            stopped.release()
        return compare_with_engine(runner, network, *rest, **options)

    def interrupt() -> None:
        for _ in range(2):
            stopped.acquire()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    emulated()
    monkeypatch.setattr(check, "compare_with_engine", compare)
    person = threading.Thread(target=interrupt)
    person.start()
    words = ["--networks", "4", "--ticks", "4", "--jobs", "2", "--report", str(report)]
    assert main(["backend", "check", "loihi", *words]) == 130
    person.join()
    first, *rest = json.loads(report.read_text())["networks"]
    assert first["exact"]
    assert [(row["network"], row["interrupted"]) for row in rest] == [
        (f"random {n}", True) for n in (1, 2, 3)
    ]
    out = capsys.readouterr().out
    assert "1 of 4 networks equal, 0 not, 0 refused, 0 failed, 3 interrupted" in out
    assert "\n  no membrane was compared tick by tick" in out
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


EMULATOR = Path(__file__).parents[1] / "backends" / "board_emulator.py"


@pytest.fixture
def emulated(monkeypatch):
    """The emulated board where a backend's process would be, and small networks for it."""

    def be(*words: str) -> None:
        command = [sys.executable, str(EMULATOR), "--dense", *words]
        for module in (check, setup):
            monkeypatch.setattr(module, "worker_command", lambda *_: command)
        monkeypatch.setattr(check, "lava_python", lambda *_: Path(sys.executable))
        monkeypatch.setattr(check, "subjects", small)

    def small(count: int, seed: int) -> list[check.Subject]:
        numbers = range(seed, seed + count)
        return [check.Subject(f"random {n}", random_network(n), 0.3) for n in numbers]

    return be


def test_pip_does_not_count_what_the_caller_alone_can_import(monkeypatch, tmp_path) -> None:
    seen = []

    def run(words: list[str], env: dict[str, str], **_: object):
        seen.append(env)
        return subprocess.CompletedProcess(words, 0, setup.VERSIONS[0], "")

    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.setattr("subprocess.run", run)
    folder = tmp_path / "lava"
    setup.make(folder, "python")
    assert len(seen) == 4
    assert not any("PYTHONPATH" in env for env in seen)
    assert all(env["PATH"] == os.environ["PATH"] for env in seen)


def test_what_says_hello_and_steps_nothing_does_not_work(emulated, tmp_path) -> None:
    emulated("--fault", "failed")
    with pytest.raises(BackendError, match="it broke: RuntimeError: the chip is too hot"):
        setup.prove(tmp_path / "python", "lava")
    emulated("--fault", "wrong", "--at", "1")
    with pytest.raises(BackendError, match="not as the engine: tick 0: neuron"):
        setup.prove(tmp_path / "python", "lava")


def made(folder: Path) -> Path:
    """A folder that looks as if `setup.make` had come to its end."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    (folder / setup.STAMP).write_text(json.dumps([setup.LAVA, *setup.NEEDS]))
    return folder


@pytest.fixture
def broken_once(monkeypatch, tmp_path):
    """An environment that is there, but whose network breaks until `make` has made it anew."""
    folder, makers = made(tmp_path / "lava"), []
    (folder / "broken").touch()

    def prove(python: Path, name: str) -> dict[str, str]:
        if (python.parents[1] / "broken").exists():
            raise BackendError("it broke: ModuleNotFoundError: No module named 'networkx'")
        return {"lava-nc": "0.10.0"}

    def make(where: Path, python: str) -> None:
        makers.append(python)
        made(where)

    monkeypatch.setattr(setup, "prove", prove)
    monkeypatch.setattr(setup, "make", make)
    return folder, makers


def test_a_set_up_that_is_there_and_broken_is_made_anew(broken_once, capsys) -> None:
    folder, makers = broken_once
    assert main(["backend", "setup", "lava", "--folder", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "it does not work (it broke: ModuleNotFoundError: No module named 'networkx')" in out
    assert "lava works: lava-nc 0.10.0" in out
    assert makers == [str(Path(sys.executable).resolve())]
    assert [path.name for path in folder.parent.iterdir()] == ["lava"]


def test_what_to_do_next_is_said_so_that_it_can_be_typed_anywhere(
    monkeypatch, tmp_path, capsys
) -> None:
    made(tmp_path / "a place" / "lava")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(setup, "prove", lambda *_: {})
    assert main(["backend", "setup", "lava", "--folder", "a place/lava"]) == 0
    *_, tell, prove = capsys.readouterr().out.splitlines()
    python = str(tmp_path / "a place" / "lava" / "bin" / "python")
    assert shlex.split(tell)[-1] == f"backend_python:={python}"
    words = shlex.split(prove.removeprefix("prove it: "))
    assert words == ["neuro_control", "backend", "check", "lava", "--python", python]
    made(tmp_path / "neuro_control" / "backends" / "lava")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert main(["backend", "setup", "lava"]) == 0
    *_, prove = capsys.readouterr().out.splitlines()
    assert prove == "prove it: neuro_control backend check lava"


def test_what_cannot_be_made_anew_is_left_as_it_was(broken_once, monkeypatch, capsys) -> None:
    folder, _ = broken_once

    def offline(where: Path, python: str) -> None:
        where.mkdir()
        raise BackendError(f"{setup.LAVA} failed: no network")

    monkeypatch.setattr(setup, "make", offline)
    assert main(["backend", "setup", "lava", "--folder", str(folder)]) == 2
    assert "failed: no network" in capsys.readouterr().err
    assert setup.is_made(folder)
    assert (folder / "broken").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["lava"]


def test_nothing_beside_an_environment_that_is_made_anew_is_touched(broken_once) -> None:
    folder, _ = broken_once
    (folder.parent / "lava.old").mkdir()
    (folder.parent / "lava.old" / "thesis.txt").touch()
    assert main(["backend", "setup", "lava", "--folder", str(folder)]) == 0
    assert (folder.parent / "lava.old" / "thesis.txt").exists()
    assert sorted(path.name for path in folder.parent.iterdir()) == ["lava", "lava.old"]


def test_a_link_to_an_environment_stays_one(broken_once) -> None:
    folder, _ = broken_once
    link = folder.parent / "link"
    link.symlink_to(folder)
    assert main(["backend", "setup", "lava", "--folder", str(link)]) == 0
    assert link.is_symlink()
    assert setup.is_made(folder)
    assert not (folder / "broken").exists()


def test_an_environment_whose_python_is_gone_is_made_with_another(broken_once, monkeypatch) -> None:
    folder, makers = broken_once
    (folder / "bin" / "python").unlink()
    (folder / "bin" / "python").symlink_to("/bin/false")
    monkeypatch.setattr(setup, "find_python", lambda: "/another/python")
    assert main(["backend", "setup", "lava", "--folder", str(folder)]) == 0
    assert makers == ["/another/python"]


def test_without_lava_check_says_how_to_have_it(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert main(["backend", "check", "lava"]) == 2
    assert "neuro_control backend setup lava" in capsys.readouterr().err
    assert main(["backend", "list"]) == 0
    assert "lava    no   Lava is not set up" in capsys.readouterr().out


def test_loihi_without_a_chip_says_what_is_missing(lava, capsys) -> None:
    assert main(["backend", "check", "loihi"]) == 2
    assert "lava-loihi" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check", "lava", "--ticks", "0"], "--ticks must be at least 1, not 0"),
        (["check", "lava", "--networks", "-1"], "--networks must be at least 0"),
        (["check", "lava", "--seed", "-1"], "--seed must be at least 0, not -1"),
        (["check", "lava", "--host", "10.0.0.1"], "--host: of a board, and lava steps on none"),
        (["check", "lava", "--board", "x", "--no-probes"], "--board, --no-probes: of a board"),
        (["check", "lava", "--jobs", "0"], "--jobs must be at least 1"),
        (["check", "lava", "--report", "/nowhere/x.json"], "--report /nowhere/x.json cannot be"),
        (["check", "lava", "--python", "/nowhere/python"], "--python /nowhere/python is no file"),
        (["check", "lava", "--python", "/bin/ls"], "--python /bin/ls: /bin/ls ended without a"),
        (["setup", "lava", "--python", "/nowhere/python", "--folder", "x"], "no Python that runs"),
    ],
)
def test_a_mistake_is_one_clear_line(words, message, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["backend", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_check_that_cannot_start_leaves_an_earlier_report_alone(tmp_path) -> None:
    earlier, other = tmp_path / "earlier.json", tmp_path / "other.json"
    earlier.write_text("weeks of work")
    for report in (earlier, other):
        words = ["check", "lava", "--python", "/bin/ls", "--report", str(report)]
        assert main(["backend", *words]) == 2
    assert earlier.read_text() == "weeks of work"
    assert not other.exists()


def test_the_first_python_that_runs_is_found(tmp_path, monkeypatch) -> None:
    """Stand-ins for all that a version manager knows are on the path, and need not run."""
    for folder, name, script in (
        ("shims", "python3.10", "echo no such version >&2; exit 127"),
        ("shims", "python3.11", "echo 3.9"),
        ("bin", "python3.11", "echo 3.11"),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / folder / name).chmod(0o755)
    monkeypatch.setattr(setup, "_this_version", lambda: "3.13")
    monkeypatch.setenv("PATH", f"{tmp_path / 'shims'}:{tmp_path / 'bin'}")
    assert setup.find_python() == str(tmp_path / "bin" / "python3.11")
    monkeypatch.setenv("PATH", str(tmp_path / "shims"))
    with pytest.raises(BackendError, match=r"this is 3\.13, and none of them is on the path"):
        setup.find_python()


def test_a_folder_that_cannot_be_made_is_named(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BackendError, match=r"file/lava cannot be made.*--folder"):
        setup.make(tmp_path / "file" / "lava", setup.find_python())


def test_a_folder_of_other_things_is_left_alone(tmp_path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(BackendError, match="holds something else"):
        setup.make(tmp_path, setup.find_python())
    assert os.listdir(tmp_path) == ["thesis.tex"]  # noqa: PTH208


def mounted(tmp_path: Path, options: str, words: list[str], **environment: str):
    """Run `neuro_control` where a folder is a file system of its own, as root of a namespace."""
    where = tmp_path / "mounted"
    where.mkdir()
    inside = f"mount -t tmpfs -o {options} none {where} && exec " + shlex.join(
        [sys.executable, "-m", "neuro_control.cli", *words]
    )
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", str(where)]
    able = shutil.which("unshare") is not None
    if not able or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount in a namespace of their own")
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", inside],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


def test_a_full_disk_is_said_by_setup(tmp_path) -> None:
    folder = tmp_path / "mounted" / "lava"
    words = ["backend", "setup", "lava", "--folder", str(folder)]
    done = mounted(tmp_path, "size=2m", words)
    assert done.returncode == 2
    assert "no space left on device" in done.stderr
    assert f"takes {setup.DISK_MB}; --folder names another place" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_disk_that_fills_is_said_by_setup(monkeypatch, tmp_path) -> None:
    said = "WARNING: old\nERROR: Could not install: [Errno 28] No space left on device\nbye"
    answers = {"pip": (1, said), "venv": (0, ""), "-c": (0, "")}

    def run(words: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        code, text = next(answers[word] for word in words if word in answers)
        return subprocess.CompletedProcess(words, code, setup.VERSIONS[0], text)

    monkeypatch.setattr("subprocess.run", run)
    with pytest.raises(BackendError, match=r"lava-nc==0.10.0 failed: ERROR: .*No space left"):
        setup.make(tmp_path / "lava", "python")


def test_a_home_that_cannot_be_written_is_said_by_setup(tmp_path) -> None:
    home = str(tmp_path / "mounted")
    done = mounted(tmp_path, "ro", ["backend", "setup", "lava"], HOME=home, XDG_CACHE_HOME="")
    assert done.returncode == 2
    assert "Read-only file system" in done.stderr
    assert "--folder names another place" in done.stderr
    assert done.stderr.count("\n") == 1


def test_lava_runs_from_a_home_that_cannot_be_written(lava, tmp_path) -> None:
    home = str(tmp_path / "mounted")
    words = ["backend", "check", "lava", "--python", str(lava), "--networks", "1", "--ticks", "20"]
    done = mounted(tmp_path, "ro", words, HOME=home, XDG_CACHE_HOME="", TMPDIR=home)
    assert done.returncode == 0, done.stderr
    assert "2 of 2 networks equal" in done.stdout


def test_without_a_home_the_cpu_steps(monkeypatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    chosen = choose_runner(random_network(0), BackendSettings())
    assert chosen.runner.name == "cpu"
    assert "set HOME or XDG_CACHE_HOME" in chosen.reason


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("version", setup.VERSIONS)
def test_lava_is_set_up_and_proven_on_every_python_that_is_here(version, tmp_path, capsys) -> None:
    if not os.environ.get("NEURO_CONTROL_LAVA_PYTHONS"):
        pytest.skip("takes minutes: NEURO_CONTROL_LAVA_PYTHONS=1 has it done")
    python = next((found for found in pythons(version)), None)
    if python is None:
        pytest.skip(f"there is no Python {version} on this machine")
    folder = tmp_path / "lava"
    assert main(["backend", "setup", "lava", "--python", python, "--folder", str(folder)]) == 0
    words = ["--python", str(folder / "bin" / "python"), "--networks", "4", "--ticks", "50"]
    assert main(["backend", "check", "lava", *words]) == 0
    assert "5 of 5 networks equal" in capsys.readouterr().out


def pythons(version: str) -> Iterator[str]:
    """Interpreters of that version: on the path, and those of pyenv, whose shims may not run."""
    found = [shutil.which(f"python{version}")]
    root = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    found += [str(path) for path in root.glob(f"{version}*/bin/python")]
    for python in filter(None, found):
        done = subprocess.run([python, "-m", "venv", "--help"], capture_output=True, check=False)
        if done.returncode == 0:
            yield python
