# SPDX-License-Identifier: Apache-2.0
"""What a command line says that cannot be, seen before any file is read."""

from __future__ import annotations

import argparse
from pathlib import Path

from neuro_control.reports.files import PICTURE_SUFFIXES, check_output

RATE_HZ, TICKS, SEED = 10.0, 1000, 0
"""Of random input, where nothing else is said."""

_SUFFIXES = {"output": (".npz",), "picture": PICTURE_SUFFIXES, "json": (".json",)}


def checked(arguments: argparse.Namespace) -> argparse.Namespace:
    """The arguments, with what was left out of random input filled in.

    Raises:
        ValueError: naming the option, its value and what would be right.
    """
    if not 1 <= arguments.bits <= 8:
        raise ValueError(f"--bits {arguments.bits}: must be 1 to 8")
    for name, suffixes in _SUFFIXES.items():
        path = getattr(arguments, name, None)
        if isinstance(path, Path):
            check_output(f"--{name}", path, suffixes)
    if not hasattr(arguments, "rate_hz"):
        return arguments
    given = [option for option in ("input", "bag") if getattr(arguments, option, None) is not None]
    for option, value in (
        ("--rate-hz", arguments.rate_hz),
        ("--seed", arguments.seed),
        # Of recorded events too, as many as are read of them.
        ("--ticks", arguments.ticks if given != ["bag"] else None),
    ):
        if given and value is not None:
            raise ValueError(
                f"{option} {value:g}: is of random input, and --{given[0]} gives the spikes; leave "
                "one of them out"
            )
    filled = {"rate_hz": RATE_HZ, "ticks": TICKS, "seed": SEED}
    for name, default in filled.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, default)
    return arguments
