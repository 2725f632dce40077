# SPDX-License-Identifier: Apache-2.0
"""A backend of another distribution, installed by pip, steps a robot's network by its name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# A program of its own: what is installed is found by a Python that starts after it.
PROGRAM = """
import dataclasses, sys
from neuro_control.backends import BackendError, RefusedError, ShadowRunner
from neuro_control.backends.parity import compare_with_engine
from neuro_control.backends.random_networks import random_convolution, random_network
from neuro_control.backends.registry import BackendSettings, choose_runner, installed
from neuro_control.backends.trust import ShadowSettings
from neuro_control.bringup import check_argument
from neuro_control.control.arm import ArmController, ArmControllerSettings
from neuro_control.robots import arm_urdf
from neuro_control.robots.arm_model import ArmModel

assert installed() == {
    "example": "example_backend:example",
    "example_board": "example_backend:board",
}
assert check_argument("backend", "example") == "example"
settings = BackendSettings(backend="example")
for network in (random_network(1), random_network(4), random_convolution(1)):
    found = compare_with_engine(choose_runner(network, settings).runner, network, 60, activity=0.3)
    assert found.exact, found
first = dataclasses.replace(random_network(0).populations[0], refractory=3)
other = dataclasses.replace(
    random_network(0), populations=(first, *random_network(0).populations[1:])
)
try:
    choose_runner(other, settings)
except RefusedError as error:
    assert "only plain LIF" in str(error)
else:
    raise SystemExit("what it cannot do was not refused")
network = random_network(1)
shadowed = choose_runner(network, BackendSettings(backend="example_board")).runner
assert isinstance(shadowed, ShadowRunner)
shadowed.settings = ShadowSettings(deadline_s=30.0, hang_s=60.0)
assert compare_with_engine(shadowed, network, 60).exact
assert shadowed.totals.ticks_compared > 0
shadowed.close()
controller = ArmController(
    ArmControllerSettings(backend="example"),
    ArmModel.from_urdf(arm_urdf(), "base_link", "hand_camera_optical_frame"),
)
print(controller.backend_report.values)
controller.close()
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip has put the example; its sources are built from a copy."""
    folder = tmp_path_factory.mktemp("example")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "example_backend.py"):
        (source / name).write_text((HERE / "example_backend" / name).read_text())
    words = ["install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *words, "--target", str(folder / "site"), str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "site"


def run(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "PYTHONPATH": str(site),
        "EXAMPLE_BOARD": str(HERE / "board_emulator.py"),
        # Without Lava, which would be started to be listed.
        "XDG_CACHE_HOME": str(site),
    }
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=False, env=environment
    )


def test_it_is_chosen_by_name_compared_shadowed_and_given_to_a_controller(site: Path) -> None:
    done = run(site, "-c", PROGRAM)
    assert done.returncode == 0, done.stderr
    assert "'backend': 'example'" in done.stdout


def test_the_command_lists_it_and_takes_it_for_an_argument(site: Path) -> None:
    done = run(site, "-m", "neuro_control.cli", "backend", "list")
    assert done.returncode == 0, done.stderr
    assert "example from example_backend:example" in done.stdout
    done = run(site, "-m", "neuro_control.cli", "demo", "arm", "--backend", "exampel")
    assert done.returncode == 2
    assert "backend:=exampel" in done.stderr
    assert "example, example_board" in done.stderr
