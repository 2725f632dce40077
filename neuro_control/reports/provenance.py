# SPDX-License-Identifier: Apache-2.0
"""Where a figure comes from: the versions of everything, the commit, the machine."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import neuro_control

DISTRIBUTIONS = (
    "numpy",
    "scipy",
    "numba",
    "llvmlite",
    "mujoco",
    "nir",
    "rosbags",
    "matplotlib",
    "ros-rclpy",
)

_GIT_LIMIT_S = 5.0


def versions(*more: str) -> dict[str, str]:
    """Versions of everything a figure depends on; `more` are further distributions by name."""
    found = {"neuro_control": neuro_control.__version__, "commit": commit() or "not in a clone"}
    found |= {"python": platform.python_version(), **machine()}
    for name in dict.fromkeys((*DISTRIBUTIONS, *more)):
        found[name] = _version(name)
    return found


def machine() -> dict[str, str]:
    """What the run was made on: the system, the processor with the cores it may use, memory."""
    found = {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": f"{_processor()}, {cores()} cores",
    }
    try:
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):  # not on every system
        return found
    return found | {"memory": f"{pages * size / 2**30:.1f} GiB"}


def cores() -> int:
    """How many processor cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def commit(folder: Path | None = None) -> str | None:
    """The commit of the clone that the package runs from, with ``, changed`` if files differ.

    None if the package is installed and not in a clone, or there is no git.
    """
    folder = folder or Path(neuro_control.__file__).resolve().parent
    name = _git(folder, "rev-parse", "--short=12", "HEAD")
    # Untracked files of somebody's own are none of the package's code; a clone that holds an
    # environment with the package in it is not the package's clone.
    if name is None or not _git(folder, "ls-files", "__init__.py"):
        return None
    return name + (", changed" if _git(folder, "status", "--porcelain", "-uno") else "")


def _git(folder: Path, *words: str) -> str | None:
    try:
        result = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=_GIT_LIMIT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() if result.returncode == 0 else None


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
