# SPDX-License-Identifier: Apache-2.0
"""The documentation builds without a warning, and its reference says what the code does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from neuro_control.bringup import RUNNABLE
from neuro_control.demo.domain import DomainClaim
from test.docs.pages import PAGES

ROOT = Path(__file__).resolve().parents[2]

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("mkdocs", reason="needs MkDocs (setup.cfg, extra docs)")


NEIGHBOURS = """
import rclpy
from rosgraph_msgs.msg import Clock
rclpy.init()
nodes = [rclpy.create_node(name) for name in ("controller", "replay")]
clock = nodes[1].create_publisher(Clock, "/clock", 10)
print("there", flush=True)
input()
"""


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """With a ROS_DOMAIN_ID in which nodes of the same names are that do something else."""
    with DomainClaim() as claim:
        environment = {
            **os.environ,
            "ROS_DOMAIN_ID": str(claim.domain),
            "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        }
        with subprocess.Popen(
            [sys.executable, "-c", NEIGHBOURS],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as neighbours:
            assert neighbours.stdout is not None
            assert neighbours.stdout.readline() == "there\n"
            yield environment
            neighbours.communicate("\n")


@pytest.fixture(scope="module")
def site(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages as `make docs` writes them; a broken link or a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**environment, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert built.returncode == 0, built.stderr + built.stdout
    assert "/clock" not in built.stderr
    return folder


def test_every_page_of_the_table_of_contents_is_written(site: Path) -> None:
    sources = [page.stem for page in (ROOT / "docs").glob("*.md") if page.stem != "index"]
    assert sources
    for name in sources:
        assert (site / name / "index.html").is_file(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_row_of_a_table_has_the_cells_of_its_head(page: Path) -> None:
    cells = 0
    for number, row in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if not row.startswith("|"):
            cells = 0
            continue
        found = re.sub(r"`[^`]*`|\\\|", "", row).count("|") - 1
        cells = cells or found
        assert found == cells, f"{page.name}:{number}: {row}"


def test_the_reference_has_every_node(site: Path) -> None:
    for page in ("topics", "parameters"):
        written = (site / "reference" / page / "index.html").read_text(encoding="utf-8")
        for name in RUNNABLE:
            assert f'id="{name}"' in written, f"{page}: {name}"


def test_the_reference_has_what_the_code_says(site: Path) -> None:
    parameters = (site / "reference" / "parameters" / "index.html").read_text(encoding="utf-8")
    assert "max_jump_rad" in parameters
    assert "Largest distance of a command from the measured position (rad)" in parameters
    topics = (site / "reference" / "topics" / "index.html").read_text(encoding="utf-8")
    assert "guard/emergency_stop" in topics
    assert "event_camera_msgs/EventPacket" in topics
    diagnostics = (site / "reference" / "diagnostics" / "index.html").read_text(encoding="utf-8")
    assert "guard_velocity_limit" in diagnostics
    assert "dropped_out_of_order" in diagnostics
    commands = (site / "reference" / "commands" / "index.html").read_text(encoding="utf-8")
    assert "neuro_control backend check" in commands


def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert pages
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for word in ('src="http', 'rel="stylesheet" href="http', 'rel="preconnect"'):
            assert word not in text, f"{page}: {word}"
