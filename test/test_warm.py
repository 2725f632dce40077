# SPDX-License-Identifier: Apache-2.0
"""Compiling ahead goes through everything that a start of the demo compiles."""

import os
import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.timeout(1200)  # all compilation, on however busy a machine
def test_after_it_nothing_is_left_to_compile(tmp_path):
    def run():
        done = subprocess.run(
            [sys.executable, "-m", "neuro_control.warm"],
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.nb*"))

    first = run()
    assert first
    assert run() == first
