# SPDX-License-Identifier: Apache-2.0
"""`neuro_control events convert`: from one kind of file to another."""

from __future__ import annotations

import argparse
from pathlib import Path

from neuro_control.events import write
from neuro_control.events.files.reading import chunks, triggers_of
from neuro_control.events_command.files import CHUNK, opened
from neuro_control.events_command.info import errors, named
from neuro_control.reports.files import check_output, over_words

# A folder each, and never written over.
RECORDINGS = (".mcap", ".db3")


def convert(arguments: argparse.Namespace) -> int:
    """Write it and say how much it was, and what of the file is not in it."""
    out = Path(arguments.out)
    over = over_words(out)
    if not (over and out.suffix.lower() in RECORDINGS):
        check_output("OUT", out)
    file, size = opened(arguments)
    triggers = triggers_of(file) if out.suffix.lower() == ".raw" else None
    n = write(
        out,
        chunks(file, size, CHUNK),
        size,
        encoding=arguments.encoding,
        triggers=triggers,
    )
    print(f"{out}: {n:,} events of a sensor of {size[0]} x {size[1]}{over}")
    unusable = errors(file)
    if unusable:
        print(f"{arguments.file}: unusable, and left out or mended: {named(unusable)}")
    if triggers is not None and len(triggers):
        print(f"{out}: {len(triggers):,} external triggers")
    elif file.counters.triggers:
        print(
            f"{arguments.file}: {file.counters.triggers:,} external triggers, which are not"
            " written: .raw holds them, and neuro_control.events.read_triggers gives them"
        )
    return 0
