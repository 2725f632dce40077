# SPDX-License-Identifier: Apache-2.0
"""The versions that the package asks for, read from its one declaration."""

from __future__ import annotations

import importlib.metadata
import re
from configparser import ConfigParser

from neuro_control.doctor.finding import SOURCE_TREE, in_source_tree


def requirements() -> dict[str, str]:
    """Map each distribution that the package needs to its range, as in 'numpy': '>=1.26,<3'.

    Read from setup.cfg in a clone, else from the installed package; extras are left out.
    """
    if in_source_tree():
        declared = ConfigParser()
        declared.read(SOURCE_TREE / "setup.cfg")
        lines = declared.get("options", "install_requires").split("\n")
    else:
        try:
            lines = importlib.metadata.requires("neuro_control") or []
        except importlib.metadata.PackageNotFoundError:
            lines = []
    found = {}
    for line in lines:
        match = re.fullmatch(r"([A-Za-z0-9_.-]+)\s*\(?([^;()]*)\)?", line.strip())
        if match:
            found[match[1].lower()] = match[2].replace(" ", "")
    return found


def within(version: str, bounds: str) -> bool:
    """Whether a release lies in a range such as '>=1.26,<3'.

    Raises:
        ValueError: a bound is not >=, < or == with a release number.
    """
    number = _numbers(version)
    for bound in filter(None, bounds.split(",")):
        match = re.fullmatch(r"(>=|<|==)([0-9.]+)", bound)
        if match is None:
            raise ValueError(f"bounds: {bound!r} is not >=, < or == with a release number")
        limit = _numbers(match[2])
        size = max(len(number), len(limit))
        ours = number + (0,) * (size - len(number))
        theirs = limit + (0,) * (size - len(limit))
        if not {">=": ours >= theirs, "<": ours < theirs, "==": ours == theirs}[match[1]]:
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in match[0].split(".")) if match else ()
