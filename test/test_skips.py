# SPDX-License-Identifier: Apache-2.0
"""A skip fails where everything is set up, unless the reason is the machine's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from test.skips import OF_THE_MACHINE, VARIABLE

ROOT = Path(__file__).resolve().parents[1]
TESTS = {
    "test_file.py": "import pytest\npytest.importorskip('no_such_module', reason='needs it')\n",
    "test_one.py": f"""
import pytest

def test_that_lacks_something():
    pytest.skip("needs Chromium")

@pytest.mark.skipif(True, reason="no colcon here")
def test_that_is_marked():
    pass

def test_of_the_machine():
    pytest.skip({OF_THE_MACHINE[1] + " (why)"!r})

@pytest.mark.xfail
def test_that_is_known_to_fail():
    raise AssertionError
""",
}


@pytest.mark.parametrize(
    ("wanted", "counts"),
    [("1", "1 failed, 1 skipped, 1 xfailed, 2 errors"), ("", "4 skipped, 1 xfailed")],
)
def test_what_is_missing_fails_where_nothing_may_be(
    tmp_path: Path, wanted: str, counts: str
) -> None:
    for name, text in TESTS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "test" / "skips.py", tmp_path / "conftest.py")
    words = ["-q", "-rfEs", "-p", "no:cacheprovider"]
    again = ["--continue-on-collection-errors", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, *again, str(tmp_path)],
        cwd=tmp_path,
        env=os.environ | {VARIABLE: wanted},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1].startswith(counts), done.stdout + done.stderr
    if wanted:
        assert "needs Chromium" in done.stdout
        assert "no colcon here" in done.stdout


def test_this_very_run_heeds_it(pytestconfig: pytest.Config) -> None:
    hooks = pytestconfig.pluginmanager.hook.pytest_runtest_makereport.get_hookimpls()
    assert "test.skips" in {hook.function.__module__ for hook in hooks}


@pytest.mark.parametrize("reason", OF_THE_MACHINE)
def test_every_reason_of_the_machine_is_one_that_a_test_gives(reason: str) -> None:
    files = [file for file in (ROOT / "test").rglob("*.py") if file.name != "skips.py"]
    assert any(reason in file.read_text(encoding="utf-8") for file in files)
