# SPDX-License-Identifier: Apache-2.0
"""Python and its packages, MuJoCo's picture, compiled code, and what a machine may have besides."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import shutil
import sys
from pathlib import Path

from neuro_control.doctor.finding import SOURCE_TREE, Check, attempt, in_source_tree, run_child
from neuro_control.doctor.ranges import requirements, within

LOWEST_PYTHON, HIGHEST_PYTHON = (3, 10), (3, 13)
SHARE_MARK = Path("urdf") / "arm.urdf.xacro"

# Distribution -> module, where the two differ.
_MODULES = {
    "imageio-ffmpeg": "imageio_ffmpeg",
    "pillow": "PIL",
    "pyopengl": "OpenGL",
    "pyyaml": "yaml",
}

# The simulation's own probe, so that both say the same; in a child, as it needs MuJoCo.
_OPENGL = """
    from neuro_control.sim.luminance import find_opengl
    found = find_opengl()
    if found is None:
        raise SystemExit("neither EGL nor OSMesa renders")
    drawn = "the camera casts rays, which is faster" if found.is_software else "draws the camera"
    print(f"{found.platform} on {found.device}: {drawn}")
"""


def python() -> Check:
    """The interpreter that runs this."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    if LOWEST_PYTHON <= sys.version_info[:2] <= HIGHEST_PYTHON:
        return Check("Python", "ok", f"{version} ({sys.prefix})")
    return Check(
        "Python", "missing", f"{version}; 3.10 to 3.13 is needed", "make setup PYTHON=python3.12"
    )


def packages() -> list[Check]:
    """Every distribution of setup.cfg, against its range."""
    declared = requirements()
    if not declared:
        return [Check("neuro_control", "missing", "not installed", "pip install neuro_control")]
    return [package(name, bounds) for name, bounds in sorted(declared.items())]


def package(name: str, bounds: str) -> Check:
    """One distribution: there, in its range, and it imports."""
    mend = "make setup" if in_source_tree() else f'pip install "{name}{bounds}"'
    module = _MODULES.get(name, name)
    known, found = attempt(lambda: importlib.metadata.version(name))
    if not known and importlib.util.find_spec(module) is None:
        return Check(name, "missing", "not installed", mend)
    if known and not within(found, bounds):
        return Check(name, "missing", f"{found}; {bounds} is needed", mend)
    # In a child: an extension module built for another library can crash its importer.
    works, why = run_child(f"import {module}; print('imports')")
    if not works:
        return Check(name, "missing", why, mend)
    # apt's packages of ROS (xacro) carry no metadata in places; then the import counts.
    return Check(name, "ok", found if known else "imports; its version is not known")


def share() -> Check:
    """The robot descriptions and parameter files."""
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    installed = [Path(p) / "share" / "neuro_control" for p in [*prefixes, sys.prefix] if p]
    for folder in [SOURCE_TREE, *installed]:
        if (folder / SHARE_MARK).is_file():
            return Check("robot files", "ok", str(folder))
    return Check(
        "robot files",
        "missing",
        f"no {SHARE_MARK} in the tree, AMENT_PREFIX_PATH or {sys.prefix}",
        "make setup" if in_source_tree() else "pip install --force-reinstall neuro_control",
    )


def opengl() -> Check:
    """What draws the camera's image: OpenGL without a window, or else rays."""
    works, found = run_child(_OPENGL)
    if works:
        return Check("OpenGL", "ok", found)
    return Check(
        "OpenGL",
        "optional",
        f"none, the camera casts rays ({found})",
        "apt install libegl1 libgl1-mesa-dri",
    )


def desktop() -> Check:
    """Whether a window can show the scene."""
    for variable in ("WAYLAND_DISPLAY", "DISPLAY"):
        if os.environ.get(variable):
            return Check("desktop", "ok", f"{variable}={os.environ[variable]}")
    return Check("desktop", "optional", "none, the demo runs without a window")


def numba_cache() -> Check:
    """Compiled code that is kept; without it every start compiles anew."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(chosen) if chosen else SOURCE_TREE / "neuro_control"
    if not os.access(folder if folder.is_dir() else folder.parent, os.W_OK):
        return Check(
            "numba cache",
            "optional",
            f"{folder} is not writable, so code is cached per user or compiled at each start",
            "export NUMBA_CACHE_DIR=$HOME/.cache/neuro_control",
        )
    count = sum(1 for _ in folder.rglob("*.nbi"))
    return Check("numba cache", "ok", f"{count} compiled functions in {folder}")


def lava() -> Check:
    """Lava in its own environment, for the backends `lava` and `loihi`."""
    from neuro_control.backends.registry import lava_python
    from neuro_control.backends.worker_process import BackendError

    try:
        return Check("Lava", "ok", str(lava_python()))
    except BackendError:
        return Check(
            "Lava", "optional", "no environment for it", "neuro_control backend setup lava"
        )


def program(name: str, command: str, mend: str) -> Check:
    """A program that a fuller machine has."""
    path = shutil.which(command)
    if path:
        return Check(name, "ok", path)
    return Check(name, "optional", f"no '{command}' on the path", mend)
