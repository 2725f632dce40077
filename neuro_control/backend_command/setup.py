# SPDX-License-Identifier: Apache-2.0
"""`neuro_control backend setup lava`: an environment of its own, because Lava wants old packages.

lava-nc 0.10.0 is its last release and asks for Python 3.10; it also runs on 3.11 and 3.12 (see
`worker.lava.compatibility`), which is why its own demand is passed over. Of what it declares only
that is installed which the backend imports. greenlet is ours (see `worker.lava.one_process`).
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from neuro_control.backends.parity import compare_with_engine
from neuro_control.backends.process_runner import ProcessRunner
from neuro_control.backends.random_networks import random_network
from neuro_control.backends.registry import cache_directory
from neuro_control.backends.worker_process import BackendError, clean_environment, worker_command

LAVA = "lava-nc==0.10.0"
NEEDS = ("numpy<2", "scipy<1.16", "networkx<=2.8.7", "asteval<1.1", "greenlet>=3,<4")
VERSIONS = ("3.10", "3.11", "3.12")
STAMP = "neuro_control.json"
DISK_MB = 300
PROOF_TICKS = 20


def setup(arguments: argparse.Namespace) -> int:
    """Make the environment unless it is there, and have a network stepped in it."""
    # Absolute: what it says at the end has to hold wherever it is typed.
    folder = (arguments.folder or cache_directory() / arguments.name).expanduser().absolute()
    python = folder / "bin" / "python"
    if is_made(folder):
        if arguments.python:
            raise BackendError(
                f"--python {arguments.python}: {folder} is there already; remove it first, or name "
                "another place by --folder"
            )
        print(f"{folder} is there already")
        try:
            versions = prove(python, arguments.name)
        except BackendError as error:
            print(f"it does not work ({error}); it is made anew", flush=True)
            make_anew(folder)
            versions = prove(python, arguments.name)
    else:
        make(folder, arguments.python or find_python())
        versions = prove(python, arguments.name)
    print(f"{arguments.name} works: {', '.join(f'{k} {v}' for k, v in versions.items())}")
    given = ""
    if arguments.folder:
        print(f"tell the controller: backend_python:={shlex.quote(str(python))}")
        given = f" --python {shlex.quote(str(python))}"
    print(f"prove it: neuro_control backend check {arguments.name}{given}")
    return 0


def prove(python: Path, name: str) -> Mapping[str, Any]:
    """Have a small network loaded and stepped; returns the versions of what did.

    A hello says little: half of what a backend needs is imported with its first network.

    Raises:
        BackendError: it does not, or not as the engine; the message says what is wrong.
    """
    network = random_network(0)
    runner = ProcessRunner(network, worker_command(python, name), name)
    try:
        found = compare_with_engine(runner, network, PROOF_TICKS)
    finally:
        runner.close()
    if not found.exact:
        raise BackendError(f"it steps, but not as the engine: {found.first_difference}")
    return cast(Mapping[str, Any], runner.process.hello.fields.get("versions", {}))


def is_made(folder: Path) -> bool:
    """Whether `make` came to its end there, with what this release asks for."""
    try:
        text = (folder / STAMP).read_text()
        return json.loads(text) == _wanted() and (folder / "bin" / "python").is_file()
    except (OSError, ValueError):
        return False


def make(folder: Path, python: str) -> None:
    """Make the environment, anew if a part of one is there.

    Raises:
        BackendError: the folder cannot be written, or a step failed; the message has its end.
    """
    version = _version(python)
    if version not in VERSIONS:
        raise BackendError(f"{python} is Python {version}; Lava runs on {', '.join(VERSIONS)}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BackendError(
            f"{folder} cannot be made ({error}); --folder names another place"
        ) from error
    free_mb = shutil.disk_usage(folder).free >> 20
    if free_mb < DISK_MB and not (folder / "pyvenv.cfg").is_file():
        raise BackendError(
            f"no space left on device: {folder} has {free_mb} MB, Lava's environment takes "
            f"{DISK_MB}; --folder names another place"
        )
    if any(folder.iterdir()) and not (folder / "pyvenv.cfg").is_file():
        raise BackendError(f"{folder} holds something else than an environment; name another")
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "-q"]
    steps = (
        (f"environment with Python {version}", [python, "-m", "venv", "--clear", str(folder)]),
        (LAVA, [*pip, "install", "--no-deps", "--ignore-requires-python", LAVA]),
        (" ".join(NEEDS), [*pip, "install", *NEEDS]),
    )
    for i, (what, words) in enumerate(steps, 1):
        print(f"[{i}/{len(steps)}] {what}", flush=True)
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            check=False,
            # For pip, what PYTHONPATH leads to is installed; the worker is started without it.
            env=clean_environment(),
        )
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            said = [line for line in lines if line.lower().startswith("error")] or lines[-3:]
            raise BackendError(f"{what} failed: {' '.join(said)}")
    (folder / STAMP).write_text(json.dumps(_wanted()))


def make_anew(folder: Path) -> None:
    """Make an environment again with the interpreter that it has, if that still runs.

    Where that fails, the old one stands there as before: it may have been slow, not broken.

    Raises:
        BackendError: as `make`.
    """
    folder = folder.resolve()  # the folder itself is moved, and no link to it
    base = (folder / "bin" / "python").resolve()
    lasts = not base.is_relative_to(folder) and any(_runs(str(base), v) for v in VERSIONS)
    python = str(base) if lasts else find_python()
    try:
        holder = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise BackendError(f"{folder} cannot be moved aside ({error}); remove it") from error
    aside = holder / "old"
    try:
        folder.rename(aside)
    except OSError as error:
        holder.rmdir()
        raise BackendError(f"{folder} cannot be moved aside ({error}); remove it") from error
    try:
        make(folder, python)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        aside.rename(folder)
        holder.rmdir()
        raise
    shutil.rmtree(holder, ignore_errors=True)


def find_python() -> str:
    """An interpreter that Lava runs on: this one if it is, else the first on the path."""
    if _this_version() in VERSIONS:
        return sys.executable
    for version in VERSIONS:
        for folder in os.get_exec_path():
            found = shutil.which(f"python{version}", path=folder)
            if found and _runs(found, version):
                return found
    raise BackendError(
        f"Lava runs on Python {', '.join(VERSIONS)}; this is {_this_version()}, and none of them "
        "is on the path. --python names one"
    )


def _wanted() -> list[str]:
    return [LAVA, *NEEDS]


def _this_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _runs(python: str, version: str) -> bool:
    """Whether it does: a version manager has a stand-in for every Python, which may run none."""
    try:
        return _version(python) == version
    except BackendError:
        return False


def _version(python: str) -> str:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(
            [python, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            env=clean_environment(),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise BackendError(f"{python} is no Python that runs: {error}") from error
    return done.stdout.strip()
