# SPDX-License-Identifier: Apache-2.0
"""A Python that fits is found; one that does not is refused with the reason."""

import os
import stat
import subprocess
import sys
from pathlib import Path

FIND = Path(__file__).resolve().parents[2] / "tools" / "find_python.sh"


def find(python, **variables):
    environment = {**os.environ, "PYTHON": str(python), **variables}
    return subprocess.run([str(FIND)], env=environment, capture_output=True, text=True, check=False)


def test_the_python_that_is_named_is_taken():
    found = find(sys.executable)
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip() == sys.executable


def test_a_python_that_is_not_there_is_refused_by_name():
    found = find("/no/such/python")
    assert found.returncode == 1
    assert "/no/such/python is not there" in found.stderr


def test_an_old_python_is_refused_with_its_version(tmp_path):
    old = tmp_path / "python"
    # The running interpreter, made to believe that it is 3.9.
    claim = "import sys; sys.version_info = (3, 9, 1); exec(sys.argv[1])"
    old.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{claim}' \"$2\"\n")
    old.chmod(old.stat().st_mode | stat.S_IXUSR)
    found = find(old)
    assert found.returncode == 1
    assert found.stdout == ""
    assert "is Python 3.9" in found.stderr
    assert "PYTHON=" in found.stderr


def test_without_any_python_on_the_path_it_says_what_is_needed(tmp_path):
    found = subprocess.run(
        ["/bin/sh", str(FIND)],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    assert "3.10 to 3.13" in found.stderr
