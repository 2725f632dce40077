# SPDX-License-Identifier: Apache-2.0
"""`neuro_control backend`: set up, proven, and refused with a reason."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from neuro_control.backend_command import setup
from neuro_control.backends.registry import lava_python
from neuro_control.backends.worker_process import BackendError
from neuro_control.cli import main


@pytest.fixture
def lava() -> Path:
    try:
        return lava_python()
    except BackendError as error:
        pytest.skip(str(error))


def test_check_compares_every_network_and_writes_a_report(lava, tmp_path, capsys) -> None:
    report = tmp_path / "lava.json"
    words = ["backend", "check", "lava", "--networks", "2", "--ticks", "20"]
    assert main([*words, "--report", str(report)]) == 0
    assert "3 of 3 networks equal, 0 not, 0 refused" in capsys.readouterr().out
    found = json.loads(report.read_text())
    assert [row["network"] for row in found["networks"]] == [
        "arm_tracker.nir",
        "random 0",
        "random 1",
    ]
    assert all(row["ticks"] == 20 and row["spikes_differing"] == 0 for row in found["networks"])
    assert found["worker"]["versions"]["lava-nc"] == "0.10.0"


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
        (["setup", "lava", "--python", "/nowhere/python", "--folder", "x"], "no Python that runs"),
    ],
)
def test_a_mistake_is_one_clear_line(words, message, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["backend", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_folder_that_cannot_be_made_is_named(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BackendError, match=r"file/lava cannot be made.*--folder"):
        setup.make(tmp_path / "file" / "lava", setup.find_python())


def test_a_folder_of_other_things_is_left_alone(tmp_path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(BackendError, match="holds something else"):
        setup.make(tmp_path, setup.find_python())
    assert os.listdir(tmp_path) == ["thesis.tex"]  # noqa: PTH208
