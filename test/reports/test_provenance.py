# SPDX-License-Identifier: Apache-2.0
"""Where a figure comes from."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy
import pytest

import neuro_control
from neuro_control.reports.provenance import commit, machine, versions


def test_versions_are_those_that_run() -> None:
    found = versions("no-such-package")
    assert found["neuro_control"] == neuro_control.__version__
    assert found["numpy"] == numpy.__version__
    assert found["no-such-package"] == "not installed"
    assert {"python", "system", "cpu", "mujoco", "numba", "ros-rclpy", "commit"} <= set(found)
    assert "cores" in machine()["cpu"]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for words in (
        ("init", "-q"),
        ("add", "package"),
        ("-c", "user.name=n", "-c", "user.email=e@example.org", "commit", "-q", "-m", "m"),
    ):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    return package


def test_the_commit_says_whether_files_differ_from_it(clone: Path) -> None:
    name = commit(clone)
    assert name is not None
    assert len(name) == 12
    (clone / "notes.txt").write_text("mine")
    assert commit(clone) == name
    (clone / "__init__.py").write_text("x = 1\n")
    assert commit(clone) == f"{name}, changed"


def test_an_installed_package_has_no_commit(clone: Path, tmp_path: Path) -> None:
    installed = clone / "site-packages" / "package"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("")
    assert commit(installed) is None
