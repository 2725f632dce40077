# SPDX-License-Identifier: Apache-2.0
"""Where the robot descriptions lie, and the arm's URDF expanded from its xacro."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import xacro

_PACKAGE = "neuro_control"
_MARK = Path("urdf") / "arm.urdf.xacro"
HARDWARE = ("mujoco", "gazebo", "none")


def share_directory() -> Path:
    """Folder that holds ``urdf/`` and ``config/``: the source tree's, else an installed share.

    Installed shares are sought in ``AMENT_PREFIX_PATH`` and in the running interpreter's prefix.

    Raises:
        FileNotFoundError: no folder holds ``urdf/arm.urdf.xacro``; the message lists them.
    """
    prefixes = [Path(p) for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    prefixes.append(Path(sys.prefix))
    candidates = [Path(__file__).resolve().parents[2]]
    candidates += [prefix / "share" / _PACKAGE for prefix in prefixes]
    for candidate in candidates:
        if (candidate / _MARK).is_file():
            return candidate
    tried = ", ".join(str(candidate) for candidate in candidates)
    raise FileNotFoundError(f"{_MARK} is in none of: {tried}; install the package or its share")


def arm_urdf(share: Path | None = None, hardware: str = "mujoco", world: bool = False) -> str:
    """The arm's URDF as text, expanded from ``urdf/arm.urdf.xacro``.

    Args:
        share: folder that holds ``urdf/``; by default `share_directory`.
        hardware: ros2_control plugin to name: "mujoco", "gazebo" or "none".
        world: put a fixed link ``world`` above ``base_link``.

    Raises:
        ValueError: `hardware` is none of the three.
        FileNotFoundError: the xacro file is not there.
    """
    if hardware not in HARDWARE:
        raise ValueError(f"hardware: {hardware!r} is not one of {', '.join(HARDWARE)}")
    path = (share or share_directory()) / _MARK
    if not path.is_file():
        raise FileNotFoundError(f"share: {path} does not exist")
    arguments = {"hardware": hardware, "world": "true" if world else "false"}
    return str(xacro.process_file(str(path), mappings=arguments).toxml())
