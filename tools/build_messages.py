# SPDX-License-Identifier: Apache-2.0
"""Build event_camera_msgs with the ROS wheels and install it into their environment.

Run it with the interpreter of the environment that shall get the message:

    .venv/bin/python tools/build_messages.py

It needs gcc (with g++), and the packages of the extra ``interfaces``. A machine with an apt
ROS does not need it: there the message is ``apt install ros-$ROS_DISTRO-event-camera-msgs``.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import numpy

SOURCE = Path(__file__).resolve().parents[1] / "interfaces" / "event_camera_msgs"

# The wheels were made in containers whose interpreters live in /opt/python; their CMake
# exports still point there.
_FOREIGN_NUMPY = re.compile(r"/opt/python/[^;\"]*/site-packages/numpy/[^;\"]*include")
_FOREIGN_PYTHON = re.compile(r"/opt/python/[^;\"]*/include/python3\.[0-9]+")


def main() -> int:
    """Build and install; return a process exit code."""
    prefix = Path(sys.prefix)
    problem = _problem(prefix)
    if problem:
        print(f"build_messages: {problem}", file=sys.stderr)
        return 1
    patch_exports(prefix / "share")
    with tempfile.TemporaryDirectory(prefix="event_camera_msgs-") as build:
        for command in _commands(prefix, Path(build)):
            done = subprocess.run(
                command, env=_environment(prefix), capture_output=True, text=True, check=False
            )
            if done.returncode != 0:
                print(done.stdout[-4000:], done.stderr[-4000:], sep="\n", file=sys.stderr)
                print(f"build_messages: failed: {' '.join(command)}", file=sys.stderr)
                return 1
    check = "from event_camera_msgs.msg import EventPacket; EventPacket()"
    return subprocess.run([sys.executable, "-c", check], check=False).returncode


def patch_exports(share: Path) -> list[Path]:
    """Point the include folders in the wheels' CMake exports at this interpreter's.

    Files that name no foreign folder stay untouched, so a second call changes nothing.

    Returns:
        The files that were changed.
    """
    python_include = sysconfig.get_paths()["include"]
    changed = []
    for path in sorted(share.glob("*/cmake/*Export*.cmake")):
        text = path.read_text()
        mended = _FOREIGN_NUMPY.sub(lambda _: numpy.get_include(), text)
        mended = _FOREIGN_PYTHON.sub(lambda _: python_include, mended)
        if mended != text:
            path.unlink()  # a hard link into an installer's cache must not be written through
            path.write_text(mended)
            changed.append(path)
    return changed


def _problem(prefix: Path) -> str:
    """Say what stands in the way of a build, or nothing."""
    if sys.prefix == sys.base_prefix:
        return "this interpreter is no virtual environment; run .venv/bin/python instead"
    for module in ("ament_package", "rosidl_generator_py", "catkin_pkg"):
        if importlib.util.find_spec(module) is None:
            return f"{module} is missing: run '{prefix}/bin/pip install -r requirements.lock'"
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").is_file():
        return "Python.h is missing: install your system's python3-dev package"
    for compiler in ("cc", "c++"):
        if shutil.which(compiler) is None:
            return f"no compiler '{compiler}': install gcc and g++ (Debian: build-essential)"
    return ""


def _tool(prefix: Path, name: str) -> str:
    """Prefer the environment's own tool to whatever version the system has."""
    own = prefix / "bin" / name
    return str(own) if own.exists() else name


def _commands(prefix: Path, build: Path) -> list[list[str]]:
    cmake = _tool(prefix, "cmake")
    configure = [
        cmake,
        *("-S", str(SOURCE), "-B", str(build), "-G", "Ninja", "--no-warn-unused-cli"),
        f"-DCMAKE_MAKE_PROGRAM={_tool(prefix, 'ninja')}",
        f"-DCMAKE_INSTALL_PREFIX={prefix}",
        f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DPython3_EXECUTABLE={sys.executable}",
        f"-DPYTHON_EXECUTABLE={sys.executable}",
        "-DPython3_FIND_VIRTUALENV=ONLY",
        "-DCMAKE_BUILD_TYPE=Release",
        "-DBUILD_TESTING=OFF",
        # The environment's prefix may contain lib64 -> lib; one folder for all distributions.
        "-DCMAKE_INSTALL_LIBDIR=lib",
    ]
    return [configure, [cmake, "--build", str(build)], [cmake, "--install", str(build)]]


def _environment(prefix: Path) -> dict[str, str]:
    environment = dict(os.environ)
    # An apt ROS that happens to be sourced must not be mixed into this build.
    for name in ("AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "COLCON_PREFIX_PATH", "PYTHONPATH"):
        environment.pop(name, None)
    environment.update(
        ROS_VERSION="2",
        ROS_DISTRO="jazzy",
        VIRTUAL_ENV=str(prefix),
        AMENT_PREFIX_PATH=str(prefix),
        PATH=os.pathsep.join([str(prefix / "bin"), environment.get("PATH", os.defpath)]),
    )
    return environment


if __name__ == "__main__":
    raise SystemExit(main())
