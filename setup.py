# SPDX-License-Identifier: Apache-2.0
"""What setup.cfg cannot say: every file of the share folders, wherever it lies in them."""

from pathlib import Path

from setuptools import setup

NAME = "neuro_control"
SHARE_FOLDERS = ("config", "launch", "urdf")


def share_files() -> list[tuple[str, list[str]]]:
    """List the files that an installed package finds below its prefix.

    Returns:
        Pairs of a folder relative to the prefix and the source files that go there.
    """
    files = [
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        # ros2 run and launch files look for programs here, not in bin.
        (f"lib/{NAME}", sorted(str(path) for path in Path("scripts").iterdir() if path.is_file())),
    ]
    for top in SHARE_FOLDERS:
        folders = [Path(top), *(path for path in Path(top).rglob("*") if path.is_dir())]
        for folder in sorted(folders):
            found = [str(p) for p in folder.glob("*") if p.is_file() and p.suffix != ".pyc"]
            if found:
                files.append((f"share/{NAME}/{folder}", sorted(found)))
    return files


setup(
    data_files=share_files(),
    # Not in setup.cfg: read from there it is an object that colcon cannot take over.
    python_requires=">=3.10,<3.14",
)
