# SPDX-License-Identifier: Apache-2.0
"""colcon takes the tree for an ament_python package, builds it, tests it, and it runs installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[1]
COLCON = Path(sys.executable).with_name("colcon")
PROGRAM = str(COLCON) if COLCON.exists() else shutil.which("colcon")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(PROGRAM is None, reason="no colcon here: make setup brings it"),
]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A colcon workspace with a copy of what is in the tree, and nothing that was built there."""
    root = tmp_path_factory.mktemp("colcon")
    built = (".*", "build", "install", "log", "out", "*.egg-info", "__pycache__")
    shutil.copytree(
        TREE, root / "src" / "neuro_control", ignore=shutil.ignore_patterns(*built), symlinks=True
    )
    return root


def colcon(workspace, *arguments):
    # A PYTHONPATH into the tree would hide what was not installed.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["PATH"] = os.pathsep.join([str(COLCON.parent), environment["PATH"]])
    done = subprocess.run(
        [PROGRAM, "--log-base", "log", *arguments],
        cwd=workspace,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(workspace):
    colcon(workspace, "build", "--executor", "sequential")
    return workspace / "install" / "neuro_control"


def test_it_is_an_ament_python_package(workspace):
    lines = colcon(workspace, "list").splitlines()
    assert [line.split("\t") for line in lines] == [
        ["neuro_control", "src/neuro_control", "(ros.ament_python)"]
    ]


def test_it_installs_where_ros_looks(installed):
    share = installed / "share"
    index = share / "ament_index" / "resource_index" / "packages"
    assert (index / "neuro_control").is_file()
    assert (share / "neuro_control" / "package.xml").is_file()
    for folder in ("config", "launch", "urdf"):
        wanted = {p.relative_to(TREE) for p in (TREE / folder).rglob("*.*") if p.is_file()}
        wanted = {path for path in wanted if "__pycache__" not in path.parts}
        assert all((share / "neuro_control" / path).is_file() for path in wanted)
    for program in (installed / "lib" / "neuro_control").iterdir():
        assert os.access(program, os.X_OK)


def test_the_installed_package_finds_its_own_files(installed):
    code = (
        "from neuro_control.robots.description import arm_urdf, share_directory;"
        "print(share_directory()); assert '<robot' in arm_urdf()"
    )
    libraries = next(installed.glob("lib/python3*/site-packages"))
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=installed,
        env={
            **os.environ,
            "PYTHONPATH": str(libraries),
            "AMENT_PREFIX_PATH": os.pathsep.join(
                [str(installed), os.environ.get("AMENT_PREFIX_PATH", "")]
            ),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(installed / "share" / "neuro_control")


def test_colcon_runs_the_tests(workspace, installed):
    assert installed.is_dir()
    picked = ("test/test_package.py", "-k", "version")
    colcon(workspace, "test", "--executor", "sequential", "--pytest-args", *picked)
    summary = colcon(workspace, "test-result", "--verbose")
    assert "0 errors, 0 failures" in summary
    assert not summary.startswith("Summary: 0 tests")
