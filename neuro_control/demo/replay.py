# SPDX-License-Identifier: Apache-2.0
"""The command `neuro_control replay`: recorded events offline, or through the real nodes."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from neuro_control.demo.report import write_report


def replay_offline(path: Path, topic: str | None, report: Path | None) -> int:
    """Decode a recording as fast as it goes and say what was in it.

    Returns 0, or 2 with one line on stderr if the recording cannot be read.
    """
    from neuro_control.events import BagError
    from neuro_control.events.replay import Replay

    try:
        replay = Replay(path, topic)
        for _packet, _events in replay:
            pass
        found: dict[str, Any] = asdict(replay.report())
    except BagError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    found["drops"] = dict(found["drops"])
    if report is not None:
        write_report(report, found)
    return 0


def replay_online(path: Path, topic: str | None, rate: float, report: Path | None) -> int:
    """Play a recording through the real nodes; see `replay_offline` for the exit codes."""
    raise NotImplementedError
