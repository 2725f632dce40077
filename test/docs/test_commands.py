# SPDX-License-Identifier: Apache-2.0
"""Every command in the documentation does what it says: they are run, page by page, in order."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_here = Path(__file__).resolve().parent
if str(_here) not in sys.path:
    sys.path.insert(0, str(_here))

from pages import PAGES, ROOT, Block, blocks  # noqa: E402

from neuro_control.demo.domain import DomainClaim  # noqa: E402

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")

# Blocks that are no commands: what a file says, what a program prints, what a page draws.
NO_COMMANDS = {"text", "toml", "yaml", "xml"}
LIMIT_S = 240


def is_run(block: Block) -> bool:
    return block.language == "bash" and not block.not_run


def test_every_block_says_what_it_is() -> None:
    known = NO_COMMANDS | {"bash", "python"}
    for page in PAGES:
        for block in blocks(page):
            assert block.language in known, f"{block}: a block of {block.language}"


def test_what_is_not_run_says_why() -> None:
    found = [block for page in PAGES for block in blocks(page) if block.not_run]
    assert found
    for block in found:
        assert len(block.not_run.split()) >= 3, f"{block}: {block.not_run!r} is no reason"


def test_every_python_file_of_a_page_is_used_by_it() -> None:
    for page in PAGES:
        whole = page.read_text(encoding="utf-8")
        for block in blocks(page):
            if block.language == "python" and not block.not_run:
                assert block.file, f"{block}: name the file in its first line, or say why not run"
                stem = Path(block.file).stem
                uses = whole.count(block.file) + whole.count(f"from {stem} import")
                assert uses >= 2, f"{block}: nothing on the page runs {block.file}"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder like a clone's, in which commands may write what they like."""
    for name in ("config", "docs"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("benchmarks", "test", "urdf"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """As after `source .venv/bin/activate`, on a ROS domain that nobody else has."""
    with DomainClaim() as claim:
        yield {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "ROS_DOMAIN_ID": str(claim.domain),
            "MPLBACKEND": "agg",
        }


def runnable() -> Iterator[Any]:
    """Pages with commands; each has as much time as its blocks may take."""
    for page in PAGES:
        if count := sum(is_run(block) for block in blocks(page)):
            limit = pytest.mark.timeout((count + 1) * LIMIT_S)
            yield pytest.param(page, marks=limit, id=page.stem)


@pytest.mark.slow
@pytest.mark.parametrize("page", list(runnable()))
def test_the_commands_of_a_page_work(page: Path, clone: Path, environment: dict[str, str]) -> None:
    left_out = []
    for block in blocks(page):
        if block.language == "python" and block.file and not block.not_run:
            (clone / block.file).write_text(block.text, encoding="utf-8")
        elif is_run(block):
            if block.needs and importlib.util.find_spec(block.needs) is None:
                left_out.append(f"{block} needs {block.needs}")
                continue
            output = run(block, clone, environment)
            assert output is None, f"{block}\n{block.text}\n{output}"
    if left_out:
        pytest.skip("; ".join(left_out))


def run(block: Block, folder: Path, environment: dict[str, str]) -> str | None:
    """What a block printed if it failed, None if it worked; nothing of it goes on running."""
    with subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", block.text],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            return f"{output}\nnot done after {LIMIT_S} s"
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return None if process.returncode == 0 else f"{output}\nexit code {process.returncode}"
