# SPDX-License-Identifier: Apache-2.0
"""Compiling ahead leaves nothing of the closed loop to be compiled at the next start."""

from __future__ import annotations

import subprocess
import sys

import pytest

WARM = "from neuro_control.warm import warm; warm()"
COMPILES = "import numba; numba.njit(lambda x: x + 1)(1)"
RECORDER = """
from numba.core import event
with event.install_recorder("numba:compile") as recorder:
    exec(PROGRAM)
print([str(what.data["dispatcher"]) for _, what in recorder.buffer if what.is_start])
"""


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def compiled_by(program: str) -> str:
    """The functions that a program compiles, those not among them that the cache has."""
    return run(f"PROGRAM = {program!r}{RECORDER}").strip()


@pytest.mark.slow
@pytest.mark.timeout(1200)  # all compilation, if it has not been done, on however busy a machine
def test_after_it_nothing_is_left_to_compile() -> None:
    run(WARM)
    assert compiled_by(WARM) == "[]"


def test_what_is_compiled_is_noticed() -> None:
    assert "<lambda>" in compiled_by(COMPILES)
