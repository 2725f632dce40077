# SPDX-License-Identifier: Apache-2.0
"""The libraries on PyPI that read Prophesee's files, beside which `benchmarks.decoding` measures.

Each has an environment of its own, made from PyPI on first use, and reads the same RAW file in a
process of its own on one thread. None of them checks addresses against the sensor's size.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.engine_peers import add_environments, clean_environment

PEERS: Mapping[str, str] = {
    "expelliarmus": "expelliarmus==1.1.12",
    "evt3": "evt3==0.4.1",
    "evutils": "evutils==0.3.18",
    "eventcv": "eventcv==1.0.8",
    "faery": "faery==0.7.1",
    "evlib": "evlib==0.13.2",
}
"""Distribution -> what pip installs."""

ENCODINGS: Mapping[str, Sequence[str]] = {
    "evt2": ("expelliarmus", "evutils", "eventcv", "faery", "evlib"),
    "evt3": tuple(PEERS),
}
"""What each encoding is read by."""

LIMIT_S = 120
_ONE_THREAD = {"RAYON_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which peers, and where their environments are kept."""
    add_environments(parser)
    parser.add_argument(
        "--peers", nargs="*", default=list(PEERS), choices=list(PEERS), help="beside which to run"
    )


def pythons(options: argparse.Namespace) -> dict[str, Path]:
    """The Python of each peer's environment, made where it is missing; peers without are told."""
    found = {}
    for name in options.peers:
        home = options.environments / f"decoding_{name}"
        python, done = home / "bin" / "python", home / ".installed"
        if not done.is_file():
            print(f"making the environment of {name} in {home}", file=sys.stderr)
            commands = (
                [sys.executable, "-m", "venv", "--clear", str(home)],
                [str(python), "-m", "pip", "install", "-q", PEERS[name]],
            )
            failed = next((why for command in commands if (why := _failure(command))), "")
            if failed:
                print(f"{name} cannot be installed: {failed}", file=sys.stderr)
                continue
            done.touch()
        found[name] = python
    return found


def _failure(command: Sequence[str]) -> str:
    ran = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=clean_environment() | _ONE_THREAD,
        timeout=10 * LIMIT_S,
    )
    return (ran.stderr.strip().splitlines() or ["no message"])[-1] if ran.returncode else ""


Measured = tuple[int, list[float], list[float]]


def read_by_all(
    payload: np.ndarray,
    encoding: str,
    size: tuple[int, int],
    passes: int,
    pythons: Mapping[str, Path],
) -> tuple[dict[str, Measured], dict[str, str]]:
    """What each peer measured on the payload (uint8[n]), and why others did not."""
    found: dict[str, Measured] = {}
    missing: dict[str, str] = {}
    script = Path(__file__).parent / "peers" / "decoding_peer.py"
    width, height = size
    header = (
        f"% evt {encoding[3]}.0\n% format {encoding.upper()};height={height};width={width}\n"
        f"% geometry {width}x{height}\n% end\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        raw, out = Path(folder) / "recording.raw", Path(folder) / "out.json"
        raw.write_bytes(header.encode("ascii") + payload.tobytes())
        for name in [name for name in ENCODINGS[encoding] if name in pythons]:
            why = _failure([str(pythons[name]), str(script), name, str(raw), str(passes), str(out)])
            if why:
                missing[name] = why
                continue
            read = json.loads(out.read_text())
            label = f"{name} {read['version']}"
            found[label] = (read["events"], read["seconds"], read["wall"])
    return found, missing
