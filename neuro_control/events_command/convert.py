# SPDX-License-Identifier: Apache-2.0
"""`neuro_control events convert`: from one kind of file to another."""

from __future__ import annotations

import argparse

from neuro_control.events import write
from neuro_control.events_command.files import events_of


def convert(arguments: argparse.Namespace) -> int:
    """Write it and say how much it was."""
    chunks, size = events_of(arguments)
    n = write(arguments.out, chunks, size, encoding=arguments.encoding)
    print(f"{arguments.out}: {n:,} events of a sensor of {size[0]} x {size[1]}")
    return 0
