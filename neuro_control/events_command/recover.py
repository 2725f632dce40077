# SPDX-License-Identifier: Apache-2.0
"""`neuro_control events recover`: a recording that was cut off, made one that can be played."""

from __future__ import annotations

import argparse
from pathlib import Path

from neuro_control.events.bag_recovery import recover as recover_recording


def recover(arguments: argparse.Namespace) -> int:
    """Write what is whole and say how much it was, and what was not."""
    path, out = Path(arguments.file), Path(arguments.out)
    found = recover_recording(path, out)
    print(f"{out}: {found.messages:,} messages of {found.topics} topics, {found.duration_s:.3f} s")
    if found.damage:
        print(f"{path} is whole up to its last {found.lost:,} bytes: {found.damage}")
    else:
        print(f"{path} was whole; nothing is missing")
    return 0
